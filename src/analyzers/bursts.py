"""Runs of one feature that neither the customer's habits nor a busy day explain: loops, scrapers, stuck retries.

Volume alone tells little, since ordinary days differ by factors. What tells is that a few hours hold it: on a busy
day every hour has more. So each window of a few hours is weighed as a likelihood ratio: how well the day's hours
fit if the window also held a runaway, against how well they fit without one at the best of all day levels.
"""
from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from analyzers.common import median, quantile
from analyzers.hours import CLOCK, WEEK, Caller, Hours, hour_class

EVIDENCE = 9.0  # logarithm of the ratio: outweighs odds of one in eight thousand windows
LEAST_DAYS = 8  # active days of a customer's feature, before its habits are taken for known
LEAST_CALLS = 20  # above what was expected: fewer are no run that anybody would look into
WINDOWS = (3, 8)  # hours
RUNAWAY = math.log(10)  # an hour of a runaway has about ten times the calls of an ordinary one, or more
RUNAWAY_HOURS = (0.7, 2.0, 6.0)  # how many such hours a window may be expected to hold
# How much busier than usual a day may be as a whole (a logarithm), and how often it is: log-normal, wide upwards.
DAY_LEVELS = ((-1.0, 0.15), (0.0, 0.4), (0.7, 0.25), (1.4, 0.12), (2.1, 0.05), (2.8, 0.02), (3.5, 0.01))
LARGE = 1.0  # of logarithms above the level: smaller hours are no part of a run, and begin none
LEVEL_PRIOR = 20.0  # hours that the feature's own distribution counts for in a customer's
LEAST_SPREAD, RUNAWAY_SPREAD = 0.7, 1.0  # of logarithms of calls an hour
UPPER = ((0.9, 1.282), (0.98, 2.054))  # quantiles that show the upper spread, and where a normal one has them
EVEN = 0.15  # of a customer's calls, spread evenly over the clock: nobody's night is quite silent
PEERS_PRIOR = 5.0  # calls of an organisation's other customers that count as usual
_LARGEST = 600.0  # of exponents
_ROUNDING = 1e-6  # more than a sum of logarithms can be off
_EACH = math.log(len(RUNAWAY_HOURS))


class Burst(NamedTuple):
    """A window with far more calls than its day explains: hours from the year 1, calls, and the log ratio."""

    caller: Caller
    first: int
    last: int
    calls: int
    expected: float
    evidence: float


class _Habit(NamedTuple):
    """How a customer uses a feature: calls of an active hour (logarithm, spread), and how likely hours are active.

    `rates` of the hours of a week, by their remainder.
    """

    level: float
    spread: float
    rates: Sequence[float]


def find_bursts(callers: Mapping[Caller, Hours]) -> List[Burst]:
    """Return the windows whose evidence suffices, the strongest of those that overlap, by caller and time."""
    levels = _feature_levels(callers)
    peers = _Peers(callers)
    found: List[Burst] = []
    for caller, hours in sorted(callers.items()):
        level, spread = levels[caller[2]]
        largest = max(hours.values())
        # Most callers never have an hour that could begin a run.
        if len(hours) < LEAST_DAYS or largest < max(LEAST_CALLS / WINDOWS[-1], math.exp(level) * 2):
            continue
        habit = _habit(hours, level, spread)
        if habit is not None:
            found += _strongest(_windows(caller, hours, habit, peers))
    return found


def _feature_levels(callers: Mapping[Caller, Hours]) -> Dict[str, Tuple[float, float]]:
    """Return by feature the median and the upper spread of the logarithm of calls in an active hour."""
    logs: Dict[str, List[int]] = {}
    for caller, hours in callers.items():
        logs.setdefault(caller[2], []).extend(hours.values())
    result = {}
    for feature, values in logs.items():
        values.sort()
        middle = math.log(median(values))
        upper = [(math.log(quantile(values, share)) - middle) / sigmas for share, sigmas in UPPER]
        result[feature] = (middle, max(LEAST_SPREAD, *upper))
    return result


