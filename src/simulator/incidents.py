"""Planted incidents: what goes wrong in the simulated world, where, when, how much, and what it cost.

Six kinds, from blatant to subtle. `plan_incidents` draws them by seed; `Disturbances` alters the sessions that
they touch and measures the calls and nano-dollars that would not have been there without them.
"""
from __future__ import annotations

from datetime import date
from random import Random
from typing import Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from calls.record import RATE_LIMIT, SERVER_ERROR, TIMEOUT
from calls.values import parse_nano
from catalog.loader import Catalog
from catalog.prices import CLASSES, PICO_PER_NANO, Model
from simulator.calendar import MS_PER_DAY, MS_PER_HOUR, Calendar, Slice, day_of, local_hour
from simulator.chance import pick, shuffled_by_weight, total
from simulator.customers import Customer, Lane
from simulator.rows import BILLED_TIMEOUT, Tariff
from simulator.traffic import Curve, SessionMaker, Spot, Tables, Twist

RUNAWAY_LOOP, PROMPT_BLOAT, MODEL_SWITCH, RETRY_STORM, LEAKED_KEY, RATE_LIMIT_HAMMERING = KINDS = (
    "runaway_loop", "prompt_bloat", "model_switch", "retry_storm", "leaked_key", "rate_limit_hammering")
EACH_KIND_PER_DAY_AND_CUSTOMER = 4 / (90 * 500)
QUIET_START, QUIET_END = 0.25, 0.97  # of the calendar; before, detectors learn what is normal
LEAST_ACTIVE = 0.5  # of days; whoever hardly calls has no normal that an incident could differ from
SIZES = (8.0, 4.0, 2.0, 1.0, 0.5)  # blatant to subtle: extra volume, relative to the scope's normal day
SEVERITIES = ("blatant", "strong", "clear", "mild", "subtle")
OUTAGE_FAILURES = (SERVER_ERROR, BILLED_TIMEOUT, SERVER_ERROR, TIMEOUT, SERVER_ERROR)
LIMIT_FAILURES = (RATE_LIMIT,)
NIGHT_HOURS = (0, 5)  # local time of the key's owner
STORM_HOUR = 11
LOOP_CALLS, LEAK_CALLS, HAMMER_CALLS = 120, 25, 60  # most calls of one session of an incident, on average
LOOP_GAP = 4.0  # seconds: a loop calls again as soon as it has its answer
LOOP_GROWTH = (1.0, 1.005)  # of the prompt from call to call: the same request, or one that takes up each answer
LEAST_LOOP = 40.0  # calls on average: what ends sooner ran away from nobody
LEAST_CALLS = 4.0  # that an incident adds to each stretch, in a log too small for its size


class Incident(NamedTuple):
    """One planted incident; empty scope fields mean any. `size` is the extra volume or factor of its kind."""

    incident_id: str
    kind: str
    severity: str
    start_ms: int
    end_ms: int
    size: float
    customer_id: str = ""
    feature_id: str = ""
    provider: str = ""
    region: str = ""
    model: Optional[Model] = None


class Effect(NamedTuple):
    """What one incident added on one day: calls, and cost in nano-dollars."""

    incident: int
    day: date
    calls: int
    nano: int


