"""How values are written for people."""
from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

import blocks as b
from generators.formats import UNKNOWN, full, kind_of, number, show, words


@pytest.mark.parametrize("value, kind, text", [
    ("1234.56", b.MONEY, "$1,234.56"), (Decimal("0.000013"), b.MONEY, "$0.000013"), ("0.005", b.MONEY, "$0.01"),
    ("0.00499", b.MONEY, "$0.005"), (0, b.MONEY, "$0.00"), ("-119.929", b.MONEY, "\u2212$119.93"),
    ("119.929", b.MONEY_CHANGE, "+$119.93"), ("0", b.MONEY_CHANGE, "$0.00"),
    ("-0.000000001", b.MONEY_CHANGE, "$0.00"), ("-0.00005", b.MONEY_CHANGE, "\u2212$0.00005"),
    ("0.000000001", b.MONEY, "$0.000000001"),
    (0.125, b.SHARE, "12.5 %"), (0.00012, b.SHARE, "0.012 %"), (1.0, b.SHARE, "100.0 %"), (0, b.SHARE, "0.0 %"),
    (-0.219, b.CHANGE, "\u221221.9 %"), (0.219, b.CHANGE, "+21.9 %"), (-0.0004, b.CHANGE, "0.0 %"),
    (0.0005, b.CHANGE, "+0.05 %"), (12.34, b.PERCENT, "12.3 %"),
    (1_234_567, b.COMPACT, "1.2 M"), (999_999, b.COMPACT, "1.0 M"), (999, b.COMPACT, "999"), (12.5, b.COMPACT, "12.5"),
    (1234, b.COUNT, "1,234"), (296.5, b.COUNT, "297"), (2.25, b.COUNT, "2.25"), (0.2458, b.NUMBER, "0.246"),
    (843.5, b.MILLISECONDS, "844 ms"), (12_480, b.MILLISECONDS, "12.5 s"), (20_031_628, b.BYTES, "20.0 MB"),
    (999, b.BYTES, "999 B"), ("2026-01-01T00:02:57.510Z", b.TIME, "2026-01-01 00:02 UTC"),
    ("2026-01-01T07", b.TIME, "2026-01-01 07:00 UTC"), ("2026-01-01", b.TIME, "2026-01-01"),
    ("2026-01-01", b.DAY, "2026-01-01"), (True, b.YES_NO, "yes"), (["a", None], b.TEXT, "a, unknown")])
def test_a_value_is_written_as_people_write_it(value, kind, text):
    assert show(value, kind) == text


@pytest.mark.parametrize("kind", [b.MONEY, b.SHARE, b.COUNT, b.TEXT, b.TIME, b.YES_NO])
def test_unknown_is_a_word_and_never_a_number(kind):
    assert show(None, kind) == UNKNOWN


def test_half_a_cent_is_rounded_up_on_the_exact_digits():
    assert show("2.675", b.MONEY) == "$2.68"  # a float would make it 2.67


def test_all_digits_are_on_hover_where_some_are_left_out():
    assert full(1_103_087_332, b.COMPACT) == "1,103,087,332"
    assert full("381.869787275", b.MONEY) == "381.869787275"
    assert full(0.5, b.SHARE) == full("text", b.TEXT) == full(12, b.COMPACT) == ""


@pytest.mark.parametrize("name, value, kind", [
    ("cost", "1.5", b.MONEY), ("unpriced", 3, b.COUNT), ("monthly_usd", None, b.MONEY), ("p95_ms", 3, b.MILLISECONDS),
    ("error_rate", 0.1, b.SHARE), ("rate_days", 7, b.COUNT), ("margin_percent", 99.0, b.PERCENT),
    ("tokens", 12, b.COMPACT), ("calls", 1, b.COUNT),
    ("cost_change", -0.2, b.CHANGE), ("severity", "high", b.BADGE), ("first", "2026-01-01T00:00:00.000Z", b.TIME),
    ("day", "2026-01-01", b.DAY), ("days", 3, b.COUNT), ("customer", "cust_0001", b.TEXT), ("derived", True, b.YES_NO),
    ("cost", "a word", b.TEXT), ("bytes", 12, b.BYTES), ("share", 0.5, b.SHARE), ("factor", 1.25, b.COUNT)])
def test_a_name_tells_the_kind(name, value, kind):
    assert kind_of(name, value) == kind


@pytest.mark.parametrize("name, text", [("by_provider", "By provider"), ("p95_ms", "P95"), ("", "")])
def test_a_name_is_read_as_words(name, text):
    assert words(name) == text


@pytest.mark.parametrize("value", [None, True, "x", float("nan"), "Infinity", [], {}])
def test_what_is_no_number_is_none(value):
    assert number(value) is None


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-10 ** 15, max_value=10 ** 15, places=9))
def test_money_is_never_off_by_more_than_half_a_cent(amount):
    shown = show(amount, b.MONEY).replace("$", "").replace(",", "").replace("\u2212", "-")
    assert abs(Decimal(shown) - amount) <= Decimal("0.005")
    assert amount == 0 or abs(amount) < Decimal("1e-9") or Decimal(shown) != 0
