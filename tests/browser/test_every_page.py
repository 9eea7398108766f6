"""All pages in a real browser: from disk and served, with and without a network and scripts, in both themes, on a phone
and on a desk."""
from __future__ import annotations

import io
import json
import re
import subprocess
from typing import Any, Dict, List

import pytest

from browser.browsing import CDN, DESK, MODULES, PHONE, Reports, need
from conftest import EVERYTHING, thoroughly

WAYS: Dict[str, Dict[str, Any]] = {
    "disk, no network, light, desk": dict(served=False, online=False, color_scheme="light", viewport=DESK),
    "disk, network, dark, phone": dict(served=False, online=True, color_scheme="dark", viewport=PHONE),
    "served, network, light, phone": dict(served=True, online=True, color_scheme="light", viewport=PHONE),
    "served, no network, dark, desk": dict(served=True, online=False, color_scheme="dark", viewport=DESK)}


def shows_something(png: bytes) -> bool:
    """Tell whether a picture has more than three colours, as everything has that is not empty."""
    image = pytest.importorskip("PIL.Image", reason="pillow is not installed")
    return image.open(io.BytesIO(png)).convert("RGB").getcolors(3) is None


@pytest.mark.parametrize("way", WAYS)
def test_every_page_opens_without_complaint_and_fits(reports: Reports, open_tab: Any, way: str) -> None:
    wrong: List[str] = []
    settings = dict(WAYS[way])
    served = settings.pop("served")
    for name in reports.names():
        tab = open_tab(reports.at(name, served), **settings)
        wrong += [f"{name}: {problem}" for problem in tab.problems + tab.page.evaluate("window.violations")]
        width, room = tab.page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
        if width > room:
            wrong.append(f"{name}: {width} px wide in {room}")
        strangers = [url for url in tab.requests if not url.startswith((reports.url, "file:", "data:", "blob:"))]
        if set(strangers) - ({CDN} if settings["online"] else set()):
            wrong.append(f"{name}: asked for {strangers}")
        tab.page.context.close()
    assert wrong == []


@pytest.mark.parametrize("scripts", [True, False] if EVERYTHING else [False],
                         ids=["with scripts", "without scripts"] if EVERYTHING else ["without scripts"])
def test_every_chart_is_drawn_without_a_network(reports: Reports, open_tab: Any, scripts: bool) -> None:
    seen = 0
    for name in reports.names():
        tab = open_tab(reports.at(name, False), java_script_enabled=scripts)
        for drawing in tab.page.query_selector_all("figure svg[role=img]"):
            assert drawing.is_visible(), f"{name} hides a chart"
            assert shows_something(drawing.screenshot()), f"{name} has an empty chart"
            seen += 1
        tab.page.context.close()
    assert seen >= 3 * len(reports.names()) - 5


def test_chart_js_takes_over_when_it_arrives(reports: Reports, open_tab: Any) -> None:
    tab = open_tab(reports.at("understanding.html", True), online=True)
    canvases = 0
    for figure in tab.page.query_selector_all("figure"):
        figure.scroll_into_view_if_needed()
    tab.page.wait_for_selector("figure canvas", timeout=5000)
    tab.page.wait_for_timeout(1200)
    for canvas in tab.page.query_selector_all("figure canvas"):
        assert shows_something(canvas.screenshot())
        canvases += 1
    assert canvases and tab.problems == []
    assert CDN in tab.requests


def test_without_scripts_the_top_rows_the_message_and_the_links_are_there(reports: Reports, open_tab: Any) -> None:
    tab = open_tab(reports.at("profitability.html", False), java_script_enabled=False)
    assert len(tab.page.query_selector_all("main table tbody tr")) > 20
    assert tab.page.inner_text(".lead")
    tab.page.click("nav a[href='features.html']")
    assert tab.page.inner_text("h1") == "Feature Economics"


@thoroughly
def test_the_checker_of_html_finds_no_error(reports: Reports) -> None:
    jar = MODULES / "vnu-jar" / "build" / "dist" / "vnu.jar"
    need(jar.exists(), "the npm package vnu-jar")
    done = subprocess.run(["java", "-Xmx512m", "-jar", str(jar), "--format", "json",
                           *[str(reports.html / name) for name in reports.names()]],
                          stderr=subprocess.PIPE, timeout=240)
    found = [one for one in json.loads(done.stderr)["messages"]
             if one["type"] == "error"]
    assert [f"{one['url'].rpartition('/')[2]}:{one.get('lastLine')}: {one['message']}" for one in found] == []


@pytest.mark.parametrize("theme", ["light", "dark"] if EVERYTHING else ["dark"])
def test_axe_finds_no_violation(reports: Reports, open_tab: Any, theme: str) -> None:
    axe = MODULES / "axe-core" / "axe.min.js"
    need(axe.exists(), "the npm package axe-core")
    wrong: List[str] = []
    for name in reports.names():
        tab = open_tab(reports.at(name, False), color_scheme=theme, bypass_csp=True, reduced_motion="reduce")
        tab.page.add_script_tag(path=str(axe))
        found = tab.page.evaluate(
            "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
            ".then(found => found.violations.map(one => [one.id, one.nodes.length, one.nodes[0].html,"
            " one.nodes[0].failureSummary]))")
        wrong += [f"{name}: {violation}" for violation in found]
        tab.page.context.close()
    assert wrong == []


@pytest.mark.parametrize("scripts", [True, False])
def test_a_long_list_of_advice_is_folded_by_scripts_only_and_whole_in_print(reports: Reports, open_tab: Any,
                                                                          scripts: bool) -> None:
    tab = open_tab(reports.at("aws_insights.html", False), java_script_enabled=scripts)
    shown = [one.is_visible() for one in tab.page.query_selector_all(".rec")]
    assert len(shown) > 8 and (sum(shown) == 6 if scripts else all(shown))
    if scripts:
        tab.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert all(one.is_visible() for one in tab.page.query_selector_all(".rec"))


def test_a_printed_page_has_all_sections_and_no_controls(reports: Reports, open_tab: Any) -> None:
    tab = open_tab(reports.at("understanding.html", False))
    tab.page.emulate_media(media="print")
    assert not [one for one in tab.page.query_selector_all("nav, .controls, .tools") if one.is_visible()]
    assert all(one.is_visible() for one in tab.page.query_selector_all("main h2, figure svg[role=img]"))
    assert len(re.findall(rb"/Type\s*/Page\b", tab.page.pdf(format="A4"))) >= 2
