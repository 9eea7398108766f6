"""Completions as the Revenium SDK sends them to `/v2/ai/completions`: JSON in camel case, one call a request."""
from __future__ import annotations

from typing import Any, Optional

from calls.record import AUTH_ERROR, RATE_LIMIT, SERVER_ERROR, SUCCESS, TIMEOUT, AICall
from catalog.loader import Catalog
from catalog.usage import Usage
from metering.fields import Fields, InvalidCall
from metering.reported import UNATTRIBUTED, Bill, Owner, Reported, provider_name, to_call

# A call that its caller cancelled did not come to its end in time; the log has no word of its own for that.
STOP_REASONS = {"END": SUCCESS, "END_SEQUENCE": SUCCESS, "TOKEN_LIMIT": SUCCESS, "COST_LIMIT": SUCCESS,
                "COMPLETION_LIMIT": SUCCESS, "TIMEOUT": TIMEOUT, "CANCELLED": TIMEOUT, "ERROR": SERVER_ERROR}
ERROR_CODES = {401: AUTH_ERROR, 403: AUTH_ERROR, 408: TIMEOUT, 429: RATE_LIMIT, 504: TIMEOUT}
# Of these providers' calls the SDK leaves cache reads within the input count and takes cache writes out of it; of all
# others it takes out both, as their own answers do.
READS_WITHIN_INPUT = frozenset({"openai", "groq", "xai", "azure", "google"})


def read_completion(document: Any, catalog: Catalog) -> AICall:
    """Return the call of a completion; raises `InvalidCall` with a reason for each field that cannot be used.

    Fields that a call has no use for are passed over, whatever they hold.
    """
    if not isinstance(document, dict):
        raise InvalidCall({"body": "is not a JSON object"})
    given = Fields(document)
    provider = provider_name(given.text("provider", needed=True) or "")
    moment = given.time("requestTime", needed=True)
    given.time("responseTime", needed=True)
    given.time("completionStartTime", needed=True)
    given.count("totalTokenCount", needed=True)
    given.flag("isStreamed")
    given.choice("costType", {"AI": True})
    reported = Reported(
        call_id=given.text("transactionId", needed=True) or "", timestamp_ms=moment or 0, provider=provider,
        model=given.text("model", needed=True) or "", usage=_usage(given, provider), status=_status(given),
        latency_ms=given.count("requestDuration", needed=True), bill=_bill(given), owner=_owner(given))
    given.check()
    return to_call(reported, catalog)


def _usage(given: Fields, provider: str) -> Usage:
    sent, output = given.count("inputTokenCount", needed=True) or 0, given.count("outputTokenCount", needed=True) or 0
    read, written = given.count("cacheReadTokenCount") or 0, given.count("cacheCreationTokenCount") or 0
    hour = given.count("cacheCreation1hTokenCount") or 0
    written = max(written, hour + (given.count("cacheCreation5mTokenCount") or 0))
    # More reads than input cannot be within it.
    fresh = sent - read if provider in READS_WITHIN_INPUT and read <= sent else sent
    return Usage(fresh, output, read, written - hour, hour)


def _status(given: Fields) -> str:
    status, code = given.choice("stopReason", STOP_REASONS, needed=True), given.count("errorCode")
    return ERROR_CODES.get(code or 0, SERVER_ERROR) if status == SERVER_ERROR else status or SUCCESS


def _bill(given: Fields) -> Bill:
    skipped = given.flag("billingSkipped")
    total: Optional[int] = given.amount("totalCost")
    return Bill(
        total=0 if skipped else total, fresh=given.amount("inputTokenCost"), output=given.amount("outputTokenCost"),
        cache_read=given.amount("cacheReadTokenCost"), cache_write=given.amount("cacheCreationTokenCost"),
        batch=bool(given.choice("pricingTier", {"STANDARD": False, "BATCH": True})),
        multiplier=given.factor("costMultiplier"))


def _owner(given: Fields) -> Owner:
    """Read whose call it was; `tierPriceUsd` and `customerArchetype` are ours, for the SDK's `extra_body`."""
    person = given.inner("subscriber")
    customer = person.text("id", "email") or person.inner("credential").text("name")
    owner = Owner(
        customer_id=customer or UNATTRIBUTED,
        organization_id=given.text("organizationName", "organizationId") or UNATTRIBUTED,
        product_id=given.text("productName", "productId") or UNATTRIBUTED,
        feature_id=given.text("taskType", "traceType") or UNATTRIBUTED,
        region=given.text("region") or UNATTRIBUTED,
        subscription_tier=given.text("subscriptionTier") or UNATTRIBUTED,
        tier_price_nano=given.amount("tierPriceUsd") or 0,
        customer_archetype=given.text("customerArchetype") or UNATTRIBUTED)
    environment = given.text("environment")
    return owner._replace(environment=environment) if environment else owner
