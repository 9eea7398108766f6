"""The viewer's page in a real browser, over the real server: from an empty folder to reports, and what goes wrong."""
from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, Iterator, List

import pytest
from viewers import Running, add_calls, children_of, write_log

from browser.browsing import DESK, MODULES, PHONE, need
from conftest import thoroughly

STATIC = Path(__file__).resolve().parents[2] / "viewer" / "static"
LOOK = "document.dispatchEvent(new Event('visibilitychange'))"  # as if the page had just come into sight
VALUES = """() => { window.values = []; const bar = document.getElementById('bar');
new MutationObserver(() => window.values.push(bar.value)).observe(bar, {attributeFilter: ['value']}); }"""
TOASTS = """() => { window.toasts = []; const toast = document.getElementById('toast');
new MutationObserver(() => window.toasts.push(toast.textContent)).observe(toast, {childList: true}); }"""
SHOW_ALL = """() => { document.getElementById('toast').textContent = '13 reports are new.';
document.querySelectorAll('details').forEach(one => { one.open = true; });
['lost', 'refused', 'first', 'nothing-found'].forEach(id => { document.getElementById(id).hidden = false; }); }"""


def address(viewer: Running) -> str:
    return f"http://127.0.0.1:{viewer.port}/"


def until(tab: Any, expression: str, seconds: float = 20.0) -> None:
    """Wait until an expression holds; a failure shows the page's text."""
    end = time.monotonic() + seconds
    while not tab.page.evaluate(expression):
        assert time.monotonic() < end, f"{expression}\n{tab.problems}\n{tab.page.inner_text('body')[:3000]}"
        tab.page.wait_for_timeout(50)


def says(place: str, words: str) -> str:
    return f"document.querySelector({json.dumps(place)}).innerText.includes({json.dumps(words)})"


def simulators_of(viewer: Running) -> List[int]:
    found = []
    for process in children_of(viewer.process.pid):
        with contextlib.suppress(OSError):
            if b"run_all_simulators" in Path(f"/proc/{process}/cmdline").read_bytes():
                found.append(process)
    return found


@contextlib.contextmanager
def simulators_held(viewer: Running, least: int) -> Iterator[None]:
    """Hold the simulators still as soon as the log has so many bytes."""
    end = time.monotonic() + 30
    while not (viewer.csv.exists() and viewer.csv.stat().st_size >= least):
        assert time.monotonic() < end, "the simulators write nothing"
        time.sleep(0.002)
    held = simulators_of(viewer)
    for process in held:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in held:
            os.kill(process, signal.SIGCONT)


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="holds processes by what /proc tells of them")
def test_from_an_empty_folder_to_reports_another_log_and_a_server_that_goes_and_comes(open_tab: Any,
                                                                                     tmp_path: Path) -> None:
    with Running(tmp_path, env={"FINOPS_WORKERS": "1"}) as viewer:
        tab = open_tab(address(viewer))
        page = tab.page
        until(tab, "!document.getElementById('first').hidden")
        assert page.is_hidden("#progress") and "Press Generate" in page.inner_text("#first")
        page.evaluate(VALUES)
        page.evaluate(TOASTS)
        generate_and_watch(tab, viewer, tmp_path)
        run_one_again(tab)
        see_growth(tab, viewer)
        open_a_report(tab)
        choose_another_log(tab, viewer)
        assert tab.problems == []
        port = viewer.port
        viewer.process.kill()
        viewer.process.wait()
        until(tab, LOOK + " || " + says("#live", "no answer since"))
        page.screenshot(path=str(tmp_path / "lost.png"))
        assert page.is_visible("#lost") and len(page.query_selector_all(".report-card")) == 17
        page.click(".run >> nth=0")
        until(tab, says("#toast", "The viewer does not answer."))
    with Running(tmp_path, "--port", str(port), csv="data/other.csv"):
        until(tab, "document.getElementById('live').innerText === 'live'")
        until(tab, "document.getElementById('lost').hidden && " + says("#progress-title", "other.csv is complete"))
        assert page.is_hidden("#lost")
        assert {re.sub(r"net::ERR_\w+", "", one) for one in tab.problems} == {"error: Failed to load resource: "}


