"""A folder of reports: `html/` with pages, index and manifest, `json/` with results, on request `csv/` with tables.

Every file is replaced whole, pages before the index and the manifest last, and only when its content changed.
"""
from __future__ import annotations

import contextlib
import functools
import hashlib
import json
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

import blocks as b
from calls.locks import lock_file
from errors import LogError, explain_os_error
from generators.csv_tables import csv_tables
from generators.files import as_json, write_whole
from generators.html_generator import HTMLReportGenerator, Page, data_digest, policy, write_page
from generators.index_page import INDEX_PAGE, IndexEntry, index_page
from generators.templates import FOLDER as TEMPLATES

INDEX, MANIFEST = "index.html", "manifest.json"
LOCK = ".index.lock"  # held while the index is written: reports on calls and on AWS cost share it
LOCK_SECONDS = 10.0
CALLS = "calls"  # the world of reports that name none: ids link within one world
_FORMAT = 1  # of the manifest and the pages; raise it when a change of code alone makes old pages out of date


class Site:
    """Writes the reports of a folder; `reports` are all that it may hold, in the order of the navigation.

    A report is a class (or object) with `id`, `title`, `description`, `category`, and optionally `page` (or
    `described(results)`, which returns it), `highlights` and `world`. `made` is the ISO 8601 time that new pages say
    they were made at. With `tables` every table of a report is written as CSV too.
    """

    def __init__(self, folder: Union[str, Path], reports: Sequence[Any], made: str, coming: Sequence[str] = (),
                 tables: bool = False) -> None:
        """Look at what the folder holds; `coming` names the reports that are about to be written."""
        self.html, self.json = Path(folder) / "html", Path(folder) / "json"
        self.csv = Path(folder) / "csv" if tables else None
        self._reports = list(reports)
        self._made = made
        self._old = self._read_manifest()
        there = [one for one in self._reports if one.id in coming or self.page(one).exists()]
        pages = [INDEX_PAGE] + [Page(one.id, one.title, one.category, one.description) for one in there]
        self._homes = {world: homes([one for one in there if _world(one) == world])
                       for world in {*map(_world, there), CALLS}}
        self._generator = HTMLReportGenerator(pages, self._homes[CALLS])
        self._results: Dict[str, Mapping[str, Any]] = {}
        self._digests: Dict[str, str] = {}
        self._changed: Dict[str, bool] = {}

    def page(self, report: Any) -> Path:
        """Return where a report's page stands."""
        return self.html / f"{report.id}.html"

    def result(self, report: Any) -> Path:
        """Return where a report's results stand."""
        return self.json / f"{report.id}.json"

    def write(self, report: Any, results: Mapping[str, Any]) -> bool:
        """Write a report's results and page; True when the page changed. Raises `LogError` when writing fails."""
        text = as_json(results)
        self._results[report.id] = results
        self._digests[report.id] = data_digest(text)
        write_whole(self.result(report), text)
        if self.csv:
            for name, table in csv_tables(report, results).items():
                write_whole(self.csv / name, table)
        page = self.draw(report, results)
        self._changed[report.id] = write_page(self.page(report), page)
        return self._changed[report.id]

    def draw(self, report: Any, results: Mapping[str, Any], made: str = "") -> str:
        """Return a page that links to those of the folder, and write nothing."""
        self._generator.homes = self._homes[_world(report)]
        with b.in_currency((results.get("bill") or {}).get("currency", "USD")):
            page = self._generator.page(report, results, made or self._made)
        self._generator.homes = self._homes[CALLS]
        return page

    def noted(self, identity: str) -> Tuple[Optional[str], bool]:
        """Return what `write` noted of a report, for `note` in a process that did not write it."""
        return self._digests.get(identity), self._changed.get(identity, False)

    def note(self, identity: str, noted: Tuple[Optional[str], bool]) -> None:
        """Take what another process noted of a report that it wrote."""
        digest, self._changed[identity] = noted
        if digest is not None:
            self._digests[identity] = digest

    def finish(self, failures: Optional[Mapping[str, str]] = None, progress_percent: Optional[float] = None,
               of_log: bool = True) -> None:
        """Write the index and the manifest over all reports that the folder now holds.

        `failures` are reasons by report id; such a report keeps its last page, and the index says why. Without `of_log`
        the reports that were written are none of a log: what the manifest says of it and its reports stays.
        """
        with _alone(self.html.parent):
            self._old = self._read_manifest()  # another process may have written it meanwhile
            self._link_to_new_pages()
            entries = [self._entry(report, self._failure(report, failures or {})) for report in self._reports]
            write_page(self.html / INDEX, index_page(self._generator, entries, self._made))
            log: Mapping[str, Any] = next((one.results["log"] for one in entries if "log" in (one.results or {})), {})
            manifest = {
                "generated_at": self._made, "report_version": report_version(),
                "progress_percent": progress_percent if of_log else self._old.get("progress_percent"), "log": log,
                "data_bytes": log.get("bytes"), "calls": log.get("calls"),
                "reports": [one.entry for one in entries if one.entry["size_bytes"]]}
            write_manifest(self.html / MANIFEST, manifest)

    def _link_to_new_pages(self) -> None:
        """Draw the pages that others wrote once more, from their results, where pages came that they do not name."""
        known = {one.get("id") for one in self._old.get("reports", ()) if isinstance(one, dict)}
        if not set(self._digests) - known:
            return
        for report in self._reports:
            results = None if report.id in self._digests or report.id not in known else read_json(self.result(report))
            if results:
                write_page(self.page(report), self.draw(report, results, self._old_entry(report).get("made", "")))

    def _failure(self, report: Any, failures: Mapping[str, str]) -> str:
        """Return why a report is not new; that of one that was not tried now stays as it was."""
        if report.id in failures or report.id in self._digests:
            return failures.get(report.id, "")
        return str(self._old_entry(report).get("failure") or "")

    def _entry(self, report: Any, failure: str) -> IndexEntry:
        results = self._results.get(report.id) or read_json(self.result(report))
        path, old = self.page(report), self._old_entry(report)
        made = self._made if self._changed.get(report.id) else old.get("made", self._made)
        return IndexEntry(report, results, {
            "id": report.id, "title": report.title, "category": report.category, "description": report.description,
            "file": path.name, "size_bytes": path.stat().st_size if path.exists() else 0, "made": made,
            "digest": self._digests.get(report.id, old.get("digest")),
            "headline": (results or {}).get("headline"), "failure": failure or None}, failure)

    def _old_entry(self, report: Any) -> Mapping[str, Any]:
        return next((one for one in self._old.get("reports", ()) if isinstance(one, dict)
                     and one.get("id") == report.id), {})

    def _read_manifest(self) -> Mapping[str, Any]:
        found = read_json(self.html / MANIFEST)
        return found if isinstance(found, dict) else {}


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other processes from writing the index of a folder for the block, where it can be locked at all."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = open(folder / LOCK, "ab")  # noqa: SIM115 (closed below)
    except OSError as error:
        raise LogError(explain_os_error("write", folder / LOCK, error)) from error
    with handle:
        with contextlib.suppress(OSError):  # a file system without locks
            lock_file(handle.fileno(), LOCK_SECONDS)
        yield


