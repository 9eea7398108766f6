"""Charts: what each drawing shows of its data, and that nothing breaks it."""
from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from decimal import Decimal as D

import pytest

import blocks as b
from generators.chart_data import bounded, read
from generators.drawing import path
from generators.html_generator import ASSETS, CHARTJS_HASH, STYLES, HTMLReportGenerator
from generators.page_parts import safe_json

HOSTILE = ["</script><img src=x onerror=alert(1)>", "\u202eevil\u2066", "x" * 10_000, "=cmd()", "", "\x00\x1b\ud800",
           "日本語", "a & b"]
COST = b.Column("cost", "Cost")
DAYS = [{"day": f"2026-01-{day:02d}", "cost": str(D(day) / 4), "calls": day} for day in range(1, 31)]
MANY = [{"name": f"row {index}", "cost": str(100 - index), "p95_ms": 100 + index, "kind": f"kind {index % 3}"}
        for index in range(30)]


@pytest.fixture
def page():
    generator = HTMLReportGenerator()
    generator.begin("spend", {})
    return generator


@pytest.fixture
def draw(page):
    """Return a function that draws a block of rows as (parsed figure, data for the script)."""
    def drawn(block, rows, **more):
        markup = page.draw(block, dict(more, rows=rows))
        figure = ElementTree.fromstring(markup)
        data = json.loads(page.data_json({}))["charts"].get(figure.get("id"))
        return figure, data
    return drawn


def text(element):
    return re.sub(r"\s+", " ", "".join(element.itertext())).strip()


def find(figure, name):
    return [element for element in figure.iter() if name in (element.get("class") or "").split()]


def message(figure):
    return text(find(figure, "message")[0])


def notes(figure):
    return [text(note) for note in find(figure, "note")]


def marks(figure):
    return [element for group in find(figure, "marks") for element in group]


def extents(figure):
    """Return (begin, width) of each bar in percent."""
    return [(float(mark.get("x")[:-1]), float(mark.get("width")[:-1])) for mark in marks(figure)]


def rows_of(*pairs):
    return [{"name": name, "cost": value} for name, value in pairs]


ALL = [
    b.Bars("rows", label="name", values=(COST,)), b.Bars("rows", label="name", values=(COST, "p95_ms")),
    b.StackedBars("rows", label="name", values=(COST, "p95_ms")),
    b.StackedBars("rows", label="name", values=(COST,), standing=True),
    b.Lines("rows", label="name", values=(COST, "p95_ms"), low="cost", high="p95_ms"),
    b.Lines("rows", label="name", values=(COST,), then="rows"),
    b.Doughnut("rows", label="name", values=(COST,)), b.Pie("rows", label="name", values=(COST,)),
    b.Scatter("rows", label="name", values=(COST, "p95_ms"), group="kind"),
    b.Scatter("rows", label="name", values=(COST, "p95_ms"), logarithmic=True),
    b.HeatMap("rows", label="name", values=(COST, "p95_ms")),
    b.HeatMap("rows", label="name", across="kind", values=(COST,)),
    b.TreeMap("rows", label="name", values=(COST,)), b.TreeMap("rows", label="name", values=(COST,), group="kind")]
DATA = {
    "many": MANY, "none": [], "one": MANY[:1], "unknown": [dict(row, cost=None) for row in MANY],
    "gaps": [dict(row, cost=None if index % 3 else row["cost"]) for index, row in enumerate(MANY)],
    "equal": [dict(row, cost="7") for row in MANY], "zero": [dict(row, cost="0", p95_ms=0) for row in MANY],
    "negative": [dict(row, cost=str(-index)) for index, row in enumerate(MANY)],
    "mixed": [dict(row, cost=str(index - 15)) for index, row in enumerate(MANY)],
    "huge": [dict(row, cost=f"{index + 1}e299") for index, row in enumerate(MANY)],
    "beyond": [dict(row, cost="1e5000") for row in MANY],
    "tiny": [dict(row, cost=f"{index + 1}e-300") for index, row in enumerate(MANY)],
    "hostile": [dict(MANY[index], name=name, kind=name) for index, name in enumerate(HOSTILE)],
    "no names": [{"cost": "1", "p95_ms": 2}] * 3, "not numbers": [dict(row, cost="n/a", p95_ms=True) for row in MANY],
    "not rows": [1, None, "x", [2]], "long": [dict(row, name=f"{index}") for index, row in enumerate(MANY * 100)]}


