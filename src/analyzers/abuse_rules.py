"""Rules for patterns of misuse and failure, each on the counts that show it: what fires is a `Finding`.

No rule looks at dollars first: a leaked key is one whatever it cost. Each compares with the scope's own past, and
with the population's where that is needed to know what is rare.
"""
from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from datetime import date
from itertools import accumulate
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from analyzers.common import median, quantile, robust_sigma
from analyzers.wording import numbered
from calls.record import SUCCESS
from rollup.rollup import Rollup

GRAIN = ("day", "customer", "organization", "feature", "provider", "model", "region", "environment", "status")
(RUNAWAY_LOOP, UNUSUAL_VOLUME, COST_SPIKE, RATE_LIMIT_HAMMERING, REGION_SWITCH, RETRY_STORM, PROMPT_BLOAT,
 MODEL_SWITCH) = KINDS = (
    "runaway_loop", "unusual_volume", "cost_spike", "rate_limit_hammering", "region_switch", "retry_storm",
    "prompt_bloat", "model_switch")

HISTORY_DAYS = 8  # active days of a customer or feature before its habits are taken for known

BLOAT_RATIO = 1.25  # prompt tokens a call against before: less is drift
BLOAT_STEP = 0.2  # of logarithms, subtracted from each day: where a run of longer prompts begins and ends
BLOAT_DAYS, BLOAT_SPAN = 3, 21  # active days of a run at least, calendar days at most
BLOAT_SCORE = 4.2  # standard errors of the run with the highest score in each series
LARGE_DAY = 20  # calls of a day's mean whose own error hardly matters: they show how days differ

SWITCH_SHARE = 0.75  # of calls between the first and the last use of the new model
SWITCH_PRICE = 1.2  # of what a token cost before: a dearer class
SWITCH_DAYS, SWITCH_HISTORY = 2, 5  # active days with the new model, and before it
ROLL_OUT = 3  # customers' features of one organisation that take up the same model: a decision, not an accident


_Caller = Tuple[str, ...]  # customer, organization, feature


class Finding(NamedTuple):
    """What a rule found: scope by dimension, first and last day (or hour) as text, how much and how sure.

    `score` is what the rule ranks by, `p_value` None where the rule has none; `calls` and `cost_nano` are what the
    pattern added, as well as the counts can tell.
    """

    kind: str
    scope: Mapping[str, str]
    first: str
    last: str
    score: float
    p_value: Optional[float]
    calls: int
    cost_nano: int
    evidence: str


def ordinal(time: str) -> int:
    """Return the number of an ISO day, or of the day of an hour."""
    return date(int(time[:4]), int(time[5:7]), int(time[8:10])).toordinal()


def find_model_switches(rollup: Rollup) -> List[Finding]:
    """Return customers' features that moved from one day to the next to a dearer model, and stayed a while."""
    series: Dict[_Caller, Dict[str, Dict[str, Tuple[int, int]]]] = {}
    callers = rollup.by("customer", "organization", "feature", "model")
    models_of = Counter(group.key[:3] for group in callers)
    # Most have one model all the time: only customers' cells who have several are looked at.
    several = {key[0] for key, number in models_of.items() if number > 1}
    dimensions = ("day", "customer", "organization", "feature", "model")
    for key, taken, given, nano in rollup.rows(("input_tokens", "output_tokens", "cost_nano"), *dimensions,
                                               where={"customer": several}):
        if models_of[key[1:4]] > 1:
            models = series.setdefault(key[1:4], {})
            models.setdefault(key[4], {})[key[0]] = (taken + given, nano)
    rates = _rates(rollup)
    found: List[Finding] = []
    takers: Dict[Tuple[str, str], Set[_Caller]] = {}
    for caller, models in sorted(series.items()):
        earliest = min(min(days) for days in models.values())
        for model, days in sorted(models.items()):
            one = _switch(caller, model, days, models, rates)
            if one is not None:
                found.append(one)
            if min(days) > earliest:
                takers.setdefault((caller[1], model), set()).add(caller)
    return [one for one in found if len(takers[one.scope["organization"], one.scope["model"]]) < ROLL_OUT]


def _rates(rollup: Rollup) -> Dict[str, float]:
    """Return nano-dollars a token by model."""
    return {group.key[0]: group.measures.cost_nano / group.measures.tokens
            for group in rollup.by("model") if group.measures.tokens}


def _switch(key: _Caller, model: str, days: Mapping[str, Sequence[int]],
            models: Mapping[str, Mapping[str, Sequence[int]]], rates: Mapping[str, float]) -> Optional[Finding]:
    first, last = min(days), max(days)
    before: Dict[str, int] = {}
    seen: Set[str] = set()
    inside = 0
    for other, others in models.items():
        for day, (tokens, _) in others.items():
            if day < first:
                seen.add(day)
                before[other] = before.get(other, 0) + tokens
            elif day <= last:
                inside += tokens
    tokens, nano = (sum(cell[place] for cell in days.values()) for place in (0, 1))
    if len(seen) < SWITCH_HISTORY or len(days) < SWITCH_DAYS or not tokens or not sum(before.values()):
        return None
    usual = math.fsum(rates[other] * used for other, used in before.items() if used) / sum(before.values())
    dearer = rates[model] / usual if usual else 0.0
    if tokens < SWITCH_SHARE * inside or dearer < SWITCH_PRICE:
        return None
    main = max(sorted(before), key=lambda name: before[name])
    customer, organization, feature = key
    return Finding(
        MODEL_SWITCH, {"customer": customer, "organization": organization, "feature": feature, "model": model}, first,
        last, dearer, None, 0, max(0, nano - round(usual * tokens)),
        f"{feature} went from {main} to {model} at {dearer:.1f} times the cost of a token, on "
        f"{numbered(len(days), 'day')} with {tokens / inside:.0%} of the tokens, while "
        "the rest of the organisation did not")