def _habit(hours: Hours, level: float, spread: float) -> Optional[_Habit]:
    """Return a caller's habit, or None where it is too little known."""
    days = {hour // CLOCK for hour in hours}
    if len(days) < LEAST_DAYS:
        return None
    own = math.log(median(list(hours.values())))
    level = (level * LEVEL_PRIOR + own * len(hours)) / (LEVEL_PRIOR + len(hours))
    counts = [0] * (2 * CLOCK)
    for hour, number in Counter([hour % WEEK for hour in hours]).items():
        counts[hour_class(hour)] += number
    span = max(days) - min(days) + 1
    active = len(days) / span
    rates: List[float] = []
    for begin, share in ((0, 5 / 7), (CLOCK, 2 / 7)):
        clock = counts[begin:begin + CLOCK]
        even = EVEN * (sum(clock) + 0.5) / CLOCK
        looks = (span * share + 0.5) * active * (1 + EVEN)
        rates += [((2 * clock[at] + clock[at - 1] + clock[(at + 1) % CLOCK]) / 4 + even) / looks for at in range(CLOCK)]
    return _Habit(level, spread, [rates[hour_class(hour)] for hour in range(WEEK)])


class _Peers:
    """What an organisation's customers do together: how much busier than usual a stretch of hours was."""

    def __init__(self, callers: Mapping[Caller, Hours]) -> None:
        self._calls: Dict[str, Hours] = {}
        for caller, hours in callers.items():
            sums = self._calls.setdefault(caller[1], {})
            for hour, calls in hours.items():
                sums[hour] = sums.get(hour, 0) + calls
        every = [hour for hours in callers.values() for hour in (min(hours), max(hours))]
        self._weeks = (max(every) - min(every) + 1) / (7 * CLOCK) if every else 1.0
        self._usual: Dict[str, List[float]] = {}

    def busier(self, organization: str, own: Hours, window: Sequence[int]) -> float:
        """Return the others' calls in a window against those in the same hours of a usual week, at least 1."""
        calls = self._calls[organization]
        usual = self._usual.get(organization)
        if usual is None:
            by_class = [0.0] * (2 * CLOCK)
            for hour, number in sorted(calls.items()):
                place = hour_class(hour)
                by_class[place] += number / (self._weeks * (2 if place >= CLOCK else 5))
            usual = self._usual[organization] = [by_class[hour_class(hour)] for hour in range(WEEK)]
        came = sum([calls.get(hour, 0) - own.get(hour, 0) for hour in window])
        expected = math.fsum([usual[hour % WEEK] for hour in window])
        return max(1.0, (came + PEERS_PRIOR) / (expected + PEERS_PRIOR))


def _windows(caller: Caller, hours: Hours, habit: _Habit, peers: _Peers) -> List[Burst]:
    """Return the windows of a caller whose evidence suffices; each begins with a large hour."""
    least = math.exp(habit.level + LARGE)
    large = sorted([hour for hour, calls in hours.items() if calls >= least])
    calm = DAY_LEVELS[0][0]
    ratios = _ratios([(math.log(hours[hour]), math.log(habit.rates[hour % WEEK])) for hour in large], habit, calm)
    order: List[int] = []
    found = []
    for at, start in enumerate(large):
        for length in WINDOWS:
            end = bisect_left(large, start + length, at)
            # On the calmest of days the evidence is at its highest; few windows pass even that.
            if not _may_pass(ratios[at:end], length) or max(_with_runaway(ratios[at:end], length)) < EVIDENCE:
                continue
            order = order or sorted(hours)
            window = range(start, start + length)
            busier = peers.busier(caller[1], hours, window)
            evidence = _evidence(hours, order, large[at:end], start, length, habit, busier)
            calls = sum([hours.get(hour, 0) for hour in window])
            usual = busier * math.exp(habit.level) * math.fsum([habit.rates[hour % WEEK] for hour in window])
            if evidence >= EVIDENCE and calls - usual >= LEAST_CALLS:
                found.append(Burst(caller, start, large[end - 1], calls, usual, evidence))
    return found


def _ratios(hours: Sequence[Tuple[float, float]], habit: _Habit, day: float) -> List[float]:
    """Return how much likelier hours' calls are in a runaway than in ordinary use on a day of this level.

    `hours` are the logarithms of calls and of active hours an hour. More calls than a runaway has speak no less for
    one.
    """
    level, ordinary, spread = habit.level, habit.spread, max(RUNAWAY_SPREAD, habit.spread)
    found = []
    for log_calls, log_rate in hours:
        log_rate += day
        short = min(0.0, log_calls - level - RUNAWAY) / spread
        rest = (log_calls - level - max(0.0, log_rate)) / ordinary
        found.append(math.exp(min(30.0, (rest * rest - short * short) / 2) - log_rate) * ordinary / spread)
    return found


def _may_pass(ratios: Sequence[float], length: int) -> bool:
    """Tell whether some number of runaway hours may give a window enough evidence: one look instead of all."""
    most = RUNAWAY_HOURS[-1] / length
    return sum([math.log1p(most * ratio) for ratio in ratios]) > EVIDENCE + RUNAWAY_HOURS[0] - _ROUNDING


def _with_runaway(ratios: Sequence[float], length: int) -> List[float]:
    """Return the log ratio of a window for each number of runaway hours that it may hold."""
    return [math.fsum([math.log1p(number / length * ratio) for ratio in ratios]) - number for number in RUNAWAY_HOURS]


def _evidence(hours: Hours, order: Sequence[int], inside: Sequence[int], start: int, length: int, habit: _Habit,
              busier: float) -> float:
    """Return the log likelihood ratio of a window, over all levels that the day around it may have had."""
    begin = start - (CLOCK - length) // 2
    around = order[bisect_left(order, begin):bisect_right(order, begin + CLOCK - 1)]
    clock = [habit.rates[hour % WEEK] * busier for hour in range(begin, begin + CLOCK)]
    usual = math.fsum(clock)
    seen = {hour: (math.log(hours[hour]), math.log(clock[hour - begin])) for hour in around}
    runaway = [seen[hour] for hour in inside]
    # Twice what an hour's calls are above the habit, and how many such hours are usual: all that a level changes.
    excess = [(2 * (log_calls - habit.level), log_rate) for log_calls, log_rate in seen.values()]
    scale = 2 * habit.spread ** 2
    plain, loaded = [], []
    for level, weight in DAY_LEVELS:
        fit = math.log(weight) - usual * math.exp(level) + len(around) * level
        for twice, log_rate in excess:
            more = log_rate + level
            if more > 0:
                fit += more * (twice - more) / scale
        plain.append(fit)
        loaded += [fit + gain - _EACH for gain in _with_runaway(_ratios(runaway, habit, level), length)]
    return _log_sum(loaded) - _log_sum(plain)


def _log_sum(logs: Sequence[float]) -> float:
    top = max(logs)
    return top + math.log(math.fsum([math.exp(max(-_LARGEST, one - top)) for one in logs]))


def _strongest(windows: Sequence[Burst]) -> List[Burst]:
    """Return the windows that overlap no stronger one, by time."""
    kept: List[Burst] = []
    for one in sorted(windows, key=lambda each: (-each.evidence, each.first, each.last)):
        if all(one.last < other.first - 1 or other.last + 1 < one.first for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda each: each.first)
