"""Spans: both encodings read alike, old names and new ones, what is a call and what is not, and what is incomplete."""
from __future__ import annotations

import json
import struct

import pytest
from hypothesis import given, settings, strategies as st

from catalog.loader import load_catalog
from catalog.usage import Usage, cost_nano
from metering import otlp_json, otlp_protobuf
from metering.fields import InvalidCall, read_json
from metering.reported import Owner
from metering.spans import Span, read_span, reasons_of

CATALOG = load_catalog()
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
START = 1_795_000_000_123_456_789
NEW = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o-mini",
       "gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 200}


def span(changes=None, attributes=NEW, failed=False, trace=TRACE, end=START + 900_400_000):
    merged = dict(attributes, **(changes or {}))
    return Span(trace, SPAN, START, end, failed, {name: one for name, one in merged.items() if one is not None})


def read(changes=None, **more):
    return read_span(span(changes, **more), CATALOG)


# The two encodings

def as_json_value(value):
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"doubleValue": value} if isinstance(value, float) else {"stringValue": value}


def as_json(values, resource=None, **changes):
    def listed(pairs):
        return [{"key": name, "value": as_json_value(value)} for name, value in pairs.items()]
    one = dict({"traceId": TRACE, "spanId": SPAN, "name": "chat", "startTimeUnixNano": str(START),
                "endTimeUnixNano": str(START + 900_400_000), "attributes": listed(values)}, **changes)
    return {"resourceSpans": [{"resource": {"attributes": listed(resource or {})}, "scopeSpans": [{"spans": [one]}]}]}


def varint(value):
    value &= (1 << 64) - 1
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def field(number, wire, payload):
    return varint(number << 3 | wire) + (varint(len(payload)) + payload if wire == 2 else payload)


def as_protobuf_value(value):
    if isinstance(value, bool):
        return field(2, 0, varint(int(value)))
    if isinstance(value, int):
        return field(3, 0, varint(value))
    return field(4, 1, struct.pack("<d", value)) if isinstance(value, float) else field(1, 2, value.encode())


def as_protobuf(attributes, resource=None, failed=False):
    def pairs(number, values):
        return b"".join(field(number, 2, field(1, 2, name.encode()) + field(2, 2, as_protobuf_value(value)))
                        for name, value in values.items())
    one = (field(1, 2, bytes.fromhex(TRACE)) + field(2, 2, bytes.fromhex(SPAN)) + field(5, 2, b"chat")
           + field(7, 1, struct.pack("<Q", START)) + field(8, 1, struct.pack("<Q", START + 900_400_000))
           + pairs(9, attributes) + field(15, 2, field(2, 2, b"why") + field(3, 0, varint(2 if failed else 0)))
           + field(16, 5, b"\0\0\1\0"))
    return field(1, 2, field(1, 2, pairs(1, resource or {})) + field(2, 2, field(1, 2, b"") + field(2, 2, one)))


VALUES = {"a": "text", "b": 5, "c": -5, "d": True, "e": 0.25, "f": "ü", "g": 2 ** 62}


def test_both_encodings_say_the_same():
    (left,) = otlp_json.spans_of(read_json(json.dumps(as_json(VALUES, {"r": "s", "a": "hidden"})).encode()))
    (right,) = otlp_protobuf.spans_of(as_protobuf(VALUES, {"r": "s", "a": "hidden"}))
    assert left == right
    assert left == Span(TRACE, SPAN, START, START + 900_400_000, False, dict(VALUES, r="s", e=left.attributes["e"]))
    assert str(left.attributes["e"]) == "0.25"


def test_a_failed_span_is_told_by_its_status():
    (left,) = otlp_json.spans_of(as_json({}, status={"code": "STATUS_CODE_ERROR"}))
    (number,) = otlp_json.spans_of(as_json({}, status={"code": 2}))
    (right,) = otlp_protobuf.spans_of(as_protobuf({}, failed=True))
    assert left.failed and number.failed and right.failed


def test_lists_maps_and_bytes_are_left_aside():
    array = field(5, 2, field(1, 2, field(1, 2, b"stop")))
    body = field(1, 2, field(2, 2, field(2, 2, field(9, 2, field(1, 2, b"list") + field(2, 2, array)))))
    (found,) = otlp_protobuf.spans_of(body)
    assert found.attributes == {}
    document = as_json({})
    document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"] = [
        {"key": "list", "value": {"arrayValue": {"values": [{"stringValue": "stop"}]}}}]
    (found,) = otlp_json.spans_of(document)
    assert found.attributes == {}


