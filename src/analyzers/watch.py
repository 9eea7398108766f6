"""Anomalies of cost by day and hour in every scope, ranked by dollars under an alert budget, each with its cause."""
from __future__ import annotations

import math
from itertools import compress, repeat
from operator import add as plus, floordiv, mod, mul
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from analyzers.abuse_rules import GRAIN
from analyzers.anomalies import (
    LOOK_BACK,
    Point,
    Rests,
    discoveries,
    far_above,
    mean_plus_3_sigma,
    robust_days,
    robust_hours,
    severity,
    standing_out,
)
from analyzers.hours import CLOCK, HOURS_TO_1970, day_text, hour_text
from analyzers.loops import loops_of
from calls.record import SUCCESS
from rollup.cells import summed
from rollup.cubes import CALLER, CIRCUMSTANCE, Measures
from rollup.queries import Coded
from rollup.rollup import Rollup

SCOPES = ("whole", "organization", "feature", "provider", "customer")  # wide to narrow
WIDTH = {name: place for place, name in enumerate(SCOPES)}
_DRIVING = ("calls", "failed", "input_tokens", "output_tokens", "cost_nano")
_COST = _DRIVING.index("cost_nano")
_CALLER = tuple(name for name in CALLER if name in GRAIN)
_CIRCUMSTANCE = tuple(name for name in CIRCUMSTANCE if name in GRAIN)
EXPLAINING = ("customer", "organization", "feature", "model", "region", "status")
FLOOR = 0.01  # of what the whole log costs on a mean day: less is not worth a look
ALERTS_A_DAY = 0.5  # the budget: more than one alert every other day is not read
LEAST_ALERTS = 5  # of the budget, in a short log
SAME = 0.6  # of a wider alert's excess: a narrower one of the same day that holds so much is the same thing
LARGE = 0.25  # of what the whole log costs on a mean day: so much above the expected is told, alert or not
MOST_LARGE = 10  # of them
ERROR_RISE = 0.2  # of calls: a failure rate that rose by so much is named as the cause

Scope = Tuple[str, str]  # a kind of `SCOPES` and the value, empty for the whole
Series = Dict[Scope, Dict[str, int]]
Kinds = Dict[str, List[Tuple[Scope, Rests]]]


class Alert(NamedTuple):
    """An abnormal day or hour of a scope; `hours` are the abnormal hours inside an abnormal day."""

    scope: Scope
    point: Point
    hours: Tuple[str, ...] = ()

    @property
    def day(self) -> str:
        """Return the day."""
        return self.point.time[:10]

    @property
    def excess(self) -> int:
        """Return the nano-dollars above what was expected."""
        return round(self.point.value - self.point.expected)


class Watch(NamedTuple):
    """What both rules found: the robust one's alerts by dollars, how many the budget held back, what was tested.

    `large` are the dearest days and hours above the expected that are no alert, since the log often swings so far.
    """

    alerts: List[Alert]
    same: Dict[int, List[Scope]]
    large: List[Alert]
    suppressed: List[Alert]
    tested: Dict[str, int]
    plain: List[Tuple[str, Scope, Point]]


def watch(rollup: Rollup) -> Watch:
    """Look at every day and hour of every scope."""
    daily, hourly = _series(rollup, "day", _day_text), _series(rollup, "hour", _hour_text)
    days = max(1, len(daily.get(("whole", ""), {})))
    mean_day = rollup.total().cost_nano / days
    floor = FLOOR * mean_day
    by_day = _compared(daily, robust_days)
    by_hour = _compared({scope: values for scope, values in hourly.items() if scope[0] != "customer"}, robust_hours)
    alerts, same = _merged(_with_hours(_unlikely(by_day, floor), _unlikely(by_hour, floor) + _loops(rollup, floor)))
    large = _large(by_day, by_hour, LARGE * mean_day, alerts)
    budget = max(LEAST_ALERTS, round(ALERTS_A_DAY * days))
    plain = [(grain, scope, point) for grain, series in (("day", daily), ("hour", hourly))
             for scope, values in series.items() for point in mean_plus_3_sigma(values)]
    plain.sort(key=lambda item: (item[2].expected - item[2].value, item[0], item[1], item[2].time))
    tested = {"days": sum(map(len, daily.values())), "hours": sum(map(len, hourly.values()))}
    return Watch(alerts[:budget], same, large, alerts[budget:], tested, plain)


