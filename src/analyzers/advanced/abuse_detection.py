"""Abuse Detection: who calls as nobody should, what fails and is retried, and what silently became dearer."""
from __future__ import annotations

import math
from decimal import Decimal
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from analyzers.abuse_rules import (
    COST_SPIKE,
    KINDS,
    MODEL_SWITCH,
    PROMPT_BLOAT,
    RATE_LIMIT_HAMMERING,
    REGION_SWITCH,
    RETRY_STORM,
    RUNAWAY_LOOP,
    UNUSUAL_VOLUME,
    Finding,
    find_model_switches,
    find_prompt_bloat,
    ordinal,
)
from analyzers.anomalies import Point, discoveries, robust_days, severity, standing_out
from analyzers.base import ADVANCED, HIGH, LOW, MEDIUM, Analyzer, Recommendation, Results
from analyzers.common import median, monthly, usd
from analyzers.hourly_rules import find_hammering, find_loops, find_region_switches, find_storms
from analyzers.pages import abuse_detection as described
from analyzers.wording import NO_CALLS, money, numbered
from catalog.loader import load_catalog
from rollup.cubes import Measures
from rollup.rollup import Rollup

SPIKE_FLOOR = 0.01  # of what the whole log costs on a mean day: a smaller spike is not worth a look
VOLUME_FLOOR = 20.0  # calls above the expected: less is not worth a look
LEAST_PEERS = 3  # other customers of an organisation, before a move of theirs counts as the organisation's
ALWAYS_HIGH = (REGION_SWITCH,)  # a key in strange hands is serious before it is expensive
RANKS = ("low", "medium", "high", "critical")
SERIOUS = RANKS[:1:-1]  # what the headline counts
ACTIONS: Dict[str, Tuple[str, str]] = {
    RUNAWAY_LOOP: ("Stop the same request from being made again and again: cap the steps of an agent", HIGH),
    UNUSUAL_VOLUME: ("Cap calls per customer and day; ask the owners of the unusual days", LOW),
    COST_SPIKE: ("Look into the cost spikes, the dearest first; set a daily budget per customer", MEDIUM),
    RATE_LIMIT_HAMMERING: ("Make clients back off on rate limits instead of calling again at once", HIGH),
    REGION_SWITCH: ("Rotate the keys used from strange regions at night and restrict keys to regions", MEDIUM),
    RETRY_STORM: ("Limit retries and fail over when a provider's region answers with errors", HIGH),
    PROMPT_BLOAT: ("Find out why prompts grew; trim context that was not needed before", MEDIUM),
    MODEL_SWITCH: ("Confirm or undo the switches to dearer models", HIGH)}


class AbuseDetectionAnalyzer(Analyzer):
    """Findings of eight rules, each with scope, days, evidence and severity."""

    id = "abuse_detection"
    title = "Abuse Detection"
    description = "Unusual volume, hammering, leaked keys, retry storms, prompt bloat and silent model switches"
    category = ADVANCED
    rank = 13
    shares = "hours"
    page = described.PAGE
    highlights = described.HIGHLIGHTS

    def examine(self, rollup: Rollup) -> Results:
        """Return `findings` (the most severe first), `by_kind`, and `customers` with the most serious ones."""
        offsets = {one.region: one.utc_offset_hours for one in load_catalog().regions}
        found = (find_loops(rollup) + find_hammering(rollup) + find_storms(rollup)
                 + find_region_switches(rollup, offsets) + find_model_switches(rollup) + find_prompt_bloat(rollup))
        days = max(1, len(rollup.sums("calls", "day")))
        total = rollup.total()
        costs = _daily(rollup, "cost_nano")
        found += find_unusual_volume(_daily(rollup, "calls"), costs, found)
        found += find_cost_spikes(costs, total.cost_nano / days, found)
        rows = [_row(one, total, days) for one in found]
        rows.sort(key=lambda row: (-RANKS.index(row["severity"]), -row["extra_cost"], row["first"], row["kind"]))
        return {
            "headline": _headline(rows, total),
            "summary": {"findings": len(rows), "customers_concerned": len(_customers(rows)),
                        "extra_cost": sum((row["extra_cost"] for row in rows), Decimal(0)),
                        "by_severity": {name: sum(row["severity"] == name for row in rows) for name in RANKS[::-1]}},
            "findings": rows,
            "by_kind": [_kind_row(kind, [row for row in rows if row["kind"] == kind]) for kind in KINDS],
            "customers": _customers(rows),
            "recommendations": _recommendations(found, days, self.settings.month_days)}


