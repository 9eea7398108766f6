from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal

import pytest
from builders import call, dataset_of

from analyzers.finops.realtime import RealtimeAnalyzer
from config import Settings
from conftest import ROOT
from rollup.dataset import load_dataset

DOLLAR = 1_000_000_000


def daily(first, last, month=3, cost=DOLLAR, calls=4, **changes):
    """Return so many calls on every day, from its first to its last hour; cost is that of a day."""
    return [call(timestamp=f"2026-{month:02d}-{day:02d}T{(0, 8, 16, 23)[index % 4]:02d}:30:00Z",
                 cost_nano=cost // calls, **changes) for day in range(first, last + 1) for index in range(calls)]


def results_of(calls, **settings):
    results = RealtimeAnalyzer(dataset=dataset_of(calls), settings=Settings(**settings)).analyze()
    json.dumps(results, default=str, allow_nan=False)
    return results


@pytest.mark.parametrize("calls", [[], [call()], daily(1, 1), daily(1, 3), [call(cost_nano=None)]])
def test_a_log_with_next_to_nothing_in_it_is_no_crash(calls):
    assert results_of(calls)["anomalies"]["robust_seasonal"]["alerts"] == []


def test_an_empty_log_has_no_budget_and_no_index():
    results = results_of([])
    assert results["budget"] is None
    assert results["portfolio"]["herfindahl"] is None


def levels(results):
    return [(row["share"], row["reached"], row["day"]) for row in results["budget"]["levels"]]


def test_a_budgets_levels_are_reached_on_the_day_the_sum_passes_them_or_will_at_this_rate():
    # A dollar a day through the 16th: 20 dollars give levels at 10, 16 and 20.
    results = results_of(daily(1, 16), monthly_budget_usd=20.0)
    assert levels(results) == [(0.5, True, "2026-03-10"), (0.8, True, "2026-03-16"), (1.0, False, "2026-03-20")]
    budget = results["budget"]
    assert (budget["spent"], budget["projected"], budget["overrun"]) == (Decimal(16), Decimal(31), Decimal(11))
    assert budget["derived"] is False
    assert [row["severity"] for row in results["alerts"] if row["kind"] == "budget"] == ["high", "medium"]


def test_the_pace_is_the_running_sum_and_goes_on_at_the_rate():
    budget = results_of(daily(3, 16), monthly_budget_usd=20.0)["budget"]
    rows = budget["pace"] + budget["ahead"]
    assert [row["day"] for row in rows] == [f"2026-03-{day:02d}" for day in range(3, 32)]
    assert [row["spent"] for row in rows] == [Decimal(day) for day in range(1, 30)]
    assert (len(budget["pace"]), rows[-1]["spent"], {row["budget"] for row in rows}) == (
        14, budget["projected"], {Decimal(20)})


def test_the_headline_counts_alerts_and_holds_the_month_against_its_budget():
    results = results_of(daily(1, 16), monthly_budget_usd=20.0)
    serious = sum(row["severity"] in ("critical", "high") for row in results["alerts"])
    assert 0 < serious < len(results["alerts"]) == results["summary"]["alerts"]
    assert results["headline"] == (f"{len(results['alerts'])} alerts are open, {serious} of them critical or high; "
                                   "2026-03 heads for $31.00 against the budget of $20.00.")


def test_the_headline_holds_no_month_against_a_budget_made_of_itself():
    # One provider alone is an alert of its own.
    assert results_of(daily(1, 5))["headline"] == "1 alert is open, none critical or high."
    assert results_of(daily(1, 28, month=2) + daily(1, 31))["headline"].endswith(
        "; 2026-03 came to $31.00 against a derived budget (2026-02 plus a tenth) of $30.80.")
    assert results_of([])["headline"] == "The log holds no calls yet."
    shared = [call(provider=name, cost_nano=1000) for name in ("openai", "azure", "google", "cohere")]
    assert results_of(shared)["headline"] == "No alert is open."


def test_a_level_beyond_the_month_has_no_day():
    assert levels(results_of(daily(1, 16), monthly_budget_usd=100.0))[1:] == [(0.8, False, None), (1.0, False, None)]


def test_without_a_budget_it_is_the_last_whole_month_and_a_tenth_and_says_so():
    budget = results_of(daily(1, 28, month=2) + daily(1, 5))["budget"]
    assert budget["derived"] is True
    assert budget["budget"] == Decimal("30.8")
    assert "2026-02" in budget["source"]


def test_without_a_whole_month_it_is_a_month_of_mean_days_and_a_tenth():
    budget = results_of(daily(1, 5))["budget"]
    assert (budget["derived"], budget["budget"]) == (True, Decimal("34.1"))


def test_the_herfindahl_index_is_the_sum_of_squared_shares():
    calls = daily(1, 5, cost=3 * DOLLAR) + daily(1, 5, provider="anthropic")
    portfolio = results_of(calls)["portfolio"]
    assert portfolio["herfindahl"] == pytest.approx(0.75 ** 2 + 0.25 ** 2)
    assert (portfolio["largest"], portfolio["largest_share"]) == ("openai", 0.75)
    assert portfolio["concentrated"] is True


def test_a_customer_that_costs_more_than_its_prorated_price_is_at_risk():
    # 5 of March's 31 days at 31 dollars a month earn 5 dollars.
    price = {"tier_price_nano": 31 * DOLLAR}
    calls = daily(1, 5, cost=2 * DOLLAR, **price) + daily(1, 5, cost=DOLLAR // 2, customer_id="cust_2", **price)
    (row,) = results_of(calls)["at_risk_customers"]
    assert (row["customer"], row["cost"], row["revenue"], row["loss"]) == (
        "cust_1", Decimal(10), Decimal(5), Decimal(5))
    assert row["loss_per_month"] == Decimal("30.00")


def spiking(**changes):
    """Return four weeks of a slightly swinging dollar a day, and a high 20th, for eight customers."""
    calls = []
    for number in range(1, 9):
        for day in range(1, 29):
            calls += daily(day, day, cost=DOLLAR + (day % 3) * DOLLAR // 10, customer_id=f"cust_{number}")
    return calls + daily(20, 20, cost=40 * DOLLAR, calls=160, customer_id="cust_1", **changes)


def alerts(calls):
    return results_of(calls)["anomalies"]["robust_seasonal"]["alerts"]


def test_a_spike_is_one_alert_at_the_narrowest_scope_that_names_the_wider_ones():
    (row,) = [one for one in alerts(spiking()) if one["time"] == "2026-03-20"]
    assert (row["scope"], row["value"]) == ("customer", "cust_1")
    assert {one["scope"] for one in row["also_in"]} == {"whole", "organization", "feature", "provider"}
    assert row["severity"] == "critical"
    assert row["excess"] == pytest.approx(Decimal(40), abs=Decimal(1))


def test_hours_of_a_loop_are_named_with_the_day():
    calls = [call(timestamp=f"2026-03-{day:02d}T{hour:02d}:{number:02d}:00Z", cost_nano=DOLLAR // 100,
                  customer_id=f"cust_{number}", input_tokens=100 + 97 * (day * hour % 13))
             for number in range(1, 9) for day in range(1, 29) for hour in range(6, 23)]
    calls += [call(timestamp=f"2026-03-20T03:{minute:02d}:00Z", cost_nano=DOLLAR // 100) for minute in range(60)]
    (row,) = [one for one in alerts(calls) if one["scope"] == "customer"]
    assert (row["value"], row["time"], row["hours"]) == ("cust_1", "2026-03-20", ["2026-03-20T03"])
    assert row["cost"] == Decimal("0.77")
    assert row["excess"] == pytest.approx(Decimal("0.6"), abs=Decimal("0.03"))


def test_the_cause_names_the_dimension_and_that_volume_moved():
    (row,) = [one for one in alerts(spiking(feature_id="loop", region="eu-west-1")) if one["scope"] == "customer"]
    assert row["cause"]["driver"] == "volume"
    assert (row["cause"]["dimension"], row["cause"]["value"]) == ("feature", "loop")
    assert row["cause"]["share"] > 0.95  # the rest is the swing of the day


@pytest.mark.parametrize("changes, driver", [
    ({"status": "timeout"}, "errors"),
    ({"input_tokens": 100_000}, "tokens_per_call")])
def test_the_cause_tells_errors_and_tokens_from_volume(changes, driver):
    (row,) = [one for one in alerts(spiking(**changes)) if one["scope"] == "customer"]
    assert row["cause"]["driver"] == driver


def swinging(days, **changes):
    """Days of 1 dollar, but every fourth of 40: a level that often swings far."""
    return [one for day in range(1, days + 1)
            for one in daily(day, day, cost=40 * DOLLAR if day % 4 == 0 else DOLLAR, **changes)]


def test_a_dear_day_that_is_no_alert_is_told_with_what_was_expected():
    robust = results_of(swinging(28))["anomalies"]["robust_seasonal"]
    assert not robust["alerts"]
    first = robust["large"][0]
    assert len(robust["large"]) == 7 and (first["scope"], first["subject"], first["cost"]) == ("customer", "cust_1", 40)
    assert 0 < first["expected"] < 10 and first["excess"] == first["cost"] - first["expected"]
    assert first["factor"] == pytest.approx(float(first["cost"] / first["expected"]))
    assert "success" not in first["cause"]


def test_what_is_an_alert_is_not_told_again_as_a_surprise():
    robust = results_of(spiking())["anomalies"]["robust_seasonal"]
    told = {(row["scope"], row["value"] or "all calls", row["time"][:10]) for row in robust["alerts"]}
    assert told and not told & {(row["scope"], row["subject"], row["time"][:10]) for row in robust["large"]}


def test_the_plain_rule_is_kept_beside_the_robust_one():
    plain = results_of(spiking())["anomalies"]["mean_plus_3_sigma"]
    assert plain["by_scope"]["customer"]["day"] == 1
    assert plain["found"] == sum(number for row in plain["by_scope"].values() for number in row.values())


def test_a_level_that_stays_the_same_raises_no_alert():
    assert alerts(daily(1, 28)) == []


@pytest.mark.slow
def test_a_simulated_log_gives_few_alerts_each_with_cause_and_severity(tmp_path):
    path = tmp_path / "calls.csv"
    subprocess.check_call([sys.executable, str(ROOT / "src" / "run_all_simulators.py"), "5", "--seed", "3", "--start",
                           "2026-01-01", "--quiet", "--output", str(path)], stdout=subprocess.DEVNULL)
    results = RealtimeAnalyzer(dataset=load_dataset(path), settings=Settings()).analyze()
    rows = results["anomalies"]["robust_seasonal"]["alerts"]
    assert len(rows) <= 45
    assert all(row["cause"]["text"] and row["severity"] for row in rows)
    assert results["anomalies"]["mean_plus_3_sigma"]["found"] > 10 * len(rows)
