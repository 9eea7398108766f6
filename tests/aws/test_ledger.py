"""A bill in memory answers every query as a plain sum over its lines would, to the last digit."""
from __future__ import annotations

import gc
import time
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings, strategies as st

from aws.charges import METRICS, Amounts, Charge, exact_sum
from aws.ledger import Ledger
from aws.queries import CostQuery
from errors import UsageError

JANUARY = date(2026, 1, 1)


def charge(day=JANUARY, amount="1", days=1, **more):
    """Return a charge of one account and service, unless told otherwise."""
    known = Decimal(amount)
    values = {"account": "001", "service": "A", "amounts": Amounts(*[known] * 5), **more}
    return Charge(day, day + timedelta(days), **values)


def rows(ledger, *group_by, first=JANUARY, last=date(2026, 12, 31), **more):
    """Return keys and amounts of each row, with the first day of its period."""
    found = ledger.costs(CostQuery(first, last, group_by=group_by, **more)).rows
    return [(row.first.isoformat(), row.keys, *(None if one is None else str(one) for one in row.amounts))
            for row in found]


def test_amounts_are_added_without_rounding_whatever_their_places():
    ledger = Ledger([charge(amount="0.1"), charge(amount="0.00000000000000000000000000007"),
                     charge(amount="1000000000000")])
    assert rows(ledger) == [("2026-01-01", (), "1000000000000.10000000000000000000000000007")]


def test_periods_are_cut_to_what_was_asked_and_empty_ones_have_no_row():
    ledger = Ledger([charge(date(2026, 1, 31)), charge(date(2026, 2, 1)), charge(date(2026, 4, 30))])
    found = ledger.costs(CostQuery(date(2026, 1, 15), date(2026, 4, 29))).rows
    assert [(str(row.first), str(row.last)) for row in found] == [("2026-01-15", "2026-01-31"),
                                                                  ("2026-02-01", "2026-02-28")]


@pytest.mark.parametrize("granularity, periods", [
    ("daily", ["2025-12-31", "2026-01-01", "2026-02-28", "2026-03-01"]),
    ("monthly", ["2025-12-01", "2026-01-01", "2026-02-01", "2026-03-01"]),
    ("yearly", ["2025-12-01", "2026-01-01"])])
def test_days_fall_into_their_month_and_year(granularity, periods):
    ledger = Ledger([charge(day) for day in (date(2025, 12, 31), JANUARY, date(2026, 2, 28), date(2026, 3, 1))])
    assert [row[0] for row in rows(ledger, first=date(2025, 12, 1), granularity=granularity)] == periods


def test_a_charge_of_a_month_is_one_line_on_its_first_day():
    ledger = Ledger([charge(days=31), charge(days=1)])
    assert [row[0] for row in rows(ledger, granularity="daily")] == ["2026-01-01"]
    assert sorted(one.days for one in ledger.charges()) == [1, 31]


def test_what_lacks_a_tag_stands_under_an_empty_text():
    ledger = Ledger([charge(tags=(("Team", "a"),)), charge(amount="2"), charge(tags=(("Team", "a"), ("X", "y")))])
    assert rows(ledger, "tag:Team") == [("2026-01-01", ("",), "2"), ("2026-01-01", ("a",), "2")]
    assert ledger.tag_keys(JANUARY, JANUARY) == ["Team", "X"]
    assert ledger.values("tag:Team", JANUARY, JANUARY) == ["", "a"]
    assert ledger.values("tag:Team", date(2026, 2, 1), date(2026, 2, 1)) == []


def test_conditions_keep_and_leave_out():
    ledger = Ledger([charge(region=region, record_type=kind, amount=amount) for region, kind, amount in (
        ("r1", "Usage", "1"), ("r1", "Tax", "2"), ("r2", "Usage", "4"), ("r3", "Credit", "-8"))])
    assert rows(ledger, where={"region": ("r1", "r2")}, without={"record_type": ("Tax",)})[0][2] == "5"
    assert rows(ledger, where={"region": ()}) == []
    assert rows(ledger, without={"record_type": ("Tax",), "region": ("r2",)})[0][2] == "-7"


def test_a_sum_with_something_unknown_is_unknown_and_others_stay_known():
    ledger = Ledger([charge(), charge(amounts=Amounts(Decimal(2))), charge(service="B")])
    assert rows(ledger, "service", metrics=("unblended", "amortized")) == [
        ("2026-01-01", ("A",), "3", None), ("2026-01-01", ("B",), "1", "1")]


