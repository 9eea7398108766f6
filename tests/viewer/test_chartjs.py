"""Chart.js in reports that the viewer serves: its verified copy draws, and nothing is asked for from elsewhere."""
from __future__ import annotations

from pathlib import Path
from typing import Any, Iterator

import pytest
from viewers import Running, ask, write_log

from browser.browsing import MODULES, need
from chartjs import KEPT_AT
from conftest import ROOT, run


@pytest.fixture
def copy() -> Iterator[Path]:
    """Keep the published file as a user does, and leave things as they were."""
    published = MODULES / "chart.js" / "dist" / "chart.umd.js"
    need(published.exists(), "the npm package chart.js")
    before = KEPT_AT.read_bytes() if KEPT_AT.exists() else None
    ran = run(ROOT / "viewer" / "get_chartjs.py", "--from", published)
    assert ran.code == 0, ran.err
    yield KEPT_AT
    if before is None:
        KEPT_AT.unlink()


def test_a_verified_copy_draws_the_charts_and_nothing_leaves_the_machine(copy: Path, tmp_path: Path,
                                                                         open_tab: Any) -> None:
    (tmp_path / "data").mkdir()
    write_log(tmp_path / "data" / "calls.csv", 400)
    with Running(tmp_path) as viewer:
        viewer.until_fresh()
        assert ask(viewer.port, "/reports/html/manifest.json").document["chartjs"] is True
        tab = open_tab(f"http://127.0.0.1:{viewer.port}/reports/html/performance.html", online=True)
        tab.page.query_selector("figure[data-chart]").scroll_into_view_if_needed()
        tab.page.wait_for_selector("figure canvas", timeout=10_000)
        assert tab.problems == []
        assert [url for url in tab.requests if not url.startswith((f"http://127.0.0.1:{viewer.port}/", "data:"))] == []
