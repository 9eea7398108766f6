"""The status: one document that says how the log, the reports and the jobs are, made once for all who ask."""
from __future__ import annotations

import hashlib
import threading
import time
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

from app.aws_desk import AwsDesk
from app.entries import entry_of
from app.files import Served, packed
from app.jobs import ANALYZE, AWS_REPORTS, SIMULATE, JobBook
from app.messages import JSON_TYPE, json_bytes
from app.regeneration import Regenerator
from generators.site import INDEX, MANIFEST, read_json, report_version

FRESH_SECONDS = 0.1  # that one document is given to all who ask


class ReportFolder:
    """The reports of a folder; `reports` are the analyser classes, `beside` are reports that tell of no log."""

    def __init__(self, folder: Path, reports: Sequence[Any], beside: Sequence[Any] = ()) -> None:
        """Look at nothing yet."""
        self.html, self.json = folder / "html", folder / "json"
        self._reports, self._beside = list(reports), list(beside)

    @property
    def ids(self) -> List[str]:
        """Return the ids of the reports that tell of the log."""
        return [one.id for one in self._reports]

    @property
    def served_ids(self) -> List[str]:
        """Return the ids of all reports."""
        return [one.id for one in self._reports + self._beside]

    def manifest(self) -> Mapping[str, Any]:
        """Return the manifest; empty when there is none."""
        found = read_json(self.html / MANIFEST)
        return found if isinstance(found, dict) else {}

    def made_from(self, log: Path) -> Optional[int]:
        """Return of how many bytes of a log the pages tell that an earlier process wrote; None when out of date."""
        manifest = self.manifest()
        is_ours = manifest.get("report_version") == report_version() and isinstance(manifest.get("log"), dict)
        size = manifest.get("data_bytes") if is_ours and manifest["log"].get("name") == log.name else None
        return size if isinstance(size, int) else None

    def describe(self, regenerator: Regenerator) -> List[Dict[str, Any]]:
        """Return all reports as plain data: what each is, whether it exists, how old and how fresh it is."""
        identity, runs = regenerator.watcher.identity, regenerator.progress.describe()
        size = identity.size if identity else None
        return [entry_of(self.html, one, bool(runs[one.id]["error"]) or regenerator.progress.size_of(one.id) != size,
                         runs[one.id]["error"]) for one in self._reports]


class StatusBoard:
    """Makes the status document, at most ten times a second however many ask."""

    def __init__(self, reports: ReportFolder, regenerator: Regenerator, aws: AwsDesk, book: JobBook,
                 facts: Mapping[str, Any]) -> None:
        """`facts` are what never changes, such as the version."""
        self._reports, self._regenerator, self._aws = reports, regenerator, aws
        self._book, self._facts = book, dict(facts)
        self._lock = threading.Lock()
        self._made_at = float("-inf")
        self._digest = ""
        self._served: Optional[Served] = None

    def served(self) -> Served:
        """Return the document with its tag, which changes only when something but the time does."""
        with self._lock:
            now = time.monotonic()
            if self._served is None or now - self._made_at >= FRESH_SECONDS:
                self._made_at = now
                self._make()
            assert self._served is not None
            return self._served

    def touch(self) -> None:
        """Have the next one who asks see what has just changed."""
        with self._lock:
            self._made_at = float("-inf")

    def document(self) -> Dict[str, Any]:
        """Return the status without its time."""
        regenerator = self._regenerator
        progress, current = regenerator.progress, regenerator.current
        counted, csv = progress.counted or {}, regenerator.watcher.describe()
        aws = self._aws.describe()
        shares = {SIMULATE: csv["progress_pct"], ANALYZE: current["progress_pct"] if current else None,
                  AWS_REPORTS: aws["progress_pct"]}
        return dict(self._facts, csv=csv, aws=aws, reports=self._reports.describe(regenerator),
                    analyzer_status=progress.describe(), jobs=self._book.describe(shares), regeneration=dict(
                        current or {"state": "idle", "analyzer": None, "progress_pct": None},
                        error=progress.error or None, rounds=regenerator.rounds,
                        has_index=(self._reports.html / INDEX).exists(),
                        last_seconds=None if progress.seconds is None else round(progress.seconds, 3),
                        worker_restarts=regenerator.restarts, calls=counted.get("calls"),
                        rejected=counted.get("rejected"), counted_bytes=counted.get("bytes")))

    def _make(self) -> None:
        document = self.document()
        digest = hashlib.sha256(json_bytes(document)).hexdigest()
        if digest != self._digest:
            self._digest = digest
            self._served = packed(json_bytes(dict({"timestamp": self._book.now()}, **document)), JSON_TYPE)
