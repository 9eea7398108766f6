"""Queries in Cost Explorer's words, and its answers as exact cells."""
from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from aws.charges import METRICS
from aws.live.answers import read_answer, rows_of
from aws.live.question import Question, question_of, value_of
from aws.live.record_types import spellings
from aws.queries import DAILY, MONTHLY, YEARLY, CostQuery
from errors import AwsError, UsageError
from scripted_aws import money, period

FIRST, LAST = date(2026, 1, 1), date(2026, 2, 28)


def query(**changes):
    return CostQuery(FIRST, LAST)._replace(**changes)


def asked(**changes):
    return question_of(query(**changes), FIRST, LAST).parameters()


@pytest.mark.parametrize("first, last, end", [
    (date(2026, 3, 1), date(2026, 3, 1), "2026-03-02"),  # month to date on the 1st is no empty range
    (date(2024, 2, 1), date(2024, 2, 29), "2024-03-01"), (date(2025, 12, 1), date(2025, 12, 31), "2026-01-01"),
    (date(2026, 1, 31), date(2026, 1, 31), "2026-02-01")])
def test_the_last_day_that_people_name_becomes_the_day_after(first, last, end):
    found = question_of(CostQuery(first, last), first, last).parameters()["TimePeriod"]
    assert found == {"Start": first.isoformat(), "End": end}


def test_every_request_brings_all_metrics_for_its_price():
    assert len(asked()["Metrics"]) == len(METRICS) == 6 and asked() == asked(metrics=METRICS)


def test_years_are_asked_for_as_months():
    assert asked(granularity=YEARLY)["Granularity"] == "MONTHLY"
    assert asked(granularity=DAILY)["Granularity"] == "DAILY"


def test_record_types_come_along_where_a_group_is_free():
    assert asked()["GroupBy"] == [{"Type": "DIMENSION", "Key": "RECORD_TYPE"}]
    assert asked(group_by=("tag:Team",))["GroupBy"] == [
        {"Type": "TAG", "Key": "Team"}, {"Type": "DIMENSION", "Key": "RECORD_TYPE"}]
    assert asked(group_by=("category:Unit", "account"))["GroupBy"] == [
        {"Type": "COST_CATEGORY", "Key": "Unit"}, {"Type": "DIMENSION", "Key": "LINKED_ACCOUNT"}]


def test_record_types_make_no_more_pages_of_days_than_the_reports_need():
    assert len(asked(granularity=DAILY, group_by=("account",))["GroupBy"]) == 1
    assert len(asked(granularity=DAILY, group_by=("service",))["GroupBy"]) == 2
    without = asked(granularity=DAILY, group_by=("account",), without={"record_type": ("Tax",)})
    assert without["Filter"] == {"Not": {"Dimensions": {"Key": "RECORD_TYPE", "Values": ["Tax"]}}}


def test_conditions_on_groups_are_met_here_and_cost_no_request_of_their_own():
    assert "Filter" not in asked(where={"record_type": ("Usage",)})
    assert asked(group_by=("service",), where={"service": ("a",)}) == asked(group_by=("service",))


@pytest.mark.parametrize("conditions, expected", [
    ({"where": {"region": ("b", "a")}}, {"Dimensions": {"Key": "REGION", "Values": ["a", "b"]}}),
    ({"without": {"account": ("1",)}}, {"Not": {"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": ["1"]}}}),
    ({"where": {"instance_type": ("",)}}, {"Dimensions": {"Key": "INSTANCE_TYPE", "Values": ["NoInstanceType"]}}),
    ({"where": {"tag:Team": ("a",)}}, {"Tags": {"Key": "Team", "Values": ["a"]}}),
    ({"where": {"tag:Team": ("", "a")}}, {"Or": [{"Tags": {"Key": "Team", "MatchOptions": ["ABSENT"]}},
                                                 {"Tags": {"Key": "Team", "Values": ["a"]}}]}),
    ({"without": {"category:Unit": ("",)}}, {"Not": {"CostCategories": {"Key": "Unit", "MatchOptions": ["ABSENT"]}}}),
    ({"where": {"service": ("a",)}, "without": {"region": ("b",)}}, {"And": [
        {"Not": {"Dimensions": {"Key": "REGION", "Values": ["b"]}}},
        {"Dimensions": {"Key": "SERVICE", "Values": ["a"]}}]})])
def test_conditions_become_filters(conditions, expected):
    assert asked(**conditions)["Filter"] == expected


def test_record_types_are_asked_for_in_every_spelling_and_told_in_one():
    values = asked(group_by=("service", "region"), without={"record_type": ("SavingsPlanNegation",)})[
        "Filter"]["Not"]["Dimensions"]["Values"]
    assert {"SavingsPlanNegation", "Savings Plan Negation"} <= set(values)
    assert value_of("record_type", "Savings Plan Negation") == "SavingsPlanNegation"
    assert value_of("record_type", "Something new") == "Something new" == spellings("Something new")[0]


