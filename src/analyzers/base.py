"""The contract of an analyser: `Analyzer`, `Recommendation`, and how all of them are found."""
from __future__ import annotations

import importlib
from decimal import Decimal
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple, Type, Union

import analyzers
from analyzers.common import usd
from blocks import Block, Card
from calls.values import format_timestamp
from config import Settings, load_settings
from discovery import discover
from rollup.dataset import Dataset, load_dataset
from rollup.rollup import Rollup

FINOPS, REVENUE, ADVANCED = CATEGORIES = ("FinOps", "Usage-Based Revenue", "Advanced")
HIGH, MEDIUM, LOW = CONFIDENCES = ("high", "medium", "low")

Results = Dict[str, Any]


class Recommendation(NamedTuple):
    """What to do, what it is worth in dollars a month (None: unknown), on what evidence, and how sure."""

    action: str
    monthly_usd: Optional[Decimal]
    evidence: str
    confidence: str

    def as_data(self) -> Results:
        """Return plain data for the results."""
        return self._asdict()


class Analyzer:
    """Base of all analysers: give it a log, or a `Dataset` that is counted already, and ask `analyze()`.

    A subclass sets `id`, `title`, `description`, `category` and `rank`, and overrides `examine`. It asks the
    rollup and never sees the file. `page` describes its page (empty: all sections, each under its name), `highlights`
    what it tells the executive summary; both name places in the results. Analysers with one text in `shares` make the
    same things of the counts, and are run one after the other in one process.
    """

    id = ""
    title = ""
    description = ""
    category = FINOPS
    rank = 100
    shares = ""
    page: Tuple[Block, ...] = ()
    highlights: Tuple[Union[Card, Block], ...] = ()

    def __init__(self, csv_file: Union[str, Path, None] = None, *, dataset: Optional[Dataset] = None,
                 settings: Optional[Settings] = None) -> None:
        """Remember what to analyse; nothing is read before `load_data` or `analyze`."""
        self.settings = settings or load_settings()
        self.csv_file = Path(csv_file or (dataset.path if dataset else self.settings.csv_path))
        self._dataset = dataset
        self._results: Optional[Results] = None

    def load_data(self) -> None:
        """Count the log; raises `LogError` when that is impossible."""
        if self._dataset is None:
            self._dataset = load_dataset(self.csv_file)

    def analyze(self) -> Results:
        """Return the results as plain data: `summary`, `recommendations`, `log`, and the analyser's own sections.

        `headline`, where an analyser gives one, is the page's message in a sentence. Money is exact `Decimal`
        dollars; what is unknown is None.
        """
        if self._results is None:
            self.load_data()
            results = self.examine(self.rollup)
            summary = {"total_calls": self.rollup.total().calls, "total_cost": usd(self.rollup.total().cost_nano)}
            summary.update(results.get("summary", {}))
            results["summary"] = summary
            results["recommendations"] = [one.as_data() for one in _sorted(results.get("recommendations", []))]
            results["log"] = describe_log(self.dataset)
            self._results = results
        return self._results

    def examine(self, rollup: Rollup) -> Results:
        """Return the analyser's sections; `recommendations` is a list of `Recommendation`."""
        raise NotImplementedError

    def generate_html_report(self, output_file: Union[str, Path]) -> str:
        """Write the report page and return its path."""
        # The one look to the right: the page is drawn by the room behind this one, and only when asked for.
        generator = importlib.import_module("generators.html_generator").HTMLReportGenerator()
        path: str = generator.write_report(self, output_file)
        return path

    @property
    def dataset(self) -> Dataset:
        """Return the counted log."""
        self.load_data()
        assert self._dataset is not None
        return self._dataset

    @property
    def rollup(self) -> Rollup:
        """Return the counts."""
        return self.dataset.rollup


def discover_analyzers() -> Dict[str, Type[Analyzer]]:
    """Return all analyser classes by id, in the order of their rank: every file below `analyzers/` is one."""
    return discover(analyzers, Analyzer)


def describe_log(dataset: Dataset) -> Results:
    """Return what every page says of its log: which, which period, how many calls, how many rejected."""
    rollup = dataset.rollup
    times = (rollup.first_ms, rollup.last_ms)
    first, last = (None if time is None else format_timestamp(time) for time in times)
    return {"name": dataset.path.name, "bytes": dataset.size, "first": first, "last": last,
            "calls": rollup.total().calls, "rejected": sum(rollup.rejected.values()),
            "rejected_by_reason": dict(sorted(rollup.rejected.items())), "pending_bytes": dataset.pending_bytes}


def _sorted(recommendations: List[Recommendation]) -> List[Recommendation]:
    return sorted(recommendations, key=lambda one: -(one.monthly_usd or Decimal(0)))
