from __future__ import annotations

import json
from decimal import Decimal

from builders import call, dataset_of

from analyzers.ubr.pricing import PricingAnalyzer
from analyzers.wording import NO_CALLS
from calls.values import NANO_PER_USD
from config import Settings

USD = NANO_PER_USD
STARTER = {"subscription_tier": "starter", "tier_price_nano": 29 * USD}


def january(customer: str, tokens_a_call: int, dollars_a_call: float, **changes):
    """Return two calls, on the first and the last day of January."""
    return [call(timestamp=f"2026-01-{day}T12:00:00Z", customer_id=customer, cost_nano=int(dollars_a_call * USD),
                 input_tokens=tokens_a_call, output_tokens=0, **changes) for day in ("01", "31")]


def results_of(calls, **settings):
    results = PricingAnalyzer(dataset=dataset_of(calls), settings=Settings(**settings)).analyze()
    json.dumps(results, default=str, allow_nan=False)
    return results


def plans_of(calls, **settings):
    return {row["plan"]: row for row in results_of(calls, **settings)["plans"]}


# Two months' prices of 128 dollars; cost of 10 + 40 dollars at 10 dollars per million tokens.
LIGHT, HEAVY = january("light", 500_000, 5), january("heavy", 2_000_000, 20, **STARTER)
TWO = LIGHT + HEAVY


def test_today_is_what_customers_pay_now() -> None:
    today = plans_of(TWO)["today"]
    assert (today["revenue"], today["cost"], today["margin"]) == (128, 50, 78)
    assert (today["unprofitable_customers"], today["change_monthly"]) == (1, 0)
    assert today["prices"] == {"starter": 29, "pro": 99}


def test_one_price_for_all_earns_what_today_earns() -> None:
    flat = plans_of(TWO)["flat"]
    assert (flat["prices"], flat["revenue"]) == ({"monthly_price": 64}, 128)
    assert flat["paying_more"]["largest"] == [{
        "customer": "heavy", "today_monthly": Decimal("28.06"), "bill_monthly": Decimal("61.94"),
        "change_monthly": Decimal("33.87")}]
    assert flat["paying_less"]["customers"] == 1
    assert flat["unprofitable_customers"] == 0


def test_pay_per_token_reaches_the_target_margin_by_its_rate() -> None:
    usage = plans_of(TWO)["usage_based"]
    assert usage["prices"] == {"per_million_tokens": 25}  # 10 / (1 - 0.6)
    assert (usage["revenue"], usage["margin_percent"]) == (125, 60)
    assert usage["target"]["factor"] == 1
    customers = {row["customer"]: row["usage_based"] for row in results_of(TWO)["customers"]}
    assert customers == {"light": 25, "heavy": 100}


def test_bands_of_use_put_the_heavy_into_the_dear_band() -> None:
    results = results_of(TWO)
    tiered = {row["plan"]: row for row in results["plans"]}["tiered"]
    assert tiered["prices"] == {"band_1": 29, "band_2": 99}
    assert tiered["limits"] == {"band_1_up_to_tokens": 1_000_000}
    assert {row["customer"]: row["tiered"] for row in results["customers"]} == {"light": 29, "heavy": 99}
    assert tiered["revenue"] == 128


def test_the_hybrid_charges_the_higher_of_price_and_use() -> None:
    hybrid = plans_of(TWO)["hybrid"]
    assert hybrid["prices"] == {"starter": 29, "pro": 99, "per_million_tokens": 25}
    assert hybrid["limits"] == {"starter_included_tokens": 1_160_000, "pro_included_tokens": 3_960_000}
    assert hybrid["revenue"] == 199
    assert hybrid["change_monthly"] == Decimal("68.71")  # 71 dollars in 31 days, for 30
    assert (hybrid["paying_less"]["customers"], hybrid["paying_same"]["customers"]) == (0, 1)


def test_use_is_billed_month_by_month_and_not_over_the_whole_log() -> None:
    calls = [call(timestamp=day + "T12:00:00Z", input_tokens=tokens, output_tokens=0, cost_nano=tokens * 10_000)
             for day, tokens in (("2026-01-01", 8_000_000), ("2026-02-28", 0))]
    hybrid = plans_of(calls)["hybrid"]
    assert hybrid["revenue"] == 200 + 99  # 8 million in January; the whole log's 200 dollars would exceed 198


