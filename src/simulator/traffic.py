"""From rates to sessions: when each customer calls, in what runs, with which feature, model and region.

Traffic is a cluster process: sessions begin by the customer's clock and the scenario's volume, and each is a run
of calls close together. That gives the gaps, quiet stretches and swings of real traces, which independent calls
do not.
"""
from __future__ import annotations

import math
from bisect import bisect_left
from datetime import date
from functools import lru_cache
from itertools import accumulate
from operator import mul
from random import Random
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from catalog.loader import Catalog, Feature, Rhythm
from catalog.prices import Model
from simulator.calendar import MS_PER_DAY, MS_PER_HOUR, Slice, day_of, local_hour, local_weekday
from simulator.chance import interpolated, lognormal_grid
from simulator.customers import Customer, Lane
from simulator.rows import (
    GRID_POINTS,
    ORDINARY_FAILURES,
    POOL_BITS,
    POOL_MASK,
    SESSION_CALLS_MAX,
    Pace,
    Session,
    Tariff,
    pool,
)

NO_LIMIT = 1 << 62
FAIL_NORMAL, FAIL_BAD = 0.012, 0.35  # failure rates of an ordinary session, and of one in trouble
BAD_SESSIONS = 0.03  # failures come in clusters: the share of sessions in trouble
AWAY_SHARE = 0.02  # of sessions that come from another region than the customer's own
SWING_POINTS = 256
SESSION_SPREAD, GAP_SPREAD, COUNT_SPREAD = 0.9, 1.1, 0.8  # log-normal spreads of length, pace and number of sessions
LOAD_SLOWDOWN = 0.12  # added to latency each time the volume doubles


class Curve(NamedTuple):
    """When calls come within a slice: equal steps from a start, the volume reached behind each, in days of 1.0."""

    start_ms: int
    step_ms: int
    reached: Sequence[float]

    @property
    def sum(self) -> float:
        """Return the volume of the whole slice."""
        return self.reached[-1]

    def at(self, draw: float) -> int:
        """Return the instant at a share of the slice's volume."""
        reached = self.reached
        mark = draw * reached[-1]
        index = bisect_left(reached, mark)
        before = reached[index - 1] if index else 0.0
        span = reached[index] - before
        return self.start_ms + int((index + ((mark - before) / span if span else 0.0)) * self.step_ms)


LocalDay = Tuple[int, date]  # its weekday, Monday 0, and the UTC date
Clock = Tuple[str, int]  # a rhythm's name and whole hours from UTC


