"""What is known of a round that runs, and of each report's last run."""
from __future__ import annotations

import threading
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from app.jobs import COMPLETE, RUNNING, TIMEOUT, Job, JobBook
from app.watcher import Identity


class Round:
    """One round of the worker: the jobs that asked for it, and how far it is."""

    def __init__(self, jobs: Dict[str, Job], ids: Sequence[str], whole: bool, settled: bool, began: float,
                 identity: Optional[Identity]) -> None:
        """Begin with nothing counted and every analyser left to run; `began` is a monotonic time."""
        self.jobs, self.whole, self.settled, self.began = jobs, whole, settled, began
        self.left: List[str] = list(ids)
        self.done: List[str] = []
        self.errors: Dict[str, str] = {}
        self.counted: Optional[Mapping[str, Any]] = None
        self.share: Optional[float] = None
        self.current = ""
        self.current_began = began
        self.may_help_again = self.is_late = self.is_continued = False
        self._size = identity.size if identity else None

    @property
    def size(self) -> Optional[int]:
        """Return the bytes of the log that the round's pages tell of."""
        return self.counted["bytes"] if self.counted else self._size

    @property
    def did_anything(self) -> bool:
        """Tell whether an analyser was run."""
        return bool(self.done)

    def begin_analyzer(self, one: str, now: float) -> None:
        """Note that an analyser began."""
        self.current, self.current_began = one, now

    def end_analyzer(self, one: str, error: str) -> None:
        """Note how an analyser ended."""
        self.current = ""
        self.left = [other for other in self.left if other != one]
        self.done.append(one)
        self.errors[one] = error

    def failures(self) -> List[str]:
        """Return a sentence for each analyser that failed."""
        return [f"{one}: {error}" for one, error in self.errors.items() if error]

    def describe(self) -> Dict[str, Any]:
        """Return the round as plain data."""
        whole = len(self.left) + len(self.done)
        share = None if self.counted is None else len(self.done) / whole if whole else 1.0
        counting = None if self.share is None else round(100 * self.share, 1)
        return {"state": "counting" if self.counted is None else "analysing", "analyzer": self.current or None,
                "progress_pct": counting if share is None else round(100 * share, 1)}


class Progress:
    """How each analyser's last run went, and the last round's outcome; safe to be read from any thread."""

    def __init__(self, ids: Sequence[str], book: JobBook) -> None:
        """Begin with nothing known of any analyser."""
        self._book = book
        self._lock = threading.Lock()
        self._runs: Dict[str, Dict[str, Any]] = {one: dict.fromkeys(
            ("status", "started_at", "completed_at", "success", "error")) for one in ids}
        self._sizes: Dict[str, int] = {}
        self.error = ""
        self.seconds: Optional[float] = None
        self.counted: Optional[Mapping[str, Any]] = None

    @property
    def skipped(self) -> Tuple[str, ...]:
        """Return the analysers that took too long and so run only when asked for."""
        with self._lock:
            return tuple(one for one, run in self._runs.items() if run["status"] == TIMEOUT)

    def began(self, one: str) -> None:
        """Note that an analyser began."""
        with self._lock:
            self._runs[one].update(status=RUNNING, started_at=self._book.now(), completed_at=None, success=None,
                                   error=None)

    def ended(self, one: str, state: str, error: str, size: Optional[int]) -> None:
        """Note how an analyser ended, and of how many bytes of the log its page now tells."""
        with self._lock:
            self._runs[one].update(status=state, completed_at=self._book.now(), success=state == COMPLETE,
                                   error=error or None)
            if state == COMPLETE and size is not None:
                self._sizes[one] = size

    def finished(self, round_: Round, error: str, seconds: float) -> None:
        """Note how a round ended."""
        with self._lock:
            self.error, self.seconds = error, seconds
            self.counted = round_.counted or self.counted

    def restore(self, one: str, made: Optional[str], size: int) -> None:
        """Take over a report that an earlier process wrote: when, and of how many bytes of the log it tells."""
        with self._lock:
            self._runs[one].update(status=COMPLETE, completed_at=made, success=True)
            self._sizes[one] = size

    def failures(self, running: Sequence[str]) -> Dict[str, str]:
        """Return the reasons of the reports that failed last time, but of those that are about to run."""
        with self._lock:
            return {one: run["error"] for one, run in self._runs.items() if run["error"] and one not in running}

    def forget_sizes(self) -> None:
        """Forget which data the pages tell of: another log is followed."""
        with self._lock:
            self._sizes.clear()

    def size_of(self, one: str) -> Optional[int]:
        """Return of how many bytes of the log a report tells; None when unknown."""
        with self._lock:
            return self._sizes.get(one)

    def describe(self) -> Dict[str, Dict[str, Any]]:
        """Return each analyser's last run, by id."""
        with self._lock:
            return {one: dict(run) for one, run in self._runs.items()}
