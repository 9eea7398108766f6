"""Small call logs for the tests of counting, and rows to damage them with."""
from __future__ import annotations

import random
from pathlib import Path
from typing import Iterable, List, Sequence

from calls.record import HEADER, AICall
from calls.values import parse_timestamp
from rollup.rollup import Rollup

START_MS = parse_timestamp("2026-03-01T00:00:00.000Z")
BAD_ROWS = (
    "too,few,fields",
    ",2026-03-01T00:00:00.000Z,c,o,p,f,v,m,1,1,2,0.1,10,success,e,r,t,29,a",
    "bad-1,2026-02-30T00:00:00.000Z,c,o,p,f,v,m,1,1,2,0.1,10,success,e,r,t,29,a",
    "bad-2,2026-03-01T00:00:00.000Z,c,o,p,f,v,m,1,1,3,0.1,10,success,e,r,t,29,a",
    "bad-3,2026-03-01T00:00:00.000Z,c,o,p,f,v,m,1_0,1,11,0.1,10,success,e,r,t,29,a",
    "bad-4,2026-03-01T00:00:00.000Z,c,o,p,f,v,m,1,1,2,-0.1,10,success,e,r,t,29,a",
    "bad-5,2026-03-01T00:00:00.000Z,c,o,p,f,v,m,1,1,2,nan,10,success,e,r,t,29,a",
    "bad-6,2026-03-01T00:00:00.000Z,c,o,p,f,v,m,1,1,2,1e309,10,success,e,r,t,29,a",
    "bad-7,2026-03-01T00:60:00.000Z,c,o,p,f,v,m,1,1,2,0.100000000,10,success,e,r,t,29,a",
    "bad-8,2026-03-01T00:00:00.000Z,,o,p,f,v,m,1,1,2,0.100000000,10,success,e,r,t,29,a",
    "bad-9,2026-03-01T00:00:00.000Z,c,o,p,f,v,m,1,1,2,0.100000000,10,success,e,r,t,29,a,more",
    'bad-10,2026-03-01T00:00:00.000Z,"c,o,p,f,v,m,1,1,2,0.100000000,10,success,e,r,t,29,a',
    "bad-11,1969-12-31T23:59:59.000Z,c,o,p,f,v,m,1,1,2,0.100000000,10,success,e,r,t,29,a",
    "late-1,2100-01-01T00:00:00.000Z,c,o,p,f,v,m,1,1,2,0.100000000,10,success,e,r,t,29,a",
    "bad-12,2026-03-01T00:00:00.000Z,c,o,p,f,v,m,,1,1,0.100000000,10,success,e,r,t,29,a",
    "bad-13,2026-03-01T00:00:00.000Z,c,o,p,f,v,m,1,1,2,0.1.2,10,success,e,r,t,29,a",
    "bad-14,2026-03-01T00:00:00.000Z,c,o,p,f,v,m,1,1,2,0.100000000,1\u0662,success,e,r,t,29,a",
)
ODD_ROWS = (
    'odd-1,2026-03-01T00:00:00.000Z,"c, with ""quotes""",o,p,f,v,m,1,1,2,0.100000000,10,success,e,r,t,29,a',
    'odd-2,2026-03-01T00:00:00.000Z,"c\nwith newline",o,p,f,v,m,1,1,2,0.100000000,10,success,e,r,t,29,a',
    "odd-3,2026-03-01T02:00:00.123456,c,o,p,f,v,m,1,1,2,0.1,10,success,e,r,t,29.0,a",
    "odd-4,2026-03-01T02:00:00+02:00,c,o,p,f,v,m,1,1,2,1e-7,,timeout,e,r,t,29,a",
    "odd-5,2026-03-01T02:00:00.000Z,c\u00fcst,o,p,f,v,m,1,1,2,,5000000,success,e,r,t,29,a",
    "odd-6,2026-03-01T02:00:00.000Z,c,o,p,f,v,m,0,0,0,999999999999.000000000,0,success,e,r,t,29,a",
)


def call(number: int, **changes: object) -> AICall:
    """Return a plausible call; equal numbers give equal calls."""
    chance = random.Random(number)
    taken, given = chance.randrange(1, 5000), chance.randrange(1, 900)
    status = chance.choice(["success"] * 9 + ["rate_limit"])
    values = dict(
        call_id=f"t-{number}", timestamp_ms=START_MS + number * 977_000, customer_id=f"cust_{number % 7}",
        organization_id=f"org_{number % 3}", product_id="assist", feature_id=chance.choice(["chat", "search"]),
        provider="openai", model=chance.choice(["gpt-4o", "gpt-5"]), input_tokens=taken, output_tokens=given,
        total_tokens=taken + given, cost_nano=taken * 2500 + given * 10_000, latency_ms=chance.randrange(50, 90_000),
        status=status, environment="production", region=chance.choice(["us-east-1", "eu-west-1"]),
        subscription_tier="pro", tier_price_nano=99 * 10 ** 9, customer_archetype="power")
    values.update(changes)
    return AICall(**values)  # type: ignore[arg-type]


def calls(count: int, first: int = 0) -> List[AICall]:
    """Return so many calls, all different."""
    return [call(number) for number in range(first, first + count)]


def lines(some: Iterable[AICall]) -> List[str]:
    """Return calls as lines without their newline."""
    return [",".join(one.to_row()) for one in some]


def write_log(path: Path, rows: Sequence[str], newline: str = "\n", header: str = HEADER) -> Path:
    """Write a log of raw rows."""
    path.write_bytes(newline.join([header, *rows, ""]).encode("utf-8"))
    return path


def counted(some: Iterable[AICall]) -> Rollup:
    """Return the rollup of calls, counted one by one."""
    rollup = Rollup()
    for one in some:
        rollup.add(one)
    return rollup