def homes(reports: Sequence[Any]) -> Dict[str, str]:
    """Return by column name which report's table has a row for each of its values; the first that says so."""
    found: Dict[str, str] = {}
    for report in reports:
        for block in b.walk(getattr(report, "page", ())):
            if isinstance(block, b.Table) and block.key:
                found.setdefault(block.key, report.id)
    return found


def _world(report: Any) -> str:
    """Return what a report's ids are of: a region of a bill is none of the calls' log."""
    return getattr(report, "world", CALLS)


def write_manifest(path: Path, manifest: Dict[str, Any]) -> bool:
    """Write the manifest, unless it would only differ in when it was made."""
    held = read_json(path)
    if held is not None and dict(held, generated_at="") == dict(json.loads(as_json(manifest)), generated_at=""):
        return False
    return write_whole(path, as_json(manifest))


def read_json(path: Path) -> Any:
    """Return what a JSON file holds; None where it is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


@functools.lru_cache(maxsize=None)
def report_version() -> str:
    """Return what changes when the pages' style, script or templates do: pages of another version are out of date."""
    texts: List[str] = [policy()] + [path.read_text(encoding="utf-8") for path in _template_files()]
    return hashlib.sha256("\0".join([str(_FORMAT)] + texts).encode("utf-8")).hexdigest()[:12]


def _template_files() -> Tuple[Path, ...]:
    return tuple(sorted(path for path in TEMPLATES.rglob("*") if path.is_file()))