@pytest.mark.parametrize("name", sorted(DATA))
@pytest.mark.parametrize("block", ALL, ids=lambda block: f"{type(block).__name__} {len(block.values)}")
def test_every_chart_of_any_data_is_a_whole_figure_with_a_message(draw, block, name):
    figure, data = draw(block, DATA[name])
    assert figure.tag == "figure"
    if data is None:
        assert text(find(figure, "empty")[0]) and not list(figure.iter("svg"))
        return
    plots = find(figure, "plot")
    assert len(plots) == 1 and plots[0].get("role") == "img"
    assert message(figure) in re.sub(r"\s+", " ", plots[0].get("aria-label"))
    assert len(message(figure)) > 10 and find(figure, "numbers")
    assert not re.search(r"\b(nan|inf|None)\b", ElementTree.tostring(figure, encoding="unicode"))
    points = sum(len(series["values"]) for series in data["series"])
    assert points <= 1000 * (2 if data["type"] == "scatter" else 1)
    assert all(len(series["values"]) == len(data["labels"]) for series in data["series"])


@pytest.mark.parametrize("block", ALL, ids=lambda block: f"{type(block).__name__} {len(block.values)}")
def test_results_from_memory_and_from_json_give_the_same_chart(page, block):
    exact = [dict(row, cost=D(row["cost"])) for row in MANY]
    page.begin("a", {})
    one = page.draw(block, {"rows": exact}), page.data_json({})
    page.begin("a", {})
    assert (page.draw(block, {"rows": json.loads(safe_json(exact))}), page.data_json({})) == one


def test_hostile_names_are_shown_as_text_and_cut(draw):
    figure, data = draw(b.Bars("rows", label="name", values=(COST,)), DATA["hostile"])
    assert not list(figure.iter("img")) and not list(figure.iter("script"))
    names = [next(element.itertext()) for element in find(figure, "name")]
    assert names[0].startswith("</script><img") and names[4] == "(empty)"
    assert all(len(name) <= 60 for name in names)
    assert all(len(label) <= 120 for label in data["labels"])
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00]", "".join(figure.itertext()) + str(data))


def test_an_empty_chart_says_so_in_its_own_words(draw):
    figure, data = draw(b.Bars("rows", "Cost", empty="No calls yet."), [])
    assert text(find(figure, "empty")[0]) == "No calls yet." and data is None
    assert text(next(figure.iter("h3"))) == "Cost"


# Bars


def test_bars_are_as_long_as_their_values_and_carry_them(draw):
    figure, data = draw(b.Bars("rows", label="name", values=(COST,)), rows_of(("a", "8"), ("b", "2"), ("c", "0")))
    assert extents(figure) == [(0, 100), (0, 25)]
    assert [text(value) for value in find(figure, "bar-value")] == ["$8.00", "$2.00", "$0.00"]
    assert message(figure) == "Largest: a with $8.00, 80.0 % of the $10.00 shown."
    assert data["series"] == [{"name": "Cost", "kind": b.MONEY, "values": [8, 2, 0]}] and data["range"] == [0, 8]


def test_losses_lie_to_the_left_of_zero(draw):
    change = b.Column("cost", kind=b.MONEY_CHANGE)
    figure, data = draw(b.Bars("rows", label="name", values=(change,)), rows_of(("up", "1"), ("down", "-3")))
    assert extents(figure) == [(75, 25), (0, 75)]
    assert message(figure) == "Largest rise: up with +$1.00; largest fall: down with \u2212$3.00."
    assert data["range"] == [-3, 1]
    assert [line.get("x1") for line in find(figure, "zero")] == ["75%"]


