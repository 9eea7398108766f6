"""Templates: the one place where values are escaped, and the data that pages carry."""
from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

import blocks as b
from generators.page_parts import PageParts, anchor, at, safe_json
from generators.templates import LONGEST_TEXT, Markup, Template, escape, join, parts

HOSTILE = "</script><img src=x onerror=alert(1)>'\"&"


def test_a_value_is_escaped_and_markup_is_not():
    filled = Template("<p title=\"${a}\">${b}</p>").fill(a=HOSTILE, b=Markup("<b>x</b>"))
    assert filled == ("<p title=\"&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;&#x27;&quot;&amp;\"><b>x</b></p>")
    assert type(filled) is Markup


def test_a_hole_without_a_value_is_an_error():
    with pytest.raises(KeyError):
        Template("${a}").fill(b=1)


def test_what_a_value_holds_is_not_filled_again():
    assert Template("${a}").fill(a="${b}", b="never") == "${b}"


def test_text_built_from_markup_is_escaped_again():
    assert Template("${a}").fill(a=Markup("<b>") + "<i>") == "&lt;b&gt;&lt;i&gt;"


@pytest.mark.parametrize("letter", ["\0", "\x1b", "\x85", "\ud800", "\u202e", "\u2066", "\ufffe"])
def test_letters_that_no_page_can_hold_are_replaced(letter):
    assert escape(f"a{letter}b") == "a\ufffdb"


def test_a_text_longer_than_anybody_reads_is_cut():
    assert len(escape("x" * 10_000)) == LONGEST_TEXT and escape("x" * 10_000).endswith("\u2026")


def test_a_file_holds_its_parts_by_name():
    assert {"page", "group", "item", "current"} <= set(parts("page.html"))
    assert join([Markup("a"), Markup("b")]) == "a\nb"


@given(st.recursive(st.text() | st.integers() | st.none(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_in_a_page_ends_no_script_and_says_the_same(value):
    text = safe_json(value)
    assert not set(text) & set("<>&\u2028\u2029")
    text.encode("utf-8")
    assert json.loads(text) == json.loads(json.dumps(value))


def test_json_in_a_page_keeps_amounts_exact_and_refuses_what_is_no_number():
    assert safe_json({"cost": Decimal("0.000000001")}) == '{"cost":"0.000000001"}'
    with pytest.raises(ValueError):
        safe_json(float("nan"))


@pytest.mark.parametrize("path, value", [
    ("", {"a": [{"b": 1}, {"b": 2}]}), ("a.0.b", 1), ("a.-1.b", 2), ("a.2.b", None), ("a.x", None), ("c.d", None)])
def test_a_path_leads_to_its_place_or_to_nothing(path, value):
    assert at({"a": [{"b": 1}, {"b": 2}]}, path) == value


def test_ids_of_rows_differ_where_values_differ():
    values = ["a b", "a-b", "a/b", "a<b", "x" * 100, "x" * 101]
    assert len({anchor("customer", value) for value in values}) == len(values)
    assert anchor("customer", "cust_0001") == "customer-cust_0001"
    assert all(set(anchor("c", value)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for value in values)


def test_an_id_links_to_the_report_that_holds_its_row():
    page = PageParts()
    page.begin("features", {"customer": "profitability", "feature": "features"})
    assert page.link("customer", "c1") == "profitability.html#customer-c1"
    assert page.link("feature", "chat") == "#feature-chat"
    assert page.link("model", "m") is page.link("customer", None) is None


def test_blocks_of_one_page_have_different_ids():
    page = PageParts()
    drawn = [b.Table("by.model"), b.Bars("by.model"), b.Table("by.model"), b.Table("by.model-2")]
    assert [page.new_id(one) for one in drawn] == ["by.model", "by.model-chart", "by.model-2", "by.model-2-2"]
