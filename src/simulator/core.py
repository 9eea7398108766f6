"""The engine's public face: `AICallSimulator`, the base of every scenario.

The base owns loop, clock, chance, batching and output. A scenario overrides only the hooks, which say how its
traffic differs: who its customers are, how much they call, with which model.
"""
from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

from calls.log_writer import LogWriter, is_replaceable
from catalog.loader import Feature, Region, Rhythm, load_catalog
from catalog.prices import Model
from config import Settings, load_settings, today
from errors import LogError, UsageError
from simulator.calendar import MS_PER_HOUR, Calendar, Moment, Slice
from simulator.chance import stream, total
from simulator.customers import Customer, Lane, build_population, check_customers, cohort_of
from simulator.incidents import Disturbances, Disturbed, Effect, no_disturbances
from simulator.rows import call_id_prefix, join_numbered, render
from simulator.traffic import Curve, SessionMaker, Tables

DAY_MINUTES = 24 * 60
WEEKEND = (5, 6)
NEVER = 2.0  # as calendar progress


class Demand(NamedTuple):
    """What one customer is expected to ask for in a slice: calls at scale 1 for each lane, and when."""

    customer: Customer
    curve: Curve
    lanes: List[Tuple[Lane, float]]


class Draft(NamedTuple):
    """One scenario's part of a slice before its lines are written; `scale` is that of the first helping."""

    maker: SessionMaker
    moment: Moment
    demand: List[Demand]
    disturbed: Optional[Disturbed]
    scale: float


class Block(NamedTuple):
    """One scenario's part of a slice: whole lines in order of time, in batches, and what incidents did to it."""

    batches: List[bytes]
    rows: int
    effects: List[Effect]


class Event(NamedTuple):
    """Something the scenario itself does at a time, for the truth file: bounds in milliseconds since 1970 UTC."""

    kind: str
    start_ms: int
    end_ms: int
    size: float


