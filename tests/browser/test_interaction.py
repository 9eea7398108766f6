"""What a reader does with a page: sort, filter, turn, download, jump, switch the theme, have it refreshed in place."""
from __future__ import annotations

import csv
import io
import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any, List

import pytest

from browser.browsing import PHONE, Reports, serve
from generators.formats import show

BOX = "#customers"  # of profitability: a row for each customer
FORMAT = "([kind, values]) => values.map(value => FinOps.format(value, kind))"


@pytest.fixture
def tab(reports: Reports, open_tab: Any) -> Any:
    return open_tab(reports.at("profitability.html", False))


def results(reports: Reports, name: str) -> Any:
    return json.loads((reports.folder / "json" / f"{name}.json").read_text(encoding="utf-8"))


def firsts(tab: Any) -> List[str]:
    return [one.inner_text() for one in tab.page.query_selector_all(f"{BOX} tbody th")]


def head(tab: Any, title: str) -> Any:
    return tab.page.query_selector(f"{BOX} thead button:has-text('{title}')")


def test_a_click_on_a_head_sorts_by_the_exact_value_and_says_so(reports: Reports, tab: Any) -> None:
    rows = results(reports, "profitability")["customers"]
    head(tab, "Margin").click()
    order = [row["customer"] for row in sorted(rows, key=lambda row: -Decimal(row["margin"]))]
    assert firsts(tab) == order[:len(firsts(tab))]
    assert "descending" in [one.get_attribute("aria-sort") for one in tab.page.query_selector_all(f"{BOX} thead th")]
    head(tab, "Margin").press("Enter")
    order = [row["customer"] for row in sorted(rows, key=lambda row: Decimal(row["margin"]))]
    assert firsts(tab) == order[:len(firsts(tab))]


def test_the_filter_leaves_the_rows_that_hold_its_words_and_counts_them(reports: Reports, tab: Any) -> None:
    rows = results(reports, "profitability")["customers"]
    tab.page.fill(f"{BOX} input[type=search]", "enterprise")
    wanted = sum("enterprise" in json.dumps(row) for row in rows)
    assert tab.page.inner_text(f"{BOX} .count") == f"{wanted} of {len(rows)}"
    tab.page.fill(f"{BOX} input[type=search]", "no such thing")
    assert "No row holds" in tab.page.inner_text(f"{BOX} tbody")


def test_the_download_holds_what_the_filter_leaves_with_all_digits(reports: Reports, tab: Any) -> None:
    rows = {row["customer"]: row for row in results(reports, "profitability")["customers"]}
    tab.page.fill(f"{BOX} input[type=search]", "starter")
    with tab.page.expect_download() as waiting:
        tab.page.click(f"{BOX} button:has-text('CSV')")
    text = Path(waiting.value.path()).read_bytes().decode("utf-8")
    found = list(csv.DictReader(io.StringIO(text, newline="")))
    assert waiting.value.suggested_filename == "profitability-customers.csv"
    assert [one["customer"] for one in found] == [name for name, row in rows.items() if row["tier"] == "starter"]
    assert all(one["cost"] == rows[one["customer"]]["cost"] for one in found)


def test_turning_the_page_goes_on_in_order(tab: Any) -> None:
    before = firsts(tab)
    tab.page.click(f"{BOX} .turn button:has-text('\u2192')")
    assert firsts(tab) and not set(firsts(tab)) & set(before)


def test_a_link_to_an_id_leads_to_its_row_on_whichever_page_of_the_table_it_is(reports: Reports, open_tab: Any) -> None:
    last = results(reports, "profitability")["customers"][-1]["customer"]
    tab = open_tab(reports.at("profitability.html", False) + f"#customer-{last}")
    tab.page.wait_for_selector(f"#customer-{last}")
    assert tab.page.is_visible(f"#customer-{last}") and tab.problems == []


def test_the_theme_switches_and_is_remembered(reports: Reports, open_tab: Any) -> None:
    tab = open_tab(reports.at("index.html", True))
    background = "getComputedStyle(document.body).backgroundColor"
    light = tab.page.evaluate(background)
    tab.page.click("#theme")
    tab.page.click("#theme")
    dark = tab.page.evaluate(background)
    assert tab.page.get_attribute("html", "data-theme") == "dark" and dark != light
    tab.page.reload()
    assert tab.page.evaluate(background) == dark


