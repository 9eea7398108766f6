from __future__ import annotations

import json
import re
from decimal import Decimal

import pytest
from builders import call, dataset_of

from analyzers.finops.performance import PerformanceAnalyzer
from config import Settings


def results_of(calls, **changes):
    results = PerformanceAnalyzer(dataset=dataset_of(calls), settings=Settings(**changes)).analyze()
    json.dumps(results, default=str, allow_nan=False)
    return results


def many(number, **changes):
    """Return equal calls, spread over two whole days."""
    start = 1_772_409_600_000  # 2026-03-02T00:00:00Z
    return [call(timestamp_ms=start + index * (2 * 86_400_000 - 1) // max(1, number - 1), **changes)
            for index in range(number)]


def test_percentiles_are_nearest_rank_and_the_mean_is_that_of_successful_calls() -> None:
    calls = [call(latency_ms=ms) for ms in range(1, 101)] + [call(latency_ms=30_000, status="timeout")]
    overall = results_of(calls)["overall"]
    assert [overall[name] for name in ("mean_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms")] == [50.5, 50, 95, 99, 100]


def test_tokens_a_second_are_output_tokens_of_successful_calls_over_their_time() -> None:
    calls = [call(output_tokens=100, latency_ms=1000), call(output_tokens=200, latency_ms=2000),
             call(output_tokens=0, latency_ms=30_000, status="timeout")]
    assert results_of(calls)["overall"]["tokens_per_second"] == 100.0


def test_a_call_without_a_latency_is_in_no_figure_of_speed() -> None:
    calls = [call(latency_ms=1000, output_tokens=100), call(latency_ms=None, model="gpt-4o", output_tokens=900)]
    results = results_of(calls)
    assert (results["overall"]["mean_ms"], results["overall"]["tokens_per_second"]) == (1000, 100)
    untimed = next(row for row in results["by_model"] if row["model"] == "gpt-4o")
    assert [untimed[name] for name in ("mean_ms", "p50_ms", "tokens_per_second", "sla_compliance")] == [None] * 4


def test_the_service_level_counts_its_own_limit_as_kept_and_a_failure_as_a_breach_of_all_calls() -> None:
    calls = [call(latency_ms=100), call(latency_ms=101), call(latency_ms=10), call(status="server_error")]
    sla = results_of(calls, sla_ms=100)["sla"]
    assert (sla["calls"], sla["breaches"], sla["failed"]) == (3, 1, 1)
    assert (sla["compliance"], sla["compliance_of_all_calls"]) == (2 / 3, 2 / 4)


def test_the_limit_is_two_seconds_unless_set() -> None:
    calls = [call(latency_ms=1950), call(latency_ms=2050)]
    assert (results_of(calls)["sla"]["sla_ms"], results_of(calls)["sla"]["breaches"]) == (2000, 1)


def test_the_worst_breaches_say_their_share() -> None:
    calls = [call(latency_ms=5000)] * 3 + [call(latency_ms=5000, feature_id="rag_search"), call(latency_ms=1)]
    worst = results_of(calls)["sla"]["worst"]
    assert [(row["feature"], row["breaches"], row["share_of_breaches"]) for row in worst] == [
        ("chat", 3, 0.75), ("rag_search", 1, 0.25)]


def test_errors_are_counted_by_kind_over_all_and_by_provider() -> None:
    calls = [call()] * 6 + [call(status="timeout"), call(status="rate_limit"), call(status="rate_limit"),
                            call(provider="azure")]
    errors = results_of(calls)["errors"]
    assert [(row["status"], row["calls"], row["share_of_calls"]) for row in errors["by_kind"]] == [
        ("rate_limit", 2, 0.2), ("timeout", 1, 0.1)]
    assert [(row["provider"], row["error_rate"], row["by_kind"]) for row in errors["by_provider"]] == [
        ("openai", 3 / 9, {"auth_error": 0, "rate_limit": 2, "server_error": 0, "timeout": 1}),
        ("azure", 0.0, {"auth_error": 0, "rate_limit": 0, "server_error": 0, "timeout": 0})]


def test_the_headline_tells_speed_limit_and_failures() -> None:
    calls = [call(latency_ms=ms) for ms in range(100, 2100, 100)] + [call(status="timeout")] * 5
    assert results_of(calls, sla_ms=1500)["headline"] == (
        "Half of the answers took at most 1.0 s and 95 % at most 1.9 s; 25.0 % took longer than the limit of 1.5 s, "
        "and 20.0 % of 25 calls failed.")
    assert results_of([call(latency_ms=90)])["headline"] == (
        "Half of the answers took at most 90 ms and 95 % at most 90 ms; none took longer than the limit of 2.0 s, and "
        "no call failed.")
    assert results_of([call(latency_ms=None)])["headline"] == "How long answers took is unknown; no call failed."
    assert results_of([])["headline"] == "The log holds no calls yet."


def test_days_and_periods_tell_errors_and_mean_time_each_of_their_own() -> None:
    quick, slow = many(20, latency_ms=1000), many(20, latency_ms=3000)
    calls = quick[:10] + slow[10:] + [quick[0]._replace(status="timeout", latency_ms=30_000)] * 5
    results = results_of(calls)
    assert [tuple(row.values()) for row in results["daily"]] == [
        ("2026-03-02", 15, 5, 1 / 3, 1000), ("2026-03-03", 10, 0, 0, 3000)]
    trend = results["trend"]
    assert (trend["previous"]["mean_ms"], trend["current"]["mean_ms"], trend["mean_change"]) == (1000, 3000, 2)
    assert (trend["current"]["error_rate"], trend["error_rate_change"]) == (0, -1)
    assert results_of(quick[:1])["trend"] is None


def test_a_model_that_is_nowhere_better_stands_behind_the_pareto_front() -> None:
    calls = (many(100, model="cheap", cost_nano=1_000, latency_ms=900)
             + many(100, model="quick", cost_nano=9_000, latency_ms=300)
             + many(100, model="neither", cost_nano=9_000, latency_ms=1000))
    ranking = results_of(calls)["ranking"]
    assert [(row["model"], row["front"], row["pareto_front"]) for row in ranking] == [
        ("cheap", 1, True), ("quick", 1, True), ("neither", 2, False)]
    assert ranking[0]["usd_per_million_tokens"] == Decimal("0.006667")  # $0.000001 for 150 tokens


def test_models_with_too_few_calls_or_no_known_cost_are_not_ranked() -> None:
    calls = many(99, model="rare") + many(200, model="unpriced", cost_nano=None) + many(100, model="enough")
    assert [row["model"] for row in results_of(calls)["ranking"]] == ["enough"]


def test_the_ranking_within_a_feature_compares_only_its_own_calls() -> None:
    calls = (many(100, model="a", cost_nano=1_000) + many(100, model="b", cost_nano=2_000, feature_id="rag_search"))
    results = results_of(calls)
    assert [row["front"] for row in results["ranking"]] == [1, 2]
    assert [row["front"] for row in results["ranking_by_feature"]] == [1, 1]


def dear_and_cheap(number, quick_ms):
    # gpt-4o costs $2.50 in and $10 out; gpt-4.1, of the same class, $2 and $8.
    return (many(number, model="gpt-4o", cost_nano=750_000, latency_ms=2020)
            + many(number, model="gpt-4.1", cost_nano=600_000, latency_ms=quick_ms))


def test_a_cheaper_and_quicker_model_of_the_same_class_is_recommended_with_its_dollars() -> None:
    found = results_of(dear_and_cheap(1000, 1010))["recommendations"]
    assert [one["action"] for one in found] == [
        "chat: move calls of openai/gpt-4o to openai/gpt-4.1, cheaper and quicker"]
    # 1,000 calls save $0.00015 each in two whole days, fifteen times that in a month of 30.
    assert found[0]["monthly_usd"] == Decimal("2.25")
    assert re.match(r"median 2,0\d\d ms over 1,000 calls against 1,0\d\d ms over 1,000 of", found[0]["evidence"])


@pytest.mark.parametrize("number, quick_ms", [(999, 1010), (1000, 2020)])
def test_no_switch_is_recommended_with_too_few_calls_or_no_gain_in_speed(number, quick_ms) -> None:
    assert results_of(dear_and_cheap(number, quick_ms))["recommendations"] == []


def test_a_model_of_a_lower_class_is_no_replacement() -> None:
    calls = (many(1000, model="gpt-4o", cost_nano=750_000, latency_ms=2000)
             + many(1000, model="gpt-4o-mini", cost_nano=45_000, latency_ms=500))
    assert results_of(calls)["recommendations"] == []


def test_a_provider_that_fails_beyond_chance_is_named_and_a_little_more_is_not() -> None:
    def calls(failing):
        return (many(2000 - failing, provider="azure") + many(failing, provider="azure", status="server_error")
                + many(1960) + many(40, status="server_error"))
    found = [one["action"] for one in results_of(calls(200))["recommendations"]]
    assert found == ["Let calls fall over from azure to another provider"]
    assert results_of(calls(50))["recommendations"] == []


@pytest.mark.parametrize("calls", [[], [call()], [call(status="timeout")], [call(cost_nano=None, latency_ms=None)]])
def test_the_smallest_logs_give_sensible_results(calls) -> None:
    results = results_of(calls)
    assert results["summary"]["total_calls"] == len(calls)
    assert results["recommendations"] == []
    if not calls:
        assert results["overall"]["error_rate"] is None
        assert results["overall"]["p50_ms"] is None


def test_a_simulated_log_adds_up(log) -> None:
    results = PerformanceAnalyzer(str(log.path)).analyze()
    good = sorted(one.latency_ms for one in log.calls if one.status == "success")
    assert results["overall"]["mean_ms"] == pytest.approx(sum(good) / len(good))
    assert results["overall"]["p50_ms"] == pytest.approx(good[(len(good) + 1) // 2 - 1], rel=0.01)
    assert results["overall"]["p99_ms"] == pytest.approx(good[-(-99 * len(good) // 100) - 1], rel=0.01)
    for name in ("by_model", "by_provider", "by_feature"):
        assert sum(row["calls"] for row in results[name]) == len(log.calls)
        assert sum(row["cost"] for row in results[name]) == results["summary"]["total_cost"]
    assert sum(row["calls"] for row in results["errors"]["by_kind"]) == results["summary"]["failed"]


def test_a_slower_median_is_on_the_front_when_its_tokens_come_faster() -> None:
    calls = (many(100, model="wordy", latency_ms=1200, output_tokens=600, input_tokens=100, cost_nano=7_000)
             + many(100, model="terse", latency_ms=1000, output_tokens=100, input_tokens=100, cost_nano=2_000))
    assert [(row["model"], row["tokens_per_second"], row["front"]) for row in results_of(calls)["ranking"]] == [
        ("terse", 100, 1), ("wordy", 500, 1)]


def test_failed_calls_are_not_counted_as_dollars_that_a_switch_would_save() -> None:
    calls = dear_and_cheap(1000, 1010) + many(500, model="gpt-4o", status="timeout", cost_nano=10 ** 9)
    switches = [one for one in results_of(calls)["recommendations"] if "move calls" in one["action"]]
    assert [one["monthly_usd"] for one in switches] == [Decimal("2.25")]


@pytest.mark.parametrize("cost_nano, worth", [(640_000, []), (670_000, [Decimal("1.05")])])
def test_a_switch_of_cents_a_month_is_not_recommended(cost_nano, worth) -> None:
    # At the other's list price a call costs 600,000 nano-dollars: 0.60 and 1.05 dollars a month are saved.
    calls = [one._replace(cost_nano=cost_nano) if one.model == "gpt-4o" else one for one in dear_and_cheap(1000, 1010)]
    assert [one["monthly_usd"] for one in results_of(calls)["recommendations"]] == worth


def test_what_a_switch_saves_is_not_guessed_where_a_cost_is_unknown() -> None:
    calls = dear_and_cheap(1000, 1010) + many(5, model="gpt-4o", cost_nano=None)
    assert results_of(calls)["recommendations"] == []


def test_a_provider_that_fails_surely_but_only_a_little_more_often_is_not_named() -> None:
    calls = (many(19_400) + many(600, status="timeout") + many(19_550, provider="azure")
             + many(450, provider="azure", status="timeout"))
    assert results_of(calls)["recommendations"] == []


def test_kinds_of_failure_that_only_other_tools_know_are_counted_too() -> None:
    results = results_of([call(), call(status="client_error"), call(status="client_error"), call(status="timeout")])
    assert results["errors"]["by_provider"][0]["by_kind"]["client_error"] == 2
    assert {row["status"]: row["calls"] for row in results["errors"]["by_kind"]}["client_error"] == 2