def generate_and_watch(tab: Any, viewer: Running, pictures: Path) -> None:
    """Press the buttons: the bar stands where the log stands, stops with it, and goes to its end; all reports come."""
    page = tab.page
    page.fill("#size", "40")
    page.fill("#days", "30")
    assert page.inner_text("#begin") == "Generate 40 MB"
    page.click("#begin")
    with simulators_held(viewer, 300_000):
        until(tab, says("#figure-size", " of 40.0 MB") + " && document.getElementById('bar').value > 0")
        percent = viewer.until(lambda status: not status["csv"]["growing"])["csv"]["progress_pct"]
        until(tab, f"document.getElementById('bar').value === {percent}")
        assert 0 < percent < 100 and f"{percent:.1f} %" == page.inner_text("#figure-done")
        assert page.title().startswith(f"{percent:.1f} %")
        assert page.get_attribute("#generate .primary", "aria-disabled")
        page.screenshot(path=str(pictures / "growing.png"))
        page.click("#progress .stop")
        until(tab, says("#progress-title", "Stopping"))
    until(tab, says("#progress-title", "calls.csv stopped short of its target"))
    assert page.inner_text("#jobs .chip") == "stopped" and page.is_hidden(".stop >> nth=0")
    page.fill("#size", f"{viewer.csv.stat().st_size // 1_000_000 + 2}")
    page.check("[value=append]")
    page.click("#generate .primary")
    until(tab, says("#progress-title", "calls.csv is complete"), 60)
    until(tab, "document.querySelectorAll('.state.good').length === 13", 60)
    values = page.evaluate("window.values")
    assert len(set(values)) > 1 and values == sorted(values) and values[-1] == 100
    viewer.until(lambda status: status["regeneration"]["state"] == "idle")
    index = (viewer.reports / "html" / "index.html").read_text(encoding="utf-8").partition('id="behind"')[0]
    figures = [re.sub("<[^>]+>", "", one) for one in re.findall('<p class="value[^>]*>(.*?)</p>', index)]
    until(tab, "[...document.querySelectorAll('#cards .value')].map(one => one.textContent).join('|') === "
          + json.dumps("|".join(figures)))
    assert len(figures) > 6
    groups = [one.inner_text() for one in page.query_selector_all("#groups h2")]
    assert groups == ["FinOps", "Usage-Based Revenue", "Advanced", "AWS"]
    page.screenshot(path=str(pictures / "complete.png"), full_page=True)


def run_one_again(tab: Any) -> None:
    card = tab.page.query_selector("li.report-card:has-text('Pricing Strategy')")
    card.query_selector(".run").focus()
    tab.page.keyboard.press("Enter")
    until(tab, says("#toast", "Pricing Strategy again: complete."))
    assert tab.page.evaluate("document.activeElement.className") == "quiet run"  # no message takes the focus away
    assert "Pricing Strategy again" in tab.page.inner_text("#jobs li")


def see_growth(tab: Any, viewer: Running) -> None:
    """More calls: figures and reports follow."""
    before = viewer.status()["csv"]["line_count"]
    with open(viewer.csv, "rb") as handle:  # the log's own calls once more, under other ids
        handle.readline()
        more = [b"again-" + handle.readline() for _ in range(2000)]
    with open(viewer.csv, "ab") as handle:
        handle.write(b"".join(more))
    tab.page.evaluate(LOOK)
    until(tab, says("#meta", f"{before + 2000:,} calls"))
    until(tab, says("#figure-rows", f"{before + 2000:,}"))
    until(tab, "window.toasts.some(one => / reports are new/.test(one))")


def open_a_report(tab: Any) -> None:
    """A report is an ordinary page; what was searched and opened is remembered."""
    page = tab.page
    page.fill("#filter", "no such thing")
    assert page.is_visible("#nothing-found") and page.inner_text("#found") == "0 of 17 reports"
    page.fill("#filter", "token eco")
    assert page.inner_text("#found") == "1 of 17 reports"
    page.click("li.report-card:not([hidden]) .open")
    assert page.inner_text("h1") == "Token Economics"
    page.go_back()
    until(tab, says("#last", "Last opened: Token Economics"))
    assert page.input_value("#filter") == "token eco"
    page.fill("#filter", "")
    page.evaluate(TOASTS)


def choose_another_log(tab: Any, viewer: Running) -> None:
    write_log(viewer.csv.parent / "other.csv", 600)
    add_calls(viewer.csv.parent / "other.csv", 600, 700)
    tab.page.focus("#logs")
    tab.page.wait_for_selector("#logs option[value='other.csv']", state="attached", timeout=10_000)
    tab.page.select_option("#logs", "other.csv")
    tab.page.click("#load button")
    until(tab, says("#progress-title", "other.csv is complete"))
    until(tab, says("#meta", "700 calls"))
    until(tab, "document.querySelectorAll('.state.good').length === 13")


