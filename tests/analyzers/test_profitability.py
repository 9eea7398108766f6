from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

from builders import call, dataset_of

from analyzers.revenue import NO_WHOLE_DAY, Economics
from analyzers.ubr.profitability import ProfitabilityAnalyzer, class_of
from analyzers.wording import NO_CALLS
from calls.values import NANO_PER_USD

USD = NANO_PER_USD
CENT = USD // 100
STARTER = {"subscription_tier": "starter", "tier_price_nano": 29 * USD, "customer_archetype": "heavy"}


def january(customer: str, dollars_a_call: float, **changes):
    """Return two calls, on the first and the last day of January."""
    return [call(timestamp=f"2026-01-{day}T12:00:00Z", customer_id=customer, cost_nano=int(dollars_a_call * USD),
                 **changes) for day in ("01", "31")]


def results_of(calls):
    results = ProfitabilityAnalyzer(dataset=dataset_of(calls)).analyze()
    json.dumps(results, default=str, allow_nan=False)
    return results


def rows(table, key):
    return {row[key]: row for row in table}


TWO = january("good", 4.95) + january("bad", 29, **STARTER)


def test_each_customer_has_the_margin_of_its_own_revenue_and_cost() -> None:
    customers = rows(results_of(TWO)["customers"], "customer")
    good, bad = customers["good"], customers["bad"]
    assert (good["revenue"], good["cost"], good["margin"], good["class"]) == (99, Decimal("9.9"), Decimal("89.1"),
                                                                            "high")
    assert (bad["revenue"], bad["cost"], bad["margin"], bad["class"]) == (29, 58, -29, "unprofitable")
    assert (good["margin_percent"], bad["margin_percent"]) == (90, -100)


def test_margins_by_tier_archetype_and_month_add_up_to_the_whole() -> None:
    results = results_of(TWO)
    for section in ("months", "by_tier", "by_archetype", "classes", "customer_months", "customers"):
        assert sum(row["revenue"] for row in results[section]) == 128
        assert sum(row["cost"] for row in results[section]) == Decimal("67.9")
    assert results["summary"]["compared"]["margin"] == Decimal("60.1")
    assert rows(results["by_tier"], "tier")["starter"]["margin"] == -29
    assert rows(results["by_archetype"], "archetype")["power"]["margin"] == Decimal("89.1")


def test_classes_begin_at_their_thresholds() -> None:
    assert class_of(Economics(1, 100, 30, 1)) == "high"
    assert class_of(Economics(1, 100, 31, 1)) == "medium"
    assert class_of(Economics(1, 100, 60, 1)) == "medium"
    assert class_of(Economics(1, 100, 61, 1)) == "low"
    assert class_of(Economics(1, 100, 100, 1)) == "low"
    assert class_of(Economics(1, 100, 101, 1)) == "unprofitable"
    assert class_of(Economics(1, 0, 0, 1)) == "low"


def test_an_unpriced_customer_is_unknown_and_not_free() -> None:
    results = results_of([one._replace(cost_nano=None) for one in january("who", 1)])
    row = results["customers"][0]
    assert (row["class"], row["margin"], row["margin_percent"], row["unpriced"]) == ("unknown", None, None, 2)
    assert results["summary"]["unknown_customers"] == 1
    assert results["break_even"][0]["break_even_calls"] is None


def test_the_loss_is_stated_for_a_month_with_a_price_a_tier_and_a_cap_that_end_it() -> None:
    results = results_of(TWO)
    row, = results["unprofitable"]
    assert row["lost_monthly"] == Decimal("28.06")  # 29 in 31 days, for 30
    assert (row["break_even_price"], row["covering_tier_price"]) == (58, 99)
    assert row["cap_calls_monthly"] == 1  # at 29 dollars a call
    advice, = results["recommendations"]
    assert advice["action"] == "Move bad from starter to the plan at $99 a month, or cap it at 1 calls a month"
    assert (advice["monthly_usd"], advice["confidence"]) == (Decimal("28.06"), "high")
    assert "paid $29.00 for 31 active days and cost $58.00" in advice["evidence"]


def test_a_cost_above_every_tier_asks_for_a_price_of_its_own() -> None:
    advice, = results_of(january("bad", 200))["recommendations"]
    assert advice["action"].startswith("Reprice bad (pro) to at least $400 a month")


