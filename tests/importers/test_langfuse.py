from __future__ import annotations

from pathlib import Path

import pytest
from importing import as_csv, imported, json_lines, langfuse

FRESH, READ, WRITE, HOUR, OUT = 3000, 300, 3750, 6000, 15000  # nano-dollars a token of claude-sonnet-4-6


@pytest.mark.parametrize("write", [as_csv, json_lines])
def test_a_generation_becomes_a_call_and_its_latency_the_time_between_its_ends(tmp_path: Path, write) -> None:
    call = imported(tmp_path, write([langfuse(latency=99999)])).calls[0]
    assert (call.customer_id, call.product_id, call.feature_id, call.environment) == (
        "acme", "shop", "chat", "staging")
    assert (call.call_id, call.input_tokens, call.output_tokens, call.latency_ms) == ("obs-1", 1000, 100, 1250)


def test_other_observations_are_skipped_with_their_kind(tmp_path: Path) -> None:
    found = imported(tmp_path, [langfuse(type="SPAN"), langfuse(), langfuse(type="EVENT"), langfuse(type="SPAN")])
    assert found.summary["taken"] == 1
    assert found.summary["skipped"] == {"type is SPAN, not GENERATION": 2, "type is EVENT, not GENERATION": 1}


@pytest.mark.parametrize("usage,tokens,cost", [
    ({"input": 200, "output": 100, "input_cached_tokens": 800, "total": 1100}, (1000, 100),
     200 * FRESH + 800 * READ + 100 * OUT),  # beside
    ({"input": 1000, "output": 100, "input_cached_tokens": 800, "total": 1100}, (1000, 100),
     200 * FRESH + 800 * READ + 100 * OUT),  # within
    ({"input": 1000, "output": 100, "input_cached_tokens": 800, "reasoning_tokens": 60, "total": 1100}, (1000, 100),
     200 * FRESH + 800 * READ + 100 * OUT),
    ({"input": 200, "output": 40, "input_cached_tokens": 800, "output_reasoning_tokens": 60, "total": 1100},
     (1000, 100), 200 * FRESH + 800 * READ + 100 * OUT),
    ({"input": 200, "output": 100, "input_cached_tokens": 800, "reasoning_tokens": 60, "total": 1100}, (1000, 100),
     200 * FRESH + 800 * READ + 100 * OUT),  # input beside, output within
    ({"input": 1000, "output": 40, "input_cached_tokens": 800, "output_reasoning_tokens": 60, "total": 1100},
     (1000, 100), 200 * FRESH + 800 * READ + 100 * OUT),  # the other way round
    ({"input": 1000, "output": 40, "output_reasoning_tokens": 60, "total": 1100}, (1000, 100),
     1000 * FRESH + 100 * OUT),
    ({"input": 10, "output": 100, "cache_read_input_tokens": 800, "cache_creation_input_tokens": 60, "total": 970},
     (870, 100), 10 * FRESH + 800 * READ + 60 * WRITE + 100 * OUT),
    ({"input": 10, "output": 100, "input_cache_creation_1h": 60, "total": 170},
     (70, 100), 10 * FRESH + 60 * HOUR + 100 * OUT),
    ({"input": 1000, "output": 100}, (1000, 100), 1000 * FRESH + 100 * OUT)])
def test_whether_parts_are_counted_beside_is_told_from_the_total(tmp_path: Path, usage, tokens, cost) -> None:
    call = imported(tmp_path, [langfuse(usage_details=usage)]).calls[0]
    assert (call.input_tokens, call.output_tokens) == tokens and call.cost_nano == cost


@pytest.mark.parametrize("usage,reason", [
    ({"input": 200, "output": 100, "input_cached_tokens": 800, "total": 1111}, "from which its parts cannot be told"),
    ({"input": 200, "output": 100, "input_cached_tokens": 800}, "has no total"),
    ({"input": 200, "output": 100, "input_cached_tokens": 800, "total": 300}, "more cached tokens than input"),
    ({"input": "many"}, "input is not a plain number")])
def test_counts_that_cannot_be_told_apart_are_rejected(tmp_path: Path, usage, reason) -> None:
    found = imported(tmp_path, [langfuse(usage_details=usage), langfuse(id="b")])
    assert [one.call_id for one in found.calls] == ["b"]
    assert reason in "".join(found.summary["rejected"])


def test_its_own_cost_is_kept_and_a_model_s_only_seller_named(tmp_path: Path) -> None:
    found = imported(tmp_path, [
        langfuse(total_cost=0.0123), langfuse(id="b", cost_details={"total": "0.5"}),
        langfuse(id="c", provided_model_name="gpt-4o"), langfuse(id="d", level="ERROR", usage_details={})])
    assert [one.cost_nano for one in found.calls] == [12_300_000, 500_000_000, None, 0]
    assert [one.provider for one in found.calls] == ["anthropic", "anthropic", "unattributed", "anthropic"]
    assert found.calls[3].status == "failed"
    assert any("claude-sonnet-4-6 are taken as anthropic's" in note for note in found.summary["notes"])
    assert imported(tmp_path, [langfuse(provided_model_name="gpt-4o")], options=[
        "--provider", "openai", "--overwrite"]).calls[0].cost_nano == 200 * 2500 + 800 * 1250 + 100 * 10000


def test_the_spelling_of_the_api_is_read_too(tmp_path: Path) -> None:
    def camel(name):
        head, *rest = name.split("_")
        return head + "".join(word.title() for word in rest)
    page = {"data": [{camel(name): value for name, value in langfuse().items()}], "meta": {"page": 1}}
    found = imported(tmp_path, [page])
    assert (found.calls[0].customer_id, found.calls[0].input_tokens) == ("acme", 1000)
