"""The reports over AWS itself: the bill's own digits through boto3, few paid requests, and none the second time."""
from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest
from bills import SUPPORT, BillSource, company

from aws.asking import Choice
from aws.cost_service import AWSCostService
from aws.ledger import Ledger
from aws.loading import loaded
from aws.queries import DAILY
from aws.reports.base import Study, discover_reports
from aws.reports.writing import write_reports
from config import Settings
from run_aws_costs import main

pytest.importorskip("boto3", reason="boto3 is not installed")
from cost_explorer import CostExplorer  # noqa: E402 (these need boto3)
from cost_explorer_endpoint import Endpoint  # noqa: E402
from scripted_aws import live  # noqa: E402

TODAY = date(2026, 4, 16)
DAYS = Choice(date(2026, 1, 1), date(2026, 4, 15))
MOST_REQUESTS = 30  # of $0.01, for all four reports


@pytest.fixture
def aws(aws_keys):
    """Stand in for Cost Explorer with the company's bill."""
    with Endpoint(CostExplorer(Ledger(company()), TODAY)) as endpoint:
        yield endpoint


@pytest.fixture
def source(aws, tmp_path):
    return live(aws, tmp_path / "cache", TODAY, max_api_calls=200)


def results(folder, identity):
    return json.loads((folder / "json" / f"{identity}.json").read_text(encoding="utf-8"))


def test_all_reports_tell_what_the_bill_tells_for_a_few_cents_and_the_second_time_for_none(aws, source, tmp_path):
    outcomes = write_reports(Study(AWSCostService(source, DAYS), Settings()), tmp_path / "live", "2026-04-16T00:00:00Z")
    assert [one.error for one in outcomes] == [""] * 4
    write_reports(Study(AWSCostService(BillSource(company()), DAYS), Settings()), tmp_path / "bill",
                  "2026-04-16T00:00:00Z")
    for name, keys in (("monthly", "month"), ("daily", "day"), ("by_service", "service"), ("by_account", "account"),
                       ("by_region", "region")):
        told, expected = ({row[keys]: Decimal(row["net" if "net" in row else "cost"])
                           for row in results(tmp_path / one, "aws_dashboard")[name]} for one in ("live", "bill"))
        assert told == expected, name
    for identity in discover_reports():
        assert results(tmp_path / "live", identity)["headline"]
    paid = source.spending()["paid_requests"]
    assert 0 < paid <= MOST_REQUESTS, source.spending()
    again = live(aws, tmp_path / "cache", TODAY, max_api_calls=0)
    write_reports(Study(AWSCostService(again, DAYS), Settings()), tmp_path / "again", "2026-04-16T00:00:00Z")
    assert again.spending()["paid_requests"] == 0


def test_what_is_loaded_answers_any_filter_without_asking_again(source):
    held = loaded(source)
    asked = source.spending()
    first, last = date(2026, 2, 1), date(2026, 3, 31)
    bill = AWSCostService(BillSource(company()), Choice(first, last))
    for where in ({}, {"region": ("eu-west-1",)}, {"account": ("000000000001",), "service": (
            "Amazon Relational Database Service",)}):
        told = AWSCostService(held, Choice(first, last, where=where)).get_costs(DAILY, ("service", "account", "region"))
        expected = AWSCostService(bill.source, Choice(first, last, where=where)).get_costs(
            DAILY, ("service", "account", "region"))
        assert [(row["service"], row["region"], row["cost"]) for row in told] == [
            (row["service"], row["region"], row["cost"]) for row in expected]
    assert source.spending() == asked


@pytest.mark.parametrize("name, value, where", [
    ("--account", "000000000001", {"account": ("000000000001",)}),
    ("--region", "eu-west-1", {"region": ("eu-west-1",)}),
    ("--service", SUPPORT, {"service": (SUPPORT,)}), ("--tag", "team=shop", {"tag:team": ("shop",)})])
def test_a_dry_run_says_what_it_would_cost_pays_for_nothing_and_writes_nothing(aws, source, tmp_path, capsys,
                                                                              monkeypatch, name, value, where):
    monkeypatch.setenv("FINOPS_TODAY", TODAY.isoformat())
    words = ["--source", "live", "--endpoint-url", aws.url, "--cache", str(tmp_path / "kept"), "--output",
             str(tmp_path / "reports"), "--from", "2026-01-01", name, value, "--quiet"]
    assert main([*words, "--dry-run"]) == 0
    told = capsys.readouterr().out
    count = int(told.split()[4])
    assert 5 <= count <= MOST_REQUESTS and "nothing was written" in told and not (tmp_path / "reports").exists()
    assert main([*words, "--no-reports", "--json"]) == 0
    asked = json.loads(capsys.readouterr().out)
    assert asked["asking"]["paid_requests"] > 0
    assert Decimal(asked["total"]["net"]) == AWSCostService(BillSource(company()), Choice(
        date(2026, 1, 1), TODAY, where=where)).total().net
