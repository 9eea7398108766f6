"""Text to exact values and back: counts, nano-dollars and times, and everything that is none."""
from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Context, Decimal

import pytest
from hypothesis import given, settings, strategies as st

from calls.values import format_nano, format_timestamp, milliseconds_of, parse_count, parse_nano, parse_timestamp

FULL_WIDTH = "\uff11\uff12"  # the digits 1 and 2 as Chinese and Japanese texts write them
ARABIC = "\u0661"
MOST = 999_999_999_999
NOON_MS = 1_769_860_800_000  # 2026-01-31T12:00:00Z
DAY_MS = 86_400_000
FIRST_MS, LAST_MS = -62_135_596_800_000, 253_402_300_799_999  # years 1 to 9999

NO_NUMBERS = ["1_000", FULL_WIDTH, ARABIC, "inf", "-inf", "Infinity", "nan", "NaN", "5,00", "1,000", "$5", "5$", "5 ",
              " 5", "5\n", "abc", "1e", "e5", ".5", "5.", "1.2.3", "0x10", "--1", "1e9999", "\u22121", "5\x00",
              "1" * 41, "0." + "1" * 41]


def _refusal(read, text):
    with pytest.raises(ValueError) as caught:
        read(text)
    return str(caught.value)


@pytest.mark.parametrize("read", [parse_count, parse_nano])
@pytest.mark.parametrize("text", NO_NUMBERS)
def test_what_python_or_people_may_take_for_a_number_is_refused(read, text):
    shown = text if len(text) <= 40 else text[:37] + "..."
    assert _refusal(read, text) == f"{shown!r} is not a plain number"


@pytest.mark.parametrize("read", [parse_count, parse_nano])
def test_an_empty_text_is_refused_as_empty(read):
    assert _refusal(read, "") == "is empty"


@pytest.mark.parametrize("read", [parse_count, parse_nano])
@pytest.mark.parametrize("text", ["-1", "-1e-5", "-1e-999", "-999999999999"])
def test_a_negative_number_is_refused_as_negative(read, text):
    assert _refusal(read, text) == f"{text!r} is negative"


@pytest.mark.parametrize("read", [parse_count, parse_nano])
@pytest.mark.parametrize("text", ["1e309", "1e999", "9" * 40, "1000000000000", "1e12", "1" * 19])
def test_a_number_of_more_than_12_digits_is_refused_as_too_large(read, text):
    assert _refusal(read, text) == f"{text!r} is too large"


@pytest.mark.parametrize("text, count", [
    ("0", 0), ("7", 7), ("007", 7), ("999999999999", MOST), ("0" * 39 + "5", 5), ("+5", 5), ("-0", 0), ("5.0", 5),
    ("5.000", 5), ("1e3", 1000), ("1.5E+2", 150), ("1200e-2", 12), ("0e999", 0)])
def test_a_whole_number_is_read_in_every_plain_form(text, count):
    found = parse_count(text)
    assert (found, type(found)) == (count, int)


@pytest.mark.parametrize("text", ["1.5", "1e-7", "0.000000000000000000001", "999999999999.5", "1e-999"])
def test_a_count_with_a_fraction_is_refused(text):
    assert _refusal(parse_count, text) == f"{text!r} is not a whole number"


@pytest.mark.parametrize("text, nano", [
    ("0", 0), ("1", 10 ** 9), ("0.000000001", 1), ("0.1", 100_000_000), ("12.345678901", 12_345_678_901),
    ("999999999999.999999999", 10 ** 21 - 1), ("1e-7", 100), ("1E-9", 1), ("2.5e-3", 2_500_000), ("1e3", 10 ** 12),
    ("+0.5", 500_000_000), ("-0.0", 0), ("00.10", 100_000_000), ("29", 29 * 10 ** 9)])
def test_an_amount_is_read_exactly(text, nano):
    found = parse_nano(text)
    assert (found, type(found)) == (nano, int)


