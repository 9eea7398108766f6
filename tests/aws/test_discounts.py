"""Discounts stand in one file with their source; a file of one's own changes some of them, and a wrong one is told."""
from __future__ import annotations

import json
import os
from decimal import Decimal

import pytest
from bills import EC2, BillSource, charge, days

from aws.cost_service import AWSCostService
from aws.insights.commitments import OFFERS
from aws.insights.discounts import load_discounts
from aws.insights.findings import examine
from aws.reports.base import Study
from aws.reports.insights import InsightsReport
from config import Settings
from conftest import ROOT, run


def own(folder, **tables):
    path = folder / "ours.json"
    path.write_text(json.dumps(tables))
    return str(path)


def savings(settings):
    lines = [charge(day, "10", EC2, usage_type="BoxUsage:m4.large", resource="i-1") for day in days()]
    found = examine(AWSCostService(BillSource(lines)), settings).findings
    return {one.kind: one.saving for one in found if one.saving}


def test_every_rule_finds_its_discount_listed_with_date_and_source():
    listed = load_discounts()
    assert {one.id for one in OFFERS} == set(listed.tables["commitments"])
    assert listed.as_of >= "2026" and "aws.amazon.com/pricing" in listed.source and listed.own == ""
    assert listed.share("commitments", "compute") == Decimal("0.27")
    assert listed.newer("volumes", "gp2") == ("gp3", Decimal("0.20")) and listed.newer("volumes", "gp3") is None


def test_no_rule_has_a_discount_of_its_own():
    for path in (ROOT / "src" / "aws" / "insights").glob("*.py"):
        assert "Decimal(\"0.2" not in path.read_text(encoding="utf-8") and "discount:" not in path.read_text(
            encoding="utf-8"), path


def test_a_file_of_ones_own_changes_what_it_names_and_nothing_else(tmp_path):
    listed = savings(Settings())
    assert listed == {"old_instance": Decimal("12.00"), "low_coverage": Decimal("77.76")}
    path = own(tmp_path, about="ours", instances={"m4": ["m7g", 0.2]}, commitments={"compute": 0.5})
    changed = savings(Settings(aws_discounts_path=path))
    assert changed == {"old_instance": Decimal("60.00"), "low_coverage": Decimal("120.00")}
    assert savings(Settings(aws_discounts_path=own(tmp_path))) == listed


def test_the_page_says_at_which_prices_and_whose_file_changed_them(tmp_path):
    for settings, name in ((Settings(), "none"), (Settings(aws_discounts_path=own(tmp_path)), "ours.json")):
        source = BillSource([charge(day, "10") for day in days()])
        results = InsightsReport(Study(AWSCostService(source), settings)).analyze()
        assert (results["discounts"]["as_of"], results["discounts"]["own"]) == ("2026", name)
        assert "public prices" in results["discounts"]["source"]


@pytest.mark.parametrize("text, words", [
    ("[", "no JSON object"), ("[]", "no JSON object"), ('{"volume": {}}', "'volume' is no table"),
    ('{"storage": 0.4}', "'storage' is no table"), ('{"storage": {"glacier": 0.4}}', "storage has no 'glacier'"),
    ('{"storage": {"infrequent_access": 45}}', "a share from 0 to below 1"),
    ('{"storage": {"infrequent_access": "0.4"}}', "a share from 0"), ('{"sizes": {"one_smaller": true}}', "a share"),
    ('{"sizes": {"one_smaller": NaN}}', "a share"), ('{"volumes": {"gp2": 0.2}}', "a pair like"),
    ('{"volumes": {"gp2": ["gp3", -1]}}', "a pair like")])
def test_a_wrong_file_is_one_line_that_says_what_is_wrong(tmp_path, text, words):
    (tmp_path / "ours.json").write_text(text)
    env = dict(os.environ, FINOPS_TODAY="2026-04-16", FINOPS_AWS_DISCOUNTS_PATH=str(tmp_path / "ours.json"))
    ran = run(ROOT / "src" / "run_aws_costs.py", "--output", tmp_path / "reports", "--quiet", env=env)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1), ran.err
    assert words in ran.err and not (tmp_path / "reports").exists()


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    env = dict(os.environ, FINOPS_AWS_DISCOUNTS_PATH=str(tmp_path / "no.json"))
    ran = run(ROOT / "src" / "run_aws_costs.py", "--output", tmp_path, "--quiet", env=env)
    assert (ran.code, ran.err.count("\n")) == (2, 1) and "no.json" in ran.err