def test_usage_is_added_within_one_unit_only():
    used = {unit: Amounts(Decimal(1), usage=Decimal(3)) for unit in ("GB", "Hrs")}
    ledger = Ledger([charge(amounts=used["GB"], unit="GB", usage_type="a"),
                     charge(amounts=used["Hrs"], unit="Hrs", usage_type="b"), charge(record_type="Tax")])
    assert rows(ledger, metrics=("usage",)) == [("2026-01-01", (), None)]
    assert rows(ledger, "usage_type", metrics=("usage",)) == [
        ("2026-01-01", ("",), None), ("2026-01-01", ("a",), "3"), ("2026-01-01", ("b",), "3")]
    assert "more than one unit" in ledger.costs(CostQuery(JANUARY, JANUARY, metrics=("usage",))).notes[-1]
    assert ledger.costs(CostQuery(JANUARY, JANUARY, metrics=("usage",), group_by=("usage_type",))).notes == ()


def test_a_period_with_an_estimated_charge_is_estimated_for_every_group():
    ledger = Ledger([charge(estimated=True), charge(service="B"), charge(date(2026, 2, 1))])
    found = ledger.costs(CostQuery(JANUARY, date(2026, 2, 28), group_by=("service",))).rows
    assert [(row.keys, row.estimated) for row in found] == [(("A",), True), (("B",), True), (("A",), False)]


def test_notes_of_the_bill_stand_in_every_answer():
    ledger = Ledger([charge()])
    ledger.notes.append("Something is missing.")
    assert ledger.costs(CostQuery(JANUARY, JANUARY)).notes == ("Something is missing.",)


def test_two_currencies_are_refused_by_name():
    with pytest.raises(UsageError, match="in USD and in EUR"):
        Ledger([charge(), charge(currency="EUR")])


@pytest.mark.parametrize("more, said", [
    ({"metrics": ("cost",)}, "'cost' is no metric; there are: unblended"),
    ({"group_by": ("size",)}, "'size' is no dimension; there are: account"),
    ({"where": {"tag:": ("a",)}}, "'tag:' is no dimension"),
    ({"granularity": "hourly"}, "'hourly' is no granularity; there are: daily, monthly, yearly"),
    ({"last": date(2025, 1, 1)}, "the first day comes first")])
def test_what_nobody_could_answer_is_refused_with_what_there_is(more, said):
    with pytest.raises(UsageError) as caught:
        Ledger([charge()]).costs(CostQuery(**{"first": JANUARY, "last": JANUARY, **more}))
    assert said in str(caught.value)


def test_metrics_are_those_that_some_charge_tells():
    assert Ledger([charge(amounts=Amounts(Decimal(1)))]).metrics() == ("unblended",)
    assert Ledger([charge(amounts=Amounts(Decimal(1))), charge(service="B")]).metrics() == METRICS[:5]


def test_lines_that_come_back_make_the_same_bill():
    ledger = Ledger([charge(date(2026, 1, day), f"0.{day}", service=name, tags=(("k", name),), estimated=day > 2)
                     for day in (3, 1, 2, 1) for name in "AB"])
    again = Ledger(ledger.charges())
    for group in ((), ("service",), ("tag:k", "service")):
        query = CostQuery(JANUARY, date(2026, 1, 31), "daily", METRICS, group)
        assert again.costs(query) == ledger.costs(query)



def test_totals_are_one_line_for_each_combination():
    ledger = Ledger([charge(date(2026, 1, day), f"0.{day}", service=name, estimated=day == 3)
                     for day in (3, 1, 2, 5) for name in "AB"])
    ledger.add(charge(date(2026, 1, 2), amounts=Amounts(Decimal(1))))
    found = list(ledger.totals(date(2026, 1, 2), date(2026, 1, 4)))
    assert [(one.service, str(one.start), str(one.end), one.estimated) for one in found] == [
        ("A", "2026-01-02", "2026-01-04", True), ("B", "2026-01-02", "2026-01-04", True)]
    assert [one.amounts[:2] for one in found] == [(Decimal("1.5"), None), (Decimal("0.5"), Decimal("0.5"))]

DAYS = st.one_of(st.integers(0, 9), st.integers(0, 500))
AMOUNTS = st.builds(lambda digits, places: Decimal(digits).scaleb(-places), st.integers(-10 ** 15, 10 ** 15),
                    st.integers(-3, 30))
TAGS = st.sampled_from(["", "a", "b"])
UNSURE = st.one_of(st.none(), AMOUNTS)
DIMENSIONS = ("service", "account", "region", "record_type", "tag:t", "category:c")
CHARGES = st.builds(
    lambda day, service, account, region, kind, tag, category, sums: Charge(
        JANUARY + timedelta(day), JANUARY + timedelta(day + 1), account, service, Amounts(*sums), region,
        record_type=kind, tags=(("t", tag),) if tag else (), categories=(("c", category),) if category else ()),
    DAYS, *[st.sampled_from("AB")] * 3, st.sampled_from(["Usage", "Tax"]), TAGS, TAGS,
    st.tuples(AMOUNTS, UNSURE, UNSURE, UNSURE, UNSURE))