class Tables:
    """What every scenario draws from: token pools by feature, tariffs by model and day, spreads, paces, texts.

    What is formatted or computed once is kept by key, for the life of the process.
    """

    def __init__(self, catalog: Catalog) -> None:
        """Read the catalogue's quantiles into pools."""
        self.catalog = catalog
        self.lengths = {name: tuple(pool(interpolated(catalog.probabilities, grid, GRID_POINTS, _whole))
                                    for grid in one) for name, one in catalog.lengths.items()}
        self.swings = {name: lognormal_grid(one.daily_sigma, SWING_POINTS) for name, one in catalog.rhythms.items()}
        self.count_spread = pool(lognormal_grid(COUNT_SPREAD, GRID_POINTS))
        self.session_spread = pool(lognormal_grid(SESSION_SPREAD, GRID_POINTS))
        self.gap_spread = pool(lognormal_grid(GAP_SPREAD, GRID_POINTS))
        self.regions = {one.region: one for one in catalog.regions}
        self.places = [one.region for one in catalog.regions]
        self.environments = [name for name, weight in catalog.environments for _ in range(weight)]
        self._tariffs: Dict[Tuple[Model, date], Tariff] = {}
        self._before: Dict[Tuple[str, str, Model], str] = {}
        self._after: Dict[Tuple[str, str, str], str] = {}
        self._paces: Dict[Tuple[Model, str, float], Pace] = {}
        self._hours: Dict[Tuple[Clock, int, int, float, float], List[float]] = {}

    def curve(self, piece: Slice, volumes: Sequence[float], clock: Clock,
              quiet: Callable[[Rhythm, int, date], float]) -> Curve:
        """Return when calls of one clock come; `volumes` holds the scenario's volume for each hour touched.

        A slice is a part of one hour or a number of whole ones, so at most two local days meet in it.
        """
        rhythm = self.catalog.rhythms[clock[0]]
        step, local, first, second = _local_days(piece, clock[1])
        key = (clock, local, step, quiet(rhythm, *first), quiet(rhythm, *second))
        hours = self._hours.get(key)
        if hours is None:
            calm = [factor * step / MS_PER_DAY for factor in key[-2:]]
            hours = self._hours[key] = list(map(mul, rhythm.hourly[local:] + rhythm.hourly[:local],
                                                [calm[0]] * (24 - local) + [calm[1]] * local))
        return Curve(piece.start_ms, step, list(accumulate(map(mul, volumes, hours))))

    def tariff(self, model: Model, day: date) -> Tariff:
        """Return the prices of a model on a day; the population holds only models that have one."""
        key = (model, day)
        found = self._tariffs.get(key)
        if found is None:
            price = model.price_on(day)
            if price is None:
                raise LookupError(f"{model.model} has no price on {day}")
            longer = price.long_context
            limits = (longer.above_input_tokens, longer.input, longer.output) if longer else (NO_LIMIT, 0, 0)
            found = self._tariffs[key] = Tariff(price.input, price.output, *limits)
        return found

    def pace(self, model: Model, region: str, slow: float) -> Pace:
        """Return how long a model's calls take from a region, `slow` times the normal."""
        key = (model, region, slow)
        found = self._paces.get(key)
        if found is None:
            speed = self.catalog.speeds[model.capability]
            factor = self.regions[region].latency_factor * slow
            found = self._paces[key] = Pace(speed.first_token_ms * factor, speed.ms_per_1k_input * factor / 1000,
                                            speed.ms_per_output * factor)
        return found

    def before(self, customer: Customer, feature: Feature, model: Model) -> str:
        """Return the text of a line between the timestamp and the token counts."""
        key = (customer.customer_id, feature.feature, model)
        found = self._before.get(key)
        if found is None:
            found = self._before[key] = (f"{customer.customer_id},{customer.organization_id},{feature.product},"
                                         f"{feature.feature},{model.provider},{model.model},")
        return found

    def after(self, customer: Customer, environment: str, region: str) -> str:
        """Return the text of a line behind the status."""
        key = (customer.customer_id, environment, region)
        found = self._after.get(key)
        if found is None:
            found = self._after[key] = (f",{environment},{region},{customer.tier},{customer.tier_price_usd},"
                                        f"{customer.archetype}\n")
        return found


Spot = Tuple[int, str]  # when (milliseconds since 1970 UTC) and in which region a session begins


class Twist(NamedTuple):
    """How a planted incident alters a session, and what it would have cost without it.

    `baseline` is the tariff without the incident, or None where the whole session is the incident's doing;
    Where `again` is given, every call repeats the first one's prompt, so many times as long as the call before, and
    `gap_seconds` stand between calls instead of the feature's own. `effect` numbers the incident that the difference is
    booked on, or is -1.
    """

    model: Model
    fail_rate: Optional[float] = None
    fail_table: Sequence[str] = ORDINARY_FAILURES
    level: float = 1.0
    slow: float = 1.0
    again: Optional[float] = None
    gap_seconds: float = 0.0
    baseline: Optional[Tariff] = None
    effect: int = -1


