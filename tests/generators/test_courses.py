"""The small drawings in cards: their shapes, their sentence, and what they say where there is nothing to draw."""
from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

import blocks as b
from generators.courses import TOO_FEW, course
from generators.line_drawings import spark_columns, spark_line

LOG = {"first": "2026-01-01T08:00:00.000Z", "last": "2026-01-04T09:00:00.000Z"}
BY_DAY = b.Course("daily", "cost", "Spend by day")


def paths(markup):
    return re.findall(r' d="([^"]*)"', markup)


def drawn(spark, results, title="Spend"):
    return ElementTree.fromstring(course(b.Card("cost", title, spark=spark), results))


def said(spark, results):
    return " ".join(drawn(spark, results).find("svg/title").text.split())


def test_a_line_has_gaps_and_stands_over_its_area():
    assert paths(spark_line([0.0, 10.0, None, 5.0])) == [
        "M0 29L0 29L33.3 3L33.3 29ZM100 29L100 16L100 16L100 29Z", "M0 29L33.3 3M100 16L100 16"]
    assert paths(spark_line([95.0, 100.0]))[1] == "M0 29L100 3"  # far from 0: the shape counts


def test_columns_begin_at_zero_and_have_the_sign_of_their_values():
    assert paths(spark_columns([10.0, None, 0.0, 5.0])) == ["M0 29L0 3L18 3L18 29ZM75 29L75 16L93 16L93 29Z"]
    assert paths(spark_columns([1.0, -1.0])) == ["M0 16L0 3L36 3L36 16ZM50 16L50 29L86 29L86 16Z"]


def test_a_course_says_where_it_began_ended_and_was_highest_and_over_which_time():
    rows = [{"day": f"2026-01-0{day}", "cost": cost} for day, cost in ((1, "2"), (2, None), (3, "8"), (4, "5.5"))]
    assert said(BY_DAY, {"daily": rows}) == \
        "Spend by day: $2.00 (2026-01-01) to $5.50 (2026-01-04), highest $8.00 (2026-01-03)."
    assert "".join(drawn(BY_DAY, {"daily": rows}).find("p").itertext()) == "Spend by day, 1 Jan\u20134 Jan"
    short = drawn("daily.cost", {"daily": rows}, "Costs")
    assert short.find("svg/title").text.startswith("Costs:") and short.find("p") is None


def test_columns_name_the_largest():
    spark = b.Course("steps", "saved", "By step", by="title", columns=True)
    rows = [{"title": "Models", "saved": "3"}, {"title": "<Caches>", "saved": "9"}]
    assert said(spark, {"steps": rows}) == "By step: Largest: <Caches> with $9.00, 75.0 % of the $12.00 shown."
    assert "".join(drawn(spark, {"steps": rows}).find("p").itertext()) == "By step, most: <Caches>"


def test_rows_are_added_up_on_each_day_of_the_log_and_none_is_lost():
    rows = [{"time": time, "worth": worth} for time, worth in (
        ("2026-01-02", "5"), ("2026-01-02T07", "1.5"), ("2026-01-04T00:00:00Z", "2"), (None, "9"), ("2025-12-31", "9"))]
    count = b.Course("alerts", name="Alerts by day", by="time", tally=True)
    assert said(count, {"alerts": rows, "log": LOG}) == (
        "Alerts by day: on 2 of 4 days, most on 2026-01-02: 2. 2 have no day of their own.")
    assert paths(course(b.Card("a", "A", spark=count), {"alerts": rows, "log": LOG})) == [
        "M25 29L25 3L43 3L43 29ZM75 29L75 16L93 16L93 29Z"]
    worth = b.Course("alerts", "worth", "Worth by day", by="time", kind=b.MONEY, tally=True)
    assert "most on 2026-01-02: $6.50." in said(worth, {"alerts": rows, "log": LOG})


@pytest.mark.parametrize("results", [
    {}, {"daily": []}, {"daily": None}, {"daily": [{"day": "2026-01-01", "cost": "1"}]},
    {"daily": [{"day": "2026-01-01", "cost": "1"}, {"day": "2026-01-02", "cost": None}]}])
def test_a_course_that_is_not_known_is_said_to_be_unknown_and_not_drawn(results):
    assert drawn(BY_DAY, results).text == TOO_FEW
    assert course(b.Card("cost", "Spend"), results) == ""


@pytest.mark.parametrize("results, text", [
    ({"alerts": [], "log": LOG}, "None on any day of the log."),
    ({"alerts": [{"time": None}], "log": LOG}, "None on any day of the log. 1 has no day of its own."),
    ({"log": LOG}, TOO_FEW), ({"alerts": []}, TOO_FEW), ({"alerts": [], "log": {"first": "x", "last": 5}}, TOO_FEW)])
def test_days_without_a_row_are_known_and_a_log_without_days_is_not(results, text):
    assert " ".join(drawn(b.Course("alerts", by="time", tally=True), results).text.split()) == text


def test_a_long_course_is_thinned_and_its_peak_survives():
    rows = [{"day": f"d{number}", "cost": 100 if number == 2345 else number % 3} for number in range(5000)]
    card = b.Card("cost", "Spend", spark=b.Course("rows", "cost", "Spend"))
    line, area = paths(course(card, {"rows": rows}))
    assert " 3L" in line and " 3L" in area and len(line) < 4000
