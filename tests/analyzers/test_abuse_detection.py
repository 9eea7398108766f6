from __future__ import annotations

import json

import pytest
from builders import call, dataset_of

from analyzers.advanced.abuse_detection import AbuseDetectionAnalyzer
from analyzers.wording import NO_CALLS


def stamp(day, hour=15, minute=0, second=0):
    """Return a time in March 2026, day 1 being the first."""
    return f"2026-03-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}Z"


def usual(days=range(1, 29), calls=6, **changes):
    """Return a customer that calls a few times every day, by day in its own region."""
    return [call(timestamp=stamp(day, 15 + index % 4, index), **changes) for day in days for index in range(calls)]


def results_of(calls):
    results = AbuseDetectionAnalyzer(dataset=dataset_of(calls)).analyze()
    json.dumps(results, default=str, allow_nan=False)
    return results


def found(calls, kind):
    return [row for row in results_of(calls)["findings"] if row["kind"] == kind]


def test_ordinary_traffic_has_no_findings():
    results = results_of(usual())
    assert results["findings"] == []
    assert results["recommendations"] == []
    assert results["summary"]["findings"] == 0


@pytest.mark.parametrize("calls", [[], [call()], usual([1]), [call(cost_nano=None)]])
def test_a_log_with_next_to_nothing_in_it_is_no_crash(calls):
    assert results_of(calls)["summary"]["findings"] == 0


def test_hammering_is_a_day_full_of_rate_limits():
    calls = usual() + [call(timestamp=stamp(20, 9, minute), status="rate_limit", cost_nano=0) for minute in range(30)]
    (row,) = found(calls, "rate_limit_hammering")
    assert (row["scope"]["customer"], row["first"], row["last"]) == ("cust_1", "2026-03-20", "2026-03-20")
    assert "30 of 30 calls hit the rate limit" in row["evidence"]


def test_a_few_rate_limits_are_ordinary():
    calls = usual(calls=20) + [call(timestamp=stamp(20, 9, minute), status="rate_limit") for minute in range(3)]
    assert found(calls, "rate_limit_hammering") == []


def test_a_retry_storm_is_one_finding_over_its_hours():
    storm = [call(timestamp=stamp(20, hour, minute), status="server_error", cost_nano=0)
             for hour in (10, 11, 12) for minute in range(15)]
    (row,) = found(usual() + storm, "retry_storm")
    assert (row["first"], row["last"]) == ("2026-03-20T10", "2026-03-20T12")
    assert row["scope"] == {"provider": "openai", "region": "us-east-1"}
    assert row["extra_calls"] == 45


def strangers(days, hour, calls=8):
    return [call(timestamp=stamp(day, hour, index), region="ap-southeast-1") for day in days for index in range(calls)]


def test_calls_at_night_from_a_strange_region_two_days_in_a_row_are_a_serious_finding():
    # 07 UTC is night (02 or 03 o'clock) on the American east coast.
    (row,) = found(usual() + strangers((20, 21), 7), "region_switch")
    assert (row["scope"]["region"], row["first"], row["last"]) == ("ap-southeast-1", "2026-03-20", "2026-03-21")
    assert row["severity"] in ("high", "critical")
    assert row["extra_calls"] == 16


def test_a_traveller_by_day_or_a_single_away_session_is_not_a_leaked_key():
    assert found(usual() + strangers((20, 21), 16), "region_switch") == []
    assert found(usual() + strangers((20,), 7), "region_switch") == []


def test_a_customer_that_calls_by_night_too_is_judged_by_the_hours_of_the_strange_calls():
    # As many of its own calls at night as there are strange ones by day.
    calls = usual() + [call(timestamp=stamp(day, 7, index)) for day in (20, 21) for index in range(8)]
    assert found(calls + strangers((20, 21), 16), "region_switch") == []


def test_a_region_used_on_many_days_is_home():
    assert found(usual() + strangers(range(1, 29, 2), 7), "region_switch") == []


def switched(days, **changes):
    return usual(days, model="gpt-4o", cost_nano=3_000_000, **changes)


def test_a_silent_move_to_a_dearer_model_is_found_with_what_it_cost_more():
    calls = usual([*range(1, 15), *range(20, 29)]) + switched(range(15, 20))
    (row,) = found(calls, "model_switch")
    assert (row["scope"]["model"], row["first"], row["last"]) == ("gpt-4o", "2026-03-15", "2026-03-19")
    assert row["score"] == pytest.approx(5.0)
    assert row["extra_cost"] * 10**9 == 5 * 6 * (3_000_000 - 600_000)  # days, calls, nano-dollars


def test_a_move_to_a_cheaper_model_is_none():
    calls = switched(range(1, 15)) + usual(range(15, 29))
    assert found(calls, "model_switch") == []


def test_what_several_customers_of_an_organisation_take_up_is_a_roll_out():
    calls = []
    for name in ("cust_1", "cust_2", "cust_3"):
        calls += usual(range(1, 15), customer_id=name) + switched(range(15, 29), customer_id=name)
    assert found(calls, "model_switch") == []


