from __future__ import annotations

import json
from decimal import Decimal

import pytest
from builders import call, dataset_of

from analyzers.advanced.dataset_overview import DatasetOverviewAnalyzer
from analyzers.wording import NO_CALLS
from calls.record import HEADER
from rollup.dataset import load_dataset


def results_of(calls, rejected=()):
    data = dataset_of(calls)
    for reason, rows in rejected:
        data.rollup.reject(reason, rows)
    results = DatasetOverviewAnalyzer(dataset=data).analyze()
    json.dumps(results, default=str, allow_nan=False)
    return results


def test_rows_are_calls_and_rejected_ones_with_repeats_told_apart() -> None:
    results = results_of([call()] * 7, [("call_id is repeated", 2), ("cost_usd is negative", 1)])
    assert results["rows"] == {"rows": 10, "accepted": 7, "rejected": 3, "accepted_share": 0.7, "repeated": 2,
                               "bytes_per_row": None}
    assert results["rejected_by_reason"] == [{"reason": "call_id is repeated", "rows": 2, "share": 0.2},
                                             {"reason": "cost_usd is negative", "rows": 1, "share": 0.1}]


def test_faulty_and_repeated_rows_are_each_worth_a_word_and_a_clean_log_is_not() -> None:
    results = results_of([call()] * 7, [("call_id is repeated", 2), ("cost_usd is negative", 1)])
    evidence = sorted(one["evidence"] for one in results["recommendations"])
    assert [text.split(";")[0] for text in evidence] == [
        "1 of 10 rows were set aside", "2 of 10 rows repeat the id of an earlier row"]
    assert results_of([call()])["recommendations"] == []


def test_every_dimension_is_counted_and_listed_while_its_values_are_few() -> None:
    calls = [call(customer_id=f"c{number}") for number in range(21)] + [call(customer_id="c0", region="eu-west-1")]
    results = results_of(calls)
    assert results["unique"] == {
        "customer": 21, "organization": 1, "tier": 1, "tier_price": 1, "archetype": 1, "product": 1, "feature": 1,
        "provider": 1, "model": 1, "status": 1, "environment": 1, "region": 2}
    held = {one["dimension"]: one for one in results["dimensions"]}
    assert held["customer"]["values"] is None
    assert (held["customer"]["largest"], held["customer"]["largest_share"]) == ("c0", 2 / 22)
    assert held["region"]["values"] == [{"value": "us-east-1", "calls": 21, "share": 21 / 22},
                                        {"value": "eu-west-1", "calls": 1, "share": 1 / 22}]
    assert held["tier_price"]["largest"] == "99"


def test_silent_hours_and_days_are_found_and_the_edges_are_not_silent() -> None:
    calls = [call(timestamp=one) for one in ("2026-03-02T10:00:00Z", "2026-03-02T11:59:00Z", "2026-03-02T14:00:00Z",
                                             "2026-03-05T01:00:00Z")]
    time = results_of(calls)["time"]
    assert (time["days"], time["days_with_calls"], time["hours"], time["hours_with_calls"]) == (4, 2, 64, 4)
    assert time["days_without_calls"] == [{"from": "2026-03-03", "to": "2026-03-04", "days": 2}]
    assert time["longest_gaps"] == [{"from": "2026-03-02T15:00Z", "to": "2026-03-05T01:00Z", "hours": 58},
                                    {"from": "2026-03-02T12:00Z", "to": "2026-03-02T14:00Z", "hours": 2}]
    assert time["hours_without_calls"] == 60
    assert (time["first"], time["last"]) == ("2026-03-02T10:00:00.000Z", "2026-03-05T01:00:00.000Z")


def test_the_status_mix_adds_up() -> None:
    mix = results_of([call()] * 3 + [call(status="timeout", cost_nano=0)])["status_mix"]
    assert [(row["status"], row["calls"], row["share"], row["cost"]) for row in mix] == [
        ("success", 3, 0.75, Decimal("0.0018")), ("timeout", 1, 0.25, Decimal(0))]


