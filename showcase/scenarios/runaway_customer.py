#!/usr/bin/env python3
"""Story 3: a customer runs away, and the log is replayed hour by hour to see when that would have been noticed.

    python3 showcase/scenarios/runaway_customer.py

Chapter 1 finds the customer whose hours stand out most. Chapter 2 counts the log again as it stood after every hour,
until the alert is raised. Chapter 3 asks what a cap on calls an hour would have spared, and whom else it would hit.
"""
from __future__ import annotations

import runpy
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

if __name__ == "__main__":  # a script finds only the modules beside it: begin again with the toolkit in reach
    runpy.run_path(str(Path(__file__).resolve().parents[2] / "viewer" / "bootstrap.py"))["find_sources"](__file__)

import blocks as b
from analyzers.common import usd
from analyzers.watch import Alert, watch
from analyzers.wording import money
from calls.record import AICall
from calls.values import format_timestamp, milliseconds_of
from console import run_command
from rollup.dataset import Dataset
from rollup.rollup import Rollup
from support.logs import Simulated, calls_of, counted_log, example_options
from support.printing import told

LOG = Simulated(customers=80, seed=18)
MS_PER_HOUR = 3_600_000
LOOKS = 48  # hours that are replayed at most, from the first unusual one
HEADROOM, LEAST_CAP = 2, 20  # a cap is so many times a customer's busiest hour before, and at least so many calls
TABLES = (
    b.Table("hours", "2. The replay, hour by hour", most=LOOKS, columns=(
        b.Column("hour", kind=b.TEXT), "calls", "cost", b.Column("noticed", kind=b.YES_NO))),
    b.Table("caps", "3. With a cap on calls an hour", columns=(
        b.Column("calls_an_hour", "Cap", b.COUNT), b.Column("calls_spared", kind=b.COUNT),
        b.Column("cost_spared", kind=b.MONEY), b.Column("others_hit", "Calls of others that such caps hit", b.COUNT))))


class Runaway(NamedTuple):
    """A customer, the day and hour at which its use begins to stand out, and what was above its usual cost."""

    customer: str
    hour_ms: int
    excess_nano: int


def worst(rollup: Rollup) -> Optional[Runaway]:
    """Return the customer whose alert has the most dollars above what was expected; None without an alert."""
    alerts = [alert for alert in watch(rollup).alerts if alert.scope[0] == "customer"]
    if not alerts:
        return None
    first: Alert = max(alerts, key=lambda alert: alert.excess)
    hour = min(first.hours) if first.hours else f"{first.day}T00"
    return Runaway(first.scope[1], milliseconds_of(datetime.strptime(hour, "%Y-%m-%dT%H")), first.excess)


def replay(calls: Sequence[AICall], found: Runaway) -> List[Dict[str, Any]]:
    """Return the customer's hours from the first unusual one until somebody would have noticed."""
    rollup, place, rows = Rollup(), 0, []
    for hour in range(LOOKS):
        end = found.hour_ms + (hour + 1) * MS_PER_HOUR
        calls_then = cost = 0
        while place < len(calls) and calls[place].timestamp_ms < end:
            call = calls[place]
            rollup.add(call)
            if call.customer_id == found.customer and call.timestamp_ms >= end - MS_PER_HOUR:
                calls_then, cost = calls_then + 1, cost + (call.cost_nano or 0)
            place += 1
        noticed = any(alert.scope == ("customer", found.customer) and alert.day == format_timestamp(found.hour_ms)[:10]
                      for alert in watch(rollup).alerts)
        if calls_then or noticed:
            rows.append({"hour": format_timestamp(end - MS_PER_HOUR)[:13], "calls": calls_then, "cost": usd(cost),
                         "noticed": noticed})
        if noticed:
            break
    return rows


def cap(calls: Sequence[AICall], found: Runaway) -> Dict[str, Any]:
    """Return what caps by each customer's own past would have spared from that hour on, and whom they hit."""
    begin = found.hour_ms // MS_PER_HOUR
    hours = Counter((call.customer_id, call.timestamp_ms // MS_PER_HOUR) for call in calls)
    caps: Dict[str, int] = {}
    for (customer, hour), count in hours.items():
        if hour < begin:
            caps[customer] = max(caps.get(customer, LEAST_CAP), HEADROOM * count)
    beyond: Dict[str, List[AICall]] = {}
    seen: "Counter[Tuple[str, int]]" = Counter()
    for call in calls:
        one = (call.customer_id, call.timestamp_ms // MS_PER_HOUR)
        seen[one] += 1
        if seen[one] > caps.get(call.customer_id, LEAST_CAP):
            beyond.setdefault(call.customer_id, []).append(call)
    spared = beyond.pop(found.customer, [])
    return {"calls_an_hour": caps.get(found.customer, LEAST_CAP), "calls_spared": len(spared),
            "cost_spared": usd(sum(call.cost_nano or 0 for call in spared)),
            "others_hit": sum(map(len, beyond.values()))}


def tell(dataset: Dataset) -> Dict[str, Any]:
    """Return the three chapters as figures."""
    found = worst(dataset.rollup)
    if found is None:
        return {"headline": "No customer's use stands out in this log.", "customer": None, "hours": [], "caps": []}
    calls = sorted(calls_of(dataset), key=lambda call: call.timestamp_ms)
    hours, capped = replay(calls, found), cap(calls, found)
    return {"headline": _headline(found, hours, capped), "customer": found.customer,
            "began": format_timestamp(found.hour_ms), "excess": usd(found.excess_nano), "hours": hours,
            "caps": [capped]}


def _headline(found: Runaway, hours: Sequence[Dict[str, Any]], capped: Dict[str, Any]) -> str:
    noticed = (f"would have been noticed by {hours[-1]['hour']}:59 UTC" if hours and hours[-1]["noticed"]
               else f"would not have been noticed within {LOOKS} hours")
    return (f"{found.customer} ran away on {format_timestamp(found.hour_ms)[:10]} and cost "
            f"{money(usd(found.excess_nano))} more than usual; it {noticed}, and a cap of {capped['calls_an_hour']:,} "
            f"calls an hour would have spared {money(capped['cost_spared'])}.")


def main(arguments: Sequence[str]) -> int:
    """Tell the story."""
    given = example_options(__doc__).parse_args(arguments)
    with counted_log(given.csv, LOG) as dataset:
        print(told(tell(dataset), TABLES, given.json))
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