@pytest.mark.parametrize("document", [
    [], None, {"spans": []}, {"resourceSpans": 5}, {"resourceSpans": [5]}, {"resourceSpans": [{"resource": 5}]},
    {"resourceSpans": [{"scopeSpans": [{"spans": [{}]}]}]}, as_json({}, startTimeUnixNano="x"),
    as_json({}, startTimeUnixNano=1.5), as_json({}, traceId=5), as_json({}, status=5), as_json({}, attributes=[{}]),
    as_json({}, startTimeUnixNano="9" * 5000)])
def test_json_that_is_no_trace_is_refused(document):
    with pytest.raises(ValueError, match="."):
        list(otlp_json.spans_of(document))


WHOLE = as_protobuf(NEW, {"service.name": "shop"})


@pytest.mark.parametrize("body", [
    b"\x0a", b"\x0a\x05ab", b"\xff" * 11, b"\x0b", b"\x00\x01", b"\x09\x01", b"\x08\x01", b"{}", WHOLE[:-1],
    field(1, 2, field(2, 2, field(2, 2, field(9, 2, field(1, 2, b"\xff")))))])
def test_bytes_that_are_no_trace_are_refused(body):
    with pytest.raises(ValueError, match="."):
        list(otlp_protobuf.spans_of(body))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(WHOLE) - 1), st.binary(max_size=3))
def test_damaged_bytes_are_read_or_refused_and_nothing_else(place, put):
    damaged = WHOLE[:place] + put + WHOLE[place + len(put):]
    try:
        for one in otlp_protobuf.spans_of(damaged):
            read_span(one, CATALOG)
    except (ValueError, InvalidCall):
        pass


def test_an_empty_request_holds_no_span():
    assert list(otlp_protobuf.spans_of(b"")) == [] == list(otlp_json.spans_of({"resourceSpans": []}))


# What of a span becomes a call

def test_a_span_of_a_call_is_a_call():
    call = read({"user.id": "u-1", "service.name": "shop", "gen_ai.agent.name": "writer",
                 "deployment.environment.name": "staging", "cloud.region": "eu", "tenant.id": "acme"})
    assert call[0] == f"otel-{TRACE}-{SPAN}"
    assert call.timestamp_ms == START // 1_000_000 and call.latency_ms == 900
    assert call[2:11] == ("u-1", "acme", "shop", "writer", "openai", "gpt-4o-mini", 1000, 200, 1200)
    assert (call.cost_nano, call.status, call.environment, call.region) == (270_000, "success", "staging", "eu")
    assert call.subscription_tier == "unattributed"


def test_old_names_are_read_as_the_new_ones():
    old = {"gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o-mini", "gen_ai.usage.prompt_tokens": 1000,
           "gen_ai.usage.completion_tokens": 200}
    older = {"gen_ai.system": "OpenAI", "llm.request.model": "gpt-4o-mini", "llm.usage.prompt_tokens": 1000,
             "llm.usage.completion_tokens": 200}
    assert read(attributes=old) == read() == read(attributes=older)


def test_our_own_names_come_first():
    assert read({"finops.customer_id": "a", "user.id": "b", "finops.tier_price_usd": "9.5"})[2] == "a"
    assert read({"finops.tier_price_usd": "9.5"}).tier_price_nano == 9_500_000_000


def test_what_a_span_does_not_say_is_taken_from_elsewhere():
    otherwise = Owner("c", "o", "p", "f", "dev", "r", "t", 5, "heavy")
    assert read_span(span(), CATALOG, otherwise)[2:6] == ("c", "o", "p", "f")
    assert read_span(span({"user.id": "u"}), CATALOG, otherwise)[2:6] == ("u", "o", "p", "f")


@pytest.mark.parametrize("attributes", [
    {}, {"http.method": "GET"}, dict(NEW, **{"gen_ai.operation.name": "invoke_agent"}),
    dict(NEW, **{"gen_ai.operation.name": "execute_tool"}), {"gen_ai.request.model": "gpt-4o"},
    {"gen_ai.system": "openai"}])
def test_other_spans_are_no_calls(attributes):
    assert read(attributes=attributes) is None


def test_cached_tokens_are_within_the_input():
    call = read({"gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-sonnet-4-5",
                 "gen_ai.usage.cache_read.input_tokens": 600, "gen_ai.usage.cache_creation.input_tokens": 100})
    price = CATALOG.price_on("anthropic", "claude-sonnet-4-5", CATALOG.as_of)
    assert call.input_tokens == 1000 and call.cost_nano == cost_nano(price, Usage(300, 200, 600, 100))
    assert read({"gen_ai.usage.cache_read.input_tokens": 1001}).input_tokens == 2001  # which cannot be within it