@pytest.mark.parametrize(("kind", "values", "said"), [
    (b.MONEY_CHANGE, ("-1", "-3"), "Largest fall: b with \u2212$3.00; smallest: a with \u2212$1.00."),
    (b.CHANGE, ("0.1", "0.3"), "Largest rise: b with +30.0 %; smallest: a with +10.0 %.")])
def test_changes_that_all_go_one_way_are_told_as_what_they_are(draw, kind, values, said):
    change = b.Column("cost", kind=kind)
    figure, _ = draw(b.Bars("rows", label="name", values=(change,)), rows_of(*zip("ab", values)))
    assert message(figure) == said


def test_an_unknown_value_has_no_bar_and_is_counted(draw):
    figure, data = draw(b.Bars("rows", label="name", values=(COST,)), rows_of(("a", "8"), ("b", None)))
    assert len(marks(figure)) == 1 and notes(figure) == ["1 value is unknown."]
    assert [text(value) for value in find(figure, "bar-value")] == ["$8.00", "unknown"]
    assert data["series"][0]["values"] == [8, None]


def test_rows_beyond_the_bound_add_up_to_the_whole(draw):
    figure, data = draw(b.Bars("rows", label="name", values=(COST,), most=4), MANY)
    assert data["labels"] == ["row 0", "row 1", "row 2", "row 3", "other (26)"] and data["rest"]
    assert sum(data["series"][0]["values"]) == sum(int(row["cost"]) for row in MANY)
    assert message(figure).startswith("Largest: row 0 ")  # other is larger, and is no row
    assert marks(figure)[-1].get("class") == "s-rest"


def test_the_largest_rows_stay_in_their_own_order():
    rows = rows_of(("a", "1"), ("b", "-9"), ("c", None), ("d", "5"), ("e", "3"))
    data = read(b.Bars(label="name", values=(COST,)), rows)
    assert bounded(data, 2).texts == ["b", "d", "other (3)"]
    assert bounded(data, 2).series[0].values == [D(-9), D(5), D(4)]
    assert bounded(data, 4).texts == ["a", "b", "c", "d", "e"]  # "other" would stand for a single row
    assert bounded(data, 0).texts == data.texts


@pytest.mark.parametrize("column", [
    "p95_ms", "error_rate", "cost_per_call", "tier_price", "customers", "margin_percent"])
def test_what_cannot_be_added_up_is_dropped_and_told(draw, column):
    figure, data = draw(b.Bars("rows", label="name", values=(column,), most=4),
                        [{"name": str(index), column: 30 - index} for index in range(30)])
    assert data["labels"] == ["0", "1", "2", "3"] and notes(figure) == ["26 more are not shown."]
    assert message(figure).startswith("Highest: 0 with ") and "shown" not in message(figure)


def test_several_values_stand_side_by_side_on_one_scale(draw):
    figure, data = draw(b.Bars("rows", label="name", values=("cost", "revenue")),
                        [{"name": "a", "cost": "1", "revenue": "4"}])
    (_, one), (_, four) = extents(figure)
    assert four == pytest.approx(4 * one, abs=0.05) and four < 100
    assert four == pytest.approx(100 * 4 / data["range"][1], abs=0.01)
    assert [text(item) for item in figure.iter("li")] == ["Cost", "Revenue"]


def test_a_mapping_of_numbers_is_a_row_for_each_name(draw):
    _, data = draw(b.Bars("rows", values=(b.Column("any", "Alerts", b.COUNT),)), {"very_high": 3, "low": 1})
    assert data["labels"] == ["Very high", "Low"] and data["series"] == [
        {"name": "Alerts", "kind": b.COUNT, "values": [3, 1]}]


def test_a_label_can_be_made_of_several_columns(draw):
    _, data = draw(b.Bars("rows", label="provider model", values=(COST,)),
                   [{"provider": "p", "model": "m", "cost": "1"}])
    assert data["labels"] == ["p \u00b7 m"]


