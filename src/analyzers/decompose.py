"""What changed: the difference of two periods' costs, split so that the parts add up to it exactly.

A scope's cost is calls x share of each model x share that succeeded x tokens a call x price of a token. One factor
after the other is moved from the old period to the new, in that order; tokens are weighted by list price, so that
longer answers are not taken for dearer ones. What rounding leaves goes to the price.
"""
from __future__ import annotations

from datetime import date
from typing import Dict, List, Mapping, NamedTuple, Sequence, Tuple

from analyzers.common import Period, Periods
from calls.record import SUCCESS
from catalog.loader import Catalog
from rollup.rollup import Group, Rollup

Model = Tuple[str, str]  # provider and model
_NAMES = ("organization", "feature", "provider", "model", "status")
_PROVIDER = _NAMES.index("provider")


class Parts(NamedTuple):
    """A difference in nano-dollars, by cause."""

    volume: int = 0
    model_mix: int = 0
    failed_calls: int = 0
    tokens_per_call: int = 0
    price: int = 0

    @property
    def total(self) -> int:
        """Return the whole difference."""
        return sum(self)


class Use(NamedTuple):
    """What a scope did with one model in a period: calls, those that succeeded, weighted tokens, nano-dollars."""

    calls: int
    succeeded: int
    weighted: int
    nano: int


NOTHING = Use(0, 0, 0, 0)


def decompose(before: Mapping[Model, Use], after: Mapping[Model, Use]) -> Parts:
    """Return why one scope's cost differs between two periods; the parts sum to the difference."""
    calls = [sum(use.calls for use in uses.values()) for uses in (before, after)]
    nano = [sum(use.nano for use in uses.values()) for uses in (before, after)]
    if not calls[0] or not calls[1]:
        return Parts(volume=nano[1] - nano[0])
    volume = _scaled(nano[0], calls[1] - calls[0], calls[0])
    mix = -sum(_scaled(old.nano, calls[1], calls[0]) for old in before.values())
    failed = tokens = 0
    for model, use in after.items():
        old = before.get(model, NOTHING)
        # A model that was not used before has no old price of a call: all of it is mix.
        expected = _scaled(old.nano, use.calls, old.calls) if old.calls else use.nano
        mix += expected
        if old.succeeded and old.weighted and use.succeeded:
            succeeding = _scaled(old.nano, use.succeeded, old.succeeded)
            failed += succeeding - expected
            tokens += _scaled(old.nano, use.weighted, old.weighted) - succeeding
    return Parts(volume, mix, failed, tokens, nano[1] - nano[0] - volume - mix - failed - tokens)


def uses(groups: Sequence[Group], scope: str, period: Period, catalog: Catalog) -> Dict[str, Dict[Model, Use]]:
    """Return what each value of a dimension did with each model, from a period's groups by `_NAMES`."""
    place = _NAMES.index(scope)
    sums: Dict[Tuple[str, Model], List[int]] = {}
    for key, one in groups:
        use = sums.setdefault((key[place], (key[_PROVIDER], key[_PROVIDER + 1])), [0] * 5)
        use[0] += one.calls
        use[1] += one.cost_nano
        if key[-1] == SUCCESS:
            use[2] += one.calls
            use[3] += one.input_tokens
            use[4] += one.output_tokens
    found: Dict[str, Dict[Model, Use]] = {}
    day = date(*map(int, period.first.split("-")))
    for (value, model), (calls, nano, succeeded, given, taken) in sums.items():
        price = catalog.price_on(model[0], model[1], day)
        weights = (price.input, price.output) if price else (1, 1)
        found.setdefault(value, {})[model] = Use(calls, succeeded, given * weights[0] + taken * weights[1], nano)
    return found


def what_changed(rollup: Rollup, pair: Periods, scopes: Sequence[str], catalog: Catalog) -> Dict[str, Dict[str, Parts]]:
    """Return for each scope the parts of the change of each of its values, the largest change first."""
    # Days are many: each period is rolled up once, and all scopes are answered from that.
    groups = [(period, rollup.by(*_NAMES, where={"day": period.days})) for period in (pair.previous, pair.current)]
    found = {}
    for scope in scopes:
        before, after = (uses(ones, scope, period, catalog) for period, ones in groups)
        parts = {value: decompose(before.get(value, {}), after.get(value, {})) for value in sorted({*before, *after})}
        found[scope] = dict(sorted(parts.items(), key=lambda item: -abs(item[1].total)))
    return found


def summed(parts: Sequence[Parts]) -> Parts:
    """Return the sum of the parts of several scopes."""
    return Parts(*map(sum, zip(*parts))) if parts else Parts()


def _scaled(nano: int, by: int, over: int) -> int:
    """Return nano x by / over, rounded half up."""
    return (2 * nano * by + over) // (2 * over)