def text_of(one, dimension):
    """Return the value of a dimension, told without the ledger."""
    kind, _, key = dimension.partition(":")
    if key:
        return dict(one.tags if kind == "tag" else one.categories).get(key, "")
    return getattr(one, dimension)


@settings(max_examples=150, deadline=None)
@given(st.lists(CHARGES, max_size=40), st.lists(st.sampled_from(DIMENSIONS), max_size=3, unique=True),
       st.sampled_from(["daily", "monthly", "yearly"]), st.one_of(st.just(0), st.integers(0, 400)), st.integers(0, 200),
       st.dictionaries(st.sampled_from(DIMENSIONS), st.sampled_from([("A",), ("", "a"), ("Usage",)]), max_size=2),
       st.dictionaries(st.sampled_from(DIMENSIONS), st.sampled_from([("B",), ("b",), ("Tax",)]), max_size=2))
def test_any_answer_is_the_plain_sum_of_the_lines(lines, group, granularity, begin, length, where, without):
    first = JANUARY + timedelta(begin)
    last = first + timedelta(length)
    cut = {"daily": 10, "monthly": 7, "yearly": 4}[granularity]
    expected = defaultdict(list)
    for one in lines:
        if not first <= one.start <= last or any(text_of(one, name) not in texts for name, texts in where.items()) \
                or any(text_of(one, name) in texts for name, texts in without.items()):
            continue
        expected[one.start.isoformat()[:cut], tuple(text_of(one, name) for name in group)].append(one.amounts)
    metrics = METRICS[:5]
    found = Ledger(lines).costs(CostQuery(first, last, granularity, metrics, tuple(group), where, without)).rows
    assert [(row.first.isoformat()[:cut], row.keys) for row in found] == sorted(expected)
    for row in found:
        parts = list(zip(*expected[row.first.isoformat()[:cut], row.keys]))[:5]
        assert row.amounts == tuple(None if None in part else exact_sum(part) for part in parts)
        assert not any("E+" in str(one) or str(one) in ("-0", "0.0") for one in row.amounts)


USED = st.lists(st.tuples(st.integers(0, 40), st.sampled_from(["", "GB", "Hrs"]), st.one_of(
    st.none(), st.integers(-9, 9).map(Decimal)), st.sampled_from(["Usage", "Tax"])), min_size=1, max_size=30)


@settings(max_examples=150, deadline=None)
@given(USED, st.sampled_from(["daily", "monthly"]), st.booleans())
def test_what_was_used_is_summed_within_one_unit_and_unknown_otherwise(lines, granularity, has_steady):
    lines += [(day, "GB", Decimal(1), "Usage") for day in range(35)] if has_steady else []
    ledger = Ledger(charge(JANUARY + timedelta(day), amounts=Amounts(Decimal(1), usage=used), unit=unit,
                           record_type=kind) for day, unit, used, kind in lines)
    kinds, periods = defaultdict(list), defaultdict(list)
    for day, unit, used, kind in lines:
        kinds[day, unit, kind].append(used)
    for (day, unit, _), parts in kinds.items():  # of which a sum with an unknown part is unknown
        period = (JANUARY + timedelta(day)).isoformat()[:10 if granularity == "daily" else 7]
        periods[period].append((unit, None if None in parts else sum(parts)))
    expected, is_mixed = {}, False
    for period, sums in periods.items():
        units = {unit for unit, used in sums if used is not None}
        is_open = len(units) != 1 or any(used is None and unit for unit, used in sums)
        expected[period] = None if is_open else sum(used for _, used in sums if used is not None)
        is_mixed = is_mixed or len(units) > 1
    found = ledger.costs(CostQuery(JANUARY, JANUARY + timedelta(40), granularity, ("usage",)))
    assert {row.first.isoformat()[:10 if granularity == "daily" else 7]: row.amounts[0]
            for row in found.rows} == expected
    assert bool(found.notes) is is_mixed


def test_a_year_of_many_series_is_answered_at_once():
    ledger = Ledger(charge(JANUARY + timedelta(day), f"{day}.{number}", service=f"s{number % 20}", region=f"r{number}")
                    for number in range(300) for day in range(365))
    began = time.process_time()
    for metrics in (("unblended",), METRICS[:5]):
        assert len(ledger.costs(CostQuery(JANUARY, date(2026, 12, 31), "daily", metrics, ("service",))).rows) == 7300
    assert gc.isenabled()
    assert time.process_time() - began < 2  # a fifth of a second; the margin is for machines under load