def test_equal_values_and_a_single_one_are_said_plainly(draw):
    block = b.Bars("rows", label="name", values=(COST,))
    assert message(draw(block, rows_of(("a", "2"), ("b", "2.00")))[0]) == "All 2 are equal: $2.00."
    assert message(draw(block, rows_of(("a", "2")))[0]) == "a: $2.00."


# Stacked bars

PARTS = (b.Column("x", kind=b.MONEY), b.Column("y", kind=b.MONEY))


def test_parts_follow_each_other_and_their_sum_is_written(draw):
    figure, data = draw(b.StackedBars("rows", label="name", values=PARTS),
                        [{"name": "a", "x": "1", "y": "3"}, {"name": "b", "x": None, "y": "2"}])
    assert extents(figure) == [(0, 25), (25, 75), (0, 50)]
    assert [text(value) for value in find(figure, "bar-value")] == ["$4.00", "$2.00"]
    assert message(figure) == "Largest: a with $4.00, 66.7 % of the $6.00 shown. Y: 83.3 % of it all."
    assert notes(figure) == ["1 value is unknown."] and data["range"] == [0, 4]


def test_parts_below_zero_stack_to_the_left(draw):
    figure, data = draw(b.StackedBars("rows", label="name", values=(*PARTS, b.Column("z", kind=b.MONEY))),
                        [{"name": "a", "x": "-1", "y": "6", "z": "-3"}])
    assert extents(figure) == [(30, 10), (40, 60), (0, 30)] and data["range"] == [-4, 6]
    assert [text(value) for value in find(figure, "bar-value")] == ["$2.00"]


def test_standing_columns_are_paths_from_zero(draw):
    figure, data = draw(b.StackedBars("rows", label="day", values=PARTS, standing=True),
                        [{"day": "2026-01-01", "x": "1", "y": "3"}, {"day": "2026-01-02", "x": "2", "y": None}])
    columns = [mark.get("d") for mark in marks(figure)]
    assert columns[0] == "M70 160h360v50h-360zM570 110h360v100h-360z" and columns[1] == "M70 10h360v150h-360z"
    assert data["standing"] and data["range"] == [0, 4]
    assert [text(tick) for tick in find(figure, "tick")] == ["$0", "$1", "$2", "$3", "$4", "1 Jan", "2 Jan"]
    assert len(find(figure, "hit")) == 2


# Lines


def test_a_line_stands_on_its_ticks_and_stops_at_gaps(draw):
    rows = [{"day": f"2026-01-0{day}", "cost": value} for day, value in enumerate(("0", "4", None, "2", "2"), 1)]
    figure, data = draw(b.Lines("rows", label="day", values=(COST,)), rows)
    line = next(mark for mark in marks(figure) if mark.tag == "path")
    assert line.get("d") == "M0 210L250 10M750 110L1000 110"
    assert data["series"][0]["values"] == [0, 4, None, 2, 2] and data["places"] == [0, 250, 500, 750, 1000]
    assert data["dots"] == [[0, 1, 3, 4]] and len(find(figure, "dot")) == 4
    assert message(figure) == "$0.00 (2026-01-01) to $2.00 (2026-01-05), highest $4.00 (2026-01-02)."
    assert notes(figure) == ["1 value is unknown."]


def test_what_is_expected_goes_on_where_the_line_ends_with_its_band(draw):
    rows = [{"day": "2026-01-01", "cost": "1"}, {"day": "2026-01-02", "cost": "2"}]
    then = [{"day": "2026-01-03", "cost": "3", "low": "2", "high": "4"}]
    block = b.Lines("rows", label="day", values=(COST,), then="then", low="low", high="high")
    figure, data = draw(block, rows, then=then)
    band, line, expected = [mark.get("d") for mark in marks(figure) if mark.tag == "path"]
    assert line == "M0 160L500 110" and expected == "M500 110L1000 60"
    assert band == "M1000 10L1000 110Z"
    assert [series["values"] for series in data["series"]] == [[1, 2, None], [None, None, 3]]
    assert data["follows"] == {"1": 0} and data["low"] == [None, None, 2] and data["high"] == [None, None, 4]
    assert message(figure) == ("$1.00 (2026-01-01) to $2.00 (2026-01-02), its highest. "
                               "Cost, expected: $3.00 (2026-01-03).")
    assert notes(figure) == []
    assert [text(item) for item in figure.iter("li")] == ["Cost", "Cost, expected", "Low to high"]


