"""Writing the reports on AWS cost into a folder: results, pages, a CSV file for every table, index and manifest."""
from __future__ import annotations

from pathlib import Path
from typing import Callable, List, NamedTuple, Union

from aws.reports.base import AwsReport, Study, discover_reports, every_report
from aws.utils import export_to_csv, tables_of
from errors import FinOpsError
from generators.site import Site

Told = Callable[[str, float], None]  # what is done now, and the share (0 to 1) that is done


class Outcome(NamedTuple):
    """How one report ended: its message, or why it failed; its page, and how many tables were written."""

    id: str
    title: str
    headline: str
    error: str
    page: str
    tables: int


def write_reports(study: Study, folder: Union[str, Path], made: str,
                  told: Told = lambda what, share: None) -> List[Outcome]:
    """Write all reports; one that cannot be made keeps its last page, and the index says why.

    `made` is an ISO 8601 time. Raises `LogError` when index or manifest cannot be written.
    """
    reports = discover_reports()
    site = Site(folder, every_report(), made, list(reports))
    outcomes = []
    for place, report in enumerate(reports.values()):
        told(report.title, place / len(reports))
        outcomes.append(_write(report(study), site, Path(folder) / "csv"))
    site.finish({one.id: one.error for one in outcomes}, of_log=False)
    return outcomes


def _write(report: AwsReport, site: Site, folder: Path) -> Outcome:
    page = str(site.page(report))
    try:
        results = report.analyze()
        site.write(report, results)
        tables = tables_of({name: value for name, value in results.items() if name != "bill"})
        for name, rows in tables.items():
            export_to_csv(rows, folder / f"{report.id}.{name}.csv")
    except FinOpsError as problem:
        return Outcome(report.id, report.title, "", str(problem), page, 0)
    except Exception as problem:  # noqa: BLE001 (one report's defect must not cost the others)
        return Outcome(report.id, report.title, "", f"unexpected {type(problem).__name__}: {problem}", page, 0)
    return Outcome(report.id, report.title, results["headline"], "", page, len(tables))
