"""Writing the reports on AWS cost into a folder: results, pages, a CSV file for every table, index and manifest."""
from __future__ import annotations

from pathlib import Path
from typing import Callable, List, NamedTuple, Union

from aws.reports.base import AwsReport, Study, discover_reports, every_report
from errors import FinOpsError
from generators.site import Site

Told = Callable[[str, float], None]  # what is done now, and the share (0 to 1) that is done


class Outcome(NamedTuple):
    """How one report ended: its message, or why it failed; and its page."""

    id: str
    title: str
    headline: str
    error: str
    page: str


def write_reports(study: Study, folder: Union[str, Path], made: str,
                  told: Told = lambda what, share: None) -> List[Outcome]:
    """Write all reports; one that cannot be made keeps its last page, and the index says why.

    `made` is an ISO 8601 time. Raises `LogError` when index or manifest cannot be written.
    """
    reports = discover_reports()
    site = Site(folder, every_report(), made, list(reports), tables=True)
    outcomes = []
    for place, report in enumerate(reports.values()):
        told(report.title, place / len(reports))
        outcomes.append(_write(report(study), site))
    site.finish({one.id: one.error for one in outcomes}, of_log=False)
    return outcomes


def _write(report: AwsReport, site: Site) -> Outcome:
    page = str(site.page(report))
    try:
        results = report.analyze()
        site.write(report, results)
    except FinOpsError as problem:
        return Outcome(report.id, report.title, "", str(problem), page)
    except Exception as problem:  # noqa: BLE001 (one report's defect must not cost the others)
        return Outcome(report.id, report.title, "", f"unexpected {type(problem).__name__}: {problem}", page)
    return Outcome(report.id, report.title, results["headline"], "", page)