def find_cost_spikes(daily: Mapping[Tuple[str, str], Mapping[str, float]], day_nano: float,
                     known: Sequence[Finding] = ()) -> List[Finding]:
    """Return customers' days that cost far more than theirs do; `daily` in nano-dollars by customer and organisation.

    `day_nano` is what the whole log costs a day; what adds less than a small share of it is left alone.
    """
    return [Finding(COST_SPIKE, dict(zip(("customer", "organization"), key)), point.time, point.time, point.score,
                    point.p_value, 0, round(point.value - point.expected),
                    f"{money(usd(round(point.value)))} on one day, {point.value / point.expected:.1f} times this "
                    f"customer's level ({money(usd(round(point.expected)))})")
            for key, point in _discovered(daily, SPIKE_FLOOR * day_nano, known)]


def find_unusual_volume(daily: Mapping[Tuple[str, str], Mapping[str, float]],
                        costs: Mapping[Tuple[str, str], Mapping[str, float]],
                        known: Sequence[Finding] = ()) -> List[Finding]:
    """Return customers' days with far more calls than theirs have, from calls and nano-dollars by customer and day."""
    return [Finding(UNUSUAL_VOLUME, dict(zip(("customer", "organization"), key)), point.time, point.time, point.score,
                    point.p_value, round(point.value - point.expected),
                    _above_usual(point, daily[key], costs[key]),
                    f"{point.value:,.0f} calls on one day, {point.value / point.expected:.1f} times this customer's "
                    f"level ({point.expected:,.1f})")
            for key, point in _discovered(daily, VOLUME_FLOOR, known)]


def _above_usual(point: Point, calls: Mapping[str, float], costs: Mapping[str, float]) -> int:
    """Return by how much a day's cost exceeds what its expected calls would cost on the other days."""
    nano = costs[point.time]
    a_call = (math.fsum(costs.values()) - nano) / (math.fsum(calls.values()) - point.value)
    return max(0, round(nano - a_call * point.expected))


def _daily(rollup: Rollup, measure: str) -> Dict[Tuple[str, str], Dict[str, float]]:
    daily: Dict[Tuple[str, str], Dict[str, float]] = {}
    for (day, customer, organization), number in rollup.sums(measure, "day", "customer", "organization").items():
        daily.setdefault((customer, organization), {})[day] = float(number)
    return {customer: daily[customer] for customer in sorted(daily)}


def _discovered(series: Mapping[Tuple[str, str], Mapping[str, float]],
                least_extra: float, known: Sequence[Finding]) -> List[Tuple[Tuple[str, str], Point]]:
    """Return the days that stand out of a customer's own past and of its organisation's day."""
    scored = [(key, one) for key, one in ((key, robust_days(days)) for key, days in series.items()) if one]
    together: Dict[Tuple[str, str], List[float]] = {}
    for (_, organization), one in scored:
        for day, rest in zip(one.times, one.rests):
            together.setdefault((organization, day), []).append(rest)
    shared = {key: max(0.0, median(rests)) for key, rests in together.items() if len(rests) > LEAST_PEERS}
    own = [(key, one._replace(rests=[rest - shared.get((key[1], day), 0.0)
                                     for day, rest in zip(one.times, one.rests)])) for key, one in scored]
    high, tests = standing_out(own, least_extra)
    # Before the rate is controlled: what is explained already would make room for weaker ones.
    spans = _spans(known)
    high = [(key, point) for key, point in high if not _is_inside(spans, key[0], point.time, point.time)]
    return discoveries(high, [point.p_value for _, point in high], tests)


