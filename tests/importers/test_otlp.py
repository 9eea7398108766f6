"""Spans as JSON lines through the command: requests, single spans, options, and what is skipped or rejected."""
from __future__ import annotations

import json

import pytest

from conftest import ROOT, read_calls, run

IMPORT = ROOT / "src" / "import_calls.py"
GEN_AI = {"gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o-mini", "gen_ai.usage.input_tokens": 1000,
          "gen_ai.usage.output_tokens": 200}


def span(number, **changes):
    attributes = dict(GEN_AI, **{name.replace("__", "."): value for name, value in changes.items()})
    return {"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": f"{number:016x}", "name": "chat",
            "startTimeUnixNano": "1795000000123456789", "endTimeUnixNano": "1795000001123456789",
            "attributes": [{"key": name, "value": {"intValue": str(value)} if isinstance(value, int)
                            else {"stringValue": value}} for name, value in attributes.items() if value is not None]}


def request(*spans):
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": list(spans)}]}]}


@pytest.fixture
def imported(tmp_path):
    def do(*lines, options=()):
        source, output = tmp_path / "spans.jsonl", tmp_path / "calls.csv"
        source.write_text("".join(one if isinstance(one, str) else json.dumps(one) + "\n" for one in lines))
        ran = run(IMPORT, source, "--output", output, "--overwrite", "--json", "-q", *options)
        assert ran.err == "" and ran.code == 0, ran
        return json.loads(ran.out), read_calls(output)
    return do


def test_requests_and_single_spans_are_recognised_and_become_calls(imported):
    summary, calls = imported(request(span(1), span(2)), span(3))
    assert summary["taken"] == 3 and [one.call_id[-2:] for one in calls] == ["01", "02", "03"]
    assert [one.product_id for one in calls] == ["shop", "shop", "unattributed"]
    assert {(one.cost_nano, one.latency_ms, one.status) for one in calls} == {(270_000, 1000, "success")}


def test_what_is_no_call_is_skipped_and_what_is_broken_rejected_with_reasons(imported):
    lines = [request(span(1), span(2, gen_ai__usage__input_tokens=-5), span(3, gen_ai__system=None)),
             span(4, gen_ai__operation__name="execute_tool"), "{broken\n", {"resourceSpans": 5}]
    summary, calls = imported(*lines)
    assert summary["taken"] == 1
    assert summary["skipped"] == {"spans are of no GenAI call": 1}
    assert summary["rejected"] == {
        "gen_ai.provider.name is missing": 1, "gen_ai.usage.input_tokens is negative": 1,
        "row is not valid JSON": 1, "row resourceSpans is not a list of objects": 1}


def test_options_fill_what_spans_lack_and_name_what_they_have(imported):
    _, calls = imported(request(span(1, tenant="acme", gen_ai__usage__cost="5")), options=[
        "--customer", "someone", "--feature", "chat", "--environment", "staging", "--tier-price-usd", "9",
        "--customer-from", "tenant"])
    (call,) = calls
    assert (call.customer_id, call.product_id, call.feature_id, call.environment) == ("acme", "shop", "chat", "staging")
    assert (call.tier_price_nano, call.cost_nano) == (9_000_000_000, 5_000_000_000)


def test_a_second_import_repeats_the_ids(imported):
    first, second = imported(span(1))[1], imported(span(1))[1]
    assert first == second
