"""Each number that a page shows equals the JSON result it comes from."""
from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, List, Tuple

import pytest

import blocks as b
from analyzers.base import discover_analyzers
from generators.formats import kind_of, show
from generators.page_parts import at

IDS = sorted(discover_analyzers())


class _Figures(HTMLParser):
    """Collects the labels and values of cards, and the rows of each table that has a caption."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.cards: List[Tuple[str, str]] = []
        self.tables: List[List[List[str]]] = []
        self._text, self._label, self._has_caption = "", "", False
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        if tag in ("p", "caption", "td", "th"):
            self._text = ""
        if tag == "tr" and self._has_caption:
            self.tables[-1].append([])
        self._kind = dict(attributes).get("class", "") if tag == "p" else getattr(self, "_kind", "")

    def handle_endtag(self, tag: str) -> None:
        text = re.sub(r"\s+", " ", self._text).strip()
        if tag == "p" and self._kind.startswith("label"):
            self._label = text
        elif tag == "p" and self._kind.startswith("value"):
            self.cards.append((self._label, text))
        elif tag == "caption":
            self._has_caption = True
            self.tables.append([])
        elif tag in ("td", "th") and self._has_caption:
            self.tables[-1][-1].append(text)
        elif tag == "table":
            self._has_caption = False

    def handle_data(self, data: str) -> None:
        self._text += data


def read(folder: Path, name: str) -> Tuple[str, Any]:
    return ((folder / "html" / f"{name}.html").read_text(encoding="utf-8"),
            json.loads((folder / "json" / f"{name}.json").read_text(encoding="utf-8")))


def blocks_of(name: str, kind: Any) -> List[Any]:
    return [block for block in b.walk(discover_analyzers()[name].page) if isinstance(block, kind)]


@pytest.mark.parametrize("name", IDS)
def test_each_card_shows_the_value_of_its_place(log_reports: Path, name: str) -> None:
    page, results = read(log_reports, name)
    shown = _Figures(page).cards
    wanted = []
    for block in blocks_of(name, b.Cards):
        for card in block.cards:
            value = at(at(results, block.path), card.path)
            text = show(value, card.kind or kind_of(card.path.replace(".", "_"), value))
            wanted.append((card.title, text.replace("_", " ") if card.kind == b.BADGE else text))
    assert wanted and wanted == [(label, text) for label, text in shown][:len(wanted)]


@pytest.mark.parametrize("name", IDS)
def test_each_table_carries_the_values_of_its_rows_and_shows_them(log_reports: Path, name: str) -> None:
    page, results = read(log_reports, name)
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL).group(1))["tables"]
    checked = 0
    for one in data.values():
        rows = at(results, one["name"])
        assert one["total"] == len(rows)
        for column in one["columns"]:
            held = [at(row, column["name"]) for row in rows[:len(column["values"])]]
            assert [value if isinstance(value, (int, float, str)) else value and show(value) for value in held] == \
                column["values"], f"{one['name']}: {column['name']}"
            checked += len(held)
    assert checked or not data


@pytest.mark.parametrize("name", IDS)
def test_each_number_in_the_markup_is_that_of_its_row(log_reports: Path, name: str) -> None:
    page, results = read(log_reports, name)
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL).group(1))["tables"]
    shown = _Figures(page).tables
    assert len(shown) == len(data)
    for carried, lines in zip(data.values(), shown):
        assert len(lines) > 1
        for number, cells in enumerate(lines[1:]):
            for column, cell in zip(carried["columns"], cells):
                text = show(column["values"][number], column["kind"])
                text = text.replace("_", " ") if column["kind"] == b.BADGE else text
                assert cell == re.sub(r"\s+", " ", text).strip(), f"{carried['name']}: {column['name']}"
