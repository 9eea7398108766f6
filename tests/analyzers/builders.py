"""Small rollups made by hand, whose figures a reader can work out."""
from __future__ import annotations

from pathlib import Path
from typing import Any, Iterable

from calls.record import AICall
from calls.values import NANO_PER_USD, parse_timestamp
from rollup.dataset import Dataset
from rollup.rollup import Rollup

_PLAIN = AICall(
    call_id="c-1", timestamp_ms=parse_timestamp("2026-03-02T10:00:00Z"), customer_id="cust_1", organization_id="org_1",
    product_id="assist", feature_id="chat", provider="openai", model="gpt-4.1", input_tokens=100, output_tokens=50,
    total_tokens=150, cost_nano=600_000, latency_ms=1000, status="success", environment="production",
    region="us-east-1", subscription_tier="pro", tier_price_nano=99 * NANO_PER_USD, customer_archetype="power")


def call(**changes: Any) -> AICall:
    """Return a plain call with changes; `timestamp` may be given as text, and the total is kept right."""
    if "timestamp" in changes:
        changes["timestamp_ms"] = parse_timestamp(changes.pop("timestamp"))
    made = _PLAIN._replace(**changes)
    return made._replace(total_tokens=made.input_tokens + made.output_tokens)


def rollup_of(calls: Iterable[AICall]) -> Rollup:
    """Return the counts of calls."""
    rollup = Rollup()
    for one in calls:
        rollup.add(one)
    return rollup


def dataset_of(calls: Iterable[AICall]) -> Dataset:
    """Return a counted log that never was a file."""
    return Dataset(Path("calls.csv"), rollup_of(calls))
