"""What a call with cached tokens costs: four disjoint counts of tokens, each at its own dated price.

Sources differ: OpenAI, Google and OpenTelemetry count cached tokens within the input, Anthropic counts them beside it.
Whoever reads a source makes the counts disjoint; here each is priced once.
"""
from __future__ import annotations

from typing import NamedTuple, Optional, Union

from catalog.prices import PICO_PER_NANO, DatedPrice, LongContext

Rate = Union[DatedPrice, LongContext]


class Usage(NamedTuple):
    """Tokens of one call. No token is in two of these; reasoning is part of the output."""

    fresh: int  # input that no cache held
    output: int
    cache_read: int = 0
    cache_write: int = 0  # kept for minutes
    cache_write_1h: int = 0  # kept for an hour

    @property
    def prompt(self) -> int:
        """Return all tokens that went in: what a call's `input_tokens` are, and what long prompts are judged by."""
        return self.fresh + self.cache_read + self.cache_write + self.cache_write_1h


class Charges(NamedTuple):
    """The parts of a call's cost in pico-dollars."""

    fresh: int
    output: int
    cache_read: int
    cache_write: int

    @property
    def nano(self) -> int:
        """Return the whole cost in nano-dollars, rounded once, half up."""
        return (sum(self) + PICO_PER_NANO // 2) // PICO_PER_NANO


def charge(price: DatedPrice, usage: Usage, batch: bool = False) -> Optional[Charges]:
    """Return what each part costs; None for a batch where no batch price is published.

    A class of tokens without a published price of its own is charged as input, since vendors that publish none charge
    it so. Where a price for long prompts, hours or batches is missing, the ordinary one is scaled like the input's.
    """
    rate = price.rate_for(usage.prompt)
    fresh, output, read, write = rate.input, rate.output, _read(rate), _or(rate.cache_write, rate.input)
    hour = write if price.cache_write_1h is None else _scaled(price.cache_write_1h, rate.input, price.input)
    if batch:
        if price.batch_input is None or price.batch_output is None:
            return None
        read = _scaled(read, price.batch_input, price.input) if price.batch_cached_input is None else _scaled(
            price.batch_cached_input, read, _read(price))
        write, hour = (_scaled(one, price.batch_input, price.input) for one in (write, hour))
        fresh = _scaled(price.batch_input, fresh, price.input)
        output = _scaled(price.batch_output, output, price.output)
    return Charges(usage.fresh * fresh, usage.output * output, usage.cache_read * read,
                   usage.cache_write * write + usage.cache_write_1h * hour)


def cost_nano(price: DatedPrice, usage: Usage, batch: bool = False) -> Optional[int]:
    """Return the cost of a call in nano-dollars, rounded half up; None where `charge` knows none."""
    found = charge(price, usage, batch)
    return None if found is None else found.nano


def _read(rate: Rate) -> int:
    return _or(rate.cached_input, rate.input)


def _or(price: Optional[int], instead: int) -> int:
    return instead if price is None else price


def _scaled(price: int, part: int, whole: int) -> int:
    """Return a price times part / whole, half up; a price is kept where the whole is free."""
    return (2 * price * part + whole) // (2 * whole) if whole else price