def test_a_limit_beside_what_changes_is_one_line_to_the_end(draw):
    rows = [{"day": "2026-01-01", "cost": "1", "budget": "5"}, {"day": "2026-01-02", "cost": "2", "budget": "5"}]
    then = [{"day": "2026-01-03", "cost": "3", "budget": "5"}]
    figure, data = draw(b.Lines("rows", label="day", values=(COST, "budget"), then="then"), rows, then=then)
    assert [series["name"] for series in data["series"]] == ["Cost", "Budget", "Cost, expected"]
    assert data["series"][1]["values"] == [5, 5, 5] and data["follows"] == {"2": 0}
    assert "Budget, expected" not in message(figure)


def test_what_never_changed_still_tells_what_is_expected_apart(draw):
    rows, then = [{"day": "2026-01-01", "cost": "2"}], [{"day": "2026-01-02", "cost": "2"}]
    _, data = draw(b.Lines("rows", label="day", values=(COST,), then="then"), rows, then=then)
    assert data["follows"] == {"1": 0}


def test_stacks_of_one_height_say_what_they_add_up_to(draw):
    rows = [{"day": "a", "cost": "1", "calls": 2}, {"day": "b", "cost": "2", "calls": 1}]
    figure, _ = draw(b.StackedBars("rows", label="day", values=("cost", "calls")), rows)
    assert message(figure).startswith("Each adds up to ")


def test_several_lines_are_told_with_their_time_once(draw):
    figure, _ = draw(b.Lines("rows", label="day", values=("cost", "calls")), DAYS)
    assert message(figure) == ("From 2026-01-01 to 2026-01-30. Cost: $0.25 to $7.50, its highest. "
                               "Calls: 1 to 30, its highest.")


def test_a_line_that_never_changes_and_a_comparison_are_told_plainly(draw):
    rows = [{"day": "2026-01-01", "cost": "5", "calls": 1}, {"day": "2026-01-02", "cost": "5.0", "calls": 3}]
    figure, _ = draw(b.Lines("rows", label="day", values=("cost", "calls")), rows)
    assert message(figure) == "From 2026-01-01 to 2026-01-02. Cost: $5.00, always the same. Calls: 1 to 3, its highest."
    figure, _ = draw(b.Bars("rows", label="day", values=("calls", "cost")), rows)  # not shares: they are compared
    assert message(figure) == "Calls. Highest: 2026-01-02 with 3; lowest: 2026-01-01 with 1."


def test_a_tile_has_its_value_only_under_its_name(draw):
    rows = rows_of(("x" * 60, "100"), ("a", "50"), ("b" * 60, "9"), ("c", "8"), ("d" * 60, "1"), ("e", "0.1"))
    figure, _ = draw(b.TreeMap("rows", label="name", values=(COST,)), rows)
    tiles = [element for element in marks(figure) or list(figure.iter("svg")) if find(element, "tile")]
    assert len(tiles) > 6
    for tile in tiles[1:]:  # the first is the drawing around them
        names = {word for name in find(tile, "tile-name") for word in name.get("class").split()[1:] or ["always"]}
        values = [value.get("class").split()[1:] for value in find(tile, "tile-value")]
        assert values != [[]] or "always" in names or "narrow" in names
        assert not values or names


