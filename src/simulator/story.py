"""One story of many scenarios: each drives its own organisations over one calendar, slice by slice.

A story is a value made from a `StorySpec`; every process that is given the same spec tells the same story. What
a slice holds depends only on the spec, the slice and the scale, so any number of workers gives the same bytes.
"""
from __future__ import annotations

import gc
from typing import Dict, List, NamedTuple, Sequence, Tuple, Type

import simulator.scenarios
from catalog.loader import load_catalog
from config import Settings
from discovery import discover
from simulator.calendar import Calendar
from simulator.chance import shuffled, stream, total
from simulator.core import AICallSimulator
from simulator.customers import Customer, build_population
from simulator.incidents import Disturbances, Effect, Incident, no_disturbances, plan_incidents
from simulator.spec import StorySpec
from simulator.traffic import Tables

ROW_BYTES = 178.0  # first guess of a line's length, corrected by what slices turn out to be
SLICE_MINUTES = (1440, 720, 360, 180, 60, 30, 15, 5)
SLICE_BYTES = 16_000_000  # a slice is made in memory: small enough for a worker to stay under 150 MB
LAG = 8  # slices: the size control sees what was written so many slices ago, whatever the number of workers
MOST_CORRECTION = 1.25  # of the scale, either way, so that the size control never shows as a trend


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
        people = build_population(catalog, spec.seed, spec.customers, spec.start, self.calendar.last_day,
                                  len(spec.scenarios))
        people = [one._replace(active_days=0.0) if one.customer_id in spec.gone else one for one in people]
        classes = discover_scenarios()
        self.cast = [classes[name](seed=spec.seed, start=spec.start, settings=settings) for name in spec.scenarios]
        for scenario, group in zip(self.cast, _dealt(people, len(self.cast), spec.seed)):
            scenario.settle(self.calendar, group, self._tables)
        everyone = [one for scenario in self.cast for one in scenario.customers]
        self.incidents: List[Incident] = []
        if spec.incidents:
            chance = stream(spec.seed, "incidents")
            self.incidents = plan_incidents(catalog, self.calendar, everyone, chance)
        self._disturbances = Disturbances(self.incidents, self._tables) if self.incidents else no_disturbances
        # What lives until the end need not be looked at again by the collector.
        gc.collect()
        gc.freeze()

    def plan(self) -> Tuple[List[float], List[float]]:
        """Return the calls expected of each slice at scale 1, and a factor for each scenario.

        The factors give every scenario the same share of the calendar's calls, whatever its volume does in time.
        """
        table = [[scenario.expected_calls(piece) for scenario in self.cast] for piece in self.slices]
        sums = [total(column) for column in zip(*table)]
        mean = total(sums) / len(self.cast)
        shares = [mean / one if one else 0.0 for one in sums]
        return [total([calls * share for calls, share in zip(row, shares)]) for row in table], shares

    def tell(self, number: int, scale: float, shares: Sequence[float]) -> List[Part]:
        """Return what every scenario adds in a slice."""
        piece = self.slices[number]
        parts = []
        for place, (scenario, share) in enumerate(zip(self.cast, shares)):
            block = scenario.generate(piece, scale * share, self.spec.tag, number * len(self.cast) + place,
                                      self._disturbances)
            parts.append(Part(scenario.id, block.batches, block.rows, block.effects))
        return parts


class SizeControl:
    """Chooses each slice's scale so that the log ends at its target size.

    It corrects by the sizes of slices that ended at least `LAG` slices ago (fewer near the end), so that the
    result does not depend on how many slices are made at once.
    """

    def __init__(self, target_bytes: int, weights: Sequence[float]) -> None:
        """`weights` are the calls expected in each slice at scale 1; `target_bytes` is what they shall become."""
        self._target = target_bytes
        self._weights = list(weights)
        self._sizes: List[int] = []
        self._scales: List[float] = []
        self._first = target_bytes / max(1e-9, total(self._weights) * ROW_BYTES)

    def known(self, number: int) -> int:
        """Return how many slices must have ended before the scale of a slice can be chosen."""
        return max(0, number - min(LAG, len(self._weights) - number))

    def scale(self, number: int) -> float:
        """Return the scale of a slice; to be asked for once a slice, in order."""
        known = self.known(number)
        asked = [weight * scale for weight, scale in zip(self._weights, self._scales)]
        row_bytes = ROW_BYTES
        if known and total(asked[:known]):
            row_bytes = sum(self._sizes[:known]) / total(asked[:known])
        foreseen = sum(self._sizes[:known]) + row_bytes * total(asked[known:number])
        left = total(self._weights[number:])
        scale = (self._target - foreseen) / (left * row_bytes) if left else 0.0
        scale = min(max(scale, self._first / MOST_CORRECTION), self._first * MOST_CORRECTION)
        self._scales.append(scale)
        return scale

    def record(self, size: int) -> None:
        """Note the size of the next slice that ended."""
        self._sizes.append(size)


def discover_scenarios() -> Dict[str, Type[AICallSimulator]]:
    """Return all scenario classes by id: every file in `simulator/scenarios/` is one."""
    return discover(simulator.scenarios, AICallSimulator)


def _slice_minutes(spec: StorySpec, calendar: Calendar) -> int:
    """Return the longest slice that keeps what is made at once within bounds."""
    a_minute = spec.target_bytes / (calendar.hours * 60)
    fitting = [minutes for minutes in SLICE_MINUTES if minutes * a_minute <= SLICE_BYTES]
    return fitting[0] if fitting else SLICE_MINUTES[-1]


def _dealt(people: Sequence[Customer], hands: int, seed: int) -> List[List[Customer]]:
    """Deal organisations to scenarios so that each has about the same traffic; organisations stay whole."""
    sizes: Dict[str, float] = {}
    for one in people:
        sizes[one.organization_id] = sizes.get(one.organization_id, 0.0) + one.mean_calls
    names = sorted(shuffled(stream(seed, "deal"), sorted(sizes)), key=lambda name: -sizes[name])
    loads, owner = [0.0] * hands, {}
    for name in names:
        hand = loads.index(min(loads))
        # An empty organisation still counts a little, so that no scenario is dealt all of them.
        loads[hand] += sizes[name] + 1e-6
        owner[name] = hand
    return [[one for one in people if owner[one.organization_id] == hand] for hand in range(hands)]