@pytest.mark.parametrize("requested, answered, model", [
    ("gpt-4o-mini", None, "gpt-4o-mini"), ("gpt-4o-mini", "gpt-4o-mini-2024-07-18", "gpt-4o-mini-2024-07-18"),
    (None, "gpt-4o-mini", "gpt-4o-mini"), ("auto", "gpt-4o-mini", "gpt-4o-mini"),
    ("gpt-4o", "gpt-4o-mini", "gpt-4o-mini"), ("gpt-4o-mini", "gpt-4o-mini-turbo", "gpt-4o-mini-turbo"),
    ("new-1", "new-1-2026-01-01", "new-1-2026-01-01")])
def test_the_model_is_the_one_that_answered(requested, answered, model):
    assert read({"gen_ai.request.model": requested, "gen_ai.response.model": answered}).model == model


def test_a_service_that_nobody_named_is_no_product():
    assert [read({"service.name": name}).product_id for name in ("shop", "unknown_service:python")] == [
        "shop", "unattributed"]


def test_a_snapshot_that_answered_has_the_price_of_its_model():
    asked, snapshot = (read({"gen_ai.request.model": "gpt-4o-mini", "gen_ai.response.model": name}).cost_nano
                       for name in (None, "gpt-4o-mini-2024-07-18"))
    assert asked == snapshot > 0


def test_an_unknown_model_is_unpriced_and_a_cost_that_is_given_is_kept():
    assert read({"gen_ai.request.model": "new-1"}).cost_nano is None
    assert read({"gen_ai.request.model": "new-1", "gen_ai.usage.cost": "0.25"}).cost_nano == 250_000_000


@pytest.mark.parametrize("kind, status", [
    ("timeout", "timeout"), ("APITimeoutError", "timeout"), ("openai.RateLimitError", "rate_limit"),
    ("429", "rate_limit"), ("AuthenticationError", "auth_error"), ("403", "auth_error"), ("500", "server_error"),
    (None, "server_error"), (429, "rate_limit")])
def test_a_failed_call_may_lack_tokens_and_tells_its_status(kind, status):
    call = read({"gen_ai.usage.input_tokens": None, "gen_ai.usage.output_tokens": None, "error.type": kind},
                failed=True)
    assert (call.status, call.total_tokens) == (status, 0)


def test_the_number_of_an_answer_tells_the_status_too():
    assert read({"http.response.status_code": 401}, failed=True).status == "auth_error"
    assert read({"http.response.status_code": 200}).status == "success"


def test_embeddings_have_no_output():
    call = read({"gen_ai.operation.name": "embeddings", "gen_ai.usage.output_tokens": None})
    assert (call.output_tokens, call.status) == (0, "success")


@pytest.mark.parametrize("changes, more, field, reason", [
    ({"gen_ai.usage.input_tokens": None}, {}, "gen_ai.usage.input_tokens", "is missing"),
    ({"gen_ai.usage.output_tokens": None}, {}, "gen_ai.usage.output_tokens", "is missing"),
    ({"gen_ai.usage.input_tokens": "many"}, {}, "gen_ai.usage.input_tokens", "is no number"),
    ({"gen_ai.usage.input_tokens": -1}, {}, "gen_ai.usage.input_tokens", "'-1' is negative"),
    ({"gen_ai.provider.name": None}, {}, "gen_ai.provider.name", "is missing"),
    ({"gen_ai.usage.input_tokens": 10 ** 12 - 1}, {}, "total_tokens", "'1000000000199' is too large"),
    ({}, {"end": (1 << 64) - 1}, "latency_ms", "'16651744073586' is too large"),
    ({"user.id": "a\nb"}, {}, "user.id", "holds a control character"),
    ({}, {"trace": "zz"}, "spanId", "is not 8 bytes, or traceId not 16")])
def test_an_incomplete_call_is_refused_with_its_field(changes, more, field, reason):
    with pytest.raises(InvalidCall) as found:
        read(changes, **more)
    assert found.value.fields == {field: reason}


def test_a_span_without_an_end_has_no_latency_and_one_without_a_beginning_is_refused():
    assert read(end=0).latency_ms is None
    assert read(end=START - 1).latency_ms == 0
    with pytest.raises(InvalidCall):
        read_span(span()._replace(start_ns=0), CATALOG)


def test_reasons_are_told_once_and_not_without_end():
    faults = tuple(InvalidCall({f"f{number % 7}": "is missing"}) for number in range(20))
    assert reasons_of(faults) == "; ".join(f"f{n} is missing" for n in range(5)) + "; and 2 more reasons"
    assert reasons_of(()) == ""


def test_answers_in_protobuf():
    assert otlp_protobuf.partial_success(0, "") == b""
    assert otlp_protobuf.partial_success(300, "why") == b"\x0a\x08\x08\xac\x02\x12\x03why"
    assert otlp_protobuf.status_message(3, "why") == b"\x08\x03\x12\x03why"