def plan_incidents(catalog: Catalog, calendar: Calendar, people: Sequence[Customer], chance: Random) -> List[Incident]:
    """Draw the incidents of a calendar, each on another customer, every kind from blatant to subtle in turn."""
    days = calendar.hours / 24
    number = max(1, round(EACH_KIND_PER_DAY_AND_CUSTOMER * days * len(people)))
    steady = [one for one in people if not one.joined and one.left is None and one.active_days > LEAST_ACTIVE]
    victims = shuffled_by_weight(chance, steady, [one.mean_calls for one in steady])
    planned: List[Incident] = []
    for kind in KINDS:
        for turn in range(number):
            rank = (turn * len(SIZES) // number + KINDS.index(kind)) % len(SIZES)
            draft = Incident(f"incident_{len(planned) + 1:03d}", kind, SEVERITIES[rank], 0, 0, SIZES[rank])
            # Not every customer can have each kind: the first in line who can has it, and the others wait.
            for victim in victims:
                found = _DRAFTERS[kind](draft, victim, catalog, calendar, chance)
                if found:
                    victims.remove(victim)
                    planned += found
                    break
    return planned


def _window(draft: Incident, calendar: Calendar, chance: Random, hours: float) -> Incident:
    """Place an incident of so many hours inside the calendar, on a whole minute."""
    length = min(hours, calendar.hours * (QUIET_END - QUIET_START)) * MS_PER_HOUR
    first = calendar.start_ms + calendar.hours * MS_PER_HOUR * QUIET_START
    last = calendar.start_ms + calendar.hours * MS_PER_HOUR * QUIET_END - length
    start = int(first + (last - first) * chance.random()) // 60_000 * 60_000
    return draft._replace(start_ms=start, end_ms=start + int(length) // 60_000 * 60_000)


def _draft_volume(hours: Tuple[float, float]) -> Callable[..., List[Incident]]:
    def draft_volume(draft: Incident, victim: Customer, catalog: Catalog, calendar: Calendar,
                     chance: Random) -> List[Incident]:
        lane = max(victim.lanes, key=lambda one: one.share)
        placed = _window(draft, calendar, chance, hours[0] + (hours[1] - hours[0]) * chance.random())
        return [placed._replace(customer_id=victim.customer_id, feature_id=lane.feature.feature)]
    return draft_volume


def _draft_bloat(draft: Incident, victim: Customer, catalog: Catalog, calendar: Calendar,
                 chance: Random) -> List[Incident]:
    lane = max(victim.lanes, key=lambda one: one.share)
    placed = _window(draft, calendar, chance, 24 * (4 + 8 * chance.random()))
    # A prompt nine times as long is a bug that breaks; doubling is how prompts really grow.
    return [placed._replace(customer_id=victim.customer_id, feature_id=lane.feature.feature, size=draft.size / 2)]


def _draft_switch(draft: Incident, victim: Customer, catalog: Catalog, calendar: Calendar,
                  chance: Random) -> List[Incident]:
    for lane in sorted(victim.lanes, key=lambda one: -one.share):
        model = _dearer(lane.model, catalog, calendar, draft.size)
        if model:
            placed = _window(draft, calendar, chance, 24 * (5 + 10 * chance.random()))
            return [placed._replace(customer_id=victim.customer_id, feature_id=lane.feature.feature, model=model)]
    return []


def _draft_storm(draft: Incident, victim: Customer, catalog: Catalog, calendar: Calendar,
                 chance: Random) -> List[Incident]:
    lane = max(victim.lanes, key=lambda one: one.share)
    placed = _window(draft, calendar, chance, 1 + 5 * chance.random())
    # An outage is noticed at work: move it to the same day's late morning, local time.
    offset = next(one.utc_offset_hours for one in catalog.regions if one.region == victim.region)
    shift = (STORM_HOUR - local_hour(placed.start_ms, offset)) * MS_PER_HOUR
    if placed.start_ms + shift < calendar.start_ms or placed.end_ms + shift > calendar.end_ms:
        shift = 0  # a calendar of a day or two may not hold that morning
    return [placed._replace(provider=lane.model.provider, region=victim.region, start_ms=placed.start_ms + shift,
                            end_ms=placed.end_ms + shift)]


def _draft_leak(draft: Incident, victim: Customer, catalog: Catalog, calendar: Calendar,
                chance: Random) -> List[Incident]:
    lane = max(victim.lanes, key=lambda one: one.share)
    placed = _window(draft, calendar, chance, 24 * (1 + 3 * chance.random()))
    elsewhere = [one.region for one in catalog.regions if one.region != victim.region]
    region = pick(chance, elsewhere, [1.0] * len(elsewhere))
    return [placed._replace(customer_id=victim.customer_id, feature_id=lane.feature.feature, region=region)]


_DRAFTERS: Dict[str, Callable[..., List[Incident]]] = {
    RUNAWAY_LOOP: _draft_volume((2, 10)), PROMPT_BLOAT: _draft_bloat, MODEL_SWITCH: _draft_switch,
    RETRY_STORM: _draft_storm, LEAKED_KEY: _draft_leak, RATE_LIMIT_HAMMERING: _draft_volume((2, 8))}


def _dearer(model: Model, catalog: Catalog, calendar: Calendar, size: float) -> Optional[Model]:
    """Return the provider's dearer model of a higher class whose price is nearest to 1 + size times this one's."""
    provider = next(one for one in catalog.providers if one.provider == model.provider)
    price = model.price_on(calendar.start)
    found = []
    for other in catalog.on_sale(provider, calendar.start, calendar.last_day):
        dearer = other.price_on(calendar.start)
        higher = CLASSES.index(other.capability) < CLASSES.index(model.capability)
        if price and dearer and higher and dearer.input > 1.2 * price.input:
            found.append((abs(dearer.input / price.input - 1 - size), other.model, other))
    return min(found, key=lambda item: item[:2])[-1] if found else None


class Disturbances:
    """The planted incidents of a run; `during` picks those of a slice."""

    def __init__(self, incidents: Sequence[Incident], tables: Tables) -> None:
        """Hold the incidents in the order that numbers their effects."""
        self._incidents = list(enumerate(incidents))
        self._tables = tables

    def expected_calls(self, piece: Slice, people: Mapping[str, Customer]) -> float:
        """Return the calls that incidents are expected to add to some customers' slice, at scale 1."""
        return total([one.size * people[one.customer_id].weight * share for _, one in self._incidents
                      if one.kind in _EXTRA and one.customer_id in people
                      for _, _, share in _stretches(one, piece, self._offset(people[one.customer_id]))])

    def _offset(self, customer: Customer) -> int:
        return self._tables.regions[customer.region].utc_offset_hours

    def during(self, piece: Slice) -> Optional[Disturbed]:
        """Return what happens in a slice, or None when nothing does."""
        active = [(number, one) for number, one in self._incidents
                  if one.start_ms < piece.end_ms and piece.start_ms < one.end_ms]
        return Disturbed(active, piece, self._tables) if active else None


class Disturbed:
    """One slice with incidents in it."""

    def __init__(self, active: Sequence[Tuple[int, Incident]], piece: Slice, tables: Tables) -> None:
        """Sort the slice's incidents by whom they touch."""
        self._piece = piece
        self._tables = tables
        self._by_customer: Dict[str, List[Tuple[int, Incident]]] = {}
        for number, one in active:
            self._by_customer.setdefault(one.customer_id, []).append((number, one))
        self._storms = self._by_customer.pop("", [])
        self._retries: List[Tuple[Customer, Lane, Spot, Twist]] = []

    def twist(self, customer: Customer, lane: Lane, model: Model, spot: Spot) -> Optional[Twist]:
        """Return how a session of the ordinary traffic is altered, or None."""
        for number, one in self._by_customer.get(customer.customer_id, ()):
            if one.feature_id == lane.feature.feature and one.start_ms <= spot[0] < one.end_ms:
                usual = self._tables.tariff(model, day_of(self._piece.start_ms))
                if one.kind == PROMPT_BLOAT:
                    return Twist(model, level=1 + one.size, baseline=usual, effect=number)
                if one.kind == MODEL_SWITCH and one.model:
                    return Twist(one.model, baseline=usual, effect=number)
        for number, one in self._storms:
            if (one.provider, one.region) == (model.provider, spot[1]) and one.start_ms <= spot[0] < one.end_ms:
                hit = Twist(model, fail_rate=1 - 1 / (1.5 + one.size), fail_table=OUTAGE_FAILURES, slow=1 + one.size)
                self._retries.append((customer, lane, spot, hit._replace(effect=number)))
                return hit
        return None

    def add_extra(self, maker: SessionMaker, people: Mapping[str, Customer], scale: float) -> None:
        """Add the sessions that would not be there without the incidents: loops, leaks, hammering, retries.

        `people` are the scenario's customers by id; they need not be active on the day.
        """
        self.add_retries(maker)
        for customer_id, incidents in self._by_customer.items():
            for number, one in incidents:
                if customer_id in people and one.kind in _EXTRA:
                    self._add_volume(maker, people[customer_id], number, one, scale)

    def add_retries(self, maker: SessionMaker) -> None:
        """Add a session of retries for each that an outage hit since this was last asked."""
        for who, lane, spot, twist in self._retries:
            maker.add(who, lane, spot, max(2.0, lane.feature.calls_per_session / 2), twist.model, twist)
        self._retries = []

    def _add_volume(self, maker: SessionMaker, customer: Customer, number: int, one: Incident, scale: float) -> None:
        length, fail_rate, is_loop = _EXTRA[one.kind]
        lane = next(lane for lane in customer.lanes if lane.feature.feature == one.feature_id)
        offset = self._tables.regions[customer.region].utc_offset_hours
        for start, end, share in _stretches(one, self._piece, offset):
            least = LEAST_LOOP if is_loop else LEAST_CALLS
            calls = max(least, one.size * customer.weight * scale * share)
            sessions, mean = maker.count(calls, float(length))
            curve = Curve(start, end - start, [1.0])
            for _ in range(max(1, sessions)):
                spot = maker.spot(customer, curve)[0], one.region or customer.region
                failures = LIMIT_FAILURES if fail_rate else OUTAGE_FAILURES
                maker.add(customer, lane, spot, max(mean, 2.0), lane.model,
                          Twist(lane.model, fail_rate=fail_rate or 0.01, fail_table=failures, effect=number,
                                again=LOOP_GROWTH[number % 2] if is_loop else None, gap_seconds=LOOP_GAP))

    def effects(self, lines: Sequence[str], ends: Sequence[int], maker: SessionMaker) -> List[Effect]:
        """Return what each incident added to this slice, read off the lines of the sessions it touched."""
        added: Dict[int, List[int]] = {}
        for number, twist in maker.twists.items():
            if twist.effect < 0:
                continue
            first = ends[number - 1] if number else 0
            for line in lines[first:ends[number]]:
                calls, nano = _added(line, twist)
                booked = added.setdefault(twist.effect, [0, 0])
                booked[0] += calls
                booked[1] += nano
        day = day_of(self._piece.start_ms)
        return [Effect(number, day, calls, nano) for number, (calls, nano) in sorted(added.items())]


# Most calls of a session on average, the rate of failures, and whether it is one request again and again.
_EXTRA = {RUNAWAY_LOOP: (LOOP_CALLS, 0.0, True), LEAKED_KEY: (LEAK_CALLS, 0.0, False),
          RATE_LIMIT_HAMMERING: (HAMMER_CALLS, 0.85, False)}


def _stretches(one: Incident, piece: Slice, utc_offset: int) -> List[Tuple[int, int, float]]:
    """Return when an incident adds calls within a slice, with the share of a day's extra volume of each stretch."""
    start, end = max(one.start_ms, piece.start_ms), min(one.end_ms, piece.end_ms)
    if start >= end:
        return []
    if one.kind != LEAKED_KEY:
        return [(start, end, (end - start) / max(1, one.end_ms - one.start_ms))]
    night = (NIGHT_HOURS[1] - NIGHT_HOURS[0]) * MS_PER_HOUR
    found = []
    dusk = start // MS_PER_DAY * MS_PER_DAY + (NIGHT_HOURS[0] - utc_offset - 24) * MS_PER_HOUR
    while dusk < end:
        first, last = max(start, dusk), min(end, dusk + night)
        if first < last:
            found.append((first, last, (last - first) / night))
        dusk += MS_PER_DAY
    return found


def _added(line: str, twist: Twist) -> Tuple[int, int]:
    """Return the calls and nano-dollars that a line of a touched session owes to its incident."""
    cells = line.split(",", 11)
    nano = parse_nano(cells[10])
    if twist.baseline is None:
        return 1, nano
    if not nano:
        return 0, 0
    usual: Tariff = twist.baseline
    taken, given = round(int(cells[7]) / twist.level), int(cells[8])
    if taken > usual.long_above:
        pico = taken * usual.long_input + given * usual.long_output
    else:
        pico = taken * usual.input + given * usual.output
    return 0, nano - (pico + PICO_PER_NANO // 2) // PICO_PER_NANO


class _NoDisturbances(Disturbances):
    """A run without incidents."""

    def __init__(self) -> None:
        self._incidents = []


no_disturbances: Disturbances = _NoDisturbances()
