"""Dated list prices, exact: a price is whole pico-dollars a token, a cost is whole nano-dollars.

$1 per million tokens is 1,000,000 pico-dollars a token; every published price is a whole number of them.
"""
from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple, Union

CLASSES = ("premium", "standard", "budget")
PICO_PER_USD_PER_MILLION = 1_000_000
PICO_PER_NANO = 1_000
PRICE_NAMES = ("input", "output", "cached_input", "cache_write", "cache_write_1h",
               "batch_input", "batch_output", "batch_cached_input")


class LongContext(NamedTuple):
    """Prices of a whole request whose prompt (cached tokens included) exceeds a number of tokens."""

    above_input_tokens: int
    input: int
    output: int
    cached_input: Optional[int]
    cache_write: Optional[int]


class DatedPrice(NamedTuple):
    """A model's list prices from a day on, in pico-dollars a token; None where none is published."""

    since: Optional[date]
    input: int
    output: int
    cached_input: Optional[int] = None
    cache_write: Optional[int] = None
    cache_write_1h: Optional[int] = None
    batch_input: Optional[int] = None
    batch_output: Optional[int] = None
    batch_cached_input: Optional[int] = None
    long_context: Optional[LongContext] = None

    def cost_nano(self, input_tokens: int, output_tokens: int) -> int:
        """Return the cost in nano-dollars of a call without cached tokens, rounded half up."""
        rate = self.rate_for(input_tokens)
        return (input_tokens * rate.input + output_tokens * rate.output + PICO_PER_NANO // 2) // PICO_PER_NANO

    def rate_for(self, prompt_tokens: int) -> Union[DatedPrice, LongContext]:
        """Return the prices that a prompt of this length (cached tokens included) is charged at."""
        longer = self.long_context
        return longer if longer and prompt_tokens > longer.above_input_tokens else self


@dataclass(frozen=True, eq=False)
class Model:
    """A model as one provider sells it; `prices` are oldest first. Two are equal when they are the same entry.

    `other_snapshots` are dated names that begin like the model's and had other prices.
    """

    provider: str
    model: str
    capability: str
    popularity: float
    released: Optional[date]
    retired: Optional[date]
    aliases: Tuple[str, ...]
    prices: Tuple[DatedPrice, ...]
    sources: Tuple[str, ...]
    note: str = ""
    other_snapshots: Tuple[str, ...] = ()

    def price_on(self, day: date) -> Optional[DatedPrice]:
        """Return the price in force on a day; None before the first dated price."""
        held = [price for price in self.prices if price.since is None or price.since <= day]
        return held[-1] if held else None


def read_prices(entries: List[Mapping[str, Any]]) -> Tuple[DatedPrice, ...]:
    """Read the `prices` list of a model; raises ValueError, KeyError or TypeError with the reason."""
    prices = []
    for entry in entries:
        since = entry["from"]
        unknown = set(entry) - set(PRICE_NAMES) - {"from", "long_context"}
        if unknown:
            raise ValueError(f"unknown price {min(unknown)!r}; there are: {', '.join(PRICE_NAMES)}")
        prices.append(DatedPrice(
            since=date.fromisoformat(since) if since else None,
            long_context=_long_context(entry.get("long_context")), **_picos(entry, PRICE_NAMES)))
    days = [price.since or date.min for price in prices]
    if not days or days != sorted(set(days)):
        raise ValueError("prices must be a list with ascending 'from' dates")
    return tuple(prices)


def _long_context(entry: Optional[Mapping[str, Any]]) -> Optional[LongContext]:
    if entry is None:
        return None
    names = ("input", "output", "cached_input", "cache_write")
    picos: Dict[str, Any] = {"cached_input": None, "cache_write": None}
    picos.update(_picos(entry, names))
    return LongContext(above_input_tokens=int(entry["above_input_tokens"]), **picos)


def _picos(entry: Mapping[str, Any], names: Tuple[str, ...]) -> Dict[str, Any]:
    for name in ("input", "output"):
        if entry.get(name) is None:
            raise KeyError(name)
    return {name: _pico(name, entry[name]) for name in names if entry.get(name) is not None}


def _pico(name: str, dollars: Any) -> int:
    try:
        pico = Decimal(dollars) * PICO_PER_USD_PER_MILLION
    except ArithmeticError:  # text that is no number
        pico = Decimal("NaN")
    if not pico.is_finite() or pico < 0 or pico != int(pico):
        raise ValueError(f"{name} {dollars} is not a price in dollars per million tokens with at most 6 decimals")
    return int(pico)
