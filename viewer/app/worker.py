"""The worker process: counts the log, runs the analysers, writes their pages, and answers questions to the counts.

It is a process of its own so that counting never holds up the server, and so that an analyser that crashes or hangs
costs nothing but itself. Its counts stay in memory from round to round. It talks through one pipe, in tuples whose
first item says what they are; it ends when the pipe does, or when its parent is gone.
"""
from __future__ import annotations

import os
import signal
import threading
import time
import traceback
from collections import deque
from pathlib import Path
from typing import Any, Deque, Dict, List, NamedTuple, Optional, Tuple

from analyzers.base import discover_analyzers
from app.queries import answer
from aws.reports.base import every_report
from config import Settings
from errors import FinOpsError, LogError
from generators.site import Site
from rollup.dataset import UNCHANGED, Dataset
from rollup.following import LogFollower
from rollup.scan import collector_paused

# To the worker.
ROUND, QUESTION, STOP = "round", "question", "stop"
# From the worker.
READY, COUNTING, COUNTED, BEGAN, ENDED, FINISHED, ANSWERED = (
    "ready", "counting", "counted", "began", "ended", "finished", "answered")
SAVE_SECONDS = 60.0  # between two checkpoints while a log grows
SAVE_AT_END_SECONDS = 2.0  # the longest that saving may take for it to be done at the end
PARENT_CHECK_SECONDS = 1.0
NICENESS = 5  # the server answers first: the 99th percentile of polls fell to a third or less


class Order(NamedTuple):
    """What a round is to do.

    `ids` are the analysers to run, `whole` says that they are all; `forced` runs them though nothing changed; `settled`
    says that the log grows no more. `made` is the ISO 8601 time that new pages carry, `failures` the reasons of reports
    that are not run now.
    """

    csv: str
    reports: str
    ids: Tuple[str, ...]
    whole: bool
    forced: bool
    settled: bool
    made: str
    failures: Dict[str, str]
    progress_percent: Optional[float]


class _Stopped(Exception):
    """The server asked for the end."""