class AICallSimulator:
    """A traffic scenario that can write its own log, or play its part in the story of all scenarios.

    `output_path` is the call log; `seed` decides every draw. `start` (a date, midnight UTC) defaults to the day
    that lets a run end yesterday. Raises `UsageError` for impossible values.
    """

    id = ""
    title = ""
    description = ""
    rank = 100

    def __init__(self, output_path: Union[str, Path, None] = None, seed: Optional[int] = None, *,
                 start: Optional[date] = None, customers: Optional[int] = None,
                 settings: Optional[Settings] = None) -> None:
        """Remember the wishes; population and calendar are made by `run` or handed in by `settle`."""
        self.settings = settings or load_settings()
        self.output_path = Path(output_path or self.settings.csv_path)
        self.seed = self.settings.seed if seed is None else seed
        self.start = start
        self.customer_count = self.settings.customers if customers is None else customers
        self.customers: List[Customer] = []
        self.calendar = Calendar(date(1970, 1, 1), 1)
        self.events: List[Event] = []

    # Hooks: a scenario overrides what differs.

    def prepare(self, people: List[Customer], chance: Random) -> List[Customer]:
        """Return the scenario's customers as its story needs them; called once, before anything is generated."""
        return people

    def volume(self, moment: Moment) -> float:
        """Return how much traffic this hour has, 1 being normal."""
        return 1.0

    def customer_volume(self, customer: Customer, moment: Moment) -> float:
        """Return how much one customer calls now, 1 being normal."""
        return 1.0

    def lane_volume(self, lane: Lane, moment: Moment) -> float:
        """Return how much one feature of a customer is used now, 1 being normal."""
        return 1.0

    def choose_model(self, lane: Lane, moment: Moment, draw: float) -> Model:
        """Return the model of a session; `draw` is even between 0 and 1."""
        return lane.model

    def quiet_factor(self, rhythm: Rhythm, weekday: int, on: date) -> float:
        """Return how much of a working day's traffic a day has, by its local weekday and the UTC date."""
        return rhythm.weekend if weekday in WEEKEND else 1.0

    # What hooks may ask.

    def models_on_sale(self, provider: str = "", prefix: str = "") -> List[Model]:
        """Return the models on sale over the whole calendar whose provider and first letters are given."""
        found: List[Model] = []
        for one in self._tables.catalog.providers:
            if provider in ("", one.provider):
                found += self._tables.catalog.on_sale(one, self.calendar.start, self.calendar.last_day)
        return [model for model in found if model.model.startswith(prefix)]

    def cheaper_models(self, model: Model) -> List[Model]:
        """Return cheaper models of the same or the next class that are on sale over the whole calendar."""
        lasting = self.models_on_sale()
        return [one for one in self._tables.catalog.cheaper_models(model, self.calendar.start) if one in lasting]

    def price_of(self, model: Model) -> int:
        """Return input plus output price at the calendar's start, in pico-dollars a token."""
        tariff = self._tables.tariff(model, self.calendar.start)
        return tariff.input + tariff.output

    def feature(self, name: str) -> Feature:
        """Return a feature of the catalogue by its id."""
        return next(one for one in self._tables.catalog.features if one.feature == name)

    def regions(self) -> Sequence[Region]:
        """Return the catalogue's regions."""
        return self._tables.catalog.regions

    # The engine.

    def settle(self, calendar: Calendar, people: Sequence[Customer], tables: Tables, first_day: int = 0) -> None:
        """Take a calendar and customers; everything random about the scenario itself is drawn now.

        `first_day` numbers the calendar's first day: how many were told of these customers before.
        """
        self.calendar = calendar
        self._first_day = first_day
        self._tables = tables
        self._known_volumes: Dict[int, List[float]] = {}
        self.events = []
        self.customers = self.prepare(list(people), stream(self.seed, self.id, "prepare"))
        self._by_id = {one.customer_id: one for one in self.customers}
        # What the daily loop needs of each customer: a scenario has many days with many customers in it.
        self._roster = [(one, (one.rhythm, tables.regions[one.region].utc_offset_hours), tables.swings[one.rhythm],
                         one.active_days, one.joined, NEVER if one.left is None else one.left)
                        for one in self.customers]

    def demand(self, piece: Slice) -> List[Demand]:
        """Return what each customer is expected to ask for in a slice; the same for every caller."""
        moment, volumes = self.calendar.moment(piece.start_ms), self._volumes(piece)
        progress, random = moment.progress, stream(self.seed, self.id, "day", self._first_day + moment.day).random
        curves: Dict[Tuple[str, int], Curve] = {}
        result = []
        for customer, clock, swings, active, joined, left in self._roster:
            luck = random()
            if luck >= active or progress < joined or progress >= left:
                continue
            if clock not in curves:
                curves[clock] = self._tables.curve(piece, volumes, clock, self.quiet_factor)
            curve = curves[clock]
            # Below `active` the draw is even again: it also chooses how busy the day is.
            calls = (customer.weight * swings[int(luck / active * len(swings))] * curve.reached[-1]
                     * self.customer_volume(customer, moment))
            if calls:
                result.append(Demand(customer, curve, [(lane, calls * lane.share * self.lane_volume(lane, moment))
                                                       for lane in customer.lanes]))
        return result

    def expected_calls(self, piece: Slice) -> float:
        """Return the calls of ordinary traffic expected in a slice at scale 1."""
        return total([calls for one in self.demand(piece) for _, calls in one.lanes])

    def expected_extra(self, piece: Slice, disturbances: Disturbances) -> float:
        """Return the calls that incidents are expected to add to a slice at scale 1."""
        return disturbances.expected_calls(piece, self._by_id)

    def generate(self, piece: Slice, scale: float, run_tag: str, unit: int,
                 disturbances: Disturbances = no_disturbances) -> Block:
        """Return the calls of a slice, `scale` times the population's own rate; equal arguments, equal lines."""
        return self.finish(self.draft(piece, scale, disturbances), call_id_prefix(run_tag, unit))

    def draft(self, piece: Slice, scale: float, disturbances: Disturbances = no_disturbances) -> Draft:
        """Draw the sessions of a slice, `scale` times the population's own rate, and what incidents do to them."""
        chance = stream(self.seed, self.id, "slice", piece.start_ms)
        moment = self.calendar.moment(piece.start_ms)
        maker = SessionMaker(self._tables, chance, moment.date, max(self._volumes(piece)))
        draft = Draft(maker, moment, self.demand(piece), disturbances.during(piece), scale)
        self._help(draft, 1.0)
        if draft.disturbed:
            draft.disturbed.add_extra(maker, self._by_id, scale)
        return draft

    def help_again(self, draft: Draft, share: float) -> None:
        """Draw more sessions of a draft's ordinary traffic: a share of what it was begun with."""
        self._help(draft, share)
        if draft.disturbed:
            draft.disturbed.add_retries(draft.maker)

    def finish(self, draft: Draft, prefix: str) -> Block:
        """Return the lines of a draft; their call ids begin with the prefix."""
        maker, disturbed = draft.maker, draft.disturbed
        lines, ends = render(maker.sessions, self.calendar.end_ms)
        effects = disturbed.effects(lines, ends, maker) if disturbed else []
        lines.sort()
        batches = join_numbered(lines, prefix, self.settings.batch_rows)
        return Block(batches, len(lines), effects)

    def _help(self, draft: Draft, share: float) -> None:
        maker, disturbed = draft.maker, draft.disturbed
        for customer, curve, lanes in draft.demand:
            for lane, calls in lanes:
                number, length = maker.count(calls * draft.scale, lane.feature.calls_per_session, share)
                for _ in range(number):
                    spot = maker.spot(customer, curve)
                    model = self.choose_model(lane, draft.moment, maker.chance.random())
                    maker.add(customer, lane, spot, length, model,
                              disturbed.twist(customer, lane, model, spot) if disturbed else None)

    def _volumes(self, piece: Slice) -> List[float]:
        if piece.start_ms not in self._known_volumes:
            first = piece.start_ms // MS_PER_HOUR * MS_PER_HOUR
            self._known_volumes[piece.start_ms] = [
                self.volume(self.calendar.moment(hour)) for hour in range(first, piece.end_ms, MS_PER_HOUR)]
        return self._known_volumes[piece.start_ms]

    # A scenario on its own.

    def write_csv_header(self) -> None:
        """Begin a new log that holds only the header line.

        Raises `LogError` when the file holds anything but simulated calls, so that nothing else is lost.
        """
        if not is_replaceable(self.output_path):
            raise LogError(f"{self.output_path} was not written by the simulator: name another file")
        with LogWriter(self.output_path, fresh=True, wait_seconds=self.settings.lock_wait_seconds):
            pass

    def run(self, duration_hours: int = 24, base_calls_per_hour: float = 60) -> int:
        """Append `duration_hours` of traffic to the log and return the number of calls.

        `base_calls_per_hour` is the mean over the hours where the scenario's volume is 1.
        """
        if duration_hours < 1 or base_calls_per_hour <= 0:
            raise UsageError("duration_hours and base_calls_per_hour must be greater than zero")
        self._settle_alone(duration_hours)
        normal = total([one.mean_calls for one in self.customers]) / 24
        scale, rows = base_calls_per_hour / normal, 0
        with LogWriter(self.output_path, wait_seconds=self.settings.lock_wait_seconds) as writer:
            tag = f"{stream(self.seed, self.id, self.calendar, scale, writer.size).getrandbits(32):08x}"
            for piece in self.calendar.slices(DAY_MINUTES):
                block = self.generate(piece, scale, tag, piece.number)
                for batch in block.batches:
                    writer.write(batch)
                rows += block.rows
            writer.sync()
        return rows

    def _settle_alone(self, duration_hours: int) -> None:
        check_customers(self.customer_count)
        catalog = load_catalog()
        days = (duration_hours + 23) // 24
        start = self.start or today(self.settings) - timedelta(days=days)
        calendar = Calendar(start, duration_hours)
        people = build_population(catalog, self.seed, cohort_of(self.customer_count, start, days))
        self.settle(calendar, people, Tables(catalog))
