#!/usr/bin/env python3
"""Charts that are saved as questions: each file in `charts/` is one, asked of the counts and drawn on one page.

    python3 showcase/queries/saved_charts.py --csv data/simulated_calls.csv --output reports/showcase

A file says what to draw (`chart`, `title`), what to count (`measure`) and by which one or two dimensions (`by`);
`where` keeps some values, `every` rolls days up to weeks or months, `most` bounds bars. A new chart is one new file.
"""
from __future__ import annotations

import json
import runpy
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Sequence, Tuple

if __name__ == "__main__":  # a script finds only the modules beside it: begin again with the toolkit in reach
    runpy.run_path(str(Path(__file__).resolve().parents[2] / "viewer" / "bootstrap.py"))["find_sources"](__file__)

import blocks as b
from analyzers.base import Analyzer, Results
from analyzers.common import add, measures_row, whole_days
from analyzers.wording import numbered
from calls.values import format_timestamp
from config import load_settings
from console import run_command
from errors import FinOpsError, explain_os_error, listed
from generators.site import Site
from queries.time_series import EVERY
from rollup.cubes import CUBES, DIMENSIONS
from rollup.rollup import Group, Rollup
from support.logs import counted_log, example_options

CHARTS = Path(__file__).resolve().parent / "charts"
MEASURES = ("cost", "calls", "failed", "unpriced", "tokens", "input_tokens", "output_tokens")
KINDS = {"bars": b.Bars, "doughnut": b.Doughnut, "lines": b.Lines, "stacked_bars": b.StackedBars, "heat_map": b.HeatMap,
         "tree_map": b.TreeMap}
NEEDED = ("title", "chart", "measure", "by")
SIDE_BY_SIDE = ("lines", "stacked_bars")  # the second dimension's values are columns of these


class ChartError(FinOpsError):
    """A saved chart cannot be drawn."""


class SavedChart(NamedTuple):
    """A chart as its file describes it."""

    id: str
    title: str
    chart: str
    measure: str
    by: Tuple[str, ...]
    where: Mapping[str, Sequence[str]] = {}
    every: str = "day"
    most: int = 0
    about: str = ""

    def rows(self, rollup: Rollup) -> List[Dict[str, Any]]:
        """Return the counts that are drawn, by the dimensions in the order of the file."""
        days = set(whole_days(rollup)) if "day" in self.by else None
        found: Dict[Tuple[str, ...], List[Any]] = {}
        for key, measures in rollup.by(*self.by, where=self.where):
            if days is None or key[self.by.index("day")] in days:
                rolled = tuple(EVERY[self.every](text) if name == "day" else text for name, text in zip(self.by, key))
                found.setdefault(rolled, []).append(measures)
        rows = [measures_row(self.by, Group(key, add(parts))) for key, parts in sorted(found.items())]
        if self._is_side_by_side:
            return _side_by_side(rows, self.by[0], self.by[1], self.measure)
        return rows if days else sorted(rows, key=lambda row: -row[self.measure])

    def block(self, rows: Sequence[Mapping[str, Any]]) -> b.Chart:
        """Return the block that draws the rows."""
        kind = b.MONEY if self.measure == "cost" else b.COUNT
        values = tuple(b.Column(name, name, kind) for name in dict.fromkeys(name for row in rows for name in row)
                       if name != self.by[0]) if self._is_side_by_side else (b.Column(self.measure, kind=kind),)
        more: Dict[str, Any] = {"most": self.most} if self.most else {}
        if self.chart == "stacked_bars":
            more["standing"] = self.by[0] == "day"
        if len(self.by) == 2 and not self._is_side_by_side:
            more.update({"across": self.by[1]} if self.chart == "heat_map" else {"group": self.by[0]})
        label = self.by[-1] if "group" in more else self.by[0]
        return KINDS[self.chart](self.id, self.title, self.about, "There are no such calls.", label, values, **more)

    @property
    def _is_side_by_side(self) -> bool:
        return len(self.by) == 2 and self.chart in SIDE_BY_SIDE


