"""Tables: what stands in the markup, and what the page carries for its script."""
from __future__ import annotations

import json
import re
from decimal import Decimal
from xml.etree import ElementTree

import pytest

import blocks as b
from generators.html_generator import HTMLReportGenerator
from generators.page_parts import anchor
from generators.tables import FIRST_ROWS, LONGEST_CARRIED
from generators.templates import LONGEST_TEXT

HOSTILE = "</script><img src=x onerror=alert(1)>\"'&"


class Drawn:
    """A drawn table: its markup as a tree, and its part of the page's data."""

    def __init__(self, block, results, homes=None, report="spend", generator=None):
        self.page = generator or HTMLReportGenerator(homes=homes)
        if generator is None:
            self.page.begin(report, homes or {})
        self.markup = self.page.table(block, results)
        self.tree = ElementTree.fromstring(self.markup.replace("&nbsp;", " "))
        tables = json.loads(self.page.data_json({}))["tables"]
        self.data = tables.get(self.tree.get("id"))

    @property
    def heads(self):
        return ["".join(head.itertext()) for head in self.tree.iter("th") if head.get("scope") == "col"]

    @property
    def cells(self):
        return [["".join(cell.itertext()).strip() for cell in row] for row in self.tree.find(".//tbody")]

    def cell(self, row, column):
        return self.tree.find(".//tbody")[row][column]

    def values(self, name):
        return next(one["values"] for one in self.data["columns"] if one["name"] == name)


def customers(count):
    return {"customers": [{"customer": f"c{row}", "cost": Decimal(row), "calls": row} for row in range(count)]}


def test_a_table_has_a_caption_heads_and_a_name_for_each_row():
    drawn = Drawn(b.Table("customers", title="Customers", about="All of them."), customers(2))
    assert drawn.tree.find(".//caption").text == "Customers"
    assert drawn.heads == ["Customer", "Cost", "Calls"]
    assert drawn.cells == [["c0", "$0.00", "0"], ["c1", "$1.00", "1"]]
    assert drawn.cell(0, 0).tag == "th" and drawn.cell(0, 0).get("scope") == "row"
    assert "All of them." in drawn.markup and drawn.markup.count("<h3>") == 1


def test_numbers_stand_to_the_right_and_texts_do_not():
    drawn = Drawn(b.Table("customers"), customers(1))
    assert [cell.get("class") for cell in drawn.tree.find(".//tbody")[0]] == ["name", "number", "number"]
    assert [head.get("class") for head in drawn.tree.find(".//thead")[0]] == ["name", "number", "number"]


@pytest.mark.parametrize("values, look", [
    (["ap-southeast-1", None], "name"), (["two words"], None), (["x" * 29], None), (["", None], None),
    (["a text of more than sixty characters, which needs room to be read"], "prose"), ([3, 4], "number")])
def test_names_are_not_broken_and_long_texts_have_room(values, look):
    drawn = Drawn(b.Table("r"), {"r": [{"thing": one} for one in values]})
    assert {drawn.cell(row, 0).get("class") for row in range(len(values))} == {look}
    assert drawn.data["columns"][0].get("look") == look


def test_times_stand_on_one_line_and_hours_are_written_as_times():
    drawn = Drawn(b.Table("r", columns=("time", "day")), {"r": [{"time": "2026-01-02T05", "day": "2026-01-02"}]})
    assert drawn.cells == [["2026-01-02 05:00 UTC", "2026-01-02"]]
    assert [drawn.cell(0, place).get("class") for place in (0, 1)] == ["when", "when"]


def test_the_markup_holds_the_first_rows_and_the_data_all():
    drawn = Drawn(b.Table("customers"), customers(60))
    assert len(drawn.cells) == FIRST_ROWS == drawn.data["sheet"] and drawn.cells[-1][0] == f"c{FIRST_ROWS - 1}"
    assert drawn.values("customer") == [f"c{row}" for row in range(60)] and drawn.data["total"] == 60
    assert f"The first {FIRST_ROWS} of 60 rows" in drawn.markup


def test_a_bound_on_the_rows_is_said_and_the_whole_length_kept():
    drawn = Drawn(b.Table("customers", most=40), customers(60))
    assert len(drawn.values("calls")) == 40 and drawn.data["total"] == 60
    note = drawn.tree.find("p")
    assert note.text == f"The first {FIRST_ROWS} of 60 rows; the results as JSON hold all."
    assert note.get("data-carried") == "The first 40 of 60 rows; the results as JSON hold all."


