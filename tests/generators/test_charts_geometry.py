"""Axes, shapes and thinning on exact small numbers."""
from __future__ import annotations

from decimal import Decimal as D

import pytest

import blocks as b
from generators import shapes
from generators.chart_data import Series
from generators.drawing import below_texts, label_axis, value_axis
from generators.scales import (
    Tick,
    cut,
    logarithmic_ticks,
    moment,
    moments,
    nice_ticks,
    range_of,
    short_time,
    text_width,
    tick_texts,
    time_ticks,
)
from generators.scatter_drawings import Place, named
from generators.shapes import Box, area, line, sector, squarify
from generators.thinning import MOST_POINTS, kept


def decimals(*texts):
    return [D(text) for text in texts]


@pytest.mark.parametrize("low, high, ticks", [
    ("0", "10", ["0", "2.5", "5.0", "7.5", "10.0"]), ("0", "48.29", ["0", "20", "40", "60"]),
    ("94.9", "99.9", ["94", "96", "98", "100"]), ("-103", "8", ["-150", "-100", "-50", "0", "50"]),
    ("0", "0.000013", ["0", "0.000005", "0.000010", "0.000015"]), ("0", "3e20", ["0", "1e20", "2e20", "3e20"]),
    ("5", "5", ["0", "2", "4", "6"]), ("0", "0", ["0", "0.25", "0.50", "0.75", "1.00"]),
    ("-7", "-7", ["-8", "-6", "-4", "-2", "0"])])
def test_ticks_are_round_and_enclose_the_values(low, high, ticks):
    assert nice_ticks(D(low), D(high)) == decimals(*ticks)


@pytest.mark.parametrize("low, high", [
    ("0", "1e-290"), ("-1e299", "1e299"), ("0.1", "0.3"), ("-3", "7"), ("1", "9999")])
def test_any_range_gets_two_to_five_ticks_that_enclose_it(low, high):
    ticks = nice_ticks(D(low), D(high))
    assert 2 <= len(ticks) <= 5 and ticks[0] <= D(low) and ticks[-1] >= D(high)


def test_counts_get_whole_ticks():
    assert nice_ticks(D(0), D(3), whole=True) == decimals("0", "1", "2", "3")
    assert nice_ticks(D(0), D(1), whole=True) == decimals("0", "1")


@pytest.mark.parametrize("ticks, kind, texts", [
    (["0", "20", "40"], b.MONEY, ["$0", "$20", "$40"]), (["0", "0.5", "1"], b.MONEY, ["$0", "$0.50", "$1.00"]),
    (["0", "0.000005"], b.MONEY, ["$0", "$0.000005"]), (["-50", "0", "50"], b.MONEY_CHANGE, ["\u2212$50", "$0", "$50"]),
    (["0", "12500", "25000"], b.MONEY, ["$0", "$12.50 K", "$25.00 K"]), (["0", "5000"], b.COUNT, ["0", "5,000"]),
    (["0", "1250000", "2500000"], b.COMPACT, ["0", "1.25 M", "2.5 M"]),
    (["0", "0.25", "0.5"], b.SHARE, ["0 %", "25 %", "50 %"]),
    (["-20", "0"], b.PERCENT, ["\u221220 %", "0 %"]), (["0", "500", "1000"], b.MILLISECONDS, ["0", "0.5 s", "1 s"]),
    (["0", "250", "500"], b.MILLISECONDS, ["0", "250 ms", "500 ms"]), (["0", "10000000"], b.BYTES, ["0", "10 MB"])])
def test_ticks_of_an_axis_share_a_unit(ticks, kind, texts):
    assert tick_texts(decimals(*ticks), kind) == texts


@pytest.mark.parametrize("low, high, ticks", [
    ("20", "126", ["20", "50", "100", "200"]), ("3", "3", ["2", "5"]), ("1", "1", ["1", "2"]),
    ("0.04", "50", ["0.01", "0.1", "1", "10", "100"]),
    ("1e-9", "1e9", ["1e-9", "1e-5", "1e-1", "1e3", "1e7", "1e11"])])
def test_logarithmic_ticks_enclose_the_values_and_are_few(low, high, ticks):
    assert logarithmic_ticks(D(low), D(high)) == decimals(*ticks)


@pytest.mark.parametrize("values, expected", [
    (["3", "10"], ("0", "10")), (["95", "99"], ("95", "99")), (["-5", "10"], ("-5", "10")),
    (["-10", "-3"], ("-10", "0")), (["-99", "-95"], ("-99", "-95")), (["7", "7"], ("0", "7"))])