@pytest.mark.parametrize("text, nano", [
    ("0.0000000005", 0), ("0.0000000015", 2), ("0.0000000025", 2), ("0.00000000251", 3), ("1e-10", 0), ("6e-10", 1),
    ("1e-999", 0), ("0.99999999999", 10 ** 9)])
def test_more_than_nine_decimals_are_rounded_half_to_even(text, nano):
    assert parse_nano(text) == nano


def test_an_amount_is_rounded_once_however_many_digits_it_has():
    assert parse_nano("1.0000000005000000000000000000001") == 1_000_000_001
    assert parse_nano("123456789012.0000000004999999999999999999") == 123_456_789_012 * 10 ** 9


def test_amounts_that_a_float_cannot_hold_are_kept():
    assert parse_nano("9007199.254740993") == 9_007_199_254_740_993
    assert parse_nano("0.1") * 3 == parse_nano("0.3")


@pytest.mark.parametrize("nano, text", [
    (0, "0.000000000"), (1, "0.000000001"), (-1, "-0.000000001"), (10 ** 9, "1.000000000"),
    (12_345_678_901, "12.345678901"), (-10 ** 9 - 500_000_000, "-1.500000000"),
    (10 ** 21 - 1, "999999999999.999999999")])
def test_an_amount_is_written_with_all_nine_places(nano, text):
    assert format_nano(nano) == text


@given(st.integers(0, 10 ** 21 - 1))
@settings(deadline=None)
def test_every_amount_survives_being_written_and_read(nano):
    assert parse_nano(format_nano(nano)) == nano


@given(st.integers(0, MOST), st.integers(0, 10 ** 40 - 1), st.integers(10, 40))
@settings(deadline=None)
def test_an_amount_of_any_length_is_rounded_as_an_exact_decimal_would_be(dollars, digits, places):
    text = f"{dollars}.{str(digits).rjust(40, '0')[-places:]}"
    exact = Decimal(text).scaleb(9, Context(prec=80))
    assert parse_nano(text) == int(exact.to_integral_value(ROUND_HALF_EVEN, Context(prec=80)))


@given(st.text(max_size=12))
@settings(deadline=None)
def test_any_text_is_either_a_value_or_refused_with_one_line(text):
    for read in (parse_count, parse_nano, parse_timestamp):
        try:
            assert isinstance(read(text), int)
        except ValueError as error:
            assert str(error) and "\n" not in str(error)


