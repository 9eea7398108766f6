"""The FinOps Foundation's sample file comes to what DuckDB makes of it, to the last digit.

The figures are DuckDB's; `benchmarks/aws_exactness.py --golden tests/samples/focus_sample_1.0.csv` prints them by the
query

  SELECT ServiceName, sum(CAST(BilledCost AS DECIMAL(38,20))), sum(CAST(EffectiveCost AS DECIMAL(38,20)))
  FROM read_csv('focus_sample_1.0.csv', all_varchar=true, nullstr=['NULL', '']) GROUP BY ALL ORDER BY ALL
"""
from __future__ import annotations

import csv
from decimal import Decimal

import pytest
from exporting import source_of, write

from aws.charges import exact_sum
from aws.exports.cur_rows import CurWriter
from aws.exports.focus_rows import FocusWriter
from aws.queries import DIMENSIONS, CostQuery
from conftest import ROOT

SAMPLE = ROOT / "tests" / "samples" / "focus_sample_1.0.csv"
BOTH = ("unblended", "amortized")
BY_SERVICE = {
    "AWS CloudTrail": ("0", "0"),
    "AWS Key Management Service": ("0.0041666667", "0"),
    "AWS Lambda": ("0.0089392163", "0"),
    "AWS Security Hub": ("0.002", "0"),
    "AWS Step Functions": ("0.0000250383", "0"),
    "AWS Systems Manager": ("0.00004", "0"),
    "AWS WAF": ("0.0069444445", "0"),
    "Amazon API Gateway": ("0.0000151837", "0"),
    "Amazon CloudFront": ("0.0125233921", "0"),
    "Amazon DynamoDB": ("0.0034355", "0"),
    "Amazon EC2 Container Registry (ECR)": ("0.0002891696", "0"),
    "Amazon Elastic Compute Cloud": ("16.0416930505", "13"),
    "Amazon Elastic Container Service": ("0.0204838113", "0"),
    "Amazon Elastic Container Service for Kubernetes": ("0.1", "0"),
    "Amazon Elastic File System": ("0.0095474985", "0"),
    "Amazon Relational Database Service": ("0.7532270852", "0"),
    "Amazon Route 53": ("0.0000136", "0"),
    "Amazon Simple Notification Service": ("0.0000010006", "0"),
    "Amazon Simple Queue Service": ("0.0000848", "0"),
    "Amazon Simple Storage Service": ("0.0018150185", "0"),
    "Amazon Virtual Private Cloud": ("0.1655403143", "0"),
    "AmazonCloudWatch": ("0.2201695838", "0"),
    "Azure DB for MySQL": ("0.37096774194", "0.37096774194"),
    "Azure Kubernetes Service": ("1.58088", "1.58088"),
    "Azure Machine Learning": ("-0.15189756178", "-0.15189756178"),
    "BLOCK_STORAGE": ("0.00107392473", "0"),
    "COMPUTE": ("0.536", "0"),
    "Elastic Load Balancing": ("0.3136842445", "0"),
    "NETWORK": ("0", "0"),
    "Red Hat OpenShift Service on AWS": ("0.342", "0"),
    "Storage Accounts": ("0.0008829155", "0.0008829155"),
    "Virtual Machine Scale Sets": ("3.702E-7", "3.702E-7"),
    "Virtual Machines": ("0.17568072", "0.17568072"),
}


def by_service(source):
    """Return both costs of each service."""
    rows = source.costs(CostQuery(*source.period(), metrics=BOTH, group_by=("service",))).rows
    return {row.keys[0]: tuple(map(str, row.amounts)) for row in rows}


def by_seller(path):
    """Return what a file of FOCUS bills by provider, publisher and issuer of the invoice."""
    found = {}
    for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines(True)):
        key = row["ProviderName"], row["PublisherName"], row["InvoiceIssuerName"]
        found[key] = exact_sum((found.get(key, Decimal(0)), Decimal(row["BilledCost"])))
    return found


@pytest.fixture(scope="module")
def sample():
    """Return the source that has read the sample."""
    source = source_of(SAMPLE)
    source.period()
    return source


def test_each_service_costs_what_duckdb_says(sample):
    assert by_service(sample) == BY_SERVICE


def test_all_providers_come_to_the_sums_that_are_known_of_the_sample(sample):
    row, = sample.costs(CostQuery(*sample.period(), metrics=BOTH)).rows
    assert row.amounts == (Decimal("20.52022672899"), Decimal("14.97651418586"))
    assert sample.ledger.notes == ["The bill holds charges of AWS, Microsoft, Oracle: what is said of prices and "
                                   "discounts is AWS's."]


def test_the_rows_of_aws_come_to_the_sums_that_are_known_of_them(tmp_path):
    with open(SAMPLE, newline="", encoding="utf-8") as handle:
        rows = [row for row in csv.DictReader(handle) if row["ProviderName"] == "AWS"]
    assert len(rows) == 942
    source = source_of(write(tmp_path / "aws.csv", *rows))
    row, = source.costs(CostQuery(*source.period(), metrics=BOTH)).rows
    assert row.amounts == (Decimal("18.0066386184"), Decimal("13"))
    assert len(by_service(source)) == 24


def test_parts_by_every_dimension_add_up_to_the_whole(sample):
    for name in DIMENSIONS:
        rows = sample.costs(CostQuery(*sample.period(), group_by=(name,))).rows
        assert exact_sum(row.amounts[0] for row in rows) == Decimal("20.52022672899")


def test_the_sample_written_as_focus_and_read_again_is_the_same(sample, tmp_path):
    FocusWriter().write(sample.ledger, tmp_path / "again.csv")
    again = source_of(tmp_path / "again.csv")
    assert sorted(map(repr, again.ledger.charges())) == sorted(map(repr, sample.ledger.charges()))
    assert by_service(again) == BY_SERVICE
    before, after = by_seller(SAMPLE), by_seller(tmp_path / "again.csv")
    assert before == after and len(before) == 6


def test_each_provider_costs_what_its_rows_say(sample):
    rows = sample.costs(CostQuery(*sample.period(), metrics=BOTH, group_by=("provider",))).rows
    told = by_seller(SAMPLE)
    assert {row.keys[0]: row.amounts[0] for row in rows} == {
        name: exact_sum(cost for seller, cost in told.items() if seller[0] == name)
        for name in ("AWS", "Microsoft", "Oracle")}
    assert sample.providers(*sample.period()) == ["AWS", "Microsoft", "Oracle"]


def test_the_sample_written_as_cur_keeps_what_was_billed_and_says_what_it_cannot_keep(sample, tmp_path):
    made = CurWriter()
    made.write(sample.ledger, tmp_path / "again.csv")
    assert {name: costs[0] for name, costs in by_service(source_of(tmp_path / "again.csv")).items()} == {
        name: costs[0] for name, costs in BY_SERVICE.items()}
    assert "have an amortized cost of their own" in next(iter(made.notes))
    assert made.notes["charges are of other providers, whose name CUR 2.0 has no column for: write FOCUS"] > 7
