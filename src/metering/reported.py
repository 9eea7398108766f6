"""A call as a program reports it, and the row that it becomes: names as the catalogue has them, and a price."""
from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple, Optional

from calls.log_writer import SIMULATED_PREFIX
from calls.record import REFUSED, AICall
from catalog.loader import Catalog
from catalog.usage import Charges, Usage, charge
from errors import RecordError
from metering.fields import InvalidCall

UNATTRIBUTED = "unattributed"
PRODUCTION = "production"
_OWN = "metered-"
_TAKEN = re.compile(f"({_OWN})*{SIMULATED_PREFIX}")
_EPOCH = date(1970, 1, 1)
_MS_PER_DAY = 86_400_000
_PICO_PER_NANO = 1000
# What the Revenium SDK, OpenTelemetry's conventions and their instrumentations call the catalogue's providers.
_PROVIDERS = {
    "anthropic": ("anthropic",), "openai": ("openai",), "cohere": ("cohere",),
    "azure": ("azure", "azure openai", "azure_openai", "az.ai.openai", "azure.ai.openai", "az.ai.inference",
              "azure.ai.inference", "foundry"),
    "bedrock": ("aws", "bedrock", "aws.bedrock", "aws_bedrock", "aws bedrock", "amazon bedrock"),
    "google": ("google", "gemini", "gcp.gemini", "gcp.gen_ai", "gcp.vertex_ai", "vertex_ai", "google_ai", "vertexai"),
    "mistral": ("mistral", "mistral_ai", "mistralai")}
_NAMES = {name: provider for provider, names in _PROVIDERS.items() for name in names}


class Bill(NamedTuple):
    """What a client says of the cost: nano-dollars for all or for parts, None where it leaves that to the catalogue."""

    total: Optional[int] = None
    fresh: Optional[int] = None
    output: Optional[int] = None
    cache_read: Optional[int] = None
    cache_write: Optional[int] = None
    batch: bool = False
    multiplier: Optional[Decimal] = None


class Owner(NamedTuple):
    """Whose call it was; what nobody says is unattributed, an environment that nobody names is production."""

    customer_id: str = UNATTRIBUTED
    organization_id: str = UNATTRIBUTED
    product_id: str = UNATTRIBUTED
    feature_id: str = UNATTRIBUTED
    environment: str = PRODUCTION
    region: str = UNATTRIBUTED
    subscription_tier: str = UNATTRIBUTED
    tier_price_nano: int = 0
    customer_archetype: str = UNATTRIBUTED


NOBODY = Owner()


class Reported(NamedTuple):
    """A call as it was reported: time in milliseconds since 1970 UTC, latency in milliseconds, None when unknown."""

    call_id: str
    timestamp_ms: int
    provider: str
    model: str
    usage: Usage
    status: str
    latency_ms: Optional[int]
    bill: Bill
    owner: Owner


def provider_name(text: str) -> str:
    """Return the catalogue's name of a provider, whatever its case and wherever it is sold; else the text, lowered."""
    lowered = text.strip().lower()
    return _NAMES.get(lowered, lowered)


def own_id(text: str) -> str:
    """Return an id as the log's call_id: one that looks simulated gets a prefix, since simulated rows are replaceable.

    Two different ids never become one.
    """
    return _OWN + text if _TAKEN.match(text) else text


def to_call(reported: Reported, catalog: Catalog) -> AICall:
    """Return the row; the cost is what the client gave, else the catalogue's by model and day, else unknown.

    Raises `InvalidCall` where what was sent adds up to a row that no reader would take.
    """
    usage, owner = reported.usage, reported.owner
    call = AICall(
        own_id(reported.call_id), reported.timestamp_ms, owner.customer_id, owner.organization_id, owner.product_id,
        owner.feature_id, reported.provider, reported.model, usage.prompt, usage.output, usage.prompt + usage.output,
        _cost(reported, catalog), reported.latency_ms, reported.status, owner.environment, owner.region,
        owner.subscription_tier, owner.tier_price_nano, owner.customer_archetype)
    try:
        return AICall.from_row(call.to_row())
    except RecordError as error:
        raise InvalidCall({error.field: error.reason}) from None


def _cost(reported: Reported, catalog: Catalog) -> Optional[int]:
    bill, usage = reported.bill, reported.usage
    if bill.total is not None:
        return bill.total
    if reported.status in REFUSED and not usage.output and bill[1:5] == (None,) * 4:
        return 0  # a refused call is not billed
    price = catalog.price_on(reported.provider, reported.model,
                             _EPOCH + timedelta(reported.timestamp_ms // _MS_PER_DAY))
    charges = charge(price, usage, bill.batch) if price else None
    return _summed(bill, usage, charges)


def _summed(bill: Bill, usage: Usage, charges: Optional[Charges]) -> Optional[int]:
    """Add the parts that the client gave and the catalogue's for the others; None when a part is unknown."""
    tokens = (usage.fresh, usage.output, usage.cache_read, usage.cache_write + usage.cache_write_1h)
    picos = given = 0
    for said, count, charged in zip(bill[1:5], tokens, charges or (None,) * 4):
        if said is not None:
            given += said
        elif charged is not None:
            picos += charged
        elif count:
            return None
    if bill.multiplier is not None:
        picos = int((picos * bill.multiplier).to_integral_value(ROUND_HALF_UP))
    if charges is None and not given and not any(tokens):
        return None  # nothing is known of the price, and there is nothing to tell it from
    return given + (picos + _PICO_PER_NANO // 2) // _PICO_PER_NANO
