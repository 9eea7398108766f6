from __future__ import annotations

import json
from decimal import Decimal

import pytest
from builders import call, dataset_of

from analyzers.advanced.token_economics import TokenEconomicsAnalyzer
from analyzers.wording import NO_CALLS

START = 1_772_409_600_000  # 2026-03-02T00:00:00Z, a Monday
DAY = 86_400_000


def results_of(calls):
    results = TokenEconomicsAnalyzer(dataset=dataset_of(calls)).analyze()
    json.dumps(results, default=str, allow_nan=False)
    return results


def spread(number, first_day=0, days=2, **changes):
    """Return equal calls, spread over whole days from their first to their last millisecond."""
    return [call(timestamp_ms=START + first_day * DAY + index * (days * DAY - 1) // max(1, number - 1), **changes)
            for index in range(number)]


def test_prices_and_ratios_are_those_of_successful_calls() -> None:
    calls = [call(input_tokens=800, output_tokens=200, cost_nano=2_000_000),
             call(input_tokens=5000, output_tokens=0, cost_nano=0, status="rate_limit")]
    overall = results_of(calls)["overall"]
    assert overall["tokens_per_dollar"] == 500_000
    assert overall["usd_per_million_tokens"] == Decimal("2.000000")
    assert overall["output_input_ratio"] == 0.25
    assert (overall["input_tokens_per_call"], overall["tokens_per_call"]) == (800, 1000)
    assert results_of(calls)["failed_calls"]["input_tokens"] == 5000


def test_unpriced_calls_count_as_tokens_but_never_as_free_ones() -> None:
    calls = [call(input_tokens=800, output_tokens=200, cost_nano=2_000_000),
             call(input_tokens=9000, output_tokens=1000, cost_nano=None, model="mystery")]
    results = results_of(calls)
    assert results["overall"]["usd_per_million_tokens"] == Decimal("2.000000")
    assert (results["overall"]["tokens"], results["overall"]["unpriced_calls"]) == (11_000, 1)
    mystery = next(row for row in results["by_model"] if row["model"] == "mystery")
    assert (mystery["usd_per_million_tokens"], mystery["tokens_per_dollar"]) == (None, None)


def test_rows_are_dearest_first() -> None:
    calls = [call(cost_nano=1), call(cost_nano=5, feature_id="rag_search"), call(cost_nano=3, provider="azure")]
    assert [row["feature"] for row in results_of(calls)["by_feature"]] == ["rag_search", "chat"]
    assert [row["provider"] for row in results_of(calls)["by_provider"]] == ["openai", "azure"]


def test_the_distribution_is_over_customer_days() -> None:
    calls = spread(10, input_tokens=100, output_tokens=0) + [
        call(timestamp_ms=START + 1000, customer_id="b", input_tokens=900, output_tokens=100)]
    days = results_of(calls)["customer_days"]
    assert days["customer_days"] == 3
    assert (days["tokens"]["p50"], days["tokens"]["max"], days["tokens"]["mean"]) == (500, 1000, 2000 / 3)
    assert days["tokens_per_call"]["p50"] == 100
    assert [row["feature"] for row in days["tokens_per_call_by_feature"]] == ["chat"]


def prompts_of(sizes, number=30, answer=40):
    """Return calls of one customer for each prompt size, on gpt-4.1 at $2 a million tokens in, $8 out."""
    return [one for place, size in enumerate(sizes) for one in spread(
        number, customer_id=f"c{place}", input_tokens=size, output_tokens=answer,
        cost_nano=size * 2000 + answer * 8000)]


def test_long_prompts_with_tiny_answers_cost_what_they_exceed_other_customers_by() -> None:
    results = results_of(prompts_of([12_000, 2_000, 3_000, 4_000]))
    rows = results["wasteful"]["long_prompts_tiny_answers"]
    assert [(row["customer"], row["calls"], row["peers_median_input"]) for row in rows] == [
        ("c0", 30, 3000), ("c3", 30, 3000)]
    # 30 calls x 12,000 tokens x $2 a million; three quarters of it is above the others' median.
    assert (rows[0]["input_cost"], rows[0]["excess_cost"]) == (Decimal("0.72"), Decimal("0.54"))
    assert rows[1]["excess_cost"] == 0  # 4,000 is less than one and a half times the median of 12,000, 2,000 and 3,000
    trim = next(one for one in results["recommendations"] if "trim" in one["action"])
    assert trim["monthly_usd"] == Decimal("8.10")  # two days' $0.54
    assert "c0 sends 12,000 input tokens a call to gpt-4.1" in trim["evidence"]


@pytest.mark.parametrize("sizes, changes", [
    ([3_999, 2_000, 2_000, 2_000], {}), ([12_000, 2_000, 2_000, 2_000], {"answer": 300}),
    ([12_000, 2_000, 2_000, 2_000], {"number": 29})])
def test_shorter_prompts_longer_answers_and_few_calls_are_no_waste(sizes, changes) -> None:
    assert results_of(prompts_of(sizes, **changes))["wasteful"]["long_prompts_tiny_answers"] == []


def test_failed_calls_do_not_make_answers_tiny() -> None:
    calls = spread(30, input_tokens=5_000, output_tokens=150) + spread(
        30, input_tokens=5_000, output_tokens=0, status="server_error")
    assert results_of(calls)["wasteful"]["long_prompts_tiny_answers"] == []


def test_without_enough_other_customers_the_excess_is_unknown_and_only_looking_is_recommended() -> None:
    results = results_of(prompts_of([60_000, 2_000, 2_000]))
    assert results["wasteful"]["long_prompts_tiny_answers"][0]["excess_cost"] is None
    assert [one["monthly_usd"] for one in results["recommendations"]] == [None]


def test_small_calls_to_a_premium_model_cost_what_the_next_class_would_save() -> None:
    # gpt-4 is $30 in and $60 out; the dearest cheaper standard model of its provider is gpt-4o, $2.50 and $10.
    calls = spread(100, model="gpt-4", input_tokens=400, output_tokens=100, cost_nano=18_000_000)
    results = results_of(calls)
    row, = results["wasteful"]["premium_on_small_calls"]
    assert (row["model"], row["calls"], row["cost"]) == ("gpt-4", 100, Decimal("1.8"))
    assert (row["alternative"], row["saving_low"]) == ("openai/gpt-4o", Decimal("1.6"))
    assert row["saving_low"] < row["saving_high"] < row["cost"]
    assert results["recommendations"][0]["monthly_usd"] == Decimal("24.00")  # two days' $1.60


@pytest.mark.parametrize("changes", [
    {"input_tokens": 501, "output_tokens": 200}, {"input_tokens": 500, "output_tokens": 201}, {"model": "gpt-4o"},
    {"model": "mystery"}])
def test_larger_calls_and_other_models_are_not_premium_on_small_calls(changes) -> None:
    calls = spread(50, **dict({"model": "gpt-4"}, **changes))
    assert results_of(calls)["wasteful"]["premium_on_small_calls"] == []


def test_savings_of_unpriced_premium_calls_are_unknown() -> None:
    row, = results_of(spread(50, model="gpt-4", cost_nano=None))["wasteful"]["premium_on_small_calls"]
    assert (row["saving_low"], row["saving_high"], row["alternative"]) == (None, None, None)


def growing(before, after, **changes):
    return (spread(60, 0, 7, input_tokens=before, **changes) + spread(60, 7, 7, input_tokens=after, **changes))


def test_prompt_growth_is_told_from_the_first_and_last_whole_weeks() -> None:
    growth = results_of(growing(1000, 1500))["prompt_growth"]
    assert growth["first_period"] == {"from": "2026-03-02", "to": "2026-03-08", "days": 7}
    assert growth["last_period"] == {"from": "2026-03-09", "to": "2026-03-15", "days": 7}
    row, = growth["by_customer"]
    assert (row["input_tokens_per_call_before"], row["input_tokens_per_call_now"], row["change"]) == (1000, 1500, 0.5)
    assert row["extra_cost_in_last_period"] == Decimal("0.06")  # 60 calls x 500 tokens x $2 a million


def test_another_mix_of_models_is_no_growth_of_prompts() -> None:
    def mix(long, short, first_day):
        return (spread(long, first_day, 7, input_tokens=3000, model="gpt-4o")
                + spread(short, first_day, 7, input_tokens=100, model="gpt-4o-mini"))
    row, = results_of(mix(60, 120, 0) + mix(120, 60, 7))["prompt_growth"]["by_feature"]
    assert (row["change"], row["extra_cost_in_last_period"]) == (0, 0)


def test_too_few_calls_say_nothing_about_growth() -> None:
    calls = spread(49, 0, 7, input_tokens=100) + spread(60, 7, 7, input_tokens=900)
    assert results_of(calls)["prompt_growth"]["by_feature"] == []


def test_growth_is_recommended_against_unless_its_calls_are_claimed_already() -> None:
    found = results_of(growing(1000, 30_000, output_tokens=2000))["recommendations"]
    assert [one["action"] for one in found] == ["chat: find out why the prompts of 1 customers grew"]
    assert found[0]["monthly_usd"] == Decimal("14.91")  # 60 calls x 29,000 tokens x $2 a million, in 7 days
    long = results_of(growing(5_000, 30_000, output_tokens=1, cost_nano=10 ** 8))["recommendations"]
    assert [one["action"] for one in long] == [
        "chat: find out whether its long prompts repeat and can be cached or cut"]


def test_periods_of_growth_are_whole_weeks() -> None:
    calls = spread(600, 0, 20)
    growth = results_of(calls)["prompt_growth"]
    assert (growth["first_period"]["days"], growth["last_period"]["from"]) == (7, "2026-03-15")


def test_a_day_that_is_not_whole_is_in_no_distribution() -> None:
    calls = spread(100, 0, 2) + [call(timestamp_ms=START + 2 * DAY + 3_600_000, input_tokens=10 ** 6)]
    days = results_of(calls)["customer_days"]
    assert (days["customer_days"], days["tokens_per_call"]["max"]) == (2, 150)


def test_prompts_that_were_paid_below_list_price_waste_no_more_than_was_paid() -> None:
    calls = prompts_of([12_000, 2_000, 2_000, 2_000])
    cached = [one._replace(cost_nano=1_000_000) if one.customer_id == "c0" else one for one in calls]
    row = results_of(cached)["wasteful"]["long_prompts_tiny_answers"][0]
    assert (row["input_cost"], row["excess_cost"]) == (Decimal("0.03"), Decimal("0.025"))


def test_no_call_is_wasted_twice() -> None:
    calls = (spread(60, 0, 1, model="gpt-4", input_tokens=9000, output_tokens=10)
             + spread(20, 1, 1, model="gpt-4", input_tokens=10, output_tokens=0))
    wasteful = results_of(calls)["wasteful"]
    assert [row["calls"] for row in wasteful["long_prompts_tiny_answers"]] == [80]
    assert wasteful["premium_on_small_calls"] == []


@pytest.mark.parametrize("calls", [[], [call()], [call(status="timeout", output_tokens=0)],
                                   [call(cost_nano=None, latency_ms=None)], [call(input_tokens=0, output_tokens=0)]])
def test_the_smallest_logs_give_sensible_results(calls) -> None:
    results = results_of(calls)
    assert results["prompt_growth"]["first_period"] is None
    assert results["recommendations"] == []
    assert results["customer_days"]["customer_days"] == 0  # one moment is no whole day


def test_a_simulated_log_adds_up(log) -> None:
    results = TokenEconomicsAnalyzer(str(log.path)).analyze()
    good = [one for one in log.calls if one.status == "success"]
    assert results["overall"]["tokens"] == sum(one.total_tokens for one in good)
    spent = sum(one.cost_nano for one in good)
    assert results["overall"]["usd_per_million_tokens"] == pytest.approx(
        Decimal(spent) / (1000 * sum(one.total_tokens for one in good)), abs=Decimal("0.000001"))
    for name in ("by_model", "by_provider", "by_feature"):
        assert sum(row["cost"] for row in results[name]) + results["failed_calls"]["cost"] == results["summary"][
            "total_cost"]
    assert results["prompt_growth"]["by_feature"]


def test_the_headline_tells_the_price_of_tokens_who_takes_most_and_what_looks_wasted() -> None:
    calls = [call(input_tokens=800, output_tokens=200, cost_nano=4_000_000),
             call(input_tokens=2000, output_tokens=1000, cost_nano=3_000_000, feature_id="rag_search")]
    assert results_of(calls)["headline"] == "A million tokens cost $1.75; rag_search takes 75.0 % of them at $1.00."
    results = results_of(prompts_of([12_000, 2_000, 3_000, 4_000]))
    worth = sum(one["monthly_usd"] or 0 for one in results["recommendations"])
    assert worth and results["headline"].endswith(f"chat takes 100.0 % of them; ${worth} a month looks wasted.")


def test_the_headline_claims_no_price_that_is_unknown() -> None:
    assert results_of([])["headline"] == NO_CALLS
    assert results_of([call(status="timeout")])["headline"] == "No call has succeeded, so no token was bought."
    assert results_of([call(cost_nano=None)])["headline"] == (
        "The price of a million tokens is unknown; chat takes 100.0 % of them.")


def test_the_trend_compares_prices_of_tokens_of_days_whose_cost_is_known() -> None:
    calls = [one for day in range(4) for one in spread(2, day, 1, input_tokens=500, output_tokens=0,
                                                       cost_nano=1_000_000 if day < 2 else 1_500_000)]
    unpriced = call(timestamp_ms=START, input_tokens=500, output_tokens=0, cost_nano=None)
    failed = call(timestamp_ms=START + 3 * DAY, input_tokens=500, output_tokens=0, cost_nano=0, status="timeout")
    results = results_of([*calls, unpriced, failed])
    assert results["trend"] == {
        "usd_per_million_tokens": 3, "usd_per_million_tokens_before": 2, "usd_per_million_tokens_change": 0.5,
        "tokens": 2000, "tokens_before": 2500, "tokens_change": -0.2}
    assert [row["usd_per_million_tokens"] for row in results["daily"]] == [None, 2, 3, 3]
    assert (results_of([call()])["trend"], results_of([])["daily"]) == (None, [])
