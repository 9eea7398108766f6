"""One ledger two ways: asked itself, and through boto3 from a stand-in for Cost Explorer that answers from it."""
from __future__ import annotations

import itertools
import random
from datetime import date, timedelta
from decimal import Decimal

import pytest

from aws.charges import METRICS, Amounts, Charge, pairs
from aws.ledger import Ledger
from aws.queries import DAILY, DIMENSIONS, MONTHLY, YEARLY, CostQuery
from cost_explorer import CostExplorer
from cost_explorer_endpoint import Endpoint
from scripted_aws import live

TODAY = date(2026, 1, 20)
FIRST, LAST = date(2025, 11, 3), date(2026, 1, 20)
RECORD_TYPES = ("Usage",) * 6 + ("Tax", "Credit", "Refund", "SavingsPlanCoveredUsage", "Something new")


def bill():
    """Return a ledger with odd amounts, empty values, credits, and a month that is still estimated."""
    chance = random.Random(7)

    def amount():
        return Decimal(chance.randrange(-10 ** 9, 9 * 10 ** 9)).scaleb(-chance.choice((2, 6, 10)))

    charges = []
    for _ in range(250):
        start = date(2025, 11, 1) + timedelta(days=chance.randrange(81))
        record_type = chance.choice(RECORD_TYPES)
        uses = record_type == "Usage"
        charges.append(Charge(
            start, start + timedelta(days=1), chance.choice(("012345678901", "222222222222")),
            chance.choice(("Amazon S3", "AWS Lambda", "EC2 - Other")), Amounts(*(amount() for _ in range(5)), usage=(
                amount() if uses else None)), chance.choice(("eu-west-1", "us-east-1", "")),
            chance.choice(("BoxUsage:m5.large", "Requests", "")), chance.choice(("RunInstances", "")),
            chance.choice(("m5.large", "")), record_type, chance.choice(("i-1", "i-2", "")),
            chance.choice(("Hrs", "GB")) if uses else "", "USD",
            pairs(chance.choice(({}, {"Team": "a"}, {"Team": "b$c", "App": "x"}))),
            pairs(chance.choice(({}, {"Unit": "u"}))), start >= date(2026, 1, 1)))
    return Ledger(charges)


LEDGER = bill()
NAMES = [one for one in DIMENSIONS if one not in ("resource", "provider")] + ["tag:Team", "category:Unit"]


@pytest.fixture
def source(aws_keys, tmp_path):
    with Endpoint(CostExplorer(LEDGER, TODAY)) as endpoint:
        yield live(endpoint, tmp_path, TODAY, max_api_calls=10_000)


def assert_equal(source, query):
    found, expected = source.costs(query), LEDGER.costs(query)
    assert [pair for pair in itertools.zip_longest(found.rows, expected.rows) if pair[0] != pair[1]][:3] == []
    assert found.currency == expected.currency and expected.query == query


@pytest.mark.parametrize("names", [(), *((one,) for one in NAMES)])
def test_one_group_is_equal_by_every_metric(source, names):
    for granularity in (YEARLY, MONTHLY, DAILY):  # a daily answer would answer for months, too
        assert_equal(source, CostQuery(FIRST, LAST, granularity, METRICS, names))


def test_many_pages_are_equal(aws_keys, tmp_path):
    with Endpoint(CostExplorer(LEDGER, TODAY, page=3)) as endpoint:
        source = live(endpoint, tmp_path, TODAY, max_api_calls=1000)
        assert_equal(source, CostQuery(FIRST, LAST, MONTHLY, METRICS, ("service", "account")))
        assert source.spending()["paid_requests"] == len(endpoint.explorer.asked) > 5


def test_every_two_groups_are_equal(source):
    for names in itertools.permutations(NAMES, 2):
        assert_equal(source, CostQuery(FIRST, LAST, MONTHLY, METRICS, names))


@pytest.mark.parametrize("values", [("",), ("", "a"), ("b$c",), ("nope",)])
def test_conditions_on_tags_are_equal(source, values):
    for held, group in itertools.product(("where", "without"), [(), ("service", "region"), ("tag:Team",)]):
        assert_equal(source, CostQuery(FIRST, LAST, MONTHLY, METRICS, group)._replace(**{held: {"tag:Team": values}}))


@pytest.mark.parametrize("where, without", [
    ({"record_type": ("Credit", "Refund")}, {}), ({}, {"record_type": ("Credit", "Refund", "Tax")}),
    ({"record_type": ("SavingsPlanCoveredUsage",), "service": ("Amazon S3",)}, {"region": ("",)}),
    ({"instance_type": ("",), "category:Unit": ("u", "")}, {"operation": ("RunInstances",)}),
    ({"account": ("012345678901",)}, {}), ({}, {"account": ("012345678901",), "usage_type": ("", "Requests")})])
def test_conditions_on_dimensions_are_equal(source, where, without):
    for group in ((), ("service",), ("account", "usage_type"), ("record_type", "region")):
        assert_equal(source, CostQuery(FIRST, LAST, MONTHLY, METRICS, group, where, without))


@pytest.mark.parametrize("first, last", [
    (date(2025, 12, 31), date(2026, 1, 1)), (date(2026, 1, 1), date(2026, 1, 1)), (TODAY, TODAY),
    (date(2025, 11, 30), date(2025, 12, 1)), (date(2025, 11, 1), date(2025, 11, 30))])
def test_days_at_the_edges_of_months_and_years_are_equal(source, first, last):
    for granularity in (DAILY, MONTHLY, YEARLY):
        assert_equal(source, CostQuery(first, last, granularity, METRICS, ("service",)))


def test_resources_of_the_last_fourteen_days_are_equal(source):
    for names in (("resource",), ("service", "resource")):
        assert_equal(source, CostQuery(TODAY - timedelta(days=13), TODAY, DAILY, METRICS, names))


def test_values_and_tag_keys_are_equal(source):
    for name in NAMES:
        assert source.values(name, FIRST, LAST) == LEDGER.values(name, FIRST, LAST)
    assert source.tag_keys(FIRST, LAST) == LEDGER.tag_keys(FIRST, LAST)


def test_answers_out_of_earlier_ones_are_as_equal_as_those_of_aws(source):
    assert_equal(source, CostQuery(FIRST, LAST, DAILY, METRICS, ("service", "record_type")))
    paid = source.spending()["paid_requests"]
    for query in (CostQuery(FIRST, LAST, MONTHLY, METRICS, ("service",)), CostQuery(FIRST, LAST, YEARLY, METRICS),
                  CostQuery(date(2025, 12, 5), date(2026, 1, 3), MONTHLY, METRICS, ("record_type", "service")),
                  CostQuery(FIRST, LAST, DAILY, METRICS, (), {"service": ("AWS Lambda",)}, {"record_type": ("Tax",)})):
        assert_equal(source, query)
    assert source.spending()["paid_requests"] == paid