def test_a_table_that_is_whole_says_nothing_of_rows():
    assert Drawn(b.Table("customers"), customers(FIRST_ROWS)).tree.find("p") is None


def test_results_from_memory_and_from_the_file_give_the_same_table():
    rows = {"r": [{"customer": "a", "cost": Decimal("12.50"), "share": 0.1, "calls": 10 ** 15, "big": 2 ** 60,
                   "on": True, "by": {"x": Decimal("1.5")}, "last_day": None, "rate": float("nan")}]}
    read = {"r": [{"customer": "a", "cost": "12.50", "share": 0.1, "calls": 10 ** 15, "big": 2 ** 60, "on": True,
                   "by": {"x": "1.5"}, "last_day": None, "rate": None}]}
    one, other = Drawn(b.Table("r"), rows), Drawn(b.Table("r"), read)
    assert one.markup == other.markup and one.data == other.data
    assert one.cells == [["a", "$12.50", "10.0 %", "1,000,000,000,000,000", "1,152,921,504,606,846,976", "yes",
                          "X: 1.5", "unknown", "unknown"]]
    assert one.values("cost") == ["12.50"] and one.values("big") == [str(2 ** 60)] and one.values("on") == [True]


def test_unknown_is_told_apart_and_is_null_never_zero():
    drawn = Drawn(b.Table("r", columns=("id", "cost")), {"r": [{"id": "a", "cost": None}, {"id": "b"}]})
    assert [row[1] for row in drawn.cells] == ["unknown", "unknown"] and drawn.values("cost") == [None, None]
    assert drawn.cell(0, 1)[0].get("class") == "muted"


@pytest.mark.parametrize("results", [{"r": []}, {}, {"r": None}, {"r": "text"}])
def test_a_table_without_rows_has_a_written_state(results):
    page = HTMLReportGenerator()
    page.begin("spend", {})
    assert "None yet." in page.table(b.Table("r", title="T", empty="None yet."), results)
    assert page.table(b.Table("r"), results).count("<p") == 1
    assert json.loads(page.data_json({}))["tables"] == {}


def test_a_list_of_plain_values_is_a_table_of_one_column():
    drawn = Drawn(b.Table("r"), {"r": ["a", "b", 3]})
    assert drawn.heads == ["Value"] and drawn.cells == [["a"], ["b"], ["3"]]


def test_columns_are_those_of_any_row_in_the_order_of_their_first_one():
    assert Drawn(b.Table("r"), {"r": [{"a": 1}, {"b": 2, "a": 3}]}).heads == ["A", "B"]


def test_a_column_can_be_a_place_inside_the_rows_and_a_name_with_a_dot_is_itself():
    rows = {"r": [{"id": "a", "trend": {"cost_change": 0.5}, "gpt-4.1": 3}]}
    drawn = Drawn(b.Table("r", columns=("id", "trend.cost_change", "gpt-4.1")), rows)
    assert drawn.cells == [["a", "+50.0 %", "3"]]


@pytest.mark.parametrize("values, said", [
    ([1, 2.5], ["1", "2.5"]), ([1, "x"], ["1", "x"]), (["1", "2"], ["1", "2"]), ([True, None], ["yes", "unknown"]),
    ([[1, 2], None], ["1, 2", "unknown"])])
def test_a_column_has_the_kind_that_shows_all_its_values(values, said):
    assert [row[0] for row in Drawn(b.Table("r"), {"r": [{"thing": one} for one in values]}).cells] == said


def test_a_text_in_a_column_that_is_named_like_money_makes_it_text():
    drawn = Drawn(b.Table("r"), {"r": [{"cost": "12.5"}, {"cost": "a lot"}]})
    assert drawn.cells == [["12.5"], ["a lot"]] and drawn.data["columns"][0]["kind"] == b.TEXT


def test_money_shows_all_its_digits_on_hover_where_it_left_some_out():
    drawn = Drawn(b.Table("r"), {"r": [{"cost": "1.2345"}, {"cost": "1.00"}]})
    assert [drawn.cell(row, 0).get("title") for row in (0, 1)] == ["1.2345", "1.00"]
    assert Drawn(b.Table("r"), {"r": [{"calls": 5}]}).cell(0, 0).get("title") is None


