"""How large pages are: a reader forwards them by mail, so each class of page has a bound."""
from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Dict

import pytest

from analyzers.base import discover_analyzers
from conftest import ROOT, run, simulate

KB = 1000
LOG_MB = 50  # the size that the simulators write where nobody names one
SIMPLE, CHARTED, COMPLEX = 50 * KB, 100 * KB, 200 * KB
MOST_PARTS = 7  # charts and tables of a page that is not complex


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, str]:
    """Return all pages of the log that a user gets first."""
    folder: Path = tmp_path_factory.mktemp("sizes")
    simulate(folder / "calls.csv", LOG_MB, "--start", "2026-01-01")
    ran = run(ROOT / "src" / "run_all_analyzers.py", "--csv", folder / "calls.csv", "--output", folder, "--quiet",
              "--no-cache")
    assert ran.code == 0, ran.err
    return {path.stem: path.read_text(encoding="utf-8") for path in (folder / "html").glob("*.html")}


def parts_of(page: str) -> int:
    """Return how many charts and tables a page has."""
    return len(re.findall("<figure |<table>", page))


def bound(page: str) -> int:
    """Return how many bytes a page may have, by what it holds."""
    parts = parts_of(page)
    return SIMPLE if not parts else CHARTED if parts <= MOST_PARTS else COMPLEX


def test_each_page_keeps_to_the_bound_of_its_class(pages: Dict[str, Any]) -> None:
    assert set(pages) == {"index", *discover_analyzers()}
    sizes = {name: (len(page.encode("utf-8")), bound(page)) for name, page in pages.items()}
    assert {name: size for name, size in sizes.items() if size[0] > size[1]} == {}
    assert {most for _, most in sizes.values()} == {SIMPLE, CHARTED, COMPLEX}  # the log has pages of every class