@pytest.mark.parametrize("name, key, value", [
    ("tag:Team", "Team$backend", "backend"), ("tag:Team", "Team$", ""), ("tag:Team", "Team$a$b", "a$b"),
    ("category:Unit", "Unit$", ""), ("region", "NoRegion", ""), ("account", "012345678901", "012345678901"),
    ("service", "NoRegion", "NoRegion")])
def test_keys_are_values_as_everywhere_else(name, key, value):
    assert value_of(name, key) == value


BASE = question_of(query(granularity=DAILY, group_by=("service", "record_type")), FIRST, LAST)


@pytest.mark.parametrize("changes, covered", [
    ({}, True), ({"group_by": ("service",)}, True), ({"granularity": DAILY}, True),
    ({"where": {"service": ("a",)}}, True), ({"without": {"record_type": ("Tax",)}}, True),
    ({"group_by": ("region",)}, False), ({"where": {"region": ("a",)}}, False)])
def test_one_daily_answer_by_service_and_record_type_covers_what_is_coarser(changes, covered):
    assert BASE.covers(question_of(query(**changes), FIRST, LAST)) is covered


def test_days_make_up_months_but_months_no_other_days():
    months = question_of(query(group_by=("region",)), FIRST, LAST)
    assert BASE.covers(question_of(query(), FIRST, date(2026, 1, 15)))
    assert months.covers(question_of(query(), FIRST, LAST))
    assert not months.covers(question_of(query(), FIRST, date(2026, 1, 15)))
    assert not months.covers(question_of(query(granularity=DAILY), FIRST, LAST))


def test_services_are_asked_for_by_days_at_once_since_the_reports_need_them_so():
    assert asked(group_by=("service",))["Granularity"] == "DAILY" == asked(group_by=("record_type", "service"))[
        "Granularity"]
    assert asked(group_by=("service",), where={"region": ("a",)})["Granularity"] == "MONTHLY"


def question(*groups, granularity=MONTHLY):
    return Question(FIRST, LAST, granularity, groups, frozenset())


def test_amounts_keep_every_digit_and_their_sign():
    found = read_answer(question("service"), [
        period("2026-01-01", "2026-02-01", ("a", "0.1234567891"), ("b", "-3E-10"))])
    rows = rows_of(query(group_by=("service",)), found)
    assert [row.amounts[0] for row in rows] == [Decimal("0.1234567891"), Decimal("-0.0000000003")]


@pytest.mark.parametrize("text", ["", "abc", "NaN", "Infinity"])
def test_an_amount_that_is_no_number_is_refused(text):
    with pytest.raises(AwsError, match="no number"):
        read_answer(question("service"), [period("2026-01-01", "2026-02-01", ("a", text))])


def test_two_currencies_are_no_sum():
    with pytest.raises(UsageError, match="CNY and in USD"):
        read_answer(question("service"), [period("2026-01-01", "2026-02-01", ("a", "1"), ("b", money("1", "CNY")))])


def test_usage_of_mixed_units_is_unknown_and_what_uses_nothing_spoils_no_sum():
    cells = [("a", "Usage", money("1", usage="2.5", usage_unit="Hrs")), ("a", "Tax", money("1")),
             ("b", "Usage", money("1", usage="2", usage_unit="Hrs")),
             ("b", "Fee", money("1", usage="2", usage_unit="GB")), ("c", "Usage", money("1", usage="7"))]
    found = read_answer(question("service", "record_type"), [period("2026-01-01", "2026-02-01", *cells)])
    rows = rows_of(query(metrics=("unblended", "usage"), group_by=("service",)), found)
    assert [row.amounts for row in rows] == [(2, Decimal("2.5")), (2, None), (1, None)]


def test_a_period_is_estimated_when_a_part_of_it_is():
    found = read_answer(question("service", granularity=DAILY), [
        period("2026-01-31", "2026-02-01", ("a", "1")), period("2026-02-01", "2026-02-02", ("a", "1")),
        period("2026-02-02", "2026-02-03", ("a", "1"), estimated=True)])
    rows = rows_of(query(group_by=("service",)), found)
    assert [(row.first, row.last, row.amounts[0], row.estimated) for row in rows] == [
        (FIRST, date(2026, 1, 31), 1, False), (date(2026, 2, 1), LAST, 2, True)]


def test_months_make_up_years_and_periods_without_charges_have_no_row():
    found = read_answer(question("record_type"), [
        period("2025-12-01", "2026-01-01"), period("2026-01-01", "2026-02-01", ("Usage", "1")),
        period("2026-02-01", "2026-03-01", ("Usage", "2"))])
    assert [row.amounts for row in rows_of(query(granularity=YEARLY), found)] == [(3,)]
    assert len(rows_of(query(last=date(2026, 1, 31)), found)) == 1