def test_a_long_line_is_thinned_and_keeps_its_peak(draw):
    rows = [{"hour": f"h{index}", "calls": 999_999 if index == 4321 else index % 10} for index in range(9000)]
    figure, data = draw(b.Lines("rows", label="hour", values=("calls",)), rows)
    assert max(data["series"][0]["values"]) == 999_999 and 500 <= len(data["labels"]) <= 1000
    assert "highest 999,999 (h4321)" in message(figure)
    assert notes(figure) == [f"{9000 - len(data['labels']):,} points between the peaks are not drawn."]


# Parts of a whole


@pytest.mark.parametrize("kind", [b.Doughnut, b.Pie, b.TreeMap])
def test_parts_are_sorted_and_what_cannot_be_a_part_is_left_out_and_counted(draw, kind):
    rows = rows_of(("a", "1"), ("b", "-5"), ("c", "3"), ("d", "0"), ("e", None))
    figure, data = draw(kind("rows", label="name", values=(COST,)), rows)
    assert data["labels"] == ["c", "a"] and data["series"][0]["values"] == [3, 1]
    assert notes(figure) == ["2 parts of zero or less are left out.", "1 part is unknown."]
    assert message(figure) == "Largest: c with $3.00, 75.0 % of the $4.00 shown."


def test_a_ring_says_each_part_its_share_and_the_sum(draw):
    figure, _ = draw(b.Doughnut("rows", label="name", values=(COST,), most=2), MANY[:4])
    assert [text(item) for item in figure.iter("li")] == [
        "row 0$100.0025.4 %", "row 1$99.0025.1 %", "other (2)$195.0049.5 %"]
    assert text(find(figure, "total")[0]) == "$394.00"
    assert [mark.get("class") for mark in marks(figure)] == ["segment s0", "segment s1", "segment s-rest"]


def test_only_losses_leave_no_pie_but_a_word(draw):
    figure, data = draw(b.Pie("rows", label="name", values=(COST,)), rows_of(("a", "-1"), ("b", "-2")))
    assert data is None and text(find(figure, "empty")[0]) == "No values. 2 parts of zero or less are left out."


def test_tiles_of_one_group_share_a_colour_and_a_rectangle(draw):
    figure, data = draw(b.TreeMap("rows", label="name", values=(COST,), group="kind", most=4), MANY)
    assert data["groups"] == ["kind 0", "kind 1", "kind 2", "other"] and data["group"] == [0, 1, 2, 0, 3]
    assert [item.get("class") for item in find(figure, "tile")].count("tile s-rest") == 1
    assert [text(item) for item in figure.iter("li")] == ["kind 0", "kind 1", "kind 2", "other"]


# Scatter


def test_points_stand_by_their_two_values(draw):
    rows = [{"name": "a", "x": "0", "y": "10"}, {"name": "b", "x": "10", "y": "0"}, {"name": "c", "x": None, "y": "1"}]
    figure, data = draw(b.Scatter("rows", label="name", values=("x", "y")), rows)
    assert [(point.get("cx"), point.get("cy")) for point in find(figure, "point")] == [("0%", "28"), ("100%", "288")]
    assert notes(figure) == ["1 point with an unknown value is left out."] and data["labels"] == ["a", "b"]
    assert message(figure) == "2 points. Highest Y: a with 10 (X: 0)."


def test_powers_of_ten_leave_out_what_is_not_above_zero(draw):
    rows = [{"name": str(power), "x": f"1e{power}", "y": 10 ** power} for power in range(4)]
    rows += [{"name": "zero", "x": "0", "y": 5}, {"name": "below", "x": "2", "y": -5}]
    figure, data = draw(b.Scatter("rows", label="name", values=("x", "y"), logarithmic=True), rows)
    across = [float(point.get("cx")[:-1]) for point in find(figure, "point")]
    assert across == pytest.approx([0, 100 / 3, 200 / 3, 100], abs=.01)
    assert notes(figure) == ["2 points with a value of 0 or less are left out."]
    assert data["logarithmic"] and data["across"] == [1, 1000] and data["range"] == [1, 1000]


