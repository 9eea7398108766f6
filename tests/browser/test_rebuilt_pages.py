"""A page that stays open while its report is rebuilt over and over follows, says nothing wrong, and does not grow."""
from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any, Dict, Iterator

import pytest

from analyzers.base import discover_analyzers
from aws.reports.base import every_report
from browser.browsing import Reports
from conftest import EVERYTHING
from generators.site import Site
from viewer.viewers import Running

REBUILDS = 1000 if EVERYTHING else 24
NAME = "pricing"
LOOK = "document.dispatchEvent(new Event('visibilitychange'))"  # as if the page had just come into sight
FRESH = "count => document.querySelector('main').innerText.includes(`rebuilt ${count} times`)"
# Of what was held after a quarter of the rebuilds; what is kept of each would come to four times as much. Of a page's
# nodes those of the one before may still be there.
GROWTH = {"heap": 1.5, "nodes": 2.5, "listeners": 2.5, "server": 1.2}


@pytest.fixture
def viewer(reports: Reports, tmp_path: Path) -> Iterator[Running]:
    """Serve a copy of the reports by a viewer that makes none itself."""
    shutil.copytree(str(reports.folder), str(tmp_path / "reports"))
    with Running(tmp_path, "--no-watch") as running:
        yield running


def rebuild(folder: Path, results: Dict[str, Any], count: int) -> None:
    """Write the report, the index and the manifest again, with other results, as a run of the analysers does."""
    site = Site(folder, every_report(), f"2026-01-01T00:00:00.{count:03d}Z", [NAME])
    assert site.write(discover_analyzers()[NAME], dict(results, headline=f"It was rebuilt {count} times."))
    site.finish()


def held(tab: Any, session: Any, viewer: Running) -> Dict[str, int]:
    """Return what the page holds after its garbage is gone, and the memory of the server, in bytes."""
    tab.page.wait_for_timeout(300)  # until nothing is on its way
    session.send("HeapProfiler.collectGarbage")
    found = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    pages = int(Path(f"/proc/{viewer.process.pid}/statm").read_text().split()[1])
    return {"heap": found["JSHeapUsedSize"], "nodes": found["Nodes"], "listeners": found["JSEventListeners"],
            "server": pages * os.sysconf("SC_PAGE_SIZE")}


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the server's memory from /proc")
def test_an_open_page_follows_every_rebuild_and_neither_it_nor_the_server_grows(open_tab: Any, viewer: Running) -> None:
    results = json.loads((viewer.reports / "json" / f"{NAME}.json").read_text(encoding="utf-8"))
    tab = open_tab(f"http://127.0.0.1:{viewer.port}/reports/html/{NAME}.html")
    session = tab.page.context.new_cdp_session(tab.page)
    session.send("Performance.enable")
    early: Dict[str, int] = {}
    for count in range(1, REBUILDS + 1):
        rebuild(viewer.reports, results, count)
        tab.page.evaluate(LOOK)  # while the answers to the look before may still be on their way
        if count % 6 == 0:
            tab.page.wait_for_timeout(1)
            tab.page.evaluate(LOOK)
            tab.page.wait_for_function(FRESH, arg=count, timeout=20_000)
        if count == REBUILDS // 4:
            early = held(tab, session, viewer)
    late = held(tab, session, viewer)
    assert {name for name in early if late[name] > early[name] * GROWTH[name]} == set(), (early, late)
    assert tab.problems == []
