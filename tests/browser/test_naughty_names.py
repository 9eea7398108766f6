"""Every naughty string as a name in a log: no page runs a script of it, breaks, or asks for anything elsewhere."""
from __future__ import annotations

from typing import Any

import pytest

from browser.browsing import DESK
from conftest import ROOT, run
from faults.hostile import naughty_log

SCRIPTS = "document.querySelectorAll('script:not([type=\"application/json\"])').length"
STRANGERS = "document.querySelectorAll('iframe, object, embed, base, link[rel=import]').length"
HANDLERS = "[...document.querySelectorAll('*')].filter(one => [...one.attributes].some(" \
           "other => other.name.startsWith('on'))).length"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("naughty")
    ran = run(ROOT / "src" / "run_all_analyzers.py", "--csv", naughty_log(folder / "calls.csv"), "--output",
              folder / "reports", "--quiet")
    assert ran.code == 0, ran.err
    return folder / "reports" / "html"


def test_no_name_runs_breaks_a_page_or_reaches_out(pages: Any, reports: Any, open_tab: Any) -> None:
    for page in (pages / name for name in reports.names() if (pages / name).exists()):
        plain = open_tab((reports.html / page.name).as_uri(), viewport=DESK)
        tab = open_tab(page.as_uri(), viewport=DESK)
        assert tab.problems == [], page.name
        assert [url for url in tab.requests if not url.startswith(("file:", "data:", "blob:"))] == [], page.name
        assert tab.page.evaluate(SCRIPTS) == plain.page.evaluate(SCRIPTS), page.name
        assert tab.page.evaluate(HANDLERS) == 0, page.name
        assert tab.page.evaluate(STRANGERS) == 0, page.name
        plain.page.context.close()
        tab.page.context.close()
