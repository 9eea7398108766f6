from __future__ import annotations

import json
from pathlib import Path

import pytest
from importing import as_csv, imported, json_lines, litellm

from calls.values import parse_timestamp
from catalog.loader import load_catalog
from catalog.usage import Usage, cost_nano

PRICE = load_catalog().find("openai", "gpt-4o").prices[0]
CACHED = cost_nano(PRICE, Usage(200, 100, 800))


@pytest.mark.parametrize("write", [as_csv, json_lines, lambda records: json.dumps(records, indent=1)],
                         ids=["csv", "lines", "array"])
def test_a_spend_log_becomes_a_call_in_every_layout(tmp_path: Path, write) -> None:
    found = imported(tmp_path, write([litellm(), litellm(request_id="b")]))
    call = found.calls[0]
    assert [one.call_id for one in found.calls] == ["chatcmpl-1", "b"] and found.summary["rejected"] == {}
    assert (call.customer_id, call.organization_id, call.product_id) == ("acme", "org-1", "unattributed")
    assert (call.provider, call.model, call.status) == ("openai", "gpt-4o", "success")
    assert (call.input_tokens, call.output_tokens, call.latency_ms) == (1000, 100, 1250)
    assert call.timestamp_ms == parse_timestamp("2026-03-01T10:00:00.250Z")
    assert call.cost_nano == 3_250_000


def test_a_spend_is_kept_to_the_nano_and_reprice_takes_cached_tokens_at_their_price(tmp_path: Path) -> None:
    sample = json_lines([litellm(spend=0.000123456)]).replace("0.000123456", "1.23456789e-04")
    assert imported(tmp_path, sample).calls[0].cost_nano == 123_457
    again = imported(tmp_path, sample, options=["--overwrite", "--reprice"])
    assert again.calls[0].cost_nano == CACHED == 200 * 2500 + 800 * 1250 + 100 * 10000


def test_a_spend_of_nothing_is_no_price_unless_a_cache_answered(tmp_path: Path) -> None:
    found = imported(tmp_path, [litellm(spend=0), litellm(request_id="b", spend=0, cache_hit="True"),
                                litellm(request_id="c", spend=0, model="own-model")])
    assert [one.cost_nano for one in found.calls] == [CACHED, 0, None]
    assert found.summary["notes"] == {"calls have tokens and a recorded cost of 0, which is taken as not recorded": 2,
                                      "calls have no known price, so their cost is empty: unknown, not zero": 1}


def test_the_anthropic_names_of_cached_tokens_are_read_too(tmp_path: Path) -> None:
    usage = {"cache_read_input_tokens": 600, "cache_creation_input_tokens": 300,
             "prompt_tokens_details": {"cached_tokens": 600}}
    row = litellm(spend=None, model="anthropic/claude-sonnet-4-6", custom_llm_provider="anthropic",
                  metadata={"usage_object": usage})
    found = imported(tmp_path, [row])
    assert found.calls[0].model == "claude-sonnet-4-6"
    assert found.calls[0].cost_nano == 100 * 3000 + 600 * 300 + 300 * 3750 + 100 * 15000


def test_failures_are_told_by_their_code_and_cost_nothing(tmp_path: Path) -> None:
    def failure(name, code):
        return litellm(request_id=name, status="failure", spend=0, completion_tokens=0, metadata={
            "error_information": {"error_code": code}})
    found = imported(tmp_path, [failure("a", "429"), failure("b", "401"), failure("c", "503"), failure("d", ""),
                                failure("e", 408), failure("f", "400")])
    assert [one.status for one in found.calls] == ["rate_limit", "auth_error", "server_error", "failed", "timeout",
                                                   "client_error"]
    assert {one.cost_nano for one in found.calls} == {0}


def test_bad_rows_are_counted_by_reason_and_the_others_taken(tmp_path: Path) -> None:
    found = imported(tmp_path, [
        litellm(), litellm(prompt_tokens=-1), litellm(request_id=None), litellm(startTime="soon"), litellm(spend="x"),
        litellm(metadata={"usage_object": {"cache_read_input_tokens": 5000}}), litellm(request_id="z")])
    assert [one.call_id for one in found.calls] == ["chatcmpl-1", "z"]
    assert found.summary["rejected"] == {
        "prompt_tokens is negative": 1, "request_id is empty": 1, "spend is not a plain number": 1,
        "startTime is not an ISO 8601 time such as 2026-01-31T12:00:00.000Z": 1,
        "row has more cached tokens than prompt tokens": 1}


def test_business_fields_come_from_named_fields_dots_leading_into_objects(tmp_path: Path) -> None:
    options = ["--customer-from", "metadata.user_api_key_alias", "--product-from", "team_id", "--feature-from", "nope",
               "--region", "eu"]
    for write in (as_csv, json_lines):
        found = imported(tmp_path, write([litellm(), litellm(request_id="b", metadata=None)]),
                         options=[*options, "--overwrite"])
        assert [one.customer_id for one in found.calls] == ["key-7", "unattributed"]
        assert {(one.product_id, one.feature_id, one.region) for one in found.calls} == {
            ("search", "unattributed", "eu")}
        assert "stand in no call: feature_id" in found.notes and "customer_id" not in found.notes


def test_an_id_that_looks_simulated_is_named_otherwise_since_simulations_replace_their_rows(tmp_path: Path) -> None:
    assert imported(tmp_path, [litellm(request_id="sim-1")]).calls[0].call_id == "litellm-sim-1"


def test_an_end_before_its_beginning_gives_no_latency(tmp_path: Path) -> None:
    (call,) = imported(tmp_path, [litellm(endTime="2026-03-01 09:59:59+00")]).calls
    assert call.latency_ms is None
