"""One story of many scenarios: each drives its own organisations over one calendar, slice by slice.

A story is a value made from a `StorySpec`; every process that is given the same spec tells the same story. What
a slice holds depends only on the spec, the slice and the scale, so any number of workers gives the same bytes.
"""
from __future__ import annotations

import gc
from random import Random
from typing import Dict, Iterator, List, NamedTuple, Sequence, Tuple, Type

import simulator.scenarios
from catalog.loader import load_catalog
from config import Settings
from discovery import discover
from simulator.calendar import Calendar
from simulator.chance import shuffled, stream, total
from simulator.core import AICallSimulator, Draft
from simulator.customers import Customer, populate
from simulator.incidents import Disturbances, Effect, Incident, no_disturbances, plan_incidents
from simulator.rows import call_id_prefix
from simulator.sizing import Fitting, Order
from simulator.spec import StorySpec
from simulator.traffic import Tables

SLICE_MINUTES = (1440, 720, 360, 180, 60, 30, 15, 5)
SLICE_BYTES = 16_000_000  # a slice is made in memory: small enough for a worker to stay under 150 MB
MOST_HELPINGS = 8  # of a slice that shall come to its bytes; three are rare
HELPING_MORE = 1.25  # of what is missing, so that one more helping mostly does


class Part(NamedTuple):
    """What one scenario adds in one slice."""

    scenario: str
    batches: List[bytes]
    rows: int
    effects: List[Effect]


class Story:
    """A calendar, its customers dealt to scenarios, the planted incidents, and the plan of every slice."""

    def __init__(self, spec: StorySpec, settings: Settings) -> None:
        """Set the stage; takes a fraction of a second."""
        self.spec = spec
        self.calendar = Calendar(spec.start, spec.days * 24)
        self.slices = self.calendar.slices(_slice_minutes(spec, self.calendar))
        catalog = load_catalog()
        self._tables = Tables(catalog)
        classes = discover_scenarios()
        self.cast = [classes[name](seed=spec.seed, start=spec.start, settings=settings) for name in spec.scenarios]
        for scenario, group in zip(self.cast, _dealt(populate(catalog, spec), len(self.cast), spec.seed)):
            scenario.settle(self.calendar, group, self._tables, spec.first_day)
        everyone = [one for scenario in self.cast for one in scenario.customers]
        self.incidents: List[Incident] = []
        if spec.incidents:
            chance = stream(spec.seed, "incidents", *spec.chapter)
            self.incidents = plan_incidents(catalog, self.calendar, everyone, chance)
        self._disturbances = Disturbances(self.incidents, self._tables) if self.incidents else no_disturbances
        # What lives until the end need not be looked at again by the collector.
        gc.collect()
        gc.freeze()

    def plan(self) -> Tuple[List[float], List[float]]:
        """Return the calls expected of each slice at scale 1, and a factor for each scenario.

        The factors give every scenario the same share of the calendar's ordinary calls, whatever its volume does
        in time.
        """
        table = [[scenario.expected_calls(piece) for scenario in self.cast] for piece in self.slices]
        sums = [total(column) for column in zip(*table)]
        mean = total(sums) / len(self.cast)
        shares = [mean / one if one else 0.0 for one in sums]
        weights = [total([(calls + scenario.expected_extra(piece, self._disturbances)) * share
                          for scenario, calls, share in zip(self.cast, row, shares)])
                   for piece, row in zip(self.slices, table)]
        return weights, shares

    def tell(self, number: int, order: Order, shares: Sequence[float]) -> Iterator[Part]:
        """Return what every scenario adds in a slice; lines are made only as their part is asked for.

        Whoever lets go of a part before the next has its memory used again, not taken from the system anew.
        """
        piece = self.slices[number]
        prefixes = [call_id_prefix(self.spec.tag, number * len(self.cast) + place) for place in range(len(self.cast))]
        drafts = [scenario.draft(piece, order.scale * share, self._disturbances)
                  for scenario, share in zip(self.cast, shares)]
        if order.bytes is not None:
            self._fit(drafts, prefixes, order.bytes, stream(self.spec.seed, "fitting", piece.start_ms))
        for scenario, draft, prefix in zip(self.cast, drafts, prefixes):
            block = scenario.finish(draft, prefix)
            yield Part(scenario.id, block.batches, block.rows, block.effects)

    def _fit(self, drafts: Sequence[Draft], prefixes: Sequence[str], wanted_bytes: int, chance: Random) -> None:
        """Give the drafts of a slice more helpings until they have its bytes, then cut what is too much."""
        fitting = Fitting(self.calendar.end_ms)
        for draft, prefix in zip(drafts, prefixes):
            fitting.weigh(draft.maker, 0, prefix)
        for _ in range(MOST_HELPINGS):
            missing = 1 - fitting.bytes / wanted_bytes if wanted_bytes else 0.0
            if missing <= 0:
                break
            for scenario, draft, prefix in zip(self.cast, drafts, prefixes):
                first = len(draft.maker.sessions)
                scenario.help_again(draft, missing * HELPING_MORE)
                fitting.weigh(draft.maker, first, prefix)
        fitting.cut(wanted_bytes, chance)


def discover_scenarios() -> Dict[str, Type[AICallSimulator]]:
    """Return all scenario classes by id: every file in `simulator/scenarios/` is one."""
    return discover(simulator.scenarios, AICallSimulator)


def _slice_minutes(spec: StorySpec, calendar: Calendar) -> int:
    """Return the longest slice that keeps what is made at once within bounds."""
    a_minute = spec.target_bytes / (calendar.hours * 60)
    fitting = [minutes for minutes in SLICE_MINUTES if minutes * a_minute <= SLICE_BYTES]
    return fitting[0] if fitting else SLICE_MINUTES[-1]


def _dealt(cohorts: Sequence[Sequence[Customer]], hands: int, seed: int) -> List[List[Customer]]:
    """Deal organisations to scenarios so that each has about the same traffic; organisations stay whole.

    Cohorts are dealt in the order they came in, so that an organisation keeps its scenario through all chapters.
    """
    loads, owner = [0.0] * hands, {}
    for people in cohorts:
        sizes: Dict[str, float] = {}
        for one in people:
            sizes[one.organization_id] = sizes.get(one.organization_id, 0.0) + one.mean_calls
        for name in sorted(shuffled(stream(seed, "deal"), sorted(sizes)), key=lambda name: -sizes[name]):
            owner[name] = hand = loads.index(min(loads))
            loads[hand] += sizes[name]
    return [[one for people in cohorts for one in people if owner[one.organization_id] == hand]
            for hand in range(hands)]
