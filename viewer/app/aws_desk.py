"""The server's side of AWS cost: questions to the process that holds the bill, jobs that write its reports, its state.

The process is started by the first question or job, and again after it was lost. Nothing that a page asks for by
itself makes the process ask AWS: only the job does.
"""
from __future__ import annotations

import functools
import itertools
import threading
from concurrent.futures import Future, TimeoutError as Late
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

from app.aws_worker import ANSWERED, ASK, DOING, LIVE, READY, WRITE, WRITTEN, AwsOptions, Reply, work_on_aws
from app.entries import entry_of
from app.jobs import AWS_REPORTS, COMPLETE, ERROR, Job, JobBook
from app.logs import EventLog
from app.messages import Refusal
from app.regeneration import without_folders
from app.worker_link import WorkerLink
from aws.asking import Choice
from aws.explorer import Question
from aws.reports.base import discover_reports
from config import Settings

ANSWER_SECONDS = 20.0  # that a question waits
MOST_QUESTIONS = 8  # that wait
STOP_SECONDS = 1.0  # that the process gets to end by itself
IDLE, WORKING, LOADED = "idle", "working", "loaded"


class AwsDesk:
    """Asks the process that holds the bill, and knows how its reports are; safe to be used from any thread."""

    def __init__(self, options: AwsOptions, settings: Settings, book: JobBook, log: EventLog) -> None:
        """Start nothing yet."""
        self.options, self._settings, self._book, self._log = options, settings, book, log
        self.reports = list(discover_reports().values())
        self._html = Path(options.reports) / "html"
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._questions: Dict[int, Future[Reply]] = {}
        self._link: Optional[WorkerLink] = None
        self._job: Optional[Job] = None
        self._doing: Optional[str] = None
        self._share: Optional[float] = None
        self._bill: Optional[Mapping[str, Any]] = None
        self._failures: Dict[str, str] = {}

    def write(self, choice: Choice) -> Job:
        """Have the bill read anew and its reports written; raises `Refusal` (409) while that runs already."""
        with self._lock:
            if self._job and self._job.is_open:
                raise Refusal(409, f"the AWS reports are being written already ({self._job.id})")
            job = self._job = self._book.add(AWS_REPORTS, "AWS reports")
            self._book.start(job)
            self._send((WRITE, choice))
        self._log.event("aws reports asked for", job=job.id, source=self.options.source)
        return job

    def ask(self, form: str, question: Question) -> Reply:
        """Return the answer to a question; raises `Refusal` when there is none or it does not come in time."""
        answer: Future[Reply] = Future()
        number = next(self._numbers)
        with self._lock:
            if len(self._questions) >= MOST_QUESTIONS:
                raise Refusal(503, "too many questions wait for the bill: ask again in a moment", Retry_After="2")
            self._questions[number] = answer
            self._send((ASK, number, form, question))
        try:
            reply = answer.result(ANSWER_SECONDS)
        except Late:
            raise Refusal(503, "the bill is being read: ask again in a moment", Retry_After="3") from None
        finally:
            with self._lock:
                self._questions.pop(number, None)
        if reply.status != 200:
            raise Refusal(reply.status, self._without_folders(reply.body.decode("utf-8")))
        return reply

    def describe(self) -> Dict[str, Any]:
        """Return source, state and reports as plain data."""
        job, bill = self._job, self._bill
        is_working = bool(job and job.is_open) or self._doing is not None
        return {"source": self.options.source, "state": WORKING if is_working else LOADED if bill else IDLE,
                "doing": self._doing if is_working else None,
                "progress_pct": self._progress() if is_working else None,
                "asks_aws": self.options.source == LIVE, "name": bill["name"] if bill else None,
                "first": bill["first"] if bill else None, "last": bill["last"] if bill else None,
                "currency": bill["currency"] if bill else None, "spending": dict(bill["asking"]) if bill else {},
                "error": (job.message if job and job.state == ERROR else None),
                "reports": [entry_of(self._html, one, bool(self._failures.get(one.id)),
                                     self._failures.get(one.id) or None) for one in self.reports]}

    def close(self) -> None:
        """End the process."""
        with self._lock:
            link, self._link = self._link, None
        if link:
            link.stop(STOP_SECONDS)

    def _progress(self) -> Optional[float]:
        return None if self._share is None else round(100 * self._share, 1)

    def _send(self, message: Any) -> None:
        """Send to the process, which is started where none runs; the lock is held."""
        if self._link is None or not self._link.send(message):
            self._link = WorkerLink(self._settings, functools.partial(work_on_aws, self.options), "aws")
            self._log.event("aws process started", pid=self._link.pid)
            threading.Thread(target=self._listen, args=(self._link,), name="aws desk", daemon=True).start()
            self._link.send(message)

    def _listen(self, link: WorkerLink) -> None:
        while True:
            try:
                kind, *rest = link.connection.recv()
            except (EOFError, OSError):
                break
            self._hear(kind, rest)
        self._lost(link)

    def _hear(self, kind: str, rest: List[Any]) -> None:
        if kind == DOING:
            self._doing, self._share = rest
        elif kind == READY:
            self._doing, self._bill = None, rest[0]
        elif kind == WRITTEN:
            error, self._failures = self._without_folders(rest[0]), rest[1]
            self._doing = self._share = None
            self._end(error or "; ".join(f"{one}: {reason}" for one, reason in self._failures.items() if reason))
        elif kind == ANSWERED:
            self._doing = None
            future = self._questions.get(rest[0])
            if future and not future.done():
                future.set_result(rest[1])

    def _end(self, error: str) -> None:
        job = self._job
        if job and job.is_open:
            self._book.end(job, ERROR if error else COMPLETE, error or None)
            self._log.event("aws reports written" if not error else "aws reports not written", job=job.id,
                            error=error or None)

    def _lost(self, link: WorkerLink) -> None:
        """Tell those who wait that the process is gone; the next one who asks gets a new one."""
        with self._lock:
            was_ours, self._link = self._link is link, None if self._link is link else self._link
            waiting = list(self._questions.values()) if was_ours else []
        if not was_ours:
            return
        how = link.reap()
        self._log.event("aws process lost", how=how)
        self._doing, self._bill = None, None
        self._end(f"the process that reads the bill was ended ({how}): ask again")
        for future in waiting:
            if not future.done():
                future.set_exception(Refusal(503, "the AWS process was restarted: ask again", Retry_After="2"))

    def _without_folders(self, text: str) -> str:
        return without_folders(text, [Path(one) for one in (self.options.reports, self.options.path) if one])
