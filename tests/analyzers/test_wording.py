from __future__ import annotations

from decimal import Decimal

import pytest

from analyzers.wording import duration, money, numbered, percent
from generators import formats


@pytest.mark.parametrize("dollars, text", [
    (Decimal("1234.565"), "$1,234.57"), (Decimal("0.000013"), "$0.000013"), (Decimal("0.0000126"), "$0.000013"),
    (Decimal("0.005"), "$0.01"), (Decimal("-69.8"), "\u2212$69.80"), (0, "$0.00"), (Decimal("0E-9"), "$0.00")])
def test_money_is_written_as_the_pages_write_it(dollars, text) -> None:
    assert money(dollars) == text == formats.show(Decimal(dollars), "money")


@pytest.mark.parametrize("share, text", [
    (0.219, "21.9 %"), (-0.219, "\u221221.9 %"), (0.0, "0.0 %"), (-0.0001, "0.0 %"), (12.5, "1,250.0 %")])
def test_a_share_is_a_percentage_with_one_place(share, text) -> None:
    assert percent(share) == text


@pytest.mark.parametrize("ms, text", [(0, "0 ms"), (842.5, "843 ms"), (999, "999 ms"), (1000, "1.0 s"),
                                      (12_450, "12.5 s"), (3_600_000.0, "3,600.0 s")])
def test_durations_are_written_as_the_pages_write_them(ms, text) -> None:
    assert duration(ms) == text == formats.show(Decimal(ms), "milliseconds")


def test_one_is_no_plural() -> None:
    assert (numbered(1, "customer"), numbered(0, "customer")) == ("1 customer", "0 customers")
    assert numbered(1234, "company", "companies") == "1,234 companies"
