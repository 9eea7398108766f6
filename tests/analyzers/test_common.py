"""What analysers share, on figures that a reader can work out."""
from __future__ import annotations

from decimal import Decimal

import pytest
from builders import call, rollup_of

from analyzers import common
from analyzers.common import Period, periods, split, whole_days


@pytest.mark.parametrize("values, share, part", [
    ([1, 9, 30, 60], 0.25, 0.6), ([60, 1, 30, 9], 0.5, 0.9), ([5] * 30, 0.1, 0.1), ([3, 97], 0.01, 0.97),
    ([0, 0], 0.1, None), ([], 0.1, None)])
def test_concentration_is_the_part_that_the_largest_hold(values, share, part):
    assert common.concentration(values, share) == (None if part is None else pytest.approx(part))
    assert share != 0.1 or common.concentration(values) == common.concentration(values, 0.1)


@pytest.mark.parametrize("nano, weights, parts", [
    (10, [1, 1, 1], [4, 3, 3]), (11, [1, 1, 1], [4, 4, 3]), (10, [3, 3, 1], [4, 4, 2]), (7, [0, 0], [4, 3]),
    (5, [1, 2], [2, 3]), (4, [1, 2], [1, 3]), (100, [1, 0, 3], [25, 0, 75]), (0, [2, 5], [0, 0]),
    (10, [17, 17, 66], [2, 2, 6]), (8, [5, 1, 4], [4, 1, 3])])
def test_an_amount_is_split_without_a_rest_and_the_largest_remainders_get_the_units(nano, weights, parts):
    assert split(nano, weights) == parts and sum(parts) == nano


def test_a_row_of_measures_has_every_figure_under_its_name():
    rollup = rollup_of([call(), call(call_id="c-2", status="timeout", output_tokens=0, cost_nano=None)])
    (group,) = rollup.by("provider")
    assert common.measures_row(["provider"], group, more=1) == {
        "provider": "openai", "cost": Decimal("0.0006"), "calls": 2, "failed": 1, "unpriced": 1, "input_tokens": 200,
        "output_tokens": 50, "tokens": 250, "more": 1}


def test_quantiles_median_and_spread_of_a_few_values():
    values = [9.0, 1.0, 5.0, 3.0]
    assert [common.quantile(values, share) for share in (0, 0.25, 0.26, 0.5, 0.75, 0.76, 1)] == [1, 1, 3, 3, 5, 9, 9]
    assert (common.median(values), common.median(values[:3]), common.mean(values)) == (4, 5, 4.5)
    assert common.deviation([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]) == 2
    assert common.robust_sigma([1.0, 1.0, 2.0, 2.0, 4.0, 6.0, 9.0]) == pytest.approx(1.4826)
    for what in (common.mean, common.deviation, common.median, common.robust_sigma):
        assert what([]) == 0
    assert common.quantile([], 0.5) == 0


def test_rates_changes_and_prices_are_unknown_where_there_is_nothing_to_compare_with():
    assert (common.ratio(1, 4), common.ratio(1, 0), common.change(3, 2), common.change(3, 0)) == (0.25, None, 0.5, None)
    assert common.per_million(2_500, 1) == Decimal("2.5") and common.per_million(1, 0) is None
    assert common.monthly(3_000_000_000, 2, 30) == Decimal("45.00")
    assert common.monthly(3_000_000_000, 0, 30) == Decimal("90.00")
    assert common.weekday("2026-03-02") == 0 and common.weekday("2026-03-08") == 6


def days_of(first: str, last: str, hours: int = 1):
    """Return the whole days of a log with a call at the given times and one an hour between."""
    begin, end = call(timestamp=first).timestamp_ms, call(timestamp=last).timestamp_ms
    times = [*range(begin, end, hours * 3_600_000), end]
    return whole_days(rollup_of(call(call_id=str(one), timestamp_ms=one) for one in times))


@pytest.mark.parametrize("first, last, days", [
    ("2026-03-01T00:30:00Z", "2026-03-03T23:30:00Z", ["2026-03-01", "2026-03-02", "2026-03-03"]),
    ("2026-03-01T05:00:00Z", "2026-03-03T23:30:00Z", ["2026-03-02", "2026-03-03"]),
    ("2026-03-01T00:30:00Z", "2026-03-03T12:00:00Z", ["2026-03-01", "2026-03-02"]),
    ("2026-03-01T12:00:00Z", "2026-03-02T12:00:00Z", [])])
def test_a_day_is_whole_when_the_log_reaches_near_its_edges(first, last, days):
    assert days_of(first, last) == days


def test_the_fewer_the_calls_the_farther_from_the_edge_a_whole_day_may_begin():
    assert days_of("2026-03-01T05:00:00Z", "2026-03-03T20:00:00Z", hours=2) == ["2026-03-01", "2026-03-02",
                                                                               "2026-03-03"]
    assert whole_days(rollup_of([])) == []


@pytest.mark.parametrize("last, length", [("01T23", 0), ("02T23", 1), ("13T23", 6), ("14T23", 7), ("27T23", 7),
                                          ("28T23", 14)])
def test_periods_are_equally_long_next_to_each_other_and_whole_weeks_where_there_are_any(last, length):
    rollup = rollup_of(call(call_id=str(one), timestamp_ms=one) for one in range(
        call(timestamp="2026-03-01T00:00:00Z").timestamp_ms, call(timestamp=f"2026-03-{last}:30:00Z").timestamp_ms,
        3_600_000))
    found = periods(rollup)
    if not length:
        assert found is None
        return
    days = [f"2026-03-{day:02d}" for day in range(1, int(last[:2]) + 1)]
    assert found == (Period(days[-length:]), Period(days[-2 * length:-length]))
    assert (found.current.last, found.previous.last < found.current.first) == (days[-1], True)
