from __future__ import annotations

import math
from collections import Counter, defaultdict
from datetime import date, timedelta
from fractions import Fraction
from typing import Dict, List

import pytest
from hypothesis import given, settings, strategies as st
from log_files import call, calls, counted

from calls.record import AICall
from calls.values import format_timestamp
from rollup.cubes import EXACT_MS, Measures
from rollup.histogram import Histogram
from rollup.packing import bucket_latency, latency_bucket, pack, unpack
from rollup.rollup import Rollup

MOST_RELATIVE_ERROR = 0.01  # what the issue allows; the middle of a bucket is well within it
some_calls = st.lists(st.builds(lambda number, cost, late: call(number, cost_nano=cost, latency_ms=late),
                                st.integers(0, 10 ** 6), st.none() | st.integers(0, 10 ** 21),
                                st.none() | st.integers(0, 10 ** 9)), max_size=30)


@given(st.lists(some_calls, min_size=1, max_size=4), st.randoms())
@settings(max_examples=60, deadline=None)
def test_merging_gives_the_same_counts_in_any_order_and_grouping(parts: List[List[AICall]], chance) -> None:
    whole = counted(one for part in parts for one in part).canonical()
    rollups = [counted(part) for part in parts]
    while len(rollups) > 1:
        first, second = chance.sample(range(len(rollups)), 2)
        merged = rollups[first].merge(rollups[second])
        rollups = [one for place, one in enumerate(rollups) if place not in (first, second)] + [merged]
    assert rollups[0].canonical() == whole


@given(some_calls)
@settings(max_examples=40, deadline=None)
def test_taking_calls_back_leaves_what_was_there_before(taken: List[AICall]) -> None:
    rollup = counted(calls(20))
    before = rollup.canonical()
    for one in taken:
        rollup.add(one)
    for one in taken:
        rollup.add(one, -1)
    after = rollup.canonical()
    assert after["cubes"] == before["cubes"] and after["latency"] == before["latency"]


@given(st.lists(st.tuples(*[st.integers(0, 2 ** 63)] * 7, st.integers(0, 10 ** 30)), min_size=1, max_size=5))
def test_measures_are_packed_and_unpacked_without_loss(values) -> None:
    for one in values:
        assert unpack(pack(one)) == Measures(*one)


def test_every_grouping_equals_sums_done_by_hand() -> None:
    some = calls(500)
    rollup = counted(some)
    for names, fields in ((("provider", "model"), ("provider", "model")), (("customer",), ("customer_id",)),
                          (("status", "region"), ("status", "region")), ((), ())):
        by_hand: Dict[tuple, List[int]] = defaultdict(lambda: [0, 0, 0])
        for one in some:
            sums = by_hand[tuple(getattr(one, field) for field in fields)]
            for place, value in enumerate((1, one.cost_nano, one.total_tokens)):
                sums[place] += value
        found = {group.key: [group.measures.calls, group.measures.cost_nano, group.measures.tokens]
                 for group in rollup.by(*names)}
        assert found == dict(by_hand)


def test_days_and_hours_are_texts_in_utc() -> None:
    rollup = counted([call(1, timestamp_ms=0), call(2, timestamp_ms=3_600_000 * 25)])
    assert [group.key for group in rollup.by("day")] == [("1970-01-01",), ("1970-01-02",)]
    assert [group.key[0] for group in rollup.by("hour", "customer")] == ["1970-01-01T00", "1970-01-02T01"]


def test_where_takes_one_text_or_several() -> None:
    rollup = counted(calls(300))
    one, other = rollup.total({"model": "gpt-4o"}).calls, rollup.total({"model": "gpt-5"}).calls
    assert one and other and one + other == 300
    assert rollup.total({"model": ["gpt-4o", "gpt-5"]}).calls == 300
    assert rollup.total({"model": "no such model"}) == Measures()


def test_a_dimension_that_no_cube_holds_is_a_lookup_error_that_names_the_cubes() -> None:
    with pytest.raises(LookupError, match="there is no dimension colour; cubes: day, customer"):
        Rollup().by("colour")
    with pytest.raises(LookupError, match="no cube holds customer, hour, tier"):
        Rollup().by("hour", "customer", "tier")
    with pytest.raises(LookupError, match="latency is not kept by day"):
        Rollup().latency("day")


def test_answers_from_earlier_answers_equal_answers_from_the_cube() -> None:
    some = calls(400)
    fresh, asked = counted(some), counted(some)
    asked.by("day", "customer", "model", "status")
    asked.by("customer", "model")
    assert asked.by("model") == fresh.by("model") and asked.by("customer") == fresh.by("customer")


def test_unknown_cost_and_latency_are_counted_apart_and_add_nothing() -> None:
    rollup = counted([call(1, cost_nano=None, latency_ms=None, status="success"), call(2, cost_nano=5, latency_ms=7)])
    total = rollup.total()
    assert (total.calls, total.unpriced, total.untimed, total.timed, total.cost_nano, total.latency_ms) == (
        2, 1, 1, 1, 5, 7)


def test_an_empty_rollup_answers_with_nothing() -> None:
    rollup = Rollup()
    assert rollup.by("customer") == [] and rollup.total() == Measures() and rollup.latency("model") == {}


@given(st.integers(0, 2 ** 40))
def test_a_latency_stands_in_a_bucket_within_one_percent_of_it(latency: int) -> None:
    middle = bucket_latency(latency_bucket(latency))
    assert middle == latency if latency < EXACT_MS else abs(middle - latency) <= MOST_RELATIVE_ERROR * latency


@given(st.integers(0, 2 ** 30), st.integers(0, 2 ** 30))
def test_buckets_ascend_with_latency(one: int, other: int) -> None:
    assert (one <= other) <= (latency_bucket(one) <= latency_bucket(other))