def test_an_axis_begins_at_zero_unless_all_values_are_far_from_it(values, expected):
    assert range_of(decimals(*values)) == tuple(decimals(*expected))
    assert range_of(decimals(*values), from_zero=True)[0] <= 0 <= range_of(decimals(*values), from_zero=True)[1]


def test_counts_below_one_get_fractions_of_an_axis():
    assert value_axis(decimals("0", "0.25"), b.COUNT).high == D("0.3")


@pytest.mark.parametrize("label", ["2026", "gpt-4", "2026-13", "2026-02-30", "2026-01-01x", "", "0000-01"])
def test_what_is_no_time_is_none(label):
    assert moment(label) is None


def test_times_are_told_from_each_other_to_the_second():
    assert moment("2026-01-02") - moment("2026-01-01") == 1
    assert moment("2026-01-01T06:00:00Z") - moment("2026-01-01") == 0.25
    assert moment("2026-02") == moment("2026-02-01")
    assert moments(["2026-01-02", "2026-01-01"]) is None  # not forward
    assert moments(["2026-01-01", "x"]) is None


def ticks_between(first, last):
    return [tick.text for tick in time_ticks(moment(first), moment(last))]


@pytest.mark.parametrize("first, last, texts", [
    ("2026-01-01", "2026-03-31", ["Jan", "Feb", "Mar"]), ("2025-11-15", "2026-02-10", ["Dec", "2026", "Feb"]),
    ("2026-03-01", "2026-03-05", ["1 Mar", "2 Mar", "3 Mar", "4 Mar", "5 Mar"]),
    ("2026-03-01", "2026-03-21", ["2 Mar", "9 Mar", "16 Mar"]),  # Mondays
    ("2026-01-01", "2026-01-02T00:00", ["1 Jan", "06:00", "12:00", "18:00", "2 Jan"]),
    ("2026-01-01T10:00", "2026-01-01T10:04", ["10:00", "10:01", "10:02", "10:03", "10:04"]),
    ("2000-01-01", "2026-01-01", ["2000", "2005", "2010", "2015", "2020", "2025"])])
def test_ticks_of_time_stand_at_round_times(first, last, texts):
    assert ticks_between(first, last) == texts


def test_labels_of_times_are_short():
    assert [short_time(label) for label in ("2026-01", "2026-01-05", "2026-01-05T14:00:00Z", "gpt-4")] == [
        "Jan 2026", "5 Jan", "14:00", "gpt-4"]


def test_days_stand_where_their_time_is_and_slots_evenly():
    labels = ["2026-01-01", "2026-01-02", "2026-01-05"]
    assert label_axis(labels, labels, 240).places == [0, 0.25, 1]
    assert label_axis(labels, labels, 240, slots=True).places == [pytest.approx(x / 6) for x in (1, 3, 5)]
    many = [f"2026-01-{day:02d}" for day in range(1, 32)] + ["2026-02-01", "2026-02-02"]
    axis = label_axis(many, many, 240, slots=True)
    assert [tick.text for tick in axis.ticks] == ["5 Jan", "12 Jan", "19 Jan", "26 Jan", "2 Feb"]
    assert [tick.at for tick in axis.ticks] == [pytest.approx(axis.places[place]) for place in (4, 11, 18, 25, 32)]


def test_labels_that_are_no_times_are_thinned_and_cut():
    names = [f"a very long name {number}" for number in range(12)]
    axis = label_axis(names, names, 240)
    assert len(axis.ticks) == 3 and all(tick.text.endswith("\u2026") for tick in axis.ticks)
    assert all(text_width(tick.text) <= 80 - 6 for tick in axis.ticks)


def test_weeks_are_told_by_whole_days():
    weeks = [f"2026-01-{day:02d}" for day in (7, 14, 21, 28)] + [f"2026-02-{day:02d}" for day in (4, 11, 18, 25)]
    ticks = label_axis(weeks, weeks, 238, slots=True).ticks
    assert [tick.text for tick in ticks] == ["7 Jan", "21 Jan", "4 Feb", "18 Feb"]


def test_ticks_that_would_touch_on_a_phone_wait_for_a_wider_screen():
    drawn = below_texts([Tick(0, "$100"), Tick(0.1, "$1,000"), Tick(0.5, "$10 K"), Tick(1, "$100 K")], 200)
    assert [" roomy" in one for one in drawn.split("\n")] == [False, True, False, False]
    assert drawn.split("\n")[3].count('text-anchor="end"') == 1


