"""Amounts as text, ranges of days over the ends of months, CSV that no spreadsheet runs, and trends."""
from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal

import pytest

from aws.utils import (
    FALLING,
    LEVEL,
    RISING,
    UNKNOWN,
    add_months,
    as_csv,
    calculate_cost_trend,
    complete_until,
    export_to_csv,
    format_currency,
    get_date_range,
    validate_date_range,
)
from errors import LogError, UsageError


@pytest.mark.parametrize("amount, currency, text", [
    ("1234.565", "USD", "$1,234.57"), ("-0.5", "USD", "\u2212$0.50"), ("0.000012", "USD", "$0.000012"),
    ("0", "USD", "$0.00"), ("1234.5", "EUR", "\u20ac1,234.50"), ("1234.5", "JPY", "JPY\u00a01,234.50"),
    ("-2", "GBP", "\u2212\u00a32.00")])
def test_an_amount_is_written_as_people_write_it(amount, currency, text):
    assert format_currency(Decimal(amount), currency) == text


def test_an_unknown_amount_is_not_zero():
    assert format_currency(None) == "unknown"


@pytest.mark.parametrize("name, today, first, last", [
    ("this-month", "2026-03-01", "2026-03-01", "2026-03-01"), ("this-month", "2028-02-29", "2028-02-01", "2028-02-29"),
    ("last-month", "2026-03-31", "2026-02-01", "2026-02-28"), ("last-month", "2028-03-01", "2028-02-01", "2028-02-29"),
    ("last-month", "2026-01-01", "2025-12-01", "2025-12-31"), ("this-year", "2026-01-01", "2026-01-01", "2026-01-01"),
    ("last-30-days", "2026-01-05", "2025-12-06", "2026-01-04"),
    ("last-1-days", "2026-03-01", "2026-02-28", "2026-02-28"),
    ("last-14-months", "2026-03-31", "2025-01-01", "2026-02-28"), ("last-1-months", "2026-05-31", "2026-04-01",
                                                                   "2026-04-30")])
def test_a_name_stands_for_days_also_at_the_ends_of_months_and_years(name, today, first, last):
    assert get_date_range(name, date.fromisoformat(today)) == (date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize("name", ["", "yesterday", "last-0-days", "last--days", "last-5-weeks", "last-99999-months"])
def test_a_name_that_stands_for_nothing_is_refused_with_those_that_do(name):
    with pytest.raises(UsageError, match="this-month, last-month"):
        get_date_range(name, date(2026, 3, 1))


def test_months_are_added_without_leaving_the_month_that_is_meant():
    assert add_months(date(2026, 3, 31), -1) == date(2026, 2, 28)
    assert add_months(date(2028, 3, 31), -1) == date(2028, 2, 29)
    assert add_months(date(2026, 1, 15), -1) == date(2025, 12, 15)
    with pytest.raises(UsageError):
        add_months(date(2026, 1, 1), -12 * 2026)


def test_a_range_is_cut_to_what_the_source_holds_and_refused_where_that_is_nothing():
    held = (date(2026, 1, 10), date(2026, 2, 20))
    assert validate_date_range(date(2026, 1, 1), date(2026, 3, 1), held) == held
    assert validate_date_range(date(2026, 2, 20), date(2026, 2, 20), held) == (held[1], held[1])
    for first, last, reason in ((date(2026, 2, 2), date(2026, 2, 1), "swap"),
                                (date(2026, 2, 21), date(2026, 2, 25), "2026-01-10 to 2026-02-20"),
                                (date(2026, 1, 1), date(2026, 1, 9), "2026-01-10 to 2026-02-20")):
        with pytest.raises(UsageError, match=reason):
            validate_date_range(first, last, held)


def test_today_and_yesterday_are_never_complete():
    assert complete_until(date(2026, 3, 1), date(2026, 3, 1)) == date(2026, 2, 27)
    assert complete_until(date(2026, 3, 1), date(2026, 2, 20)) == date(2026, 2, 20)


def decimals(*values):
    return [Decimal(str(value)) for value in values]


def test_a_trend_compares_windows_of_equal_length_and_is_exact():
    trend = calculate_cost_trend(decimals(*["0.1"] * 14, *["0.3"] * 14))
    assert (trend.direction, trend.days, trend.before, trend.now, trend.change) == (
        RISING, 14, Decimal("1.4"), Decimal("4.2"), 2.0)


@pytest.mark.parametrize("values, direction", [
    ([10] * 40, LEVEL), ([10, 10.1] * 20, LEVEL), (list(range(40, 0, -1)), FALLING), ([5], UNKNOWN), ([], UNKNOWN),
    ([0] * 10, UNKNOWN), ([10] * 20 + [10] * 19 + [400], LEVEL)], ids=str)
def test_a_trend_is_neither_noise_nor_one_day(values, direction):
    assert calculate_cost_trend(decimals(*values)).direction == direction


def test_a_trend_takes_at_most_thirty_days_and_whole_weeks():
    assert calculate_cost_trend(decimals(*[1] * 200)).days == 30
    assert calculate_cost_trend(decimals(*[1] * 45)).days == 21
    assert calculate_cost_trend(decimals(*[1] * 9)).days == 4


ROWS = [{"name": "=cmd()", "cost": Decimal("-1.50"), "note": None, "tags": {"a": "@x"}, "flag": True},
        {"name": 'a,"b"\nc', "cost": Decimal("1E-12"), "more": "+1", "share": 0.5}]


def test_csv_has_no_line_before_its_header_exact_amounts_and_no_formula():
    text = as_csv(ROWS)
    assert text.startswith("name,cost,note,tags,flag,more,share\r\n")
    first, second = csv.DictReader(io.StringIO(text, newline=""))
    assert (first["name"], first["cost"], first["note"], first["tags"], first["flag"]) == (
        "'=cmd()", "-1.50", "", "a=@x", "yes")
    assert (second["name"], second["cost"], second["more"]) == ('a,"b"\nc', "0.000000000001", "'+1")


def test_a_csv_file_is_written_whole_and_says_why_it_cannot_be(tmp_path):
    path = tmp_path / "deep" / "costs.csv"
    assert export_to_csv(ROWS, path, ["cost", "name"]) == 2
    assert path.read_bytes().startswith(b"cost,name\r\n-1.50,'=cmd()\r\n")
    with pytest.raises(LogError, match="is a folder"):
        export_to_csv(ROWS, tmp_path / "deep")
