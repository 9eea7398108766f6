"""A log with what exports stumble over: odd names, a model without a price, prices that changed, failures, bad rows."""
from __future__ import annotations

import csv
from pathlib import Path
from typing import List

from calls.record import HEADER, AICall
from calls.values import parse_timestamp

ODD = "=cmd()|' \"A, B\" ü"


def call(call_id: str, cost: object = 1_000_003, **changes: object) -> AICall:
    """Return a call of gpt-4o with 1000 tokens in and 100 out, which list at $0.0035."""
    plain = AICall(call_id, parse_timestamp("2026-02-28T23:59:59.999Z"), "acme", "org", "shop", "chat", "openai",
                   "gpt-4o", 1000, 100, 1100, cost, 900, "success", "production", "eu", "pro", 29 * 10**9, "power")
    made = plain._replace(**changes)
    return made._replace(total_tokens=made.input_tokens + made.output_tokens)


CALLS = [
    call("a"), call("b", 7), call("c", None, model="own"), call("d", 5_000_001, model="own", customer_id="1234"),
    call("e", 0, status="rate_limit", output_tokens=0, customer_id="x"),
    call("f", organization_id="20260101", region="unattributed", customer_id="true"),
    call("g", customer_id=ODD, product_id=ODD, model="@m", feature_id="-1+1"),
    call("h", timestamp_ms=parse_timestamp("2026-12-31T12:00:00Z"), customer_id="acme"),
    call("i", 3, input_tokens=0, output_tokens=0, latency_ms=None, customer_id="nothing"),
    call("j", 999_999_999_999_999, customer_id="rich", input_tokens=999_999_999, provider="azure")]


def write_log(path: Path, calls: List[AICall]) -> None:
    """Write calls, then one of them again, a bad row and half a row, none of which counts."""
    with open(path, "w", newline="", encoding="utf-8") as handle:
        handle.write(HEADER + "\n")
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerows([*(one.to_row() for one in calls), calls[0].to_row()])
        handle.write("bad,row\n" + ",".join(calls[0].to_row())[:40])
