"""Who joins, stays and leaves, with lives made by hand."""
from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal

import pytest
from builders import call, dataset_of

from analyzers.advanced.churn_growth import ChurnGrowthAnalyzer
from analyzers.wording import NO_CALLS
from calls.values import NANO_PER_USD
from rollup.dataset import load_dataset

START = date(2026, 3, 2)


def life(customer, days, **changes):
    """Return a call just after midnight and one just before the next on each day."""
    texts = [(START + timedelta(days=day)).isoformat() for day in days]
    return [call(customer_id=customer, timestamp=f"{text}T{time}Z", **changes)
            for text in texts for time in ("00:00:10", "23:59:50")]


def results(*calls):
    return ChurnGrowthAnalyzer(dataset=dataset_of([one for part in calls for one in part])).analyze()


def week(found, number):
    return found["weekly"][number]


def test_a_daily_caller_who_falls_silent_has_left_and_a_rare_one_has_not():
    found = results(life("stays", range(42)), life("gone", range(30)), life("rare", range(0, 36, 7)))
    assert [one["customer"] for one in found["leavers"]] == ["gone"]
    gone = found["leavers"][0]
    assert gone["silent_days"] == 12
    assert gone["last_active"] == "2026-03-31"
    assert gone["active_days"] == 30
    assert gone["mean_gap_days"] == 1
    # 29 of 29 days active: the chance of 12 silent ones is 1*2*...*12 / (31*32*...*42).
    assert gone["chance_if_still_there"] == pytest.approx(9.04e-11, rel=0.01)
    assert found["summary"]["left"] == 1
    assert found["summary"]["revenue_lost"] == Decimal(99)


def test_a_silence_between_the_two_limits_is_a_risk_and_counted_once():
    found = results(life("stays", range(42)), life("pausing", [*range(0, 36, 2)]))
    # 17 active of 34 days, 7 silent: chance about 0.012.
    assert [one["customer"] for one in found["at_risk"]] == ["pausing"]
    assert found["leavers"] == []
    assert sum(one["customers"] for one in found["revenue_at_risk"]) == found["summary"]["customers"] == 2
    assert sum(one["monthly_revenue"] for one in found["revenue_at_risk"]) == Decimal(198)


def test_too_few_active_days_are_unknown_and_never_a_leaver():
    found = results(life("stays", range(42)), life("tried", [0, 1]))
    assert found["summary"]["unknown"] == 1
    assert found["leavers"] == found["at_risk"] == []


def test_a_call_on_the_unfinished_last_day_ends_a_silence():
    back = [call(customer_id="gone", timestamp="2026-04-13T00:30:00Z")]
    found = results(life("stays", range(42)), life("gone", range(30)), back)
    assert found["leavers"] == []


def test_a_day_on_which_nobody_called_is_a_hole_of_a_crowded_log_and_no_silence():
    days = [*range(10), *range(20, 32)]
    crowd = [life(f"c{number}", days) for number in range(25)]
    found = results(*crowd, life("pauses", range(10)))
    assert [one["silent_days"] for one in found["leavers"]] == [12]


def test_who_comes_late_has_joined_and_who_was_there_from_the_beginning_has_not():
    found = results(life("stays", range(28)), life("new", range(14, 28)))
    assert found["summary"]["joined"] == 1
    assert [one["joined"] for one in found["weekly"]] == [0, 0, 1, 0]
    assert [one["active"] for one in found["weekly"]] == [1, 1, 2, 2]
    assert week(found, 2)["retained"] == 1
    assert week(found, 2)["active_change"] == 1.0
    assert week(found, 0)["retention"] is None


def test_cohorts_keep_everybody_who_was_seen_and_follow_them_week_by_week():
    found = results(life("stays", range(30)), life("gone", range(10)), life("new", range(16, 30)))
    first, second = found["cohorts"]
    # 30 days are four whole weeks and two days before them, which belong to the first cohort.
    assert first["first_day"] == "2026-03-04"
    assert (first["customers"], first["retention"], first["from_the_beginning"]) == (2, [1, 1, 0.5, 0.5], True)
    assert (second["customers"], second["retention"]) == (1, [1, 1])


def test_growth_compares_whole_weeks_with_as_many_before():
    found = results(life("stays", range(56)), life("new", range(28, 56)))
    growth = found["growth"]
    assert growth["weeks_compared"] == 4
    assert growth["weekly_active"] == {"current": 2, "previous": 1, "change": 1,
                                       "weekly_growth": pytest.approx(2 ** 0.25 - 1)}
    assert growth["cost"]["previous"] == Decimal("0.0084")
    assert growth["cost"]["current"] == Decimal("0.0168")


def test_the_recommendations_carry_the_tier_prices_of_the_lost():
    price = dict(subscription_tier="enterprise", tier_price_nano=299 * NANO_PER_USD)
    found = results(life("stays", range(42)), life("gone", range(30), **price), life("pro", range(28)))
    one, = found["recommendations"]
    assert one["monthly_usd"] == Decimal(398)
    assert one["action"].endswith("gone, pro")


@pytest.mark.parametrize("calls", [[], [call()], life("one", [0]), life("one", range(40))])
def test_tiny_logs_give_sensible_results(calls):
    found = results(calls)
    json.dumps(found, default=str, allow_nan=False)
    assert found["leavers"] == []
    assert found["summary"]["customers"] == len({one.customer_id for one in calls})


def test_leavers_of_a_simulated_log_are_mostly_those_who_left(log):
    found = ChurnGrowthAnalyzer(dataset=load_dataset(log.path, use_checkpoint=False)).analyze()
    truth = {one["customer_id"] for one in log.run["left"]}
    named = {one["customer"] for one in found["leavers"]}
    assert len(named & truth) >= 8
    assert len(named - truth) <= 4
    assert found["rule"]["past_false_alarm_rate"] < 0.02


def test_the_headline_tells_who_left_who_may_leave_and_who_came():
    found = results(life("stays", range(42)), life("gone", range(30)), life("pausing", [*range(0, 36, 2)]),
                    life("new", range(20, 42)))
    assert found["headline"] == (
        "Of 4 customers 1 seems to have left, with $99.00 a month; 1 is unusually silent, with $99.00 a month at risk; "
        "1 joined.")
    assert results(life("stays", range(42)))["headline"] == (
        "Of 1 customer none seems to have left; none is unusually silent; 0 joined.")


def test_the_headline_judges_nobody_without_enough_days():
    assert results(life("tried", [0, 1]))["headline"] == (
        "Of 1 customer none has called on enough days to tell who stays.")
    assert results([])["headline"] == NO_CALLS