def _series(rollup: Rollup, time: str, text: Callable[[int], str]) -> Series:
    """Return each scope's cost by day or hour, the scopes sorted; `text` names a time counted from 1970."""
    series: Series = {}
    # Some scopes at a time are made of the sums of what they share, which are far fewer than cells.
    for kinds in (("customer", "organization"), ("feature", "provider", "whole")):
        cells = rollup.coded(("cost_nano",), time, *kinds[:2])
        span = max(cells.times, default=0) + 1
        sums = summed(map(plus, map(mul, cells.callers, repeat(span)), cells.times), cells.measures[0])
        callers = list(map(floordiv, sums, repeat(span)))
        names = {number: text(number) for number in set(cells.times)}
        times = list(map(names.__getitem__, map(mod, sums, repeat(span))))
        for place, kind in enumerate(kinds):
            scopes: Dict[str, Dict[str, int]] = {}
            found = [scopes.setdefault(texts[place] if kind != "whole" else "", {}) for texts in cells.caller_texts]
            for scope, when, nano in zip(map(found.__getitem__, callers), times, sums.values()):
                scope[when] = scope.get(when, 0) + nano
            series.update(((kind, value), one) for value, one in scopes.items() if one)
    return {scope: series[scope] for scope in sorted(series)}


def _day_text(day: int) -> str:
    return day_text(day + HOURS_TO_1970 // CLOCK)


def _hour_text(hour: int) -> str:
    return hour_text(hour + HOURS_TO_1970)


def _loops(rollup: Rollup, floor: float) -> List[Alert]:
    """Return the loops of customers that cost enough; their hours by themselves say little."""
    found = []
    for one in loops_of(rollup):
        if one.extra_nano >= floor:
            hours = tuple(map(_hour_text, range(one.first // 6, one.last // 6 + 1)))
            point = Point(hours[0], one.cost_nano, one.cost_nano - one.extra_nano, one.evidence,
                          math.exp(-one.evidence))
            found.append(Alert(("customer", one.caller[0]), point, hours))
    return found


def _compared(series: Series, rule: Callable[[Mapping[str, float]], Optional[Rests]]) -> Kinds:
    """Return each kind's scopes with what they have above what was expected."""
    kinds: Kinds = {}
    for scope, values in series.items():
        one = rule(values)
        if one is not None:
            kinds.setdefault(scope[0], []).append((scope, one))
    return kinds


def _large(by_day: Kinds, by_hour: Kinds, least: float, alerts: Sequence[Alert]) -> List[Alert]:
    """Return the dearest days and hours with so much above the expected, however often that happens, but no alerts."""
    def above(kinds: Kinds) -> List[Alert]:
        return [Alert(scope, point) for scopes in kinds.values() for scope, one in scopes
                for point in far_above(one, least)]

    told = {(one.scope, one.day) for one in alerts}
    found, _ = _merged(_with_hours(above(by_day), above(by_hour)))
    return [one for one in found if (one.scope, one.day) not in told][:MOST_LARGE]


def _unlikely(kinds: Kinds, floor: float) -> List[Alert]:
    """Return what false-discovery control over all keys accepts, scores calibrated within each kind of scope."""
    high: List[Alert] = []
    tests = 0
    for scored in kinds.values():
        found, tested = standing_out(scored, floor)
        high += [Alert(scope, point) for scope, point in found]
        tests += tested
    return discoveries(high, [one.point.p_value for one in high], tests)


def _with_hours(days: Sequence[Alert], hours: Sequence[Alert]) -> List[Alert]:
    """Return the alerts by excess; hours inside an abnormal day are named with it, others of a day make one alert."""
    inside: Dict[Tuple[Scope, str], List[Alert]] = {}
    for one in hours:
        inside.setdefault((one.scope, one.day), []).append(one)
    merged = []
    for one in days:
        merged.append(one._replace(hours=_hours(inside.pop((one.scope, one.day), []))))
    for found in inside.values():
        worst = max(found, key=lambda each: each.excess)
        merged.append(worst._replace(hours=_hours(found)))
    return sorted(merged, key=lambda one: (-one.excess, one.point.time, one.scope))


def _hours(alerts: Sequence[Alert]) -> Tuple[str, ...]:
    return tuple(sorted({hour for one in alerts for hour in one.hours or (one.point.time,)}))


def _merged(alerts: Sequence[Alert]) -> Tuple[List[Alert], Dict[int, List[Scope]]]:
    """Return the alerts without those that a narrower one of the same day explains, and whom each one stands for."""
    kept: List[Alert] = []
    wider: Dict[Tuple[Scope, str], List[Scope]] = {}
    for one in alerts:
        narrower = [other for other in alerts if other.day == one.day
                    and WIDTH[other.scope[0]] > WIDTH[one.scope[0]] and other.excess >= SAME * one.excess]
        if narrower:
            best = max(narrower, key=lambda other: (WIDTH[other.scope[0]], other.excess))
            wider.setdefault((best.scope, best.day), []).append(one.scope)
        else:
            kept.append(one)
    return kept, {place: wider.get((one.scope, one.day), []) for place, one in enumerate(kept)}


class Cause(NamedTuple):
    """What moved: the dimension's value that holds most of the excess, its share, and the driver's factors."""

    dimension: Optional[str]
    value: Optional[str]
    share: Optional[float]
    driver: str
    factors: Dict[str, Optional[float]]

    @property
    def text(self) -> str:
        """Return it as a sentence."""
        where = (f"{self.dimension} {self.value} holds {self.share:.0%} of the rise; "
                 if self.dimension and self.share is not None else "")
        factor = self.factors.get(self.driver)
        what = {"volume": "calls", "tokens_per_call": "tokens a call", "model_mix": "cost a token"}.get(self.driver)
        if self.driver == "errors":
            return f"{where}the failure rate rose by {self.factors['failure_rate_rise']:.0%} of calls"
        if not what or not factor:
            return f"{where}there is no level before to compare with"
        return f"{where}{what} went to {factor:.1f} times the level before"


def causes(rollup: Rollup, alerts: Sequence[Alert]) -> List[Cause]:
    """Compare each alert's day with the scope's mean day before it, at the finest grain."""
    cells = rollup.coded(_DRIVING, *GRAIN)
    scopes = {scope: _Scope(cells, scope) for scope in {one.scope for one in alerts}}
    return [scopes[one.scope].cause(one) for one in alerts]


class _Scope:
    """The cells of a scope by day, by their place among all."""

    def __init__(self, cells: Coded, scope: Scope) -> None:
        self._kind, value = scope
        self._cells = cells
        is_inside = [self._kind == "whole" or texts[_CALLER.index(self._kind)] == value
                     for texts in cells.caller_texts]
        self._days: Dict[str, List[int]] = {}
        by_time: Dict[int, List[int]] = {}
        for place in compress(range(len(cells.times)), map(is_inside.__getitem__, cells.callers)):
            by_time.setdefault(cells.times[place], []).append(place)
        for time in sorted(by_time):
            self._days[_day_text(time)] = by_time[time]

    def cause(self, alert: Alert) -> Cause:
        days = [day for day in self._days if day != alert.day]
        usual = [day for day in days if day < alert.day][-LOOK_BACK:] or days[:LOOK_BACK]
        now, then = self._days.get(alert.day, []), [place for day in usual for place in self._days[day]]
        driver, factors = _driver(self._sums(now), self._sums(then), len(usual))
        best: Tuple[float, Optional[str], Optional[str]] = (0.0, None, None)
        for dimension in EXPLAINING:
            if dimension != self._kind and not (self._kind == "customer" and dimension == "organization"):
                value, moved = self._mover(now, then, len(usual), dimension)
                # Of equal explanations the first, narrower dimension is named; that calls succeeded explains nothing.
                if moved > best[0] * 1.02 and value != SUCCESS:
                    best = (moved, dimension, value)
        costs = self._cells.measures[_COST]
        before = sum(costs[place] for place in then) / len(usual) if usual else 0.0
        excess = sum(costs[place] for place in now) - before
        return Cause(best[1], best[2], min(1.0, best[0] / excess) if excess > 0 else None, driver, factors)

    def _sums(self, places: Sequence[int]) -> Measures:
        return Measures(**{name: sum(column[place] for place in places)
                           for name, column in zip(_DRIVING, self._cells.measures)})

    def _mover(self, now: Sequence[int], then: Sequence[int], days: int, dimension: str) -> Tuple[str, float]:
        """Return which value of a dimension gained most against the mean day, and how much; several there must be."""
        if dimension in _CALLER:
            numbers, texts, at = self._cells.callers, self._cells.caller_texts, _CALLER.index(dimension)
        else:
            numbers, texts = self._cells.circumstances, self._cells.circumstance_texts
            at = _CIRCUMSTANCE.index(dimension)
        costs = self._cells.measures[_COST]
        gains: Dict[str, float] = {}
        for places, share in ((now, 1), (then, -days)):
            for place in places:
                value = texts[numbers[place]][at]
                gains[value] = gains.get(value, 0.0) + costs[place] / share
        if len(gains) < 2:
            return "", 0.0
        value = max(sorted(gains), key=lambda name: gains[name])
        return value, gains[value]


def _driver(now: Measures, then: Measures, days: int) -> Tuple[str, Dict[str, Optional[float]]]:
    """Return what moved most, and the factors whose product is the change of cost."""
    factors: Dict[str, Optional[float]] = {
        "volume": _over(now.calls * days, then.calls),
        "tokens_per_call": _over(now.tokens * then.calls, then.tokens * now.calls),
        "model_mix": _over(now.cost_nano * then.tokens, then.cost_nano * now.tokens)}
    rise = (_over(now.failed, now.calls) or 0.0) - (_over(then.failed, then.calls) or 0.0)
    known = {name: math.log(factor) for name, factor in factors.items() if factor}
    driver = "errors" if rise >= ERROR_RISE else max(known, key=lambda name: known[name]) if known else "new"
    factors["failure_rate_rise"] = rise
    return driver, factors


def _over(part: float, whole: float) -> Optional[float]:
    return part / whole if whole else None


def alert_row(alert: Alert, cause: Cause, same: Sequence[Scope], day_nano: float,
              money: Callable[[int], Any]) -> Dict[str, Any]:
    """Return an alert as plain data; `day_nano` is the whole log's mean day."""
    kind, value = alert.scope
    return {
        "scope": kind, "value": value or None, "subject": value or "all calls", "time": alert.point.time,
        "hours": list(alert.hours), "severity": severity(alert.excess / day_nano if day_nano else 0.0),
        "cost": money(round(alert.point.value)), "expected": money(round(alert.point.expected)),
        "excess": money(alert.excess), "score": alert.point.score, "p_value": alert.point.p_value,
        "also_in": [{"scope": one[0], "value": one[1] or None} for one in same],
        "cause": {"dimension": cause.dimension, "value": cause.value, "share": cause.share, "driver": cause.driver,
                  "factors": cause.factors, "text": cause.text}}
