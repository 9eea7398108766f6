"""Cheaper models for the same calls: which there are, and what each would save, as an honest range."""
from __future__ import annotations

from copy import copy
from datetime import timedelta
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from analyzers.rates import Cell, Ledger, Rates, Saving, iso_day
from catalog.prices import Model

MORE_OUTPUT = 0.4  # low end of a switch: a cheaper model answers at such greater length
MOVABLE_NEAR, MOVABLE_ELSEWHERE = 0.5, 0.25  # low end: calls that bear it, within class and provider, or otherwise
OLDER_DAYS = 365  # a model released so much before today's one is a step back, whatever its class
LASTING_DAYS = 90  # a model that retires sooner is not worth moving to


class Switch(NamedTuple):
    """One cheaper model for another, and what it would save over the days."""

    provider: str
    model: str
    to_provider: str
    to_model: str
    same_class: bool
    cost: int
    saving: Saving

    @property
    def movable(self) -> float:
        """Return the share of calls that the low end moves."""
        return MOVABLE_NEAR if self.is_near else MOVABLE_ELSEWHERE

    @property
    def is_near(self) -> bool:
        """Tell whether it stays with the provider and in the class."""
        return self.same_class and self.to_provider == self.provider

    @property
    def rank(self) -> Tuple[bool, int, int, str, str]:
        """Return what the best of several is chosen by: a near model, then the certain gain, then the most."""
        return (self.is_near, *self.saving, self.to_provider, self.to_model)


def find_switches(rates: Rates, cells: Sequence[Cell], last_day: str) -> List[Switch]:
    """Return the cheapest model of each kind for cells of one model: same or next class, same provider or another."""
    known = rates.find(cells[0].provider, cells[0].model)
    if known is None:
        return []
    # Of each kind only the cheapest on these tokens is worth the exact computation by day.
    tokens = sum(cell.input for cell in cells), sum(cell.output for cell in cells)
    best: Dict[Tuple[bool, bool], Tuple[int, str, Model]] = {}
    for other in rates.cheaper(known, last_day):
        price = rates.on(other.provider, other.model, last_day)
        if price and _is_sensible(known, other, last_day):
            kind = (other.capability == known.capability, other.provider == known.provider)
            cost = tokens[0] * price.input + tokens[1] * price.output
            if kind not in best or cost < best[kind][0]:
                best[kind] = (cost, other.model, other)
    days = _merged(cells)
    return [_switch(rates, days, other, same) for (same, _), (_, _, other) in sorted(best.items(), reverse=True)]


def apply_switch(switch: Switch, rates: Rates, ledger: Ledger, cells: Sequence[Cell]) -> Saving:
    """Take what a switch saves out of the ledger, and note where the cells would go."""
    shares = {day.day: _shares(switch, rates, day) for day in _merged(cells)}
    for cell in cells:
        cell.to_provider = switch.to_provider
    return ledger.take(cells, lambda cell: shares[cell.day][0], lambda cell: shares[cell.day][1])


def _is_sensible(known: Model, other: Model, last_day: str) -> bool:
    """Tell whether a cheaper model is about as new as today's one, as far as is known, and there to stay."""
    if other.retired and other.retired <= iso_day(last_day) + timedelta(days=LASTING_DAYS):
        return False
    if known.released is None or other.released is None:
        return True
    return other.released >= known.released - timedelta(days=OLDER_DAYS)


def _switch(rates: Rates, days: Sequence[Cell], other: Model, same_class: bool) -> Switch:
    first = days[0]
    blank = Switch(first.provider, first.model, other.provider, other.model, same_class,
                   sum(day.cost for day in days), Saving(0, 0))
    shares = [_shares(blank, rates, day) for day in days]
    high = sum(int(day.cost * most) for day, (_, most) in zip(days, shares))
    low = sum(int(day.cost * least) for day, (least, _) in zip(days, shares))
    return blank._replace(saving=Saving(low, high))


def _shares(switch: Switch, rates: Rates, day: Cell) -> Tuple[float, float]:
    """Return what shares of a day's cost the low and the high end save; nothing without a price that day."""
    likely: Optional[int] = rates.cost(day, switch.to_provider, switch.to_model)
    longer = rates.cost(day, switch.to_provider, switch.to_model, MORE_OUTPUT)
    if likely is None or longer is None:
        return 0.0, 0.0
    most = max(0.0, 1 - likely / day.cost)
    return min(most, max(0.0, switch.movable * (1 - longer / day.cost))), most


def _merged(cells: Sequence[Cell]) -> List[Cell]:
    """Return one cell for each day, of cells of one model."""
    days: Dict[str, Cell] = {}
    for cell in cells:
        if cell.day not in days:
            days[cell.day] = copy(cell)
        else:
            days[cell.day].merge(cell)
    return list(days.values())
