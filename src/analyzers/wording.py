"""How headlines write figures: dollars, shares, durations and counts, as the pages write them."""
from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Union

from blocks import SIGN

NO_CALLS = "The log holds no calls yet."  # the headline of every report without data
_MINUS = "\u2212"
_HALF_A_CENT = Decimal("0.005")


def money(dollars: Union[Decimal, int]) -> str:
    """Return dollars with two places, below half a cent with two digits that are not 0: $1,234.56, $0.000013."""
    size = abs(Decimal(dollars))
    places = 2 if not size or size >= _HALF_A_CENT else 1 - size.adjusted()
    return _signed(dollars < 0, f"{SIGN.get()}{_rounded(size, places):,f}")


def percent(share: float, places: int = 1) -> str:
    """Return a share as a percentage with so many places: 0.219 as 21.9 %."""
    return _signed(share < 0, f"{_rounded(abs(Decimal(share)) * 100, places):,f} %")


def duration(ms: float) -> str:
    """Return milliseconds as such, from a second on in seconds with one place: 843 ms, 12.5 s."""
    exact = Decimal(ms)
    return f"{_rounded(exact, 0)} ms" if exact < 1000 else f"{_rounded(exact / 1000, 1):,f} s"


def numbered(number: int, word: str, plural: str = "") -> str:
    """Return a number with its word, in the plural where it is not one: 1 customer, 1,234 customers."""
    return f"{number:,} {word if number == 1 else plural or word + 's'}"


def _rounded(exact: Decimal, places: int) -> Decimal:
    return exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def _signed(negative: bool, text: str) -> str:
    return _MINUS + text if negative and any(digit in "123456789" for digit in text) else text