@pytest.mark.parametrize("text, milliseconds", [
    ("1970-01-01T00:00:00.000Z", 0),
    ("1969-12-31T23:59:59.999Z", -1),
    ("2026-01-31T12:00:00Z", NOON_MS),
    ("2026-01-31T12:00:00z", NOON_MS),
    ("2026-01-31T12:00:00", NOON_MS),
    ("2026-01-31 12:00:00", NOON_MS),
    ("2026-01-31T12:00", NOON_MS),
    ("2026-01-31T12:00Z", NOON_MS),
    ("2026-01-31 12:00:00 +0000", NOON_MS),
    ("2026-01-31T14:00:00+02:00", NOON_MS),
    ("2026-01-31T14:00:00+0200", NOON_MS),
    ("2026-01-31T06:30:00-05:30", NOON_MS),
    ("2026-02-01T02:00:00+14:00", NOON_MS),
    ("2026-01-31T12:00:00-00:00", NOON_MS),
    ("2026-01-31T12:00:00.5Z", NOON_MS + 500),
    ("2026-01-31T12:00:00,123Z", NOON_MS + 123),
    ("2026-01-31T12:00:00.123999Z", NOON_MS + 123),
    ("2026-01-31T12:00:00.999999999+00:00", NOON_MS + 999),
    ("2026-01-31", NOON_MS - DAY_MS // 2),
    ("2024-02-29", 1_709_164_800_000),
    ("0001-01-01T00:00:00Z", FIRST_MS),
    ("9999-12-31T23:59:59.999Z", LAST_MS)])
def test_a_time_is_read_as_milliseconds_in_utc(text, milliseconds):
    found = parse_timestamp(text)
    assert (found, type(found)) == (milliseconds, int)


@pytest.mark.parametrize("text", [
    "2026-02-30T12:00:00Z", "2025-02-29", "2026-13-01", "2026-00-10", "2026-01-00", "2026-12-31T23:59:60Z",
    "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z", "0000-01-01T00:00:00Z"])
def test_an_impossible_time_is_refused_with_its_text(text):
    assert _refusal(parse_timestamp, text).startswith(f"{text!r} is no possible time: ")


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-00:01"])
def test_a_time_that_leaves_the_calendar_in_utc_is_refused(text):
    assert _refusal(parse_timestamp, text) == (
        f"{text!r} is no possible time: in UTC it is outside the years 1 to 9999")


@pytest.mark.parametrize("zone", ["+24:00", "-24:00", "+99:00", "+02:60"])
def test_an_impossible_offset_is_refused(zone):
    assert zone + "' is no possible offset from UTC" in _refusal(parse_timestamp, "2026-01-31T12:00:00" + zone)


@pytest.mark.parametrize("text", [
    "", "now", "1769860800", "31.01.2026", "2026-1-31", "26-01-31", "2026/01/31", "2026-01-31T12", "12:00:00",
    "2026-01-31T12:00:00 CET", "2026-01-31T12:00:00+2", "2026-01-31T12:00:00.", "2026-01-31T12:00:00.1234567890Z",
    "2026-01-31t12:00:00Z", " 2026-01-31", "2026-01-31Z", "10000-01-01", "-2026-01-31",
    "2026-01-31T\uff112:00:00Z", "2026-01-31T12:00:00ZZ"])
def test_what_is_no_iso_time_is_refused_with_an_example(text):
    message = _refusal(parse_timestamp, text)
    assert message.endswith("is not an ISO 8601 time such as 2026-01-31T12:00:00.000Z")
    assert repr(text) in message or not text


@pytest.mark.parametrize("milliseconds, text", [
    (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"), (NOON_MS, "2026-01-31T12:00:00.000Z"),
    (NOON_MS + 7, "2026-01-31T12:00:00.007Z"), (FIRST_MS, "0001-01-01T00:00:00.000Z"),
    (LAST_MS, "9999-12-31T23:59:59.999Z")])
def test_a_time_is_written_in_utc_with_milliseconds(milliseconds, text):
    assert format_timestamp(milliseconds) == text


@given(st.integers(FIRST_MS, LAST_MS))
@settings(deadline=None)
def test_every_time_survives_being_written_and_read(milliseconds):
    assert parse_timestamp(format_timestamp(milliseconds)) == milliseconds


@given(st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29)), st.integers(-1439, 1439))
@settings(deadline=None)
def test_every_offset_names_the_same_moment_as_utc(moment, minutes):
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    in_utc = aware.astimezone(timezone.utc).isoformat()
    assert parse_timestamp(aware.isoformat()) == parse_timestamp(in_utc) == milliseconds_of(aware)


def test_an_aware_datetime_and_a_naive_one_taken_as_utc_become_milliseconds():
    noon = datetime(2026, 1, 31, 12, 0, 0, 7_999)
    assert milliseconds_of(noon) == NOON_MS + 7
    assert milliseconds_of(noon.replace(tzinfo=timezone(timedelta(hours=2)))) == NOON_MS + 7 - 7_200_000


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone of a process cannot be changed here")
def test_the_zone_of_the_machine_makes_no_difference(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        test_an_aware_datetime_and_a_naive_one_taken_as_utc_become_milliseconds()
        assert format_timestamp(NOON_MS).startswith("2026-01-31T12:")
    finally:
        monkeypatch.undo()
        time.tzset()