def test_a_customer_that_was_moved_to_a_covering_price_needs_no_advice() -> None:
    early = call(timestamp="2026-01-01T12:00:00Z", cost_nano=60 * USD, **STARTER)
    late = call(timestamp="2026-01-30T12:00:00Z", cost_nano=0)
    last = call(timestamp="2026-01-31T12:00:00Z", cost_nano=0)
    results = results_of([early, late, last])
    assert results["unprofitable"][0]["already_repriced"]
    assert results["recommendations"] == []


def test_recommendations_count_every_loss_once() -> None:
    calls = [one for number in range(13) for one in january(f"bad_{number:02d}", 30 + number, **STARTER)]
    results = results_of(calls)
    advice = results["recommendations"]
    assert len(advice) == 11
    assert any("the other 3 unprofitable customers" in one["action"] for one in advice)
    assert sum(one["monthly_usd"] for one in advice) == sum(row["lost_monthly"] for row in results["unprofitable"])
    assert abs(sum(one["monthly_usd"] for one in advice) - results["summary"]["lost_monthly"]) < Decimal("0.13")


def test_a_short_life_makes_a_loss_uncertain() -> None:
    brief = [call(timestamp="2026-01-02T12:00:00Z", customer_id="brief", cost_nano=50 * USD)]
    advice, = results_of(january("good", 1) + brief)["recommendations"]
    assert advice["confidence"] == "low"


def test_break_even_use_is_where_the_price_equals_cost_at_the_mean_priced_call() -> None:
    calls = january("a", 1) + january("b", 3) + [call(timestamp="2026-01-05T12:00:00Z", cost_nano=None)]
    row, = results_of(calls)["break_even"]
    assert (row["tier"], row["cost_per_call"], row["unpriced"]) == ("pro", 2, 1)
    assert (row["break_even_calls"], row["break_even_tokens"]) == (49, 7425)  # 49.5 calls of 150 tokens


def test_the_typical_customer_is_the_median_for_a_month_of_activity() -> None:
    row, = results_of(january("a", 1) + january("b", 3) + january("c", 31))["typical_customers"]
    assert (row["customers"], row["median_monthly_cost"]) == (3, Decimal("5.81"))  # 6 in 31 days, for 30
    assert row["median_monthly_calls"] == 2 * 30 / 31


def test_a_month_is_never_compared_with_the_cost_of_a_whole_log() -> None:
    calls = [call(timestamp=f"2026-{month:02d}-15T12:00:00Z", cost_nano=50 * USD) for month in range(1, 7)]
    results = results_of(calls)
    assert results["customers"][0]["class"] == "low"  # 300 of 495.04 dollars; against one month it would be a loss
    assert [row["active_days"] for row in results["customer_months"]] == [17, 28, 31, 30, 31, 15]


def test_small_logs_give_sensible_results() -> None:
    for calls in ([], [call()], TWO[:2], [call(tier_price_nano=0, cost_nano=0)] * 2):
        results = results_of(calls)
        assert results["summary"]["total_calls"] == len(calls)
        assert results["recommendations"] == []
    assert results_of([call()])["break_even"][0]["break_even_calls"] == 165_000


def test_a_simulated_log_is_accounted_for_completely(log) -> None:
    results = ProfitabilityAnalyzer(log.path).analyze()
    summary = results["summary"]
    assert summary["compared"]["cost"] + summary["left_out"]["cost"] == summary["total_cost"]
    assert sum(row["customers"] for row in results["classes"]) == summary["customers"]
    for row in results["unprofitable"]:
        assert row["margin"] < 0 < row["lost_monthly"]


def test_the_headline_tells_margin_and_losses_or_what_is_missing() -> None:
    results = results_of(TWO)
    assert results["headline"] == (
        "2 customers paid $128.00 in 31 days and cost $67.90: a margin of 47.0 %; 1 customer served at a loss cost "
        f"${results['summary']['lost_monthly']} a month.")
    assert results_of(january("good", 4.95))["headline"] == (
        "1 customer paid $99.00 in 31 days and cost $9.90: a margin of 90.0 %; no customer is served at a loss.")
    assert results_of([])["headline"] == NO_CALLS
    partial = [call(timestamp=f"2026-01-01T{hour}:{minute}:00Z") for hour in ("10", "11") for minute in range(10, 60)]
    assert results_of(partial)["headline"] == NO_WHOLE_DAY