class SessionMaker:
    """Draws the sessions of one slice; one is made for each slice and scenario with that unit's own chance."""

    def __init__(self, tables: Tables, chance: Random, day: date, load: float) -> None:
        """Hold what all sessions of the slice share; `load` is the traffic against normal."""
        self.sessions: List[Session] = []
        self.twists: Dict[int, Twist] = {}
        self._tables = tables
        self.chance = chance
        self._day = day
        # In steps of a half doubling, so that the paces can be kept.
        self._slow = 1 + LOAD_SLOWDOWN * round(2 * math.log2(max(load, 1.0))) / 2

    def count(self, mean_calls: float, longest: float, share: float = 1.0) -> Tuple[int, float]:
        """Draw how many sessions give a share of `mean_calls` on average; also returns the mean length of each."""
        length = min(longest, 1 + mean_calls)
        number = share * mean_calls / length * self._tables.count_spread[self.chance.getrandbits(POOL_BITS)]
        return int(number + self.chance.random()), length

    def spot(self, customer: Customer, curve: Curve) -> Spot:
        """Draw when and where a session of the customer begins."""
        random = self.chance.random
        luck = random()
        places = self._tables.places
        region = customer.region if luck >= AWAY_SHARE else places[int(luck / AWAY_SHARE * len(places))]
        return curve.at(random()), region

    def add(self, customer: Customer, lane: Lane, spot: Spot, length: float, model: Model,
            twist: Optional[Twist] = None) -> None:
        """Draw one session of `length` calls on average that begins at the spot."""
        tables, random, feature = self._tables, self.chance.random, lane.feature
        # One draw of four places in pools costs less than four draws.
        draw = self.chance.getrandbits(4 * POOL_BITS)
        calls = int(1 + (length - 1) * tables.session_spread[draw & POOL_MASK] + random())
        if calls > SESSION_CALLS_MAX:
            calls = SESSION_CALLS_MAX
        inputs, outputs = tables.lengths[feature.lengths]
        place = draw >> POOL_BITS & POOL_MASK
        taken = inputs[place:place + calls]
        if feature.prompt_growth != 1.0:
            taken = _growing(taken, feature.prompt_growth)
        fail_rate = FAIL_BAD if random() < BAD_SESSIONS else FAIL_NORMAL
        fail_table: Sequence[str] = ORDINARY_FAILURES
        slow, gap_seconds = self._slow, feature.gap_seconds
        if twist is not None:
            self.twists[len(self.sessions)] = twist
            model, slow, fail_table = twist.model, slow * twist.slow, twist.fail_table
            fail_rate = fail_rate if twist.fail_rate is None else twist.fail_rate
            taken = [round(one * twist.level) for one in taken]
            if twist.again is not None:
                gap_seconds = twist.gap_seconds
                taken = [round(taken[0] * twist.again ** number) for number in range(calls)]
        place = draw >> 2 * POOL_BITS & POOL_MASK
        gap = gap_seconds * 1000 * tables.gap_spread[draw >> 3 * POOL_BITS]
        environment = tables.environments[int(random() * len(tables.environments))]
        self.sessions.append((
            spot[0], int(gap) + 1, tables.before(customer, feature, model),
            tables.after(customer, environment, spot[1]), taken, outputs[place:place + calls],
            tables.tariff(model, self._day), tables.pace(model, spot[1], slow), fail_rate, fail_table,
            self.chance.getrandbits(POOL_BITS)))

    def shorten(self, number: int, calls: int) -> None:
        """Leave only the first calls of a session; one without calls stays, and has no lines."""
        start, gap, before, after, taken, given, tariff, pace, fail_rate, fail_table, place = self.sessions[number]
        self.sessions[number] = (start, gap, before, after, taken[:calls], given[:calls], tariff, pace, fail_rate,
                                 fail_table, place)


def _growing(inputs: Sequence[int], growth: float) -> List[int]:
    """Scale prompts so that each is longer than the one before, and their mean stays as it was."""
    calls = len(inputs)
    level = calls * (growth - 1) / (growth ** calls - 1)
    grown = []
    for taken in inputs:
        grown.append(int(taken * level) or 1)
        level *= growth
    return grown


@lru_cache(maxsize=256)
def _local_days(piece: Slice, utc_offset: int) -> Tuple[int, int, LocalDay, LocalDay]:
    """Return the step of a slice's curves, its first local hour, and the two local days that may meet in it."""
    # Every scenario asks for the same slices.
    local = local_hour(piece.start_ms, utc_offset)
    first, second = [(local_weekday(at, utc_offset), day_of(at))
                     for at in (piece.start_ms, piece.start_ms + (24 - local) * MS_PER_HOUR)]
    return min(MS_PER_HOUR, piece.end_ms - piece.start_ms), local, first, second


def _whole(value: float) -> int:
    return max(1, round(value))
