"""Loops: one request that is made again and again, told by prompts that hardly differ in length.

The number of calls tells little, since ordinary ten minutes of a customer differ by factors. But different requests
have prompts of different lengths; a loop has the same one, or one that grows a little from call to call.
"""
from __future__ import annotations

import math
from collections import Counter
from itertools import compress, repeat
from operator import floordiv
from typing import Dict, Iterable, List, NamedTuple, Sequence, Tuple

from analyzers.common import median
from rollup.cubes import GRAINS, INPUT_SQUARES
from rollup.queries import Coded
from rollup.rollup import Rollup

EVIDENCE = 30.0  # minus the logarithm of the chance that ten minutes' prompts differ so little by themselves
LEAST_SLOT = 8  # calls in ten minutes, before it is asked how much their prompts differ
LEAST_LOOP = 12  # calls of a loop, above what is usual: fewer are not worth a look
LEAST_DAYS = 5  # with such ten minutes, of a customer's feature or of a feature, before their spread is taken for usual
LONGEST_PAUSE = 3  # in ten minutes: a loop that stands still for less is one loop
LEAST_RATIO = 1e-9  # of variances: prompts of equal length have none

Caller = Tuple[str, ...]  # customer, organization, feature


class Loop(NamedTuple):
    """A loop: its first and last ten minutes (counted from 1970), and how prompts differ, as a share of their mean.

    `expected` are the calls that are usual in so many ten minutes; `calls` and `cost_nano` are all there were.
    """

    caller: Caller
    first: int
    last: int
    calls: int
    expected: float
    cost_nano: int
    spread: float
    usual: float
    evidence: float

    @property
    def extra(self) -> float:
        """Return the calls above what is usual."""
        return max(0.0, self.calls - self.expected)

    @property
    def extra_nano(self) -> int:
        """Return their nano-dollars."""
        return round(self.cost_nano * self.extra / self.calls)


class _Slot(NamedTuple):
    """Ten minutes of a caller, with the variance of its prompts."""

    time: int
    calls: int
    nano: int
    variance: float


def loops_of(rollup: Rollup) -> List[Loop]:
    """Return the loops of all customers by caller and time, found once for all that ask the same rollup."""
    found: List[Loop] = rollup.remember("loops", _found)
    return found


def _found(rollup: Rollup) -> List[Loop]:
    cells = rollup.coded(("calls", "input_tokens", INPUT_SQUARES, "cost_nano"), "ten_minutes", "customer",
                         "organization", "feature")
    busy = list(map(LEAST_SLOT.__le__, cells.measures[0]))
    callers, times, *measures = [list(compress(one, busy)) for one in (cells.callers, cells.times, *cells.measures)]
    variances = list(map(_variance, *measures[:3]))
    usual = _usual_variances(cells, callers, times, variances)
    steady: Dict[int, List[Tuple[_Slot, float]]] = {}
    for caller, time, calls, variance, nano in zip(callers, times, measures[0], variances, measures[3]):
        if variance < usual[caller]:
            evidence = _evidence(calls, variance / usual[caller])
            if evidence > EVIDENCE:
                steady.setdefault(caller, []).append((_Slot(time, calls, nano, variance), evidence))
    loops: List[Loop] = []
    for number in sorted(steady):
        ordinary = median([calls for caller, calls in zip(cells.callers, cells.measures[0]) if caller == number])
        loops += [_loop(cells.caller_texts[number], run, ordinary, usual[number]) for run in _runs(steady[number])]
    return [one for one in loops if one.extra >= LEAST_LOOP]


def _variance(calls: int, tokens: int, squares: int) -> float:
    """Return the variance of prompts' tokens against their squared mean; infinite where there are no tokens."""
    square = tokens * tokens
    return max(0, calls * squares - square) * calls / (square * (calls - 1)) if square else math.inf


def _usual_variances(cells: Coded, callers: Sequence[int], times: Sequence[int],
                     variances: Sequence[float]) -> Dict[int, float]:
    """Return each caller's median variance, or its feature's where too little of its own is known."""
    own: Dict[int, List[float]] = {number: [] for number in set(callers)}
    for caller, variance in zip(callers, variances):
        own[caller].append(variance)
    # Days count, not ten minutes: a loop of an hour must not be what is usual.
    days = Counter(caller for caller, _ in set(zip(callers, map(floordiv, times, repeat(GRAINS["day"])))))
    features: Dict[str, List[int]] = {}
    for number in own:
        features.setdefault(cells.caller_texts[number][2], []).append(number)
    usual = {feature: median([one for number in numbers for one in own[number]])
             if sum(days[number] for number in numbers) >= LEAST_DAYS else _variance_of_all(cells, feature)
             for feature, numbers in features.items()}
    return {number: median(found) if days[number] >= LEAST_DAYS else usual[cells.caller_texts[number][2]]
            for number, found in own.items()}


def _variance_of_all(cells: Coded, feature: str) -> float:
    """Return the variance of all of a feature's prompts together."""
    inside = [texts[2] == feature for texts in cells.caller_texts]
    flags = list(map(inside.__getitem__, cells.callers))
    return _variance(*(sum(compress(one, flags)) for one in cells.measures[:3]))


def _evidence(calls: int, ratio: float) -> float:
    """Return minus the logarithm of Chernoff's bound on the chance that variance is so small a part of the usual."""
    return (calls - 1) / 2 * (ratio - 1 - math.log(max(LEAST_RATIO, ratio)))


def _runs(steady: Iterable[Tuple[_Slot, float]]) -> List[List[Tuple[_Slot, float]]]:
    """Return the steady ten minutes by time, those without a long pause between them together."""
    runs: List[List[Tuple[_Slot, float]]] = []
    for one in sorted(steady):
        if runs and one[0].time - runs[-1][-1][0].time <= LONGEST_PAUSE:
            runs[-1].append(one)
        else:
            runs.append([one])
    return runs


def _loop(caller: Caller, run: Sequence[Tuple[_Slot, float]], ordinary: float, usual: float) -> Loop:
    slots = [slot for slot, _ in run]
    calls = sum(one.calls for one in slots)
    spread = math.fsum(one.calls * math.sqrt(one.variance) for one in slots) / calls
    return Loop(caller, slots[0].time, slots[-1].time, calls, ordinary * len(slots), sum(one.nano for one in slots),
                spread, math.sqrt(usual), math.fsum(evidence for _, evidence in run))