class SavedCharts(Analyzer):
    """A report of saved charts, drawn by the generator that draws all reports."""

    id = "saved_charts"
    title = "Saved charts"
    category = "Showcase"

    def __init__(self, charts: Sequence[SavedChart], **more: Any) -> None:
        """Hold the charts."""
        super().__init__(**more)
        self._charts = charts
        self.description = f"{numbered(len(charts), 'question')} to the log, as they were saved"

    def examine(self, rollup: Rollup) -> Results:
        """Return the rows of every chart under its id."""
        found = {chart.id: chart.rows(rollup) for chart in self._charts}
        drawn = tuple(chart.block(found[chart.id]) for chart in self._charts)
        self.page = (b.Section(title="Charts", blocks=drawn), b.Recommendations(empty="Charts only show."))
        return found


def read_chart(path: Path) -> SavedChart:
    """Read a chart's file; raises `ChartError` saying what is wrong with it."""
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ChartError(explain_os_error("read", path, error)) from error
    except ValueError as error:
        raise ChartError(f"{path} is not JSON: {error}") from error
    fault = _fault(given)
    if fault:
        raise ChartError(f"{path} is no saved chart: {fault}")
    return SavedChart(id=path.stem, **{**given, "by": tuple(given["by"])})


def _fault(given: Any) -> str:
    """Return what is wrong with a chart as it was written; an empty text when it can be drawn."""
    names = SavedChart._fields[1:]
    if not isinstance(given, dict) or not set(NEEDED) <= set(given) <= set(names):
        return f"it needs {', '.join(NEEDED)}, and may have no others than {', '.join(names)}"
    for name, known in (("chart", tuple(KINDS)), ("measure", MEASURES), ("every", tuple(EVERY))):
        if given.get(name, known[0]) not in known:
            return f"{name} {given[name]!r} is none of {listed(known)}"
    by, where = given["by"], given.get("where", {})
    if not isinstance(by, list) or not 1 <= len(by) <= 2 or not all(one in DIMENSIONS for one in by):
        return f"by {by!r} is no list of one or two of {listed(DIMENSIONS)}"
    if not isinstance(where, dict) or not all(one in DIMENSIONS and isinstance(where[one], list) for one in where):
        return f"where {where!r} is no object with lists of texts by some of {listed(DIMENSIONS)}"
    if not any({*by, *where} <= set(cube.dimensions) for cube in CUBES):
        return f"{', '.join([*by, *where])} are not counted together"
    texts_fit = isinstance(given["title"], str) and isinstance(given.get("about", ""), str)
    if not texts_fit or not isinstance(given.get("most", 0), int) or given.get("most", 0) < 0:
        return "title and about are texts, and most is a whole number"
    return ""


def _side_by_side(rows: Sequence[Mapping[str, Any]], first: str, second: str, measure: str) -> List[Dict[str, Any]]:
    """Return a row for each value of the first dimension, with a column for each value of the second."""
    names = sorted({row[second] for row in rows})
    found: Dict[str, Dict[str, Any]] = {}
    for row in rows:
        found.setdefault(row[first], {first: row[first], **dict.fromkeys(names, 0)})[row[second]] = row[measure]
    return list(found.values())


def main(arguments: Sequence[str]) -> int:
    """Draw all saved charts on one page, and say where it is."""
    options = example_options(__doc__)
    options.add_argument("--output", metavar="DIR", default=str(Path(load_settings().reports_path) / "showcase"),
                         help="the folder that gets html/ and json/ (default reports/showcase)")
    options.add_argument("--charts", metavar="DIR", default=str(CHARTS), help="the folder of saved charts")
    given = options.parse_args(arguments)
    charts = [read_chart(path) for path in sorted(Path(given.charts).glob("*.json"))]
    if not charts:
        raise ChartError(f"{given.charts} holds no saved chart: put a JSON file there")
    with counted_log(given.csv) as dataset:
        report = SavedCharts(charts, dataset=dataset)
        site = Site(given.output, [report], format_timestamp(int(time.time() * 1000)), [report.id])
        site.write(report, report.analyze())
        site.finish()
    print(site.result(report).read_text(encoding="utf-8").rstrip() if given.json
          else f"drew {numbered(len(charts), 'chart')} in {site.page(report)}")
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