def work(connection: Any, settings: Settings, parent: int) -> None:
    """Be the worker until the other end of the pipe closes."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # both may be meant for the whole group: the server says when to end
    end_with_parent(parent)
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    try:
        Worker(connection, settings).serve()
    except (EOFError, OSError, _Stopped):
        pass  # nobody is left to be told


class Worker:
    """Does rounds and answers questions, one after the other."""

    def __init__(self, connection: Any, settings: Settings) -> None:
        """Find the analysers; the log is not read before it is needed."""
        self._connection = connection
        self._settings = settings
        self._analyzers = discover_analyzers()
        self._follower: Optional[LogFollower] = None
        self._dataset: Optional[Dataset] = None
        self._is_told = False  # what was counted stands in all pages
        self._told_progress: Optional[float] = None
        self._waiting: Deque[Any] = deque()
        self._saved_at = time.monotonic()
        self._save_seconds = 0.0

    def serve(self) -> None:
        """Do what comes through the pipe until it ends."""
        self._connection.send((READY, os.getpid()))
        try:
            while True:
                self._do(self._waiting.popleft() if self._waiting else self._connection.recv())
        finally:
            if self._save_seconds < SAVE_AT_END_SECONDS:
                self._save([])

    def _do(self, message: Any) -> None:
        if message[0] == STOP:
            raise _Stopped
        if message[0] == QUESTION:
            self._answer(*message[1:])
        else:
            self._round(message[1])

    def _answer(self, number: int, csv: str, question: Any) -> None:
        """Answer a question with the body, or with a sentence that says why not."""
        try:
            dataset = self._dataset if self._follows(csv) and self._dataset else self._count(csv, False)
            self._connection.send((ANSWERED, number, answer(question, dataset), ""))
        except (FinOpsError, LookupError) as error:
            self._connection.send((ANSWERED, number, None, str(error)))

    def _round(self, order: Order) -> None:
        """Count what is new, run the analysers where anything is, and write index and manifest last."""
        failures, notes = dict(order.failures), []
        error = ""
        try:
            dataset = self._count(order.csv, order.settled)
            notes = dataset.notes
            self._connection.send((COUNTED, self._described(dataset)))
            if order.forced or not self._is_told:
                self._analyse(dataset, order, failures)
            elif order.progress_percent != self._told_progress:
                self._analyse(dataset, order._replace(ids=()), failures)  # index and manifest alone
            if order.settled or time.monotonic() - self._saved_at > SAVE_SECONDS:
                self._save(notes)
        except FinOpsError as problem:
            error = str(problem)
        self._connection.send((FINISHED, error, notes))

    def _analyse(self, dataset: Dataset, order: Order, failures: Dict[str, str]) -> None:
        site = Site(order.reports, every_report(), order.made, order.ids)
        for one in order.ids:
            self._attend()
            self._connection.send((BEGAN, one))
            with collector_paused():
                reason, is_ours = self._run(one, dataset, site)
            failures[one] = reason
            self._connection.send((ENDED, one, reason, is_ours))
        site.finish({one: reason for one, reason in failures.items() if reason}, order.progress_percent)
        self._is_told = self._is_told or order.whole
        self._told_progress = order.progress_percent

    def _run(self, one: str, dataset: Dataset, site: Site) -> Tuple[str, bool]:
        """Run an analyser and write its page; returns why that failed, and whether trying again may help."""
        try:
            analyzer = self._analyzers[one](dataset=dataset, settings=self._settings)
            site.write(analyzer, analyzer.analyze())
        except FinOpsError as problem:
            return str(problem), isinstance(problem, LogError)
        except Exception as problem:  # noqa: BLE001 (one analyser's defect must not cost the others' reports)
            return f"unexpected {type(problem).__name__}: {problem} ({_place(problem)})", False
        return "", False

    def _count(self, csv: str, thorough: bool) -> Dataset:
        if not self._follows(csv):
            self._follower = LogFollower(csv, self._settings.workers or os.cpu_count() or 1)
        assert self._follower is not None
        self._dataset = None
        self._dataset = self._follower.look(self._counting, thorough)
        self._is_told = self._is_told and self._dataset.how == UNCHANGED
        return self._dataset

    def _follows(self, csv: str) -> bool:
        return self._follower is not None and self._follower.path == Path(csv)

    def _counting(self, done: int, whole: int) -> None:
        self._connection.send((COUNTING, done, whole))
        self._attend(questions=False)

    def _attend(self, questions: bool = True) -> None:
        """See to what came meanwhile: the end at once, questions where the counts are whole, all else later."""
        while self._connection.poll():
            message = self._connection.recv()
            if message[0] == STOP:
                raise _Stopped
            self._waiting.append(message)
        while questions and self._waiting and self._waiting[0][0] == QUESTION:
            self._do(self._waiting.popleft())

    def _described(self, dataset: Dataset) -> Dict[str, Any]:
        assert self._follower is not None
        rollup = dataset.rollup
        return {"path": str(dataset.path), "bytes": dataset.size, "consumed": self._follower.consumed,
                "lines": self._follower.lines, "calls": rollup.total().calls, "rejected": sum(rollup.rejected.values()),
                "pending_bytes": dataset.pending_bytes, "how": dataset.how, "seconds": dataset.seconds}

    def _save(self, notes: List[str]) -> None:
        """Save the checkpoint; that it cannot be written is only worth a note, the next start then reads more."""
        began = time.monotonic()
        try:
            if self._follower:
                self._follower.save()
        except LogError as error:
            notes.append(str(error))
        self._saved_at = time.monotonic()
        self._save_seconds = self._saved_at - began


def _place(problem: BaseException) -> str:
    """Return file and line where an exception came from, without the folders."""
    frames = traceback.extract_tb(problem.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "nowhere"


def end_with_parent(parent: int) -> None:
    """End this process within a second of its parent's end, whatever it is doing then."""
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    # While an analyser runs nobody reads the pipe, so that its end alone would be noticed late.
    while os.name == "nt" or os.getppid() == parent:
        time.sleep(PARENT_CHECK_SECONDS)
    os._exit(1)