def test_the_keyboard_reaches_the_content_first_and_every_control_shows_its_focus(tab: Any) -> None:
    tab.page.keyboard.press("Tab")
    assert tab.page.evaluate("document.activeElement.className") == "skip"
    tab.page.keyboard.press("Enter")
    assert tab.page.evaluate("document.activeElement.id") == "main"
    for _ in range(12):
        tab.page.keyboard.press("Tab")
        assert tab.page.evaluate("(style => style.outlineStyle !== 'none' || style.boxShadow !== 'none')"
                                 "(getComputedStyle(document.activeElement))")


def test_on_a_phone_the_menu_opens_and_leads_on(reports: Reports, open_tab: Any) -> None:
    tab = open_tab(reports.at("index.html", False), viewport=PHONE, has_touch=True)
    assert not tab.page.is_visible("nav a[href='pricing.html']")
    tab.page.tap("nav summary")
    tab.page.tap("nav a[href='pricing.html']")
    assert tab.page.inner_text("h1") == "Pricing Strategy"


def test_nothing_moves_for_those_who_want_no_motion(reports: Reports, open_tab: Any) -> None:
    tab = open_tab(reports.at("index.html", False), reduced_motion="reduce")
    moving = tab.page.evaluate("document.getAnimations().length + [...document.querySelectorAll('*')].filter(one => "
                               "parseFloat(getComputedStyle(one).transitionDuration) > 0.01).length")
    assert moving == 0


def test_a_served_page_takes_over_new_results_in_place(reports: Reports, open_tab: Any, tmp_path: Path) -> None:
    shutil.copytree(str(reports.folder), str(tmp_path / "reports"))
    with serve(tmp_path / "reports") as url:
        tab = open_tab(f"{url}/html/profitability.html")
        head(tab, "Margin").click()
        tab.page.fill(f"{BOX} input[type=search]", "starter")
        tab.page.evaluate("scrollTo(0, 700)")
        before = firsts(tab)
        path = tmp_path / "reports" / "html" / "profitability.html"
        page = path.read_text(encoding="utf-8")
        digest = json.loads((path.parent / "manifest.json").read_text(encoding="utf-8"))
        digest["reports"] = [dict(one, digest="new") for one in digest["reports"]]
        page = page.replace("<h1>", "<h1>Fresh ").replace('name="digest" content="', 'name="digest" content="0')
        path.write_text(page, encoding="utf-8")
        (path.parent / "manifest.json").write_text(json.dumps(digest), encoding="utf-8")
        tab.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        tab.page.wait_for_selector("h1:has-text('Fresh')", timeout=5000)
        assert firsts(tab) == before and tab.page.input_value(f"{BOX} input[type=search]") == "starter"
        assert abs(tab.page.evaluate("scrollY") - 700) < 5
        assert "updated" in tab.page.inner_text(".live") and tab.problems == []


def test_a_page_from_disk_does_not_pretend_to_be_live(tab: Any) -> None:
    assert tab.page.query_selector(".live") is None
    assert [url for url in tab.requests if not url.startswith(("file:", "data:"))] == []


@pytest.mark.parametrize("kind", ["money", "money_change", "count", "compact", "share", "change", "percent", "number",
                                  "milliseconds", "bytes"])
def test_the_script_writes_numbers_as_the_generator_does(tab: Any, kind: str) -> None:
    values: List[Any] = [None, 0, -0.0, 1, -1, 0.5, 999, 1000, 999_949, 999_951, 1e15, 0.004999, 0.005, 1.31e-5, 1e-9]
    values += [f"{sign}{digits}" for sign in ("", "-") for digits in
               ("0.005", "1.005", "2.675", "1234567.891", "0.000000001", "12.345678901", "999.995",
                "9999999999999.999999999")]
    values += [(-1) ** number * (number * 7919 % 10_007) / 10 ** (number % 9) for number in range(400)]
    assert tab.page.evaluate(FORMAT, [kind, values]) == [show(value, kind) for value in values]