def test_many_points_are_one_path_a_group_and_bounded(draw):
    rows = [{"name": str(index), "x": index, "y": (index * 7919) % 1000, "kind": f"k{index % 2}"}
            for index in range(3000)]
    rows[1500]["y"] = 5000
    figure, data = draw(b.Scatter("rows", label="name", values=("x", "y"), group="kind"), rows)
    assert len(find(figure, "dots")) == 2 and not find(figure, "point")
    assert 500 <= len(data["labels"]) <= 1000 and 5000 in data["series"][1]["values"]
    assert len(data["group"]) == len(data["labels"])


# Cells


def test_lists_give_a_cell_for_each_value_and_none_for_the_unknown(draw):
    rows = [{"week": "a", "retention": [1.0, 0.5, None]}, {"week": "b", "retention": [0.25]}]
    block = b.HeatMap("rows", label="week", across="week_after", values=("retention",))
    figure, data = draw(block, rows)
    assert [series["name"] for series in data["series"]] == ["Week after 0", "Week after 1", "Week after 2"]
    assert [series["values"] for series in data["series"]] == [[1, 0.25], [0.5, None], [None, None]]
    assert [cell.get("class") for cell in find(figure, "cell")] == ["cell s0 v6", "cell s0 v2", "cell s0 v0"]
    assert message(figure) == "Highest: a, Week after 0: 100.0 %. Lowest: b, Week after 0: 25.0 %."


def test_pairs_give_a_cell_each_and_the_first_of_two_counts(draw):
    rows = [{"p": "a", "r": "x", "cost": "1"}, {"p": "a", "r": "y", "cost": "2"}, {"p": "b", "r": "y", "cost": "-4"},
            {"p": "a", "r": "x", "cost": "9"}]
    figure, data = draw(b.HeatMap("rows", label="p", across="r", values=(COST,)), rows)
    assert [series["values"] for series in data["series"]] == [[1, None], [2, -4]]
    assert [cell.get("class") for cell in find(figure, "cell")] == ["cell s0 v2", "cell s0 v3", "cell s1 v6"]
    assert notes(figure) == ["1 further cost of a cell that has one is left out."]


def test_too_many_cells_become_fewer_with_their_highest_values(draw):
    rows = [{"day": f"d{day}", "hours": [999 if (day, hour) == (77, 5) else hour for hour in range(24)]}
            for day in range(90)]
    figure, data = draw(b.HeatMap("rows", label="day", values=("hours",)), rows)
    assert len(data["labels"]) * 24 <= 1000 and max(data["series"][5]["values"]) == 999
    assert notes(figure) == ["3 rows share a cell, which shows their highest."]


# Small parts


def test_a_path_takes_nothing_but_numbers():
    with pytest.raises(ValueError):
        path('M0 0" onload="x')


def test_the_style_knows_each_class_of_the_drawings():
    style = "".join((ASSETS / name).read_text(encoding="utf-8") for name in STYLES)
    fixed = ("stage", "canvas", "plot", "round", "tick", "total", "long", "rule", "zero", "track", "line", "band",
             "dot", "dots", "point", "segment", "cell", "cell-value", "tile", "tile-name", "hit", "roomy", "narrow",
             "legend", "parts", "part", "share", "scale", "message", "numbers", "s-rest")
    counted = [f"{letter}{number}" for letter, most in (("s", 8), ("l", 8), ("v", 7)) for number in range(most)]
    gutters = [f"gutter-{size}" for size in ("s", "m", "l", "xl", "xxl")]
    unknown = [name for name in (*fixed, *counted, *gutters) if not re.search(rf"\.{re.escape(name)}(?![\w-])", style)]
    assert unknown == []
    assert ".drawn .marks" in style  # they give way to those that the script draws


def test_the_script_takes_the_file_that_the_policy_allows():
    script = (ASSETS / "charts.js").read_text(encoding="utf-8")
    assert CHARTJS_HASH in script and "chart.js@4.4.1/dist/chart.umd.js" in script
    assert "innerHTML" not in script and "eval(" not in script
