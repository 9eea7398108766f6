from __future__ import annotations

import json
from decimal import Decimal

import pytest
from builders import call, dataset_of

from analyzers.common import split
from analyzers.ubr.features import FeaturesAnalyzer
from analyzers.wording import NO_CALLS
from calls.values import NANO_PER_USD
from config import Settings

USD = NANO_PER_USD


def january(customer: str, feature: str, dollars: float, calls: int = 1, **changes):
    """Return calls on the first and the last day of January, of `calls` each, that cost so much together."""
    return [call(timestamp=f"2026-01-{day}T12:00:00Z", customer_id=customer, feature_id=feature,
                 cost_nano=int(dollars * USD) // (2 * calls), **changes) for day in ("01", "31")
            for _ in range(calls)]


def results_of(calls, **settings):
    results = FeaturesAnalyzer(dataset=dataset_of(calls), settings=Settings(**settings)).analyze()
    json.dumps(results, default=str, allow_nan=False)
    return results


def features_of(calls, **settings):
    return {row["feature"]: row for row in results_of(calls, **settings)["features"]}


def test_a_customers_revenue_is_shared_over_its_features_by_their_cost() -> None:
    rows = features_of(january("a", "chat", 30) + january("a", "agent", 3, calls=4))
    assert (rows["chat"]["revenue"], rows["agent"]["revenue"]) == (90, 9)
    assert (rows["chat"]["revenue_by_calls"], rows["agent"]["revenue_by_calls"]) == (Decimal("19.8"), Decimal("79.2"))
    assert (rows["chat"]["margin"], rows["agent"]["margin"]) == (60, 6)
    assert rows["agent"]["margin_percent_by_calls"] == pytest.approx(100 * (79.2 - 3) / 79.2)


def test_without_cost_revenue_is_shared_by_calls() -> None:
    rows = features_of(january("a", "chat", 0) + january("a", "agent", 0, calls=2))
    assert (rows["chat"]["revenue"], rows["agent"]["revenue"]) == (33, 66)


def test_shares_of_revenue_add_up_to_it_to_the_nano_dollar() -> None:
    assert split(100, [1, 1, 1]) == [34, 33, 33]
    assert split(10, [0, 0]) == [5, 5]
    assert split(0, []) == []
    rows = features_of(january("a", "chat", 1) + january("a", "agent", 1) + january("a", "search", 1))
    assert sum(row["revenue"] for row in rows.values()) == 99


def test_adoption_counts_customers_among_the_active_ones() -> None:
    rows = features_of(january("a", "chat", 2) + january("b", "chat", 4) + january("b", "agent", 1))
    assert (rows["chat"]["adoption_percent"], rows["agent"]["adoption_percent"]) == (100, 50)
    assert rows["chat"]["cost_per_customer"] == 3


def test_the_quadrant_follows_margin_and_adoption() -> None:
    loyal = [one for number in range(7) for one in january(f"c{number}", "chat", 1)]
    lossy = [one for number in range(7) for one in january(f"c{number}", "chat", 90)]
    cheap, dear = january("niche", "agent", 1), january("niche", "agent", 90)
    assert results_of(loyal + cheap)["quadrants"] == {
        "keep": ["chat"], "invest": ["agent"], "optimise": [], "retire": [], "unknown": []}
    assert results_of(lossy + dear)["quadrants"] == {
        "keep": [], "invest": [], "optimise": ["chat"], "retire": ["agent"], "unknown": []}


def days(feature: str, numbers, dollars: float, customer: str = "a", hour: int = 12):
    return [call(timestamp=f"2026-01-{day:02d}T{hour:02d}:30:00Z", feature_id=feature, customer_id=customer,
                 cost_nano=int(dollars * USD)) for day in numbers]


def crowd(count: int = 9):
    """Return customers of chat on fourteen whole days, from their first hour to their last."""
    return [one for number in range(count) for hour in (0, 23)
            for one in days("chat", range(1, 15), 0.01, f"c{number}", hour)]


def test_a_dear_feature_that_is_new_or_grows_is_optimised_and_not_retired() -> None:
    growing = days("agent", (2, 9, 10, 11), 20, "niche")
    new = days("agent", (12, 13, 14), 20, "niche")
    shrinking = days("agent", (2, 3, 4, 11), 20, "niche")
    assert features_of(crowd() + growing)["agent"]["quadrant"] == "optimise"
    row = features_of(crowd() + new)["agent"]
    assert (row["quadrant"], row["trend"]["is_new"], row["trend"]["calls_change"]) == ("optimise", True, None)
    assert features_of(crowd() + shrinking)["agent"]["quadrant"] == "retire"


def test_the_trend_compares_whole_periods_of_equal_length() -> None:
    results = results_of(crowd() + days("agent", (2, 9, 10, 11), 20, "niche"))
    assert results["summary"]["periods"] == {"current_first": "2026-01-08", "current_last": "2026-01-14",
                                             "previous_first": "2026-01-01", "previous_last": "2026-01-07"}
    trend = {row["feature"]: row for row in results["features"]}["agent"]["trend"]
    assert (trend["calls"], trend["calls_before"], trend["calls_change"]) == (3, 1, 2.0)
    assert (trend["cost"], trend["cost_before"], trend["cost_per_call"]) == (60, 20, 20)


def test_optimising_is_worth_what_the_cost_exceeds_the_target_by() -> None:
    advice, = results_of(january("a", "chat", 90))["recommendations"]
    assert advice["monthly_usd"] == Decimal("48.77")  # (90 - 0.4 x 99) in 31 days, for 30
    assert "costs $87.10 and carries $95.81 of revenue a month; 1 of 1 active customers" in advice["evidence"]


def test_retiring_is_worth_its_cost_and_says_what_rests_on_it() -> None:
    advice = {one["action"]: one for one in results_of(crowd() + days("agent", (2, 3, 4), 20, "niche"))[
        "recommendations"]}
    one = advice["Retire agent, or sell it at its own price"]
    assert one["monthly_usd"] == Decimal("128.57")  # 60 in 14 days, for 30
    assert "if no customer leaves" in one["evidence"]


def test_unpriced_features_are_unknown_and_not_free() -> None:
    row = features_of([one._replace(cost_nano=None) for one in january("a", "chat", 1)])["chat"]
    assert (row["quadrant"], row["margin"], row["unpriced"], row["revenue"]) == ("unknown", None, 2, 99)


def test_partial_days_are_left_out_of_features_too() -> None:
    calls = [call(timestamp=f"2026-01-0{day}T{hour:02d}:{minute:02d}:00Z") for day in (1, 2, 3)
             for hour in range(24) for minute in (0, 20, 40)][36:-36]
    row = features_of(calls)["chat"]
    assert (row["calls"], row["cost"]) == (72, Decimal("0.0432"))


def test_small_logs_give_sensible_results() -> None:
    for calls in ([], [call()], [call()] * 3, january("a", "chat", 1), [call(tier_price_nano=0, cost_nano=0)] * 2):
        assert results_of(calls)["summary"]["total_calls"] == len(calls)


def test_features_of_a_simulated_log_add_up_to_revenue_and_cost(log) -> None:
    results = FeaturesAnalyzer(log.path).analyze()
    compared = results["summary"]["compared"]
    for figure in ("revenue", "cost", "calls", "tokens"):
        assert sum(row[figure] for row in results["features"]) == compared[figure]
    assert sum(row["revenue_by_calls"] for row in results["features"]) == compared["revenue"]
    assert sum(map(len, results["quadrants"].values())) == len(results["features"])


def test_the_headline_names_the_dearest_feature_and_how_the_features_stand() -> None:
    results = results_of(january("a", "chat", 30) + january("b", "chat", 6) + january("b", "agent", 4))
    assert [row["quadrant"] for row in results["features"]] == ["keep", "keep"]
    share = results["features"][0]["margin_percent"]
    assert results["headline"] == (
        f"chat takes 90.0 % of $40.00 of cost and leaves a margin of {share:.1f} %; of 2 features, keep 2.")
    assert results_of([])["headline"] == NO_CALLS


def test_the_headline_claims_no_cost_and_no_margin_that_is_unknown() -> None:
    unpriced = [one._replace(cost_nano=None) for one in january("a", "chat", 1)]
    assert results_of(unpriced)["headline"] == "No feature has a known cost; of 1 feature, find the cost of 1."
    mixed = results_of(unpriced + january("b", "chat", 2))["headline"]
    assert mixed.startswith("chat takes 100.0 % of $2.00 of cost and leaves an unknown margin;")