def test_bars_are_shares_of_the_largest_size_and_losses_are_marked():
    rows = {"r": [{"id": "a", "margin": "50"}, {"id": "b", "margin": "-200"}, {"id": "c", "margin": None}]}
    drawn = Drawn(b.Table("r", columns=("id", b.Column("margin", bar=True))), rows)
    bars = [drawn.cell(row, 1).find(".//svg") for row in range(3)]
    assert [(one.get("class"), one[0].get("width")) for one in bars[:2]] == [("bar", "25.0%"), ("bar below", "100.0%")]
    assert bars[2] is None and drawn.data["columns"][1]["largest"] == "200"


def test_bars_of_zeros_are_left_out():
    drawn = Drawn(b.Table("r", columns=("id", b.Column("cost", bar=True))), {"r": [{"id": "a", "cost": "0"}]})
    assert drawn.tree.find(".//svg") is None


def test_only_severities_are_coloured_as_such():
    drawn = Drawn(b.Table("r"), {"r": [{"id": "a", "severity": "high", "confidence": "high", "state": "at_risk <"}]})
    badges = [(one.get("class"), one.text) for one in drawn.tree.iter("span")]
    assert badges == [("badge severity-high", "high"), ("badge is-high", "high"), ("badge is-other", "at risk <")]


def test_ids_link_to_the_report_that_has_their_rows():
    rows = {"r": [{"id": 1, "customer": "c1"}, {"id": 2, "customer": "c 2"}, {"id": 3, "customer": None}]}
    drawn = Drawn(b.Table("r"), rows, homes={"customer": "profitability"})
    odd = anchor("customer", "c 2")
    links = [drawn.cell(row, 1).find("a") for row in range(3)]
    assert [one.get("href") for one in links[:2]] == ["profitability.html#customer-c1", f"profitability.html#{odd}"]
    assert links[2] is None
    assert drawn.data["columns"][1]["links"] == {
        "prefix": "profitability.html#customer-", "odd": {"1": f"profitability.html#{odd}"}}


def test_the_home_of_ids_names_its_rows_and_does_not_link_them_to_themselves():
    rows = {"customers": [{"customer": "c1"}, {"customer": "c 2"}, {"customer": "c1"}, {"customer": None}]}
    drawn = Drawn(b.Table("customers", key="customer"), rows, homes={"customer": "spend"})
    odd = anchor("customer", "c 2")
    assert [row.get("id") for row in drawn.tree.find(".//tbody")] == ["customer-c1", odd, None, None]
    assert drawn.data["ids"] == {"prefix": "customer-", "odd": {"1": odd, "2": None}, "column": 0}
    assert drawn.tree.find(".//tbody//a") is None and "links" not in drawn.data["columns"][0]


def test_a_second_table_with_the_same_ids_links_to_the_first_on_the_page():
    homes = {"customer": "spend"}
    rows = {"all": [{"customer": "c1"}], "some": [{"customer": "c1"}]}
    first = Drawn(b.Table("all", key="customer"), rows, homes=homes)
    plain = Drawn(b.Table("some"), rows, generator=first.page)
    keyed = Drawn(b.Table("some", key="customer"), rows, generator=first.page)
    assert plain.cell(0, 0).find("a").get("href") == "#customer-c1"
    assert keyed.tree.find(".//tbody")[0].get("id") is None and "ids" not in keyed.data
    first.page.begin("spend", homes)
    assert 'id="customer-c1"' in first.page.table(b.Table("all", key="customer"), rows)


def test_tables_of_one_path_have_different_ids():
    first = Drawn(b.Table("customers"), customers(1))
    second = Drawn(b.Table("customers"), customers(1), generator=first.page)
    assert first.tree.get("id") != second.tree.get("id") and first.data["name"] == second.data["name"] == "customers"


def test_hostile_names_and_values_are_text():
    drawn = Drawn(b.Table("r", title=HOSTILE), {"r": [{HOSTILE: HOSTILE, "customer": HOSTILE}]},
                  homes={"customer": "spend"})
    assert drawn.cells[0] == [HOSTILE, HOSTILE] and drawn.heads[0] == HOSTILE
    assert "<img" not in drawn.markup and drawn.values(HOSTILE) == [HOSTILE]
    assert not re.search(r"[<>&]", drawn.page.data_json({}))


def test_a_text_that_nobody_reads_to_its_end_is_cut():
    drawn = Drawn(b.Table("r"), {"r": [{"id": "x" * 10_000}]})
    assert len(drawn.cells[0][0]) == LONGEST_TEXT and len(drawn.values("id")[0]) == LONGEST_CARRIED
    assert drawn.values("id")[0].endswith("x\u2026")
