from __future__ import annotations

import json
import re

import pytest
from builders import call, dataset_of

from analyzers.advanced.geographic_latency import GeographicLatencyAnalyzer
from analyzers.wording import NO_CALLS
from catalog.loader import load_catalog


def results_of(calls):
    results = GeographicLatencyAnalyzer(dataset=dataset_of(calls)).analyze()
    json.dumps(results, default=str, allow_nan=False)
    return results


def around(middle, number=300, **changes):
    """Return calls whose latencies lie evenly within a tenth of a second around the middle."""
    return [call(latency_ms=middle - 50 + 100 * index // (number - 1), **changes) for index in range(number)]


def test_regions_have_their_percentiles_and_error_rates() -> None:
    calls = ([call(latency_ms=ms) for ms in range(1, 101)] + [call(status="timeout", latency_ms=30_000)] * 25
             + [call(region="eu-west-1", latency_ms=7)])
    rows = results_of(calls)["by_region"]
    assert [(row["region"], row["calls"], row["p50_ms"], row["p95_ms"], row["error_rate"]) for row in rows] == [
        ("us-east-1", 125, 50, 95, 0.2), ("eu-west-1", 1, 7, 7, 0.0)]


def test_providers_are_told_apart_within_a_region() -> None:
    rows = results_of([call(latency_ms=5), call(provider="azure", latency_ms=9), call(region="x", latency_ms=3)])
    assert [(row["provider"], row["region"], row["p50_ms"]) for row in rows["by_provider_and_region"]] == [
        ("azure", "us-east-1", 9), ("openai", "us-east-1", 5), ("openai", "x", 3)]


def test_a_region_is_not_slow_for_calling_slow_models() -> None:
    def mix(slow, quick, region):
        return (around(3000, slow, model="gpt-4o", region=region)
                + around(500, quick, model="gpt-4o-mini", region=region))
    rows = results_of(mix(300, 30, "us-east-1") + mix(30, 300, "eu-west-1"))["by_region"]
    assert {row["region"]: row["p50_ms"] > 1000 for row in rows} == {"us-east-1": True, "eu-west-1": False}
    assert [row["latency_index"] for row in rows] == pytest.approx([1.0, 1.0], rel=0.01)


def test_the_index_tells_how_slow_a_region_is_even_where_it_dominates_a_model() -> None:
    calls = (around(1000, 1000) + around(1500, 100, region="eu-west-1")
             + around(2000, 100, model="gpt-4o") + around(3000, 1000, model="gpt-4o", region="eu-west-1"))
    index = {row["region"]: row["latency_index"] for row in results_of(calls)["by_region"]}
    assert index["eu-west-1"] / index["us-east-1"] == pytest.approx(1.5, rel=0.01)


def test_there_is_no_index_where_no_work_is_seen_in_two_regions() -> None:
    results = results_of(around(1000) + around(2000, region="eu-west-1", feature_id="rag_search"))
    assert [row["latency_index"] for row in results["by_region"]] == [None, None]
    assert results["summary"]["slowest_region"] is None


def provider_choice(number=300, quick_ms=1000, **changes):
    return around(2000, number) + around(quick_ms, number, **dict({"provider": "azure"}, **changes))


def test_a_quicker_provider_of_the_same_class_in_the_same_region_is_a_route() -> None:
    results = results_of(provider_choice())
    route, = results["routes"]
    assert [route[name] for name in ("from_provider", "to_provider", "to_region", "calls", "target_calls")] == [
        "openai", "azure", "us-east-1", 300, 300]
    assert route["gain_ms"] == pytest.approx(1000, rel=0.02)
    assert 900 < route["sure_gain_ms"] < route["gain_ms"]
    one, = results["recommendations"]
    assert one["action"] == "chat in us-east-1: route calls of openai/gpt-4.1 to azure/gpt-4.1"
    assert one["monthly_usd"] is None
    assert f"{route['gain_ms']:,.0f} ms less at the median" in one["evidence"]
    assert "for 300 calls, judged by 300 on the other side (at least 300 on both)" in one["evidence"]


@pytest.mark.parametrize("changes", [
    {"number": 299}, {"quick_ms": 1901}, {"model": "gpt-4o-mini", "provider": "azure"}, {"feature_id": "rag_search"},
    {"model": "mystery"}, {"model": "gpt-4o", "provider": "openai"}])
def test_too_few_calls_too_little_gain_another_class_or_feature_is_no_route(changes) -> None:
    assert results_of(provider_choice(**changes))["routes"] == []


def test_a_quicker_provider_that_fails_more_often_is_no_route() -> None:
    failing = [call(provider="azure", status="server_error") for _ in range(6)]
    assert results_of(provider_choice() + failing[:1])["routes"] != []
    assert results_of(provider_choice() + failing)["routes"] == []


def test_a_gain_that_chance_may_explain_is_no_route() -> None:
    wide = [call(latency_ms=ms) for ms in range(0, 6000, 20)]
    wider = [call(latency_ms=max(0, ms - 350), provider="azure") for ms in range(0, 6000, 20)]
    assert results_of(wide + wider)["routes"] == []


def test_calls_move_to_another_region_only_within_their_area() -> None:
    same = results_of(around(2000) + around(1500, region="us-west-2"))["routes"]
    assert [(route["from_region"], route["to_region"]) for route in same] == [("us-east-1", "us-west-2")]
    assert same[0]["gain_ms"] == pytest.approx(500, rel=0.05)
    assert results_of(around(2000) + around(1500, region="eu-west-1"))["routes"] == []
    assert results_of(around(2000) + around(1500, region="nowhere"))["routes"] == []


def test_a_slow_region_is_named_with_the_gain_and_the_calls_behind_it() -> None:
    found = results_of(around(1500, region="eu-west-1") + around(1000))["recommendations"]
    assert [one["action"] for one in found] == ["eu-west-1: serve its calls from capacity nearer to it"]
    assert re.search(r"1\.(49|50|51) times as long as in us-east-1; at its level (49|50)\d ms less",
                     found[0]["evidence"])
    assert results_of(around(1150, region="eu-west-1") + around(1000))["recommendations"] == []
    assert results_of(around(1500, 299, region="eu-west-1") + around(1000))["recommendations"] == []


@pytest.mark.parametrize("calls", [[], [call()], [call(status="timeout")], [call(latency_ms=None)],
                                   [call(latency_ms=0)] * 400 + [call(latency_ms=0, region="eu-west-1")] * 400])
def test_the_smallest_and_oddest_logs_give_sensible_results(calls) -> None:
    results = results_of(calls)
    assert results["summary"]["regions"] == len({one.region for one in calls})
    assert results["routes"] == results["recommendations"] == []


def test_a_simulated_log_shows_the_regions_as_slow_as_they_were_made(log) -> None:
    results = GeographicLatencyAnalyzer(str(log.path)).analyze()
    assert sum(row["calls"] for row in results["by_region"]) == len(log.calls)
    assert sum(row["calls"] for row in results["by_provider_and_region"]) == len(log.calls)
    made = {one.region: one.latency_factor for one in load_catalog().regions}
    found = {row["region"]: row["latency_index"] for row in results["by_region"]}
    for region, factor in made.items():
        assert found[region] / found["us-east-1"] == pytest.approx(factor / made["us-east-1"], rel=0.12), region


def test_the_headline_compares_the_slowest_region_with_the_quickest_for_the_same_work() -> None:
    slow = around(1500, 400, region="eu-west-1")
    results = results_of(around(1000, 400) + slow)
    more = results["summary"]["slowest_index"] / results["summary"]["fastest_index"] - 1
    assert more == pytest.approx(0.5, abs=0.01)
    assert results["headline"] == (
        f"Calls are served in 2 regions: the same work takes {100 * more:.1f} % longer in eu-west-1 than in us-east-1.")
    results = results_of(around(1000) + around(500, provider="anthropic", model="claude-haiku-4-5"))
    assert results["headline"].startswith(
        "Calls are served in 1 region, with too few of the same work in several to tell which is quicker")
    assert results_of([call()])["headline"].endswith("to tell which is quicker.")
    assert results_of([])["headline"] == NO_CALLS


def test_the_headline_counts_quicker_routes() -> None:
    own = load_catalog().find("openai", "gpt-4.1")
    other = next(one for one in load_catalog().models if one.capability == own.capability and one.provider != "openai")
    results = results_of(around(3000) + around(1000, provider=other.provider, model=other.model))
    assert results["summary"]["routes"] == 1
    assert results["headline"].endswith("; 1 route would be quicker.")