def test_prompts_three_times_as_long_for_days_are_bloat():
    # How prompts differ from day to day is learnt from all customers of a feature, so there are others.
    calls = [call(timestamp=stamp(day, 15, index), customer_id=name, input_tokens=(90, 100, 111)[index % 3])
             for name in ("cust_1", "cust_2", "cust_3", "cust_4", "cust_5") for day in range(1, 29)
             if name != "cust_1" or not 18 <= day <= 22 for index in range(12)]
    calls += [call(timestamp=stamp(day, 15, index), input_tokens=300, cost_nano=900_000)
              for day in range(18, 23) for index in range(12)]
    (row,) = found(calls, "prompt_bloat")
    assert (row["first"], row["last"]) == ("2026-03-18", "2026-03-22")
    assert "3.0 times the prompt tokens a call" in row["evidence"]


def test_one_day_of_long_prompts_is_not_bloat():
    calls = usual(calls=12) + [call(timestamp=stamp(20, 9, index), input_tokens=3000) for index in range(12)]
    assert found(calls, "prompt_bloat") == []


def bursting(names, peak_of):
    calls = []
    for name in names:
        for day in range(1, 29):
            number = 4 + day % 3 if not (day == 20 and name in peak_of) else 300
            calls += [call(timestamp=stamp(day, 15, index // 60, index % 60), customer_id=name)
                      for index in range(number)]
    return calls


def test_a_day_of_many_times_the_calls_is_unusual_volume():
    calls = usual(calls=4) + [call(timestamp=stamp(day, hour, 5)) for day in range(1, 29) for hour in range(6, 23)]
    calls += [call(timestamp=stamp(20, 3, second // 60, second % 60)) for second in range(300)]
    (row,) = found(calls, "unusual_volume")
    assert (row["customer"], row["first"], row["last"]) == ("cust_1", "2026-03-20", "2026-03-20")
    assert 290 <= row["extra_calls"] <= 310
    assert float(row["extra_cost"]) == pytest.approx(300 * 0.0006, rel=0.05)


def test_dearer_calls_are_a_cost_spike_and_more_calls_are_unusual_volume():
    for on_the_day, kind in (((40, 1), "unusual_volume"), ((2, 30), "cost_spike")):
        calls = [call(timestamp=stamp(day, hour, minute), cost_nano=600_000 * (on_the_day[1] if day == 20 else 1))
                 for day in range(1, 29) for hour in range(6, 23)
                 for minute in range(on_the_day[0] if day == 20 else 1 + (day + hour) % 2)]
        assert {row["kind"] for row in results_of(calls)["findings"]} == {kind}


def test_one_request_again_and_again_is_a_runaway_loop_and_no_volume_beside():
    calls = [call(timestamp=stamp(day, 9 + index // 12, index % 12), input_tokens=90 + 613 * (day * index % 11))
             for day in range(1, 29) for index in range(60)]
    calls += [call(timestamp=stamp(20, 3, second // 15, second % 15 * 4), input_tokens=700) for second in range(300)]
    (row,) = results_of(calls)["findings"]
    assert (row["kind"], row["customer"]) == ("runaway_loop", "cust_1")
    assert (row["first"], row["last"]) == ("2026-03-20T03", "2026-03-20T03")
    assert 250 <= row["extra_calls"] <= 300 and "within 20 minutes had nearly the same prompt" in row["evidence"]


def test_what_all_customers_of_an_organisation_do_together_is_not_one_customers_abuse():
    names = [f"cust_{number}" for number in range(1, 7)]
    assert found(bursting(names, names), "unusual_volume") == []
    assert [row["scope"]["customer"] for row in found(bursting(names, names[:1]), "unusual_volume")] == ["cust_1"]


def test_a_day_that_a_telling_rule_names_is_not_counted_again_as_volume_or_cost():
    calls = usual() + [call(timestamp=stamp(20, 9, minute, second), status="rate_limit")
                       for minute in range(10) for second in range(40)]
    assert {row["kind"] for row in results_of(calls)["findings"]} == {"rate_limit_hammering"}


def test_every_recommendation_names_its_evidence_and_the_sum_of_its_findings():
    results = results_of(usual([*range(1, 15), *range(20, 29)]) + switched(range(15, 20)))
    (advice,) = results["recommendations"]
    assert "gpt-4o" in advice["evidence"]
    assert str(advice["monthly_usd"]) == "0.08"  # 30 calls of 0.0024 more in 28 days: 0.072 * 30 / 28
    assert sum(row["findings"] for row in results["by_kind"]) == results["summary"]["findings"] == 1


def test_the_headline_counts_findings_and_says_where_to_look_first():
    assert results_of([])["headline"] == NO_CALLS
    assert results_of(usual())["headline"] == "Nothing unusual stands out in 168 calls."
    storm = [call(timestamp=stamp(20, hour, minute), status="server_error", cost_nano=0)
             for hour in (10, 11, 12) for minute in range(15)]
    results = results_of(usual() + storm)
    rows = results["findings"]
    (row,) = [one for one in rows if one["kind"] == "retry_storm"]
    assert (row["customer"], row["subject"]) == (None, "openai us-east-1")
    serious = [one["severity"] for one in rows].count("critical")
    worst = (rows[0]["kind"].replace("_", " "), rows[0]["customer"] or rows[0]["subject"], rows[0]["first"][:10])
    assert serious and results["headline"] == (
        f"{len(rows)} findings ({serious} critical); look first at {worst[0]} of {worst[1]} on {worst[2]}.")


def test_the_headline_adds_up_what_findings_cost():
    results = results_of(usual([*range(1, 15), *range(20, 29)]) + switched(range(15, 20)))
    (row,) = results["findings"]
    assert row["subject"].startswith(row["customer"])
    text = f", about ${row['extra_cost']:.2f} more than usual; look first at model switch of cust_1"
    assert text in results["headline"]
