"""Anomalies of series of days and hours: two rules, false-discovery control, and what explains a finding.

The seeds' rule is `mean_plus_3_sigma`. The robust one works on logarithms, since what customers call swings by
factors: a scope's level is the median of the days before, shrunk towards its overall median where there are few;
weekday and hour have their own factors; the spread is the larger of MAD and upper quantile, shrunk likewise.
"""
from __future__ import annotations

import math
from bisect import bisect_left, insort
from functools import lru_cache
from operator import sub
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, TypeVar

from analyzers.common import deviation, mean, median, quantile, robust_sigma, weekday

LOOK_BACK = 28  # active days before a day that its level is learnt from: four of each weekday
LEAST_HISTORY = 8  # active days, or hours, of a scope below which nothing is said about it
LEVEL_PRIOR, SEASON_PRIOR, SPREAD_PRIOR = 7.0, 8.0, 15.0  # observations that the wider estimate counts for
# Share and normal quantile of the upper side that shows the spread, the wider side in real traffic. Of hours there
# are enough to look further out; of days not, lest a week of trouble passes for normal.
UPPER_OF_DAYS, UPPER_OF_HOURS = (0.9, 1.282), (0.98, 2.054)
LEAST_SCORE = 2.0  # below, a point is not even a candidate
LEAST_SPREAD = 0.1  # of logarithms: a scope that never moves is not alarmed by every tenth more
FALSE_DISCOVERIES = 0.05  # share of findings that may be chance (Benjamini-Hochberg over all keys)
CALIBRATION_SHARE, CALIBRATION_SIGMAS = 0.99, 2.326  # of a normal distribution
LEAST_POOL = 1000  # scores that an empirical null is learnt from: ten of them lie in the upper hundredth
WEEKEND = 5  # weekday numbers from here on
# Least share of what the whole log has on a mean day, in cost or calls.
SEVERITIES = ((0.25, "critical"), (0.05, "high"), (0.01, "medium"), (0.0, "low"))

Item = TypeVar("Item")


class Point(NamedTuple):
    """A day or hour that stands out of its series; `p_value` is one-sided, upwards."""

    time: str
    value: float
    expected: float
    score: float
    p_value: float


class Rests(NamedTuple):
    """A scope's active days or hours: what each has, its logarithm above what was expected, and the usual swing."""

    times: Sequence[str]
    values: Sequence[float]
    rests: Sequence[float]
    spread: float


def upper_tail(score: float) -> float:
    """Return the chance that a standard normal value is at least so high."""
    return 0.5 * math.erfc(score / math.sqrt(2))


def binomial_tail(hits: int, trials: int, rate: float) -> float:
    """Return the chance of at least so many hits; exact, summed from the largest term down."""
    if hits <= 0:
        return 1.0
    if rate <= 0.0 or rate >= 1.0:
        return float(rate >= 1.0)
    term = math.exp(math.lgamma(trials + 1) - math.lgamma(hits + 1) - math.lgamma(trials - hits + 1)
                    + hits * math.log(rate) + (trials - hits) * math.log1p(-rate))
    tail, odds = 0.0, rate / (1 - rate)
    for count in range(hits, trials + 1):
        tail += term
        if count > trials * rate and term < tail * 1e-12:
            break
        term *= (trials - count) / (count + 1) * odds
    return min(1.0, tail)


def discoveries(items: Sequence[Item], p_values: Sequence[float], tests: int,
                rate: float = FALSE_DISCOVERIES) -> List[Item]:
    """Return the items that Benjamini-Hochberg accepts of so many tests, the least likely first.

    `tests` may exceed the items: those left out are taken to have p-values that are never accepted.
    """
    order = sorted(range(len(items)), key=lambda index: p_values[index])
    accepted = 0
    for rank, index in enumerate(order, 1):
        if p_values[index] <= rate * rank / max(1, tests):
            accepted = rank
    return [items[index] for index in order[:accepted]]


def mean_plus_3_sigma(series: Mapping[str, float]) -> List[Point]:
    """Return the points above the mean by three standard deviations: the plain rule, kept for comparison."""
    values = list(series.values())
    middle = mean(values)
    spread = deviation(values, middle)
    if not spread:
        return []
    limit = middle + 3 * spread
    return [Point(time, value, middle, (value - middle) / spread, upper_tail((value - middle) / spread))
            for time, value in series.items() if value > limit]


def robust_days(series: Mapping[str, float], looks_ahead: bool = False) -> Optional[Rests]:
    """Compare every active day (a value above 0) of a scope with the days before it; None with too few of them.

    With `looks_ahead` it is compared with the higher one of the levels before and after it, so that the first days of a
    new level do not stand out, nor widen what is usual.
    """
    days = sorted(day for day, value in series.items() if value > 0)
    if len(days) < LEAST_HISTORY:
        return None
    logs = [math.log(series[day]) for day in days]
    weekend = [weekday(day) >= WEEKEND for day in days]
    season = _weekend_factor(logs, weekend)
    flat = [log - season * free for log, free in zip(logs, weekend)]
    levels = _levels(flat, median(flat))
    if looks_ahead:
        levels = list(map(max, levels, reversed(_levels(flat[::-1], median(flat)))))
    rests = [log - level for log, level in zip(flat, levels)]
    return Rests(days, [series[day] for day in days], rests, _spread(rests, *UPPER_OF_DAYS))