def test_the_headline_claims_no_margin_where_most_calls_have_no_price() -> None:
    dark = [one._replace(cost_nano=None) for one in january("dark", 0)]
    headline = results_of(january("good", 4.95) + dark)["headline"]
    assert headline.endswith("too many calls have no price to tell the margin.")


def test_the_trend_compares_the_last_whole_days_with_as_many_before() -> None:
    results = results_of([call(timestamp=f"2026-01-{day:02}T12:00:00Z", cost_nano=(1 + (day > 14)) * USD)
                          for day in range(1, 29)])
    trend = results["trend"]
    assert (trend["previous"]["first"], trend["previous"]["last"]) == ("2026-01-01", "2026-01-14")
    assert (trend["current"]["cost"], trend["previous"]["cost"], trend["cost_change"]) == (28, 14, 1.0)
    assert trend["current"]["margin"] == Decimal("44.709677419") - 28  # 99 dollars, 14 of 31 days
    assert trend["revenue_change"] == 0.0


def test_the_rolling_margin_ends_with_the_trends_period_and_goes_back_by_weeks(log) -> None:
    results = ProfitabilityAnalyzer(log.path).analyze()
    rolling, trend = results["rolling"], results["trend"]
    assert (rolling[-1]["first_day"], rolling[-1]["day"]) == (trend["current"]["first"], trend["current"]["last"])
    assert all(abs(rolling[-1][name] - trend["current"][name]) < Decimal("0.00001")
               for name in ("revenue", "cost", "margin"))  # rounded once, not once a customer and month
    days = [date(*map(int, one["day"].split("-"))) for one in rolling]
    assert [(later - day).days for day, later in zip(days, days[1:])] == [7] * (len(rolling) - 1)
    assert len(rolling) == 9


def test_a_rolling_margin_takes_each_span_by_itself_with_the_price_of_each_day() -> None:
    """Two calls a week before a rise of the price, and one in the last of three spans that fit into 28 days."""
    calls = [call(timestamp=f"2026-02-{day:02}T12:00:00Z", customer_id="base", cost_nano=0, tier_price_nano=0)
             for day in range(1, 29)]
    calls += [call(timestamp=f"2026-02-{day:02}T13:00:00Z", customer_id="c", cost_nano=USD,
                   tier_price_nano=price * USD) for day, price in ((2, 28), (5, 28), (10, 56), (27, 56))]
    assert [(one["first_day"], one["day"], one["revenue"], one["cost"], one["margin"])
            for one in results_of(calls)["rolling"]] == [
        ("2026-02-01", "2026-02-14", 8 + 2, 3, 7), ("2026-02-08", "2026-02-21", 2, 1, 1),
        ("2026-02-15", "2026-02-28", 2, 1, 1)]


def test_a_short_log_has_no_rolling_margin_and_a_dark_one_none_that_is_known() -> None:
    assert results_of([call()])["rolling"] == results_of([])["rolling"] == []
    dark = [call(timestamp=f"2026-01-{day:02}T12:00:00Z", cost_nano=None) for day in range(1, 8)]
    assert {one["margin"] for one in results_of(dark)["rolling"]} == {None}


def test_nobody_seems_to_leave_where_the_log_ends() -> None:
    """Customers call twice a week; on the last days some have simply not called again yet."""
    calls = [call(timestamp=f"2026-01-{day:02}T12:00:00Z", customer_id=f"c{day % 7}")
             for day in range(1, 29)]
    assert results_of(calls)["trend"]["revenue_change"] == 0.0


def test_a_change_from_a_loss_is_no_percentage() -> None:
    trend = results_of([call(timestamp=f"2026-01-{day:02}T12:00:00Z", cost_nano=100 * USD if day < 15 else 1)
                        for day in range(1, 29)])["trend"]
    assert trend["previous"]["margin"] < 0 < trend["current"]["margin"]
    assert trend["margin_change"] is None
    assert results_of([call()])["trend"] is None