def _spans(known: Sequence[Finding]) -> Dict[str, List[Tuple[int, int]]]:
    spans: Dict[str, List[Tuple[int, int]]] = {}
    for one in known:
        spans.setdefault(one.scope.get("customer", ""), []).append((ordinal(one.first), ordinal(one.last)))
    return spans


def _is_inside(spans: Mapping[str, Sequence[Tuple[int, int]]], customer: str, first: str, last: str) -> bool:
    return any(begin <= ordinal(last) and ordinal(first) <= end for begin, end in spans.get(customer, ()))


def _headline(rows: Sequence[Results], total: Measures) -> str:
    """Return how much was found, how serious it is, what it cost, and what to look at first."""
    if not rows:
        return f"Nothing unusual stands out in {numbered(total.calls, 'call')}." if total.calls else NO_CALLS
    levels = [row["severity"] for row in rows]
    serious = " and ".join(f"{levels.count(level)} {level}" for level in SERIOUS if level in levels)
    cost = sum((row["extra_cost"] for row in rows), Decimal(0))
    dollars = f", about {money(cost)} more than usual" if cost > 0 else ""
    worst = rows[0]
    first = f"{worst['kind'].replace('_', ' ')} of {worst['customer'] or worst['subject']} on {worst['first'][:10]}"
    return f"{numbered(len(rows), 'finding')}{f' ({serious})' if serious else ''}{dollars}; look first at {first}."


def _row(one: Finding, total: Measures, days: int) -> Results:
    share = max(_share(one.cost_nano, total.cost_nano, days), _share(one.calls, total.calls, days))
    level = severity(share)
    if one.kind in ALWAYS_HIGH and RANKS.index(level) < RANKS.index("high"):
        level = "high"
    return {"kind": one.kind, "severity": level, "scope": dict(one.scope), "subject": " ".join(one.scope.values()),
            "customer": one.scope.get("customer"), "first": one.first, "last": one.last,
            "extra_calls": one.calls, "extra_cost": usd(one.cost_nano), "score": round(one.score, 3),
            "p_value": one.p_value, "evidence": one.evidence}


def _share(part: int, whole: int, days: int) -> float:
    """Return what part of a mean day of the whole log this is."""
    return part * days / whole if whole else 0.0


def _kind_row(kind: str, rows: Sequence[Results]) -> Results:
    return {"kind": kind, "findings": len(rows), "extra_calls": sum(row["extra_calls"] for row in rows),
            "extra_cost": sum((row["extra_cost"] for row in rows), Decimal(0)), "action": ACTIONS[kind][0]}


def _customers(rows: Sequence[Results]) -> List[Results]:
    """Return the customers with findings, those with the most severe first."""
    found: Dict[str, Dict[str, Any]] = {}
    for row in rows:
        name = row["scope"].get("customer")
        if name is not None:
            one = found.setdefault(name, {"customer": name, "organization": row["scope"]["organization"],
                                          "severity": row["severity"], "findings": 0, "kinds": [],
                                          "extra_cost": Decimal(0)})
            one["findings"] += 1
            one["extra_cost"] += row["extra_cost"]
            if row["kind"] not in one["kinds"]:
                one["kinds"].append(row["kind"])
    return sorted(found.values(), key=lambda one: (-RANKS.index(one["severity"]), -one["extra_cost"], one["customer"]))


def _recommendations(found: Sequence[Finding], days: int, month_days: float) -> List[Recommendation]:
    """Return one recommendation a kind; no day of a customer is counted by volume or spike and another rule."""
    made = []
    for kind in KINDS:
        ones = [one for one in found if one.kind == kind]
        if ones:
            action, confidence = ACTIONS[kind]
            nano = sum(one.cost_nano for one in ones)
            worst = max(ones, key=lambda one: (one.cost_nano, one.calls))
            made.append(Recommendation(
                action, monthly(nano, days, month_days) if nano else None,
                f"{numbered(len(ones), 'finding')} in {numbered(days, 'day')}, together {money(usd(nano))}; "
                f"the largest: {' '.join(worst.scope.values())} {worst.first}: {worst.evidence}", confidence))
    return made