@pytest.fixture(scope="module")
def small(tmp_path_factory: Any) -> Iterator[Running]:
    """Return a viewer with the reports of a small log."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "data").mkdir()
    write_log(folder / "data" / "calls.csv", 400)
    with Running(folder) as viewer:
        viewer.until_fresh(400)
        yield viewer


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation_and_the_page_fits(small: Running, open_tab: Any, theme: str) -> None:
    axe = MODULES / "axe-core" / "axe.min.js"
    need(axe.exists(), "the npm package axe-core")
    tab = open_tab(address(small), color_scheme=theme, bypass_csp=True, reduced_motion="reduce")
    until(tab, "document.querySelectorAll('#cards .card').length > 0")
    tab.page.add_script_tag(path=str(axe))
    for size in (DESK, PHONE):
        tab.page.set_viewport_size(size)
        tab.page.evaluate(SHOW_ALL)
        found = tab.page.evaluate(
            "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
            ".then(found => found.violations.map(one => [one.id, one.nodes.length, one.nodes[0].html,"
            " one.nodes[0].failureSummary]))")
        width, room = tab.page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
        assert (found, tab.problems, width <= room) == ([], [], True), size


@thoroughly
def test_the_checker_of_html_finds_no_error() -> None:
    jar = MODULES / "vnu-jar" / "build" / "dist" / "vnu.jar"
    need(jar.exists(), "the npm package vnu-jar")
    done = subprocess.run(["java", "-Xmx512m", "-jar", str(jar), "--format", "json", str(STATIC / "index.html")],
                          stderr=subprocess.PIPE, timeout=120)
    assert json.loads(done.stderr.decode("utf-8"))["messages"] == []


def test_the_page_is_quiet_when_nothing_moves_or_nobody_looks(small: Running, open_tab: Any) -> None:
    tab = open_tab(address(small))
    answers: List[int] = []
    tab.page.on("response", lambda answer: "/api/status" in answer.url and answers.append(answer.status))
    until(tab, "document.querySelectorAll('#cards .card').length > 0")
    tab.page.evaluate("Object.defineProperty(document, 'hidden', {get: () => window.isHidden, configurable: true})")
    tab.page.wait_for_timeout(6500)
    assert answers and set(answers[1:]) <= {304}  # asked with the tag of what is shown
    count = len(answers)
    assert count < 8
    tab.page.evaluate("window.isHidden = true; " + LOOK)
    tab.page.wait_for_timeout(1500)
    assert len(answers) == count
    tab.page.evaluate("window.isHidden = false; " + LOOK)
    tab.page.wait_for_timeout(500)
    assert len(answers) == count + 1 and tab.problems == []
    strangers = [url for url in tab.requests if not url.startswith((address(small), "data:"))]
    assert strangers == []


def test_the_theme_is_that_of_the_reports(small: Running, open_tab: Any) -> None:
    tab = open_tab(address(small) + "reports/html/index.html")
    tab.page.click("#theme")
    tab.page.click("#theme")
    tab.open(address(small))
    background = tab.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert tab.page.get_attribute("html", "data-theme") == "dark" and background == "rgb(13, 16, 23)"
    assert "Dark" in tab.page.inner_text("#theme")
    tab.page.click("#theme")
    tab.open(address(small) + "reports/html/index.html")
    assert tab.page.get_attribute("html", "data-theme") is None


def test_a_refusal_is_told_with_its_reason_and_where_it_was_asked(small: Running, open_tab: Any) -> None:
    tab = open_tab(address(small))
    until(tab, "document.querySelectorAll('#scenarios input').length === 12")
    tab.page.fill("#size", "1")
    tab.page.click("#generate .primary")  # the log was not written by the simulators: they do not replace it
    until(tab, says("#jobs", "error"))
    assert "did not write" in tab.page.inner_text("#jobs") and small.status()["csv"]["line_count"] == 400
    tab.page.click(".scenarios summary")
    tab.page.click("#none")
    assert tab.page.inner_text("#chosen") == "0 of 12"
    tab.page.click("#generate .primary")
    assert tab.page.inner_text("#refusal") == "Choose at least one scenario."


def test_every_state_of_a_report_has_its_word_and_its_reason(small: Running, open_tab: Any, tmp_path: Path) -> None:
    status = small.status()
    reports, runs = status["reports"], status["analyzer_status"]
    ids = [one["id"] for one in reports]
    runs[ids[0]]["status"] = "running"
    status["jobs"] = [{"id": "job-9", "kind": "analyze", "title": ids[1], "state": "waiting", "message": None,
                       "asked_at": "2026-01-01T00:00:00.000Z"}]
    runs[ids[2]]["status"] = "error"
    reports[2].update(stale=True, reason="division by zero <b>")
    runs[ids[3]]["status"] = "timeout"
    reports[4].update(stale=True)
    reports[5].update(exists=False, size_kb=None, generated_at=None)
    made = {"exists": True, "size_kb": 5.0, "generated_at": "2026-01-01T00:00:00.000Z"}
    status["aws"]["reports"][0].update(made)
    status["aws"]["reports"][1].update(made, stale=True, reason="access was denied")
    tab = open_tab(address(small))
    tab.page.route("**/api/status", lambda route: route.fulfill(body=json.dumps(status)))
    tab.page.reload()
    until(tab, "document.querySelectorAll('.report-card').length === 17")
    states = [one.inner_text() for one in tab.page.query_selector_all(".report-card .state")]
    assert states[:7] == ["running", "waiting", "error", "timed out", "out of date", "not made yet", "up to date"]
    assert states[13:] == ["made", "error", "not made yet", "not made yet"]
    cards = tab.page.query_selector_all(".report-card")
    assert "Access was denied." in cards[14].inner_text() and cards[16].query_selector(".run").is_visible()
    assert "Division by zero <b>." in cards[2].inner_text()
    assert not cards[5].query_selector(".open").is_visible() and cards[5].query_selector(".run").inner_text() == "Run"
    assert [card.query_selector(".run").get_attribute("aria-disabled") for card in cards[:3]] == ["true", "true", None]
    assert tab.page.inner_text("#groups h2 >> nth=-1") == "AWS" and tab.page.is_visible(".explore >> nth=-1")
    assert tab.problems == []
    tab.page.screenshot(path=str(tmp_path / "states.png"), full_page=True)


def test_the_last_known_figures_are_there_before_the_first_round_ends(small: Running, open_tab: Any) -> None:
    status = small.status()
    status["regeneration"].update(state="analysing", rounds=0, analyzer="pricing", progress_pct=40.0)
    tab = open_tab(address(small))
    tab.page.route("**/api/status", lambda route: route.fulfill(body=json.dumps(status)))
    tab.page.reload()
    until(tab, "document.querySelectorAll('#cards .card .value').length > 3")
    assert tab.page.inner_text("#last-known") == "Last known: calls.csv, made just now"
    status["regeneration"].update(state="idle", rounds=1)
    tab.page.evaluate(LOOK)
    until(tab, "document.getElementById('last-known').innerText === ''")


def test_reports_on_aws_costs_that_nobody_asked_for_are_counted_apart(small: Running, open_tab: Any) -> None:
    tab = open_tab(address(small))
    until(tab, says("#working", "13 of 13 reports on calls are up to date; none of 4 on AWS costs are made."))
    assert tab.page.inner_text("#found") == "13 of 17 reports are made"
    room, text = tab.page.evaluate("""() => { const logs = document.getElementById("logs"), to = document.createElement(
        "canvas").getContext("2d"); to.font = getComputedStyle(logs).font; return [logs.clientWidth - 40,
        to.measureText("simulated_calls.csv (50.0 MB)").width]; }""")
    assert text <= room and tab.page.get_attribute("#logs", "title").startswith("calls.csv (")


def test_a_server_that_refuses_is_told_from_one_that_is_gone(small: Running, open_tab: Any) -> None:
    tab = open_tab(address(small))
    until(tab, "document.querySelectorAll('#cards .card').length > 0")
    refusal = {"status": 429, "error": "too many requests a minute"}
    tab.page.route("**/api/status", lambda route: route.fulfill(status=429, body=json.dumps(refusal),
                                                                headers={"Retry-After": "1"}))
    tab.page.evaluate(LOOK)
    until(tab, says("#live", "refused since"))
    assert "Too many requests a minute." in tab.page.inner_text("#refused") and tab.page.is_hidden("#lost")
    tab.page.unroute("**/api/status")
    until(tab, "document.getElementById('live').innerText === 'live'", 5)
    assert tab.page.is_hidden("#refused")


def test_the_keyboard_reaches_the_reports_first_and_every_control_shows_focus(small: Running, open_tab: Any) -> None:
    tab = open_tab(address(small))
    until(tab, "document.querySelectorAll('#cards .card').length > 0")
    tab.page.keyboard.press("Tab")
    assert tab.page.evaluate("document.activeElement.className") == "skip"
    tab.page.keyboard.press("Enter")
    assert tab.page.evaluate("document.activeElement.id") == "main"
    for _ in range(14):
        tab.page.keyboard.press("Tab")
        assert tab.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