def test_unpriced_calls_are_shown_by_model_with_what_the_list_says() -> None:
    start = 1_772_409_600_000  # 2026-03-02T00:00:00Z
    calls = [call(timestamp_ms=start), call(timestamp_ms=start + 86_400_000 - 1),
             call(model="gpt-4o", cost_nano=None, input_tokens=1_000_000, output_tokens=100_000),
             call(model="gpt-4o", cost_nano=None, status="timeout", input_tokens=500_000, output_tokens=0),
             call(model="mystery", cost_nano=None)]
    results = results_of(calls)
    assert results["unpriced"] == {"calls": 3, "share": 0.6, "by_model": [
        {"provider": "openai", "model": "gpt-4o", "unpriced": 2, "in_catalog": True, "tokens": 1_100_000,
         "list_cost": Decimal("3.5")},  # $2.50 in, a tenth of $10 out; the timeout is taken as not charged
        {"provider": "openai", "model": "mystery", "unpriced": 1, "in_catalog": False, "tokens": 150,
         "list_cost": None}]}
    assert [one["monthly_usd"] for one in results["recommendations"]] == [None, None]
    assert "about $3.50" in results["recommendations"][0]["evidence"]


def test_tokens_of_unpriced_calls_are_unknown_where_priced_ones_are_counted_with_them() -> None:
    row = results_of([call(), call(cost_nano=None)])["unpriced"]["by_model"][0]
    assert (row["unpriced"], row["tokens"], row["list_cost"]) == (1, None, None)


def test_a_customer_in_two_organizations_is_noticed() -> None:
    found = results_of([call(), call(organization_id="org_2"), call(customer_id="cust_2")])["inconsistencies"]
    assert found == [{"dimension": "organization", "customers": 1, "examples": ["cust_1"]}]


@pytest.mark.parametrize("calls", [[], [call()], [call(cost_nano=None, latency_ms=None, status="timeout")]])
def test_the_smallest_logs_give_sensible_results(calls) -> None:
    results = results_of(calls)
    assert results["summary"]["rows"] == len(calls)
    assert results["time"]["hours"] == len(calls)
    assert results["time"]["days_without_calls"] == results["time"]["longest_gaps"] == []


def test_a_file_is_described_the_same_with_and_without_a_checkpoint(tmp_path) -> None:
    path = tmp_path / "small.csv"
    rows = [",".join(call(call_id=f"c-{number}").to_row()) for number in (1, 2, 2)]
    path.write_text("\n".join([HEADER] + rows + ["not,a,row"]) + "\nhalf a li", encoding="utf-8")
    first, second = (DatasetOverviewAnalyzer(dataset=load_dataset(path)).analyze() for _ in range(2))
    assert first == second
    assert first["file"] == {"name": "small.csv", "bytes": path.stat().st_size, "pending_bytes": 9,
                             "rejected_file": "small.rejected.csv"}
    assert first["rows"]["repeated"] == 1
    assert first["rows"]["rejected"] == 2


def test_a_simulated_log_is_described_as_it_is(log) -> None:
    results = DatasetOverviewAnalyzer(str(log.path)).analyze()
    assert results["rows"]["rows"] == len(log.calls)
    assert results["unique"]["customer"] == len({one.customer_id for one in log.calls})
    assert results["unique"]["model"] == len({one.model for one in log.calls})
    assert sum(row["calls"] for row in results["status_mix"]) == len(log.calls)
    assert results["time"]["hours_with_calls"] == len({one.timestamp_ms // 3_600_000 for one in log.calls})


def test_calls_are_summed_by_day_and_by_weekday_and_hour() -> None:
    results = results_of([call(timestamp=one) for one in (
        "2026-03-02T10:00:00Z", "2026-03-02T10:59:00Z", "2026-03-09T10:00:00Z", "2026-03-08T23:00:00Z")])
    assert results["daily"] == [{"day": "2026-03-02", "calls": 2}, {"day": "2026-03-08", "calls": 1},
                                {"day": "2026-03-09", "calls": 1}]
    week = {row["weekday"]: row["calls"] for row in results["week"]}
    assert (week["Monday"][10], week["Sunday"][23]) == (3, 1)
    assert sum(map(sum, week.values())) == 4
    assert all(len(calls) == 24 for calls in week.values())


def test_the_headline_tells_what_the_log_holds_and_what_is_missing() -> None:
    two = [call(), call(timestamp="2026-03-02T11:00:00Z")]
    assert results_of(two)["headline"] == (
        "2 calls of 1 customer on 2026-03-02: no row was set aside, no cost is unknown, and no hour is silent.")
    later = call(timestamp="2026-03-03T01:00:00Z", cost_nano=None)
    assert results_of([*two, later], [("cost_usd is negative", 1)])["headline"] == (
        "3 calls of 1 customer from 2026-03-02 to 2026-03-03: 1 of 4 rows set aside, 1 call without a known cost, "
        "13 hours without any call.")
    assert results_of([], [("cost_usd is negative", 2)])["headline"] == "No call could be counted: 2 rows set aside."
    assert (results_of([])["headline"], results_of([])["week"]) == (NO_CALLS, [])