_Day = Tuple[int, int, float, int]  # ordinal, calls, logarithm of prompt tokens a call, nano-dollars


class _Level(NamedTuple):
    """Prompt tokens a call of a customer's feature: its days by time; the usual logarithm."""

    days: List[_Day]
    usual: float


def find_prompt_bloat(rollup: Rollup) -> List[Finding]:
    """Return runs of days on which a customer's feature sent longer prompts than it does, at equal calls."""
    series: Dict[_Caller, List[_Day]] = {}
    dimensions = ("day", "customer", "organization", "feature")
    ordinals = {day: ordinal(day) for day, in rollup.sums("calls", "day")}
    for key, number, tokens, nano in rollup.rows(("calls", "input_tokens", "cost_nano"), *dimensions,
                                                 where={"status": SUCCESS}):
        if tokens:
            series.setdefault(key[1:], []).append((ordinals[key[0]], number, math.log(tokens / number), nano))
    levels = {caller: _level(days) for caller, days in sorted(series.items()) if len(days) >= HISTORY_DAYS}
    spreads = _spreads(levels)
    found = (_bloat(caller, level, *spreads[caller[2]]) for caller, level in levels.items())
    return [one for one in found if one is not None]


def _level(days: List[_Day]) -> _Level:
    """Return the level of prompts: the median over calls, of which no day counts for more than a large one."""
    days.sort()
    logs = sorted([(day[2], min(day[1], LARGE_DAY)) for day in days])
    marks = list(accumulate([weight for _, weight in logs]))
    return _Level(days, logs[bisect_left(marks, marks[-1] / 2)][0])


def _spreads(levels: Mapping[_Caller, _Level]) -> Dict[str, Tuple[float, float]]:
    """Return by feature the variance of a day's logarithm: what days differ by, and what one call adds."""
    small: Dict[str, List[float]] = {}
    large: Dict[str, List[float]] = {}
    for caller, level in levels.items():
        few, many = small.setdefault(caller[2], []), large.setdefault(caller[2], [])
        for _, calls, log, _ in level.days:
            if calls >= LARGE_DAY:
                many.append(log - level.usual)
            elif calls >= 3:
                few.append((log - level.usual) * math.sqrt(calls))
    result = {}
    for feature in small:
        call = _robust_variance(small[feature]) or 1.0
        between = _robust_variance(large[feature]) - call / (2 * LARGE_DAY)
        result[feature] = (max(0.0, between), call)
    return result


def _robust_variance(values: Sequence[float]) -> float:
    return max(quantile(values, 0.95) / 1.645, robust_sigma(values)) ** 2


def _bloat(key: _Caller, level: _Level, between: float, call: float) -> Optional[Finding]:
    """Return the run with the highest score of a series, found in one pass, if it is high and long enough."""
    best: Tuple[float, Any] = (BLOAT_SCORE, None)
    run, begin, weight, sums = 0.0, 0, 0.0, 0.0
    for index, (day, calls, log, _) in enumerate(level.days):
        rest, variance = log - level.usual, between + call / calls
        if run <= 0 or day - level.days[begin][0] > BLOAT_SPAN:
            run, begin, weight, sums = 0.0, index, 0.0, 0.0
        run += (rest - BLOAT_STEP) / variance
        weight += 1 / variance
        sums += rest / variance
        # The score is sums / sqrt(weight); the rest is asked only where that is the highest yet.
        if (sums > best[0] * math.sqrt(weight) and index - begin + 1 >= BLOAT_DAYS
                and sums / weight >= math.log(BLOAT_RATIO)
                and _typical_rest(level, begin, index) >= math.log(BLOAT_RATIO)):
            best = (sums / math.sqrt(weight), (begin, index, math.exp(sums / weight)))
    if best[1] is None:
        return None
    begin, end, ratio = best[1]
    rows = level.days[begin:end + 1]
    nano = sum(row[3] for row in rows)
    calls = sum(row[1] for row in rows)
    first, last = (date.fromordinal(row[0]).isoformat() for row in (rows[0], rows[-1]))
    return Finding(
        PROMPT_BLOAT, dict(zip(("customer", "organization", "feature"), key)), first, last, best[0], None,
        0, round(nano * (1 - 1 / ratio)),
        f"{ratio:.1f} times the prompt tokens a call ({math.exp(level.usual):,.0f} before) over {calls:,} calls on "
        f"{len(rows)} days")


def _typical_rest(level: _Level, begin: int, end: int) -> float:
    """Return the median day's logarithm above the usual: one day of very long prompts makes no run."""
    return median([row[2] - level.usual for row in level.days[begin:end + 1]])