def robust_hours(series: Mapping[str, float]) -> Optional[Rests]:
    """Compare every active hour of a scope with the same hours of its week; None with too few of them."""
    hours = [hour for hour, value in series.items() if value > 0]
    if len(hours) < LEAST_HISTORY:
        return None
    values = list(map(series.__getitem__, hours))
    logs, keys = list(map(math.log, values)), list(map(_hour_class, hours))
    classes: Dict[Tuple[bool, str], List[float]] = {key: [] for key in set(keys)}
    for found, log in zip(map(classes.__getitem__, keys), logs):
        found.append(log)
    overall = median(logs)
    levels = {key: _shrunk(median(found), len(found), overall, SEASON_PRIOR) for key, found in classes.items()}
    rests = list(map(sub, logs, map(levels.__getitem__, keys)))
    return Rests(hours, values, rests, _spread(rests, *UPPER_OF_HOURS))


@lru_cache(maxsize=None)
def _hour_class(hour: str) -> Tuple[bool, str]:
    return weekday(hour[:10]) >= WEEKEND, hour[11:]


def _shrunk(estimate: float, count: int, wider: float, prior: float) -> float:
    return (estimate * count + wider * prior) / (count + prior)


def _weekend_factor(logs: Sequence[float], weekend: Sequence[bool]) -> float:
    """Return how much higher the logarithm is on weekends, shrunk towards none."""
    free = [log for log, is_free in zip(logs, weekend) if is_free]
    working = [log for log, is_free in zip(logs, weekend) if not is_free]
    if not free or not working:
        return 0.0
    return _shrunk(median(free) - median(working), min(len(free), len(working)), 0.0, SEASON_PRIOR)


def _levels(flat: Sequence[float], overall: float) -> List[float]:
    """Return the level before each value: the running median, shrunk towards the overall one."""
    window: List[float] = []
    levels = []
    for index, value in enumerate(flat):
        count = len(window)
        middle = (window[count // 2] + window[(count - 1) // 2]) / 2 if window else overall
        levels.append(_shrunk(middle, count, overall, LEVEL_PRIOR))
        insort(window, value)
        if index >= LOOK_BACK:
            window.pop(bisect_left(window, flat[index - LOOK_BACK]))
    return levels


def _spread(rests: Sequence[float], share: float, sigmas: float) -> float:
    """Return the spread of a scope's own swings: the larger of MAD and the upper side's."""
    rests = sorted(rests)  # once, since what is sorted is sorted again in no time
    upper = (quantile(rests, share) - median(rests)) / sigmas
    return max(robust_sigma(rests), upper, LEAST_SPREAD)


def severity(share: float) -> str:
    """Return how serious something is that comes to so many mean days of the whole log."""
    return next(name for least, name in SEVERITIES if share >= least)


def standing_out(scopes: Sequence[Tuple[Item, Rests]], least_extra: float) -> Tuple[List[Tuple[Item, Point]], int]:
    """Return the points of many like scopes that lie above expectation by at least so much, and how many there were.

    Each spread is shrunk towards the typical scope's, and all scores are divided by their `calibration`.
    """
    typical = median([one.spread for _, one in scopes]) ** 2
    scores = [_scores(one, typical) for _, one in scopes]
    scale = calibration([score for found in scores for score in found])
    high = []
    for (item, one), found in zip(scopes, scores):
        for place, score in enumerate(found):
            if score > LEAST_SCORE * scale:
                value, expected = one.values[place], one.values[place] / math.exp(one.rests[place])
                if value - expected >= least_extra:
                    high.append((item, Point(one.times[place], value, expected, score / scale,
                                             upper_tail(score / scale))))
    return high, sum(map(len, scores))


def far_above(one: Rests, least_extra: float) -> List[Point]:
    """Return the points of a scope by at least so much above expectation; scores count its own usual swings."""
    found = []
    for time, value, rest in zip(one.times, one.values, one.rests):
        # Most are too small altogether, which is told without an exponential.
        if value >= least_extra and value - value / math.exp(rest) >= least_extra:
            score = rest / one.spread
            found.append(Point(time, value, value / math.exp(rest), score, upper_tail(score)))
    return found


def _scores(one: Rests, typical: float) -> List[float]:
    spread = math.sqrt(_shrunk(one.spread ** 2, len(one.rests), typical, SPREAD_PRIOR))
    return [rest / spread for rest in one.rests]


def calibration(scores: Sequence[float]) -> float:
    """Return what to divide scores by so that their upper hundredth lies where a normal distribution has it.

    Most days of most scopes are ordinary, so the log itself tells how wide ordinary is (an empirical null); never
    below half, so that a log that hardly moves does not alarm about nothing.
    """
    if len(scores) < LEAST_POOL:
        return 1.0
    return max(0.5, quantile(scores, CALIBRATION_SHARE) / CALIBRATION_SIGMAS)
