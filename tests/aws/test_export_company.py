"""One bill several ways: exports of it answer what the stand-in for Cost Explorer is asked in its own tests."""
from __future__ import annotations

import json
from datetime import date
from itertools import groupby

import pytest
from exporting import source_of
from test_three_ways import QUESTIONS

from aws.exports.cur_rows import CurWriter
from aws.exports.focus_rows import FocusWriter
from aws.ledger import Ledger
from aws.queries import DIMENSIONS, CostQuery
from aws.sources.base import SourceOptions
from aws.sources.simulated import SimulatedSource

DELIVERIES = ("2026-11-19T06:00:00.000Z-bbbb", "2026-11-20T06:00:00.000Z-aaaa")


@pytest.fixture(scope="module")
def company():
    """Return four months of the simulated company that boto3 and the AWS CLI are asked about, too."""
    whole = SimulatedSource(SourceOptions(date(2026, 11, 20))).ledger
    return Ledger(charge for charge in whole.charges() if charge.start >= date(2026, 8, 1))


@pytest.fixture(scope="module")
def delivered(company, tmp_path_factory):
    """Return a folder of Data Exports with a file for each billing period, and an older delivery of each."""
    root = tmp_path_factory.mktemp("meridian")
    metrics = company.metrics()
    for month, charges in groupby(company.charges(), lambda charge: charge.start.isoformat()[:7]):
        text = "".join(CurWriter().lines(charges, metrics))
        for delivery in DELIVERIES:
            below = f"BILLING_PERIOD={month}/{delivery}"
            for folder in ("data", "metadata"):
                (root / folder / below).mkdir(parents=True)
            told = text[:text.index("\n", len(text) // 2)] if delivery == DELIVERIES[0] else text
            (root / "data" / below / "bill-00001.csv").write_bytes(told.encode("utf-8"))
            (root / "metadata" / below / "bill-Manifest.json").write_text(
                json.dumps({"dataFiles": [f"s3://bucket/meridian/data/{below}/bill-00001.csv"]}), encoding="utf-8")
    return source_of(root)


@pytest.mark.parametrize("name", sorted(QUESTIONS))
def test_deliveries_of_cur_answer_like_cost_explorer_does(company, delivered, name):
    query, _ = QUESTIONS[name]
    assert delivered.costs(query).rows == company.costs(query).rows


def test_a_bill_that_was_delivered_has_every_charge_and_resource_of_the_company(company, delivered):
    assert set(delivered.ledger.charges()) == set(company.charges())
    assert delivered.metrics() == company.metrics()
    assert len(delivered.ledger.notes) == 4  # a month each, of the older delivery


def test_a_part_of_the_company_as_focus_answers_alike(company, tmp_path):
    part = Ledger(charge for charge in company.charges() if charge.start >= date(2026, 10, 20))
    FocusWriter().write(part, tmp_path / "focus.csv")
    again = source_of(tmp_path / "focus.csv").ledger
    for name in (*DIMENSIONS, "tag:team", "category:Division"):
        query = CostQuery(*part.period(), "daily", part.metrics(), (name, "record_type"))
        assert again.costs(query).rows == part.costs(query).rows