@given(st.lists(st.integers(0, 100_000), min_size=1, max_size=200), st.sampled_from([50, 95, 99, 100]))
def test_percentiles_are_nearest_rank(latencies: List[int], percent: int) -> None:
    counts: Dict[int, int] = {}
    for one in latencies:
        counts[latency_bucket(one)] = counts.get(latency_bucket(one), 0) + 1
    rank = math.ceil(Fraction(len(latencies) * percent, 100))
    exact = sorted(latencies)[max(1, rank) - 1]
    assert abs(Histogram(counts).percentile(percent) - exact) <= (0 if exact < EXACT_MS else 0.01 * exact)


def test_only_successful_calls_are_in_the_latency_histogram() -> None:
    rollup = counted([call(1, status="success", latency_ms=100), call(2, status="timeout", latency_ms=30_000)])
    (histogram,) = rollup.latency().values()
    assert histogram.calls == 1 and histogram.maximum == 100.0 and histogram.share_within(2000) == 1.0


def test_counting_after_asking_changes_the_answers() -> None:
    rollup = counted(calls(10))
    assert rollup.by("model") and rollup.latency("model") and rollup.total().calls == 10
    rollup.add(call(99, model="another", status="success"))
    assert rollup.total().calls == 11 and ("another",) in rollup.latency("model")
    assert sum(group.measures.calls for group in rollup.by("model")) == 11


def test_what_was_asked_before_changes_no_answer() -> None:
    asked = counted(calls(200))
    asked.prepare()
    for names in (("day", "model", "status"), ("customer", "status"), ("day",), ("hour", "region"), ()):
        assert asked.by(*names) == counted(calls(200)).by(*names)
        where = {"model": "gpt-5", "day": asked.values("day")[:2]}
        narrow = tuple(name for name in names if name != "hour")
        assert asked.by(*narrow, where=where) == counted(calls(200)).by(*narrow, where=where)


@pytest.mark.parametrize("time, length", [("day", 10), ("hour", 13)])
def test_where_cuts_to_some_days_or_hours(time: str, length: int) -> None:
    some = [call(number, timestamp_ms=3_600_000 * 7 * number, model="gpt-5" if number % 2 else "gpt-4o")
            for number in range(40)]
    rollup = counted(some)
    wanted = rollup.values(time)[3:9]
    for texts in (wanted, wanted[0]):
        fitting = [one for one in some if format_timestamp(one.timestamp_ms)[:length] in texts]
        assert 0 < len(fitting) < len(some) and rollup.total({time: texts}).calls == len(fitting)
        assert {group.key[0]: group.measures.calls for group in rollup.by("model", where={time: texts})} == Counter(
            one.model for one in fitting)
    assert rollup.total({time: "never"}).calls == 0


def test_coded_cells_stand_for_the_groups_and_for_no_cell_that_was_taken_back() -> None:
    rollup = counted(calls(300))
    rollup.add(call(999, customer_id="gone"))
    rollup.add(call(999, customer_id="gone"), -1)
    cells = rollup.coded(("calls", "cost_nano"), "day", "customer", "status")
    sums: Dict[tuple, List[int]] = defaultdict(lambda: [0, 0])
    for day, caller, circumstance, number, nano in zip(*cells[:3], *cells.measures):
        key = (day, cells.caller_texts[caller][0], cells.circumstance_texts[circumstance][0])
        sums[key][0] += number
        sums[key][1] += nano
    first = date(1970, 1, 1)
    assert {((first + timedelta(key[0])).isoformat(), *key[1:]): tuple(one) for key, one in sums.items()} == {
        group.key: (group.measures.calls, group.measures.cost_nano)
        for group in counted(calls(300)).by("day", "customer", "status")}
    assert Rollup().coded(("calls",), "hour", "customer").times == ()


def test_latencies_of_a_part_are_the_same_whatever_was_asked_before() -> None:
    fresh, asked = counted(calls(400)), counted(calls(400))
    asked.latency("feature", "provider", "model"), asked.latency("model")
    for names, where in ((("model",), {}), ((), {}), (("region",), {}), (("model",), {"region": "eu-west"})):
        assert {key: (one.calls, one.percentile(95)) for key, one in asked.latency(*names, where=where).items()} == {
            key: (one.calls, one.percentile(95)) for key, one in fresh.latency(*names, where=where).items()}


def test_the_sums_of_one_measure_are_those_of_the_groups() -> None:
    rollup = counted(calls(400))
    for measure in Measures._fields:
        sums = rollup.sums(measure, "model", "day", where={"status": "success"})
        assert sums == {group.key: getattr(group.measures, measure)
                        for group in rollup.by("model", "day", where={"status": "success"})}
    assert sum(rollup.sums("calls").values()) == 400
    with pytest.raises(ValueError):
        rollup.sums("colour", "day")


def test_rows_hold_several_measures_and_no_cell_that_was_taken_back() -> None:
    some = calls(50)
    rollup = counted(some)
    rollup.add(call(99, customer_id="gone"))
    rollup.add(call(99, customer_id="gone"), -1)
    assert sorted(rollup.rows(Measures._fields, "customer", "status")) == [
        (group.key, *group.measures) for group in counted(some).by("customer", "status")]


def test_what_is_made_of_the_counts_is_remembered_until_more_is_counted() -> None:
    rollup = counted(calls(10))
    assert [rollup.remember("calls", lambda one: one.total().calls) for _ in range(2)] == [10, 10]
    made = []
    rollup.remember("calls", made.append)
    assert made == []
    rollup.add(calls(11)[10])
    assert rollup.remember("calls", lambda one: one.total().calls) == 11
