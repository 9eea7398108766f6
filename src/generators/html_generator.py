"""`HTMLReportGenerator`: draws an analyser's results as a page.

The pages are plain for now: every section of the results as a list or table. The tree of elements is built by the
standard library, which escapes every value.
"""
from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence, Union
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from generators.files import write_whole

STYLE = Path(__file__).resolve().parent / "assets" / "report.css"
MOST_ROWS = 100  # of a table; the JSON holds all


class HTMLReportGenerator:
    """Draws pages; it knows nothing of any single analyser."""

    def write_report(self, analyzer: Any, output_file: Union[str, Path]) -> str:
        """Write an analyser's page and return its path; raises `LogError` when that fails."""
        path = Path(output_file)
        write_whole(path, self.page(analyzer.title, analyzer.description, analyzer.analyze()))
        return str(path)

    def page(self, title: str, description: str, results: Mapping[str, Any]) -> str:
        """Return a page that shows all sections of the results, each under its name."""
        html = Element("html", lang="en")
        head = SubElement(html, "head")
        SubElement(head, "meta", charset="utf-8")
        SubElement(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
        SubElement(head, "title").text = title
        SubElement(head, "style").text = STYLE.read_text(encoding="utf-8")
        main = SubElement(SubElement(html, "body"), "main")
        SubElement(main, "h1").text = title
        SubElement(main, "p").text = description
        for name, section in results.items():
            part = SubElement(main, "section")
            SubElement(part, "h2").text = _words(name)
            _show(part, section)
        return "<!DOCTYPE html>\n" + ElementTree.tostring(html, encoding="unicode", method="html") + "\n"


def _show(parent: Element, value: Any) -> None:
    if isinstance(value, Mapping):
        _show_list(parent, value)
    elif isinstance(value, (list, tuple)) and value and isinstance(value[0], Mapping):
        _show_table(parent, value)
    elif isinstance(value, (list, tuple)):
        SubElement(parent, "p").text = ", ".join(map(_text, value)) or "none"
    else:
        SubElement(parent, "p").text = _text(value)


def _show_list(parent: Element, values: Mapping[str, Any]) -> None:
    flat: Dict[str, Any] = {}
    deep: Dict[str, Any] = {}
    for name, value in values.items():
        (deep if isinstance(value, (Mapping, list, tuple)) else flat)[name] = value
    terms = SubElement(parent, "dl")
    for name, value in flat.items():
        SubElement(terms, "dt").text = _words(name)
        SubElement(terms, "dd").text = _text(value)
    for name, value in deep.items():
        SubElement(parent, "h3").text = _words(name)
        _show(parent, value)


def _show_table(parent: Element, rows: Sequence[Mapping[str, Any]]) -> None:
    columns: List[str] = list(dict.fromkeys(name for row in rows for name in row))
    wrapper = SubElement(parent, "div", {"class": "scroll", "tabindex": "0"})
    table = SubElement(wrapper, "table")
    head = SubElement(SubElement(table, "thead"), "tr")
    for name in columns:
        SubElement(head, "th", scope="col").text = _words(name)
    body = SubElement(table, "tbody")
    for row in rows[:MOST_ROWS]:
        line = SubElement(body, "tr")
        for name in columns:
            value = row.get(name)
            number = isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)
            SubElement(line, "td", {"class": "number"} if number else {}).text = _text(value)
    if len(rows) > MOST_ROWS:
        SubElement(parent, "p").text = f"{MOST_ROWS} of {len(rows):,} rows; the JSON result holds all."


def _text(value: Any) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, Decimal):
        return f"{value:,.2f}" if abs(value) >= 1 or not value else f"{value:.6f}"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return "; ".join(f"{_words(str(name))}: {_text(one)}" for name, one in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_text, value))
    # XML knows no control characters; a page shows them as what they are not.
    return "".join(letter if letter >= " " or letter in "\t\n" else "\ufffd" for letter in str(value))


def _words(name: str) -> str:
    return name.replace("_", " ")
