from __future__ import annotations

import json
from pathlib import Path

import pytest
from importing import anthropic_page, anthropic_result, imported, openai_page, openai_result

from calls.values import parse_timestamp

GPT = 200 * 2500 + 800 * 1250 + 100 * 10000  # gpt-4o: 200 fresh, 800 cached, 100 out
CLAUDE = 1000 * 3000 + 800 * 300 + 40 * 3750 + 20 * 6000 + 100 * 15000  # claude-sonnet-4-6


@pytest.mark.parametrize("text", [
    json.dumps(openai_page(openai_result())), json.dumps(openai_page(openai_result()), indent=2),
    json.dumps([openai_page(openai_result())]), json.dumps(openai_page(openai_result())["data"])])
def test_an_openai_bucket_is_one_row_in_every_layout_of_pages(tmp_path: Path, text: str) -> None:
    found = imported(tmp_path, text)
    (call,) = found.calls
    assert (call.provider, call.model, call.customer_id, call.product_id) == ("openai", "gpt-4o", "user_b", "proj_a")
    assert (call.input_tokens, call.output_tokens, call.cost_nano, call.latency_ms) == (1000, 100, GPT, None)
    assert call.timestamp_ms == parse_timestamp("2026-03-01")
    assert "counts of calls are counts of buckets" in found.notes


def test_a_second_import_repeats_the_ids_and_two_results_of_a_bucket_have_two(tmp_path: Path) -> None:
    page = openai_page(openai_result(), openai_result(user_id="c"))
    first, second = imported(tmp_path, [page]).calls, imported(tmp_path, [page], options=["--overwrite"]).calls
    assert first == second and len({one.call_id for one in first}) == 2


def test_openai_cache_writes_batches_and_what_has_no_price(tmp_path: Path) -> None:
    found = imported(tmp_path, [openai_page(
        openai_result(batch=True), openai_result(input_audio_tokens=10), openai_result(service_tier="flex"),
        openai_result(model=None), openai_result(model="gpt-6-sol", input_cache_write_tokens=100),
        openai_result(input_cached_tokens=None, service_tier="default"), openai_result(input_cache_write_12h_tokens=5),
        openai_result(input_tokens=0, output_tokens=0, input_cached_tokens=0))])
    batch, *others = [one.cost_nano for one in found.calls]
    assert batch < GPT and others == [
        None, None, None, 100 * 2000 + 800 * 200 + 100 * 2500 + 100 * 10000, 1000 * 2500 + 100 * 10000, None]
    assert found.summary["skipped"] == {"buckets without tokens": 1}
    assert all(word in found.notes for word in ("audio or image", "service tier", "12 hours"))


def test_a_sum_of_prompts_is_not_taken_for_a_long_prompt_and_the_doubt_is_said(tmp_path: Path) -> None:
    doubtful = openai_result(model="gpt-5.4", input_tokens=1_000_000, input_cached_tokens=0)
    found = imported(tmp_path, [openai_page(doubtful, openai_result(model="gpt-5.4"))])
    assert found.calls[0].cost_nano == 1_000_000 * 2500 + 100 * 15000
    assert found.summary["notes"]["buckets of models with long-context prices do not say how long prompts were: "
                                  "priced as short ones"] == 1


def test_an_anthropic_bucket_counts_every_class_of_tokens_at_its_price(tmp_path: Path) -> None:
    flat = anthropic_result(cache_creation=None, cache_creation_5m_input_tokens=40, cache_creation_1h_input_tokens=20)
    found = imported(tmp_path, [anthropic_page(anthropic_result(), flat)])
    assert [(one.input_tokens, one.output_tokens, one.cost_nano) for one in found.calls] == [(1860, 100, CLAUDE)] * 2
    assert {(one.provider, one.product_id) for one in found.calls} == {("anthropic", "wrkspc_1")}
    assert found.calls[0].timestamp_ms == parse_timestamp("2026-03-01")


def test_anthropic_tiers_windows_places_and_searches(tmp_path: Path) -> None:
    long_before = anthropic_page(anthropic_result(context_window="200k-1M"))
    long_before["data"][0]["starting_at"] = "2026-02-01T00:00:00Z"
    found = imported(tmp_path, [anthropic_page(
        anthropic_result(service_tier="batch", cache_read_input_tokens=0, cache_creation={}),
        anthropic_result(service_tier="priority"), anthropic_result(inference_geo="us"),
        anthropic_result(speed="fast"), anthropic_result(inference_geo="global", speed="standard"),
        anthropic_result(server_tool_use={"web_search_requests": 7})), long_before])
    assert [one.cost_nano for one in found.calls] == [
        1000 * 1500 + 100 * 7500, None, None, None, CLAUDE, CLAUDE,
        1000 * 6000 + 800 * 600 + 40 * 7500 + 20 * 12000 + 100 * 22500]
    assert found.summary["notes"]["web searches are not in the costs: they are charged beside tokens"] == 7


def test_what_is_no_bucket_is_rejected(tmp_path: Path) -> None:
    found = imported(tmp_path, [openai_page(openai_result(), openai_result(input_cached_tokens=2000)),
                                {"start_time": 1, "results": None}, openai_page({})],
                     options=["--format", "openai_usage"])
    assert found.summary["taken"] == 1 and found.summary["rejected"] == {
        "results is no list: this is no bucket of a usage report": 1, "input_tokens is empty": 1,
        "row has more cached tokens than prompt tokens": 1}
