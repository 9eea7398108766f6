"""Rates that a call could have been charged at instead, and a ledger in which no dollar is saved twice.

Savings are applied one after the other: each takes its share of what the ones before left over of a cell's cost.
"""
from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from catalog.loader import Catalog
from catalog.prices import PICO_PER_NANO, DatedPrice, Model
from rollup.rollup import Group

CELL = ("day", "customer", "feature", "provider", "model", "environment")
_WHOLE = 1_000_000  # shares are whole millionths, so that money stays whole


class Cell:
    """Calls of one kind on one day: their tokens, their cost, and what savings so far left of it, in nano-dollars."""

    __slots__ = ("day", "customer", "feature", "provider", "model", "environment",
                 "calls", "input", "output", "cost", "left", "to_provider")

    def __init__(self, group: Group) -> None:
        """Take a group of the rollup by `CELL`."""
        self.day, self.customer, self.feature, self.provider, self.model, self.environment = group.key
        counted = group.measures
        self.calls, self.input, self.output = counted.calls, counted.input_tokens, counted.output_tokens
        self.cost = self.left = counted.cost_nano
        self.to_provider: Optional[str] = None  # where a switch would move it

    def merge(self, other: Cell) -> None:
        """Take another cell's calls in; what they have in common stays."""
        self.calls += other.calls
        self.input += other.input
        self.output += other.output
        self.cost += other.cost
        self.left += other.left


class Saving(NamedTuple):
    """Nano-dollars that one step may save: an honest low end, and the most."""

    low: int
    high: int


def together(savings: Iterable[Saving]) -> Saving:
    """Return the sum of savings."""
    every = list(savings)
    return Saving(sum(one.low for one in every), sum(one.high for one in every))


class Ledger:
    """The cost of some whole days, cell by cell; what is taken out of it once is gone."""

    def __init__(self, groups: Iterable[Group]) -> None:
        """Open with groups of the rollup by `CELL`; cells with unpriced calls, or that cost nothing, stay outside.

        Tokens of unpriced calls cannot be told from the others' in a cell.
        """
        self.cells = [Cell(group) for group in groups if group.measures.cost_nano and not group.measures.unpriced]

    @property
    def left(self) -> int:
        """Return what all savings so far left, in nano-dollars."""
        return sum(cell.left for cell in self.cells)

    def take(self, cells: Iterable[Cell], low: Callable[[Cell], float], high: Callable[[Cell], float]) -> Saving:
        """Save a share of what is left of each cell: the low end is only counted, the high end is taken out."""
        least = most = 0
        for cell in cells:
            saved = int(high(cell) * _WHOLE) * cell.left // _WHOLE
            least += min(saved, int(low(cell) * _WHOLE) * cell.left // _WHOLE)
            most += saved
            cell.left -= saved
        return Saving(least, most)


class Rates:
    """List prices by provider, model and day, each looked up once."""

    def __init__(self, catalog: Catalog) -> None:
        """Ask this catalogue."""
        self._catalog = catalog
        self._known: Dict[Tuple[str, str, str], Optional[DatedPrice]] = {}
        self._days: Dict[str, date] = {}

    def on(self, provider: str, model: str, day: str) -> Optional[DatedPrice]:
        """Return the list price in force on an ISO day, or None where none is known."""
        key = (provider, model, day)
        if key not in self._known:
            self._known[key] = self._catalog.price_on(provider, model, self._date(day))
        return self._known[key]

    def find(self, provider: str, model: str) -> Optional[Model]:
        """Return a model's entry in the catalogue, or None."""
        return self._catalog.find(provider, model)

    def cheaper(self, model: Model, day: str) -> List[Model]:
        """Return the cheaper models of its class or the next one on sale that day."""
        return self._catalog.cheaper_models(model, self._date(day))

    def cost(self, cell: Cell, provider: str, model: str, more_output: float = 0.0) -> Optional[int]:
        """Return what the cell's tokens cost at another model's list price of that day, in nano-dollars.

        `more_output` is the share of output tokens that come on top. None where there was no price that day. The
        mean prompt decides whether a long-context price applies, since single prompts are not counted.
        """
        price = self.on(provider, model, cell.day)
        if price is None:
            return None
        rate = price.rate_for(cell.input // cell.calls)
        return (cell.input * rate.input + int(cell.output * (1 + more_output)) * rate.output) // PICO_PER_NANO

    def batch_share(self, cell: Cell, otherwise: float) -> Tuple[float, bool]:
        """Return what share of a cell's cost the batch price saves, and whether that price is published."""
        price = self.on(cell.provider, cell.model, cell.day)
        if price is None or price.batch_input is None or price.batch_output is None:
            return otherwise, False
        listed = cell.input * price.input + cell.output * price.output
        batched = cell.input * price.batch_input + cell.output * price.batch_output
        return (max(0.0, 1 - batched / listed) if listed else 0.0), True

    def cache_share(self, cell: Cell, calls_per_day: float, repeated: float) -> float:
        """Return what share of a cell's cost is saved when a share of each prompt is repeated and cached.

        The repeated part is written to the cache by the first of a customer's calls a day and read by the others;
        0.0 where no price for cached input is published.
        """
        price = self.on(cell.provider, cell.model, cell.day)
        if price is None or price.cached_input is None:
            return 0.0
        listed = cell.input * price.input + cell.output * price.output
        first = 1 / calls_per_day
        dearer = max(0, (price.cache_write or price.input) - price.input)
        saved = repeated * cell.input * ((1 - first) * (price.input - price.cached_input) - first * dearer)
        return max(0.0, saved / listed) if listed else 0.0

    def _date(self, day: str) -> date:
        if day not in self._days:
            self._days[day] = iso_day(day)
        return self._days[day]


def iso_day(text: str) -> date:
    """Return the date of an ISO text."""
    return date(*map(int, text.split("-")))


class Commitment(NamedTuple):
    """Paying for a floor of use every day at a discount, against what the days really used (nano-dollars a day)."""

    floor: int
    discount: Decimal
    daily: Sequence[int]

    @property
    def saved(self) -> int:
        """Return what it would have saved over the days; negative when it would have lost."""
        paid = self.floor - int(self.floor * self.discount)
        return sum(min(used, self.floor) - paid for used in self.daily)

    @property
    def utilization(self) -> float:
        """Return what share of the commitment the days used."""
        return sum(min(used, self.floor) for used in self.daily) / (self.floor * len(self.daily))

    @property
    def days_below(self) -> float:
        """Return the share of days whose use fell below the commitment."""
        return sum(used < self.floor for used in self.daily) / len(self.daily)