def test_the_target_price_reaches_the_target_margin_and_no_more() -> None:
    plans = plans_of(TWO)
    assert plans["today"]["target"]["factor"] == 125 / 128
    assert plans["today"]["target"]["prices"] == {"starter": Decimal("28.33"), "pro": Decimal("96.68")}
    assert plans["flat"]["target"]["prices"] == {"monthly_price": Decimal("62.5")}
    assert plans_of(TWO, target_margin=0.75)["usage_based"]["prices"] == {"per_million_tokens": 40}


def many_light(count: int):
    return [one for number in range(count) for one in january(f"light_{number:02d}", 500_000, 5)]


def test_a_plan_that_earns_more_and_shocks_few_is_recommended() -> None:
    results = results_of(many_light(19) + HEAVY)
    assert results["summary"]["recommended_plan"] == "hybrid"
    advice, = results["recommendations"]
    assert advice["monthly_usd"] == Decimal("68.71")
    assert "1 customer pays more, nobody less, and 0 instead of 1 make a loss" in advice["evidence"]
    assert advice["confidence"] == "low"  # all of it comes from one customer


def test_a_plan_that_shocks_many_is_not_recommended() -> None:
    results = results_of(TWO)
    assert {row["plan"]: row["shocked_share"] for row in results["plans"]}["hybrid"] == 0.5
    assert results["summary"]["recommended_plan"] == "today"
    assert results["recommendations"] == []  # today's 61 % is above the target


def test_todays_prices_below_the_target_are_to_be_raised() -> None:
    advice, = results_of(TWO, target_margin=0.8)["recommendations"]
    assert advice["action"] == "Raise today's prices by 95.3 %"  # 250 / 128
    assert advice["monthly_usd"] == Decimal("118.06")  # 122 dollars in 31 days, for 30


def test_plans_by_use_are_left_out_where_cost_is_unknown() -> None:
    plans = plans_of([one._replace(cost_nano=None) for one in TWO])
    assert list(plans) == ["today", "flat", "tiered"]
    assert plans["today"]["target"] is None and plans["today"]["margin"] is None


def test_small_logs_give_sensible_results() -> None:
    for calls in ([], [call()], [call()] * 3, LIGHT, [call(tier_price_nano=0)] * 2, [call(cost_nano=0)] * 2):
        results = results_of(calls)
        assert results["summary"]["total_calls"] == len(calls)
    assert results_of([])["plans"] == [] and results_of([])["summary"]["recommended_plan"] is None


def test_every_plan_on_a_simulated_log_bills_what_its_customers_pay(log) -> None:
    results = PricingAnalyzer(log.path).analyze()
    assert [row["plan"] for row in results["plans"]] == ["today", "flat", "usage_based", "tiered", "hybrid"]
    for row in results["plans"]:
        assert row["revenue"] == sum(customer[row["plan"]] for customer in results["customers"])
        moved = row["paying_more"]["customers"] + row["paying_less"]["customers"] + row["paying_same"]["customers"]
        assert moved == results["summary"]["customers"]
    usage = results["plans"][2]
    assert abs(usage["margin_percent"] - 60) < 0.1
    assert all(row["hybrid"] >= row["today"] for row in results["customers"])


def test_the_headline_names_the_plan_that_earns_more_or_says_that_none_does() -> None:
    results = results_of(many_light(19) + HEAVY)
    today = results["plans"][0]["monthly_revenue"]
    assert results["headline"] == (
        f"Today's prices earn ${today:,} a month; the plan \"{results['recommended']['title']}\" would earn $68.71 "
        "more if use stays as it is: 1 customer would pay more, nobody less.")
    assert results["recommended"]["plan"] == "hybrid"
    assert results_of(TWO)["headline"] == (
        "Today's prices earn $123.87 a month; none of 4 other plans earns more without raising many bills.")
    short = results_of(TWO, target_margin=0.8)["headline"]
    assert short.endswith("many bills, and 95.3 % more would reach the target margin.")
    assert (results_of([])["headline"], results_of([])["recommended"]) == (NO_CALLS, None)


def test_the_dearest_customer_stands_first() -> None:
    assert [row["customer"] for row in results_of(TWO)["customers"]] == ["heavy", "light"]