def test_texts_are_cut_to_a_width_with_an_ellipsis():
    assert cut("gpt-4", 100) == "gpt-4"
    for width in (10, 40, 60.5):
        assert text_width(cut("W" * 10_000, width)) <= width
    assert cut("W" * 20, 60) == "WWWW\u2026"
    assert cut("", 0) == cut("W", 5) == ""


def test_paths_stop_at_gaps():
    assert line([(0, 1), (10, 2.5), None, (30, 4), None, None]) == "M0 1L10 2.5M30 4L30 4"
    assert area([(0, 1), (10, 2), None], [(0, 5), (10, 5), None]) == "M0 1L10 2L10 5L0 5Z"
    assert area([None, (10, 2)], [None, (10, 5)]) == "M10 2L10 5Z"
    assert line([]) == area([], []) == line([None]) == ""
    assert shapes.n(-0.001) == "0" and shapes.n(1 / 3) == "0.33" and shapes.percent(0.12345) == "12.35%"


def test_a_quarter_of_a_ring_begins_at_the_top_and_a_whole_one_has_a_hole():
    assert sector(0, 0.25, 10, middle=10) == "M10 0A10 10 0 0 1 20 10L10 10Z"
    assert sector(0, 0.25, 10, 5, 10) == "M10 0A10 10 0 0 1 20 10L15 10A5 5 0 0 0 10 5Z"
    assert " 0 1 1 " in sector(0, 0.75, 10, middle=10)
    assert sector(0, 1, 10, 5, 10) == ("M10 0A10 10 0 1 1 10 20A10 10 0 1 1 10 0Z"
                                       "M10 5A5 5 0 1 0 10 15A5 5 0 1 0 10 5Z")


def test_rectangles_of_the_first_paper_on_squarified_tree_maps():
    boxes = squarify([6, 6, 4, 3, 2, 2, 1], Box(0, 0, 6, 4))
    assert boxes[:2] == [Box(0, 0, 3, 2), Box(0, 2, 3, 2)]
    assert [(round(box.width, 3), round(box.height, 3)) for box in boxes[2:4]] == [(1.714, 2.333), (1.286, 2.333)]


@pytest.mark.parametrize("sizes", [[1], [5, 5, 5], [1e9, 1, 1e-9], [float(x) for x in range(40, 0, -1)], [3, 0.0, 0.0]])
def test_rectangles_are_as_large_as_their_values_and_stay_inside(sizes):
    boxes = squarify(sizes, Box(10, 20, 300, 200))
    assert len(boxes) == len(sizes)
    for box, size in zip(boxes, sizes):
        assert box.width * box.height == pytest.approx(60000 * size / sum(sizes), abs=1e-6)
        assert box.x >= 10 - 1e-6 and box.y >= 20 - 1e-6
        assert box.x + box.width <= 310 + 1e-6 and box.y + box.height <= 220 + 1e-6
    assert squarify([], Box(0, 0, 1, 1)) == []


def test_thinning_keeps_every_peak_trough_gap_and_both_ends():
    values = [D(5)] * 10_000
    values[1234], values[1235], values[7000], values[9000] = D(90), D(-3), None, D(80)
    places = kept([Series("a", b.COUNT, values)])
    assert {0, 1234, 1235, 7000, 9000, 9999} <= set(places)
    assert len(places) <= MOST_POINTS and places == sorted(set(places))


def test_thinning_of_several_series_keeps_the_peaks_of_each_and_the_bound_over_all():
    one = [D(index % 7) for index in range(5000)]
    other = list(one)
    one[77], other[4321] = D(100), D(-100)
    places = kept([Series("a", b.COUNT, one), Series("b", b.COUNT, other)])
    assert {77, 4321} <= set(places) and 2 * len(places) <= MOST_POINTS


def test_what_is_short_enough_stays_whole():
    assert kept([Series("a", b.COUNT, [D(1)] * 1000)]) == list(range(1000))
    assert len(kept([Series("a", b.COUNT, [D(1)] * 1001)])) < 1001
    assert kept([]) == [] and kept([Series("a", b.COUNT, [])]) == []


def test_names_of_points_cover_neither_each_other_nor_a_point():
    places = [Place(0.5, 50), Place(0.52, 52), Place(0.99, 90)]
    found = named(["first", "second", "at the edge"], places, [0, 1, 2], 300, {})
    assert found[2] is True  # at the left, since the right has no room
    assert found[0] is True and found[1] is False
    again = named(["first", "second", "at the edge"], places, [0, 1, 2], 400, found)
    assert again == found
