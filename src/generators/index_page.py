"""The index of a folder of reports: the executive summary, and every report with its message."""
from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, List, Mapping, Sequence, Tuple

import blocks as b
from generators.formats import show
from generators.html_generator import HTMLReportGenerator, Page
from generators.provenance import INDEX
from generators.templates import Markup, join, parts

_NOTHING = Markup("")


class IndexReport:
    """The index, described as any report is."""

    id = INDEX
    title = "Executive Summary"
    description = "Spend, forecast, margin, drivers, alerts and savings at a glance, with every report behind them"
    category = "Overview"
    page = ()


INDEX_PAGE = Page(INDEX, IndexReport.title, IndexReport.category, IndexReport.description)


class IndexEntry:
    """A report as the index shows it: the class, its results (None: none yet), its manifest entry, and its failure."""

    def __init__(self, report: Any, results: Any, entry: Mapping[str, Any], failure: str = "") -> None:
        """Remember all four; `entry` is the report's part of the manifest."""
        self.report, self.results, self.entry, self.failure = report, results, entry, failure


def index_page(generator: HTMLReportGenerator, entries: Sequence[IndexEntry], made: str) -> str:
    """Return the whole index page."""
    generator.begin(INDEX, generator.homes)
    body = join([_summary(generator, entries), *_blocks(generator, entries), *_groups(entries)])
    with_results = [one for one in entries if one.results]
    told: Dict[str, Any] = {name: next((one.results[name] for one in with_results if one.results.get(name)), {})
            for name in ("log", "bill")}
    digests = {one.report.id: one.entry.get("digest") for one in entries}
    headline = next((one.results["headline"] for one in with_results if one.results.get("headline")), "")
    return generator.frame(IndexReport, {**told, "digests": digests, "headline": headline}, body, made)


def _summary(generator: HTMLReportGenerator, entries: Sequence[IndexEntry]) -> Markup:
    cards: List[Tuple[int, Markup]] = []
    for entry in entries:
        for one in getattr(entry.report, "highlights", ()) if entry.results else ():
            if isinstance(one, b.Card):
                with b.in_currency((entry.results.get("bill") or {}).get("currency", "USD")):
                    drawn = generator.card(replace(one, report=one.report or entry.report.id), entry.results)
                    cards.append((one.rank, drawn))
    if not cards:
        return parts("index.html")["nothing"].fill()
    cards.sort(key=lambda pair: pair[0])
    return parts("index.html")["summary"].fill(cards=join(drawn for _, drawn in cards))


def _blocks(generator: HTMLReportGenerator, entries: Sequence[IndexEntry]) -> List[Markup]:
    drawn = [generator.draw(one, entry.results) for entry in entries if entry.results
             for one in getattr(entry.report, "highlights", ()) if isinstance(one, b.Block)]
    return [parts("index.html")["blocks"].fill(blocks=join(drawn))] if drawn else []


def _groups(entries: Sequence[IndexEntry]) -> List[Markup]:
    grouped: Dict[str, List[IndexEntry]] = {}
    for entry in entries:
        grouped.setdefault(entry.report.category, []).append(entry)
    fill = parts("index.html")["group"].fill
    return [fill(name=name, id=f"reports-{number}", reports=join(map(_card, members)))
            for number, (name, members) in enumerate(grouped.items(), 1)]


def _card(entry: IndexEntry) -> Markup:
    part = parts("index.html")
    failure = part["failure"].fill(text=entry.failure) if entry.failure else _NOTHING
    report = entry.report
    if not entry.entry.get("size_bytes"):
        return part["absent"].fill(title=report.title, description=report.description, failure=failure)
    headline = (entry.results or {}).get("headline") or report.description
    return part["report"].fill(file=entry.entry["file"], title=report.title, headline=headline, failure=failure,
                               size=show(entry.entry["size_bytes"], b.BYTES))
