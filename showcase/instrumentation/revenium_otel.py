#!/usr/bin/env python3
"""Meter by traces: a span for each call, named as OpenTelemetry's conventions for GenAI have it.

    python3 showcase/instrumentation/revenium_otel.py

A program that is traced already needs nothing else: its exporter is pointed at the viewer. The OpenTelemetry SDK is
used where it is installed; without it the same spans are written by hand, in OTLP's JSON.
"""
from __future__ import annotations

import importlib.util
import runpy
import secrets
import sys
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Sequence, Union

if __name__ == "__main__":  # a script finds only the modules beside it: begin again with the toolkit in reach
    runpy.run_path(str(Path(__file__).resolve().parents[2] / "viewer" / "bootstrap.py"))["find_sources"](__file__)

from console import run_command
from errors import FinOpsError
from metadata.builder import Metadata, ReveniumMetadataBuilder
from support.assistant import Answer, Assistant
from support.practice import metered
from support.sender import Endpoint, HttpSender

TRACES = "/v1/traces"
NANO_PER_MS = 1_000_000
Value = Union[str, int]


class Traced(NamedTuple):
    """A call as a span tells of it."""

    answer: Answer
    attributes: Dict[str, Value]


def traced(answer: Answer, owner: Metadata) -> Traced:
    """Return what a span says of a call, in the conventions' words, and of its owner."""
    return Traced(answer, {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": answer.provider,
        "gen_ai.request.model": answer.model, "gen_ai.usage.input_tokens": answer.input_tokens,
        "gen_ai.usage.output_tokens": answer.output_tokens, **owner.attributes()})


def by_the_sdk(endpoint: Endpoint, calls: Sequence[Traced]) -> None:
    """Trace with OpenTelemetry's SDK and its exporter over HTTP, which logs what it cannot send and raises nothing."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    headers = {"x-api-key": endpoint.key} if endpoint.key else None
    exporter = OTLPSpanExporter(endpoint.address + TRACES, headers=headers)
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(exporter))
    for answer, attributes in calls:
        span = provider.get_tracer("showcase").start_span("chat", start_time=answer.started_ms * NANO_PER_MS)
        span.set_attributes(attributes)
        span.end(answer.ended_ms * NANO_PER_MS)
    provider.shutdown()


def by_hand(endpoint: Endpoint, calls: Sequence[Traced]) -> None:
    """Post the spans as JSON; raises `FinOpsError` when they were not all taken."""
    trace = secrets.token_hex(16)
    document = {"resourceSpans": [{"scopeSpans": [{"spans": [_span(one, trace) for one in calls]}]}]}
    with HttpSender(endpoint) as sender:
        told = sender.post(TRACES, document).get("partialSuccess")
    if told:
        raise FinOpsError(f"{endpoint.address} refused {told['rejectedSpans']} spans: {told['errorMessage']}")


def _span(call: Traced, trace: str) -> Dict[str, Any]:
    times = {"startTimeUnixNano": call.answer.started_ms, "endTimeUnixNano": call.answer.ended_ms}
    attributes: List[Dict[str, Any]] = [
        {"key": name, "value": {"intValue" if isinstance(value, int) else "stringValue": str(value)}}
        for name, value in call.attributes.items()]
    return {"traceId": trace, "spanId": secrets.token_hex(8), "name": "chat", "kind": 3, "attributes": attributes,
            **{name: str(milliseconds * NANO_PER_MS) for name, milliseconds in times.items()}}


def main(arguments: Sequence[str]) -> int:
    """Trace three calls."""
    owner = (ReveniumMetadataBuilder().organization("Acme, Inc.").product("helpdesk").customer("cust_0042")
             .feature("translation").environment("production").build())
    assistant = Assistant("google", "gemini-2.5-flash")
    calls = [traced(assistant.ask(text), owner) for text in ("Guten Morgen", "Buenos dias, como estas?", "Bonjour")]
    with metered(arguments, __doc__) as where:
        has_sdk = not where.plain and importlib.util.find_spec("opentelemetry") is not None
        # Traces go to the root of the address whose completions go below `meter`.
        endpoint = where.endpoint._replace(address=where.endpoint.address.rstrip("/").rpartition("/meter")[0]
                                           or where.endpoint.address)
        (by_the_sdk if has_sdk else by_hand)(endpoint, calls)
    how = "OpenTelemetry's SDK" if has_sdk else "the standard library"
    print(f"sent {len(calls)} spans to {endpoint.address + TRACES} by {how}")
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
