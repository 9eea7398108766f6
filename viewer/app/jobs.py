"""Jobs that were asked for: what they are, how far they are, how they ended."""
from __future__ import annotations

import threading
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any, Callable, Deque, Dict, List, Mapping, Optional

from calls.values import format_timestamp

WAITING, RUNNING, STOPPING = "waiting", "running", "stopping"
COMPLETE, ERROR, STOPPED, TIMEOUT = "complete", "error", "stopped", "timeout"
OPEN_STATES = (WAITING, RUNNING, STOPPING)
SIMULATE, ANALYZE, AWS_REPORTS = "simulate", "analyze", "aws"
_MOST_KEPT = 20


@dataclass
class Job:
    """One job; times are ISO 8601 in UTC, `progress_pct` None is unknown."""

    id: str
    kind: str
    title: str
    state: str
    asked_at: str
    started_at: Optional[str] = None
    ended_at: Optional[str] = None
    progress_pct: Optional[float] = None
    message: Optional[str] = None

    @property
    def is_open(self) -> bool:
        """Tell whether the job has not ended yet."""
        return self.state in OPEN_STATES

    def describe(self) -> Dict[str, Any]:
        """Return the job as plain data."""
        return asdict(self)


class JobBook:
    """Keeps the last jobs; `clock` returns seconds since 1970."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Begin without a job."""
        self._clock = clock
        self._jobs: Deque[Job] = deque(maxlen=_MOST_KEPT)
        self._number = 0
        self._lock = threading.Lock()

    def now(self) -> str:
        """Return the time as ISO 8601."""
        return format_timestamp(int(self._clock() * 1000))

    def add(self, kind: str, title: str) -> Job:
        """Begin a job that waits."""
        with self._lock:
            self._number += 1
            job = Job(f"job-{self._number}", kind, title, WAITING, self.now())
            self._jobs.append(job)
            return job

    def start(self, job: Job) -> None:
        """Note that a job begins."""
        job.started_at, job.state = self.now(), RUNNING

    def end(self, job: Job, state: str, message: Optional[str] = None) -> None:
        """Note how a job ended."""
        job.ended_at, job.message, job.state = self.now(), message, state
        if state == COMPLETE:
            job.progress_pct = 100.0

    def describe(self, shares: Mapping[str, Optional[float]]) -> List[Dict[str, Any]]:
        """Return the jobs, newest first; `shares` tells by kind how much of a running one is done, in percent."""
        with self._lock:
            return [dict(job.describe(), progress_pct=shares.get(job.kind)) if job.state == RUNNING else job.describe()
                    for job in reversed(self._jobs)]
