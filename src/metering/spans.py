"""OpenTelemetry spans of GenAI calls, whichever encoding they came in, with the old and the new attribute names.

The conventions count cached tokens within the input. Spans of agents, workflows and tools are no calls: the calls that
they made are spans of their own.
"""
from __future__ import annotations

import re
from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple

from calls.record import AUTH_ERROR, RATE_LIMIT, SERVER_ERROR, SUCCESS, TIMEOUT, AICall
from catalog.loader import Catalog
from catalog.usage import Usage
from metering.fields import Fields, InvalidCall
from metering.reported import NOBODY, Bill, Owner, Reported, provider_name, to_call

NANO_PER_MS = 1_000_000
PROVIDER = ("gen_ai.provider.name", "gen_ai.system", "finops.provider")
REQUESTED = ("gen_ai.request.model", "llm.request.model")
ANSWERED = ("gen_ai.response.model", "llm.response.model", "finops.model")
INPUT = ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.usage.prompt_tokens")
OUTPUT = ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.usage.completion_tokens")
READ = ("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens")
WRITTEN = ("gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_creation_input_tokens")
COST = ("finops.cost_usd", "gen_ai.usage.cost")
# No convention names whose a call was: `finops.<field>` comes first, then what programs are often seen to send.
OWNER = {
    "customer_id": ("finops.customer_id", "customer.id", "customer_id", "enduser.id", "user.id"),
    "organization_id": ("finops.organization_id", "organization.id", "organization_id", "tenant.id"),
    "product_id": ("finops.product_id", "product.id", "product_id", "service.name"),
    "feature_id": ("finops.feature_id", "feature.id", "feature_id", "gen_ai.agent.name"),
    "environment": ("finops.environment", "deployment.environment.name", "deployment.environment"),
    "region": ("finops.region", "cloud.region"),
    "subscription_tier": ("finops.subscription_tier", "subscription.tier", "subscription_tier"),
    "customer_archetype": ("finops.customer_archetype",)}
NO_SERVICE = "unknown_service"  # how a service.name begins that an SDK made up, since nobody gave one
OPERATION = "gen_ai.operation.name"
NO_CALLS = frozenset({"create_agent", "invoke_agent", "invoke_workflow", "execute_tool", "retrieval"})
_ERRORS = ((TIMEOUT, re.compile(r"time.?out|deadline|cancel|408|504", re.IGNORECASE)),
           (RATE_LIMIT, re.compile(r"rate.?limit|quota|exhausted|429", re.IGNORECASE)),
           (AUTH_ERROR, re.compile(r"auth|permission|forbidden|401|403", re.IGNORECASE)))


class Span(NamedTuple):
    """A span: ids as hex, times in nanoseconds since 1970 UTC, its attributes and its resource's as plain values."""

    trace_id: str
    span_id: str
    start_ns: int
    end_ns: int
    failed: bool
    attributes: Mapping[str, Any]


def read_span(span: Span, catalog: Catalog, otherwise: Owner = NOBODY) -> Optional[AICall]:
    """Return the call that a span tells of, None when it tells of none; raises `InvalidCall` where it is incomplete.

    What the span does not say of the call's owner is taken from `otherwise`.
    """
    given = Fields(span.attributes)
    if not _tells_of_call(span.attributes):
        return None
    usage = _usage(given, span.failed or span.attributes.get(OPERATION) == "embeddings")
    provider = provider_name(given.text(*PROVIDER, needed=True) or "")
    cost = given.amount(*COST)
    reported = Reported(
        call_id=f"otel-{span.trace_id}-{span.span_id}", timestamp_ms=span.start_ns // NANO_PER_MS, provider=provider,
        model=_model(given), usage=usage, status=_status(span),
        latency_ms=max(0, span.end_ns - span.start_ns + NANO_PER_MS // 2) // NANO_PER_MS if span.end_ns else None,
        bill=Bill(total=cost), owner=_owner(given, otherwise))
    faults = given.faults
    if not re.fullmatch("[0-9a-f]{32}", span.trace_id) or not re.fullmatch("[0-9a-f]{16}", span.span_id):
        faults["spanId"] = "is not 8 bytes, or traceId not 16"
    if not 0 < span.start_ns < 1 << 63:
        faults["startTimeUnixNano"] = "is no time"
    given.check()
    return to_call(reported, catalog)


def _tells_of_call(attributes: Mapping[str, Any]) -> bool:
    names = PROVIDER + REQUESTED + ANSWERED + INPUT
    return (attributes.get(OPERATION) not in NO_CALLS and any(one in attributes for one in REQUESTED + ANSWERED)
            and any(one in attributes for one in names if one not in REQUESTED + ANSWERED))


def _usage(given: Fields, may_lack: bool) -> Usage:
    """Return the tokens; a call that failed, or made embeddings, may have none of a kind."""
    sent = given.count(*INPUT, needed=not (may_lack and given.text(OPERATION) != "embeddings")) or 0
    output = given.count(*OUTPUT, needed=not may_lack) or 0
    read, written = given.count(*READ) or 0, given.count(*WRITTEN) or 0
    within = read + written <= sent
    return Usage(sent - read - written if within else sent, output, read, written)


def _model(given: Fields) -> str:
    """Return the model that answered, else the one that was asked for."""
    return given.text(*ANSWERED) or given.text(*REQUESTED, needed=True) or ""


def _status(span: Span) -> str:
    """Tell how a call ended from its error's type, a class or a number, and the answer's."""
    kind = span.attributes.get("error.type")
    if not span.failed and not kind:
        return SUCCESS
    what = f"{kind} {span.attributes.get('http.response.status_code')}"
    return next((status for status, pattern in _ERRORS if pattern.search(what)), SERVER_ERROR)


def _owner(given: Fields, otherwise: Owner) -> Owner:
    found: Dict[str, Any] = {field: given.text(*names) for field, names in OWNER.items()}
    owner = otherwise._replace(**{field: text for field, text in found.items()
                                  if text and not text.startswith(NO_SERVICE)})
    price = given.amount("finops.tier_price_usd")
    return owner._replace(tier_price_nano=price) if price is not None else owner


def reasons_of(faults: Tuple[InvalidCall, ...]) -> str:
    """Return the reasons of some refused spans as one text: the first few, and how many more."""
    texts = list(dict.fromkeys(map(str, faults)))
    return "; ".join(texts[:5]) + (f"; and {len(texts) - 5} more reasons" if len(texts) > 5 else "")
