"""Keeping reports fresh: one thread that watches the log, gives rounds to the worker, and hears how they go.

There is never more than one round: what comes due meanwhile is done by the next. A worker that dies or hangs costs the
analyser it was at, and is replaced.
"""
from __future__ import annotations

import itertools
import multiprocessing
import threading
import time
from concurrent.futures import Future, TimeoutError as Late
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple, cast

from app.jobs import ANALYZE, COMPLETE, ERROR, TIMEOUT, Job, JobBook
from app.logs import EventLog
from app.messages import Refusal
from app.queries import Answer, Question
from app.rounds import Progress, Round
from app.watcher import SETTLED, Watcher
from app.worker import ANSWERED, BEGAN, COUNTED, COUNTING, ENDED, FINISHED, QUESTION, ROUND, Order
from app.worker_link import WorkerLink
from config import Settings

MOST_ASKED = 5  # analysers that are asked for and wait
MOST_QUESTIONS = 8  # that wait for an answer
START_SECONDS = 5.0  # that a question waits for a worker
ANSWER_SECONDS = 20.0  # that a question waits
RETRY_SECONDS = 30.0  # after which a round is done again when it failed to write
RESTART_SECONDS = (0.0, 1.0, 5.0, 15.0, 60.0)  # before a worker is replaced, by how many were lost in a row
STOP_SECONDS = 1.5  # that the worker gets to end by itself


class Regenerator:
    """Runs rounds in the worker: by itself when `automatic`, and whenever somebody asks."""

    def __init__(self, watcher: Watcher, reports: Path, ids: Sequence[str], settings: Settings, book: JobBook,
                 log: EventLog, automatic: bool = True) -> None:
        """Prepare; nothing runs before `start`."""
        self.watcher, self.reports, self.ids = watcher, reports, tuple(ids)
        self._settings, self._book, self._log, self._automatic = settings, book, log, automatic
        self.progress = Progress(self.ids, book)
        self.restarts = self.rounds = 0
        self._round: Optional[Round] = None
        self._asked: Dict[str, Job] = {}  # by analyser id, or "" for all
        self._lock = threading.Lock()
        self._questions: Dict[int, Future[Answer]] = {}
        self._numbers = itertools.count(1)
        self._worker: Optional[WorkerLink] = None
        self._lost_in_a_row = 0
        self._has_worker = threading.Event()
        self._start_at = 0.0
        self._retry_at = float("inf")
        self._ending = threading.Event()
        self._wake_reader, self._wake_writer = multiprocessing.Pipe(duplex=False)
        self._thread = threading.Thread(target=self._run, name="regenerator", daemon=True)

    # For other threads.

    def start(self) -> None:
        """Begin to watch and to work."""
        self._thread.start()

    def stop(self) -> None:
        """End the worker and the thread."""
        self._ending.set()
        self._wake()
        self._thread.join(STOP_SECONDS + 1.5)

    def ask_for(self, one: str) -> Job:
        """Ask for one analyser (its id), or all (""), to be run; raises `Refusal` (409) when that waits or runs."""
        with self._lock:
            running = self._round and self._round.jobs.get(one)
            if one in self._asked or running:
                raise Refusal(409, "this is waiting or running already: its progress is in the status")
            if len(self._asked) >= MOST_ASKED:
                raise Refusal(409, f"{MOST_ASKED} analysers wait already: ask again when some are done")
            job = self._asked[one] = self._book.add(ANALYZE, one or "all analysers")
        self._wake()
        return job

    def load(self, path: Path) -> Job:
        """Follow another log from now on, and write its reports."""
        with self._lock:
            self.watcher.watch(path)
            self.progress.forget_sizes()
            job = self._asked[""] = self._asked.get("") or self._book.add(ANALYZE, f"reports of {path.name}")
        self._wake()
        return job

    def question(self, question: Question) -> Answer:
        """Return the answer to a question; raises `Refusal` when there is none or it does not come in time."""
        answer: Future[Answer] = Future()
        number = next(self._numbers)
        with self._lock:
            if len(self._questions) >= MOST_QUESTIONS:
                raise Refusal(503, "too many questions wait for the counts: ask again in a moment", Retry_After="2")
            self._questions[number] = answer
        try:
            self._has_worker.wait(START_SECONDS)
            if not self._worker or not self._worker.send((QUESTION, number, str(self.watcher.path), question)):
                raise Refusal(503, "the worker is being started: ask again in a moment", Retry_After="2")
            return answer.result(ANSWER_SECONDS)
        except Late:
            raise Refusal(503, "the log is being counted: ask again in a moment", Retry_After="5") from None
        finally:
            with self._lock:
                self._questions.pop(number, None)

    @property
    def current(self) -> Optional[Dict[str, Any]]:
        """Return the round that runs, as plain data."""
        round_ = self._round
        return round_.describe() if round_ else None

    @property
    def worker_pid(self) -> Optional[int]:
        """Return the worker's process number."""
        return self._worker.pid if self._worker else None

    # In the thread.

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._turn()
            except Exception:  # noqa: BLE001 (whatever it is, watching goes on)
                self._log.failure("regenerator")
                time.sleep(1.0)
        if self._worker:
            self._worker.stop(STOP_SECONDS)

    def _turn(self) -> None:
        """Hear what came, look at the log, and begin what is due."""
        now = time.monotonic()
        if self._worker is None and now >= self._start_at:
            self._start_worker()
        sources: List[Any] = [self._wake_reader] + ([self._worker.connection] if self._worker else [])
        for source in cast("List[Any]", wait(sources, timeout=self._settings.watch_seconds)):
            if source is self._wake_reader:
                source.recv_bytes()
            else:
                self._hear()
        now = time.monotonic()
        with self._lock:
            self.watcher.tick(now)
        self._limit(now)
        if self._round is None and self._worker:
            self._begin(now)

    def _start_worker(self) -> None:
        """Start a worker; one that takes the place of another gets the rest of its round."""
        self._worker = WorkerLink(self._settings)
        self._has_worker.set()
        self._log.event("worker started", pid=self._worker.pid)
        if self._round:
            self._order(self._round, tuple(self._round.left))

    def _wake(self) -> None:
        try:
            self._wake_writer.send_bytes(b"w")
        except OSError:
            pass  # it is ending

    def _hear(self) -> None:
        assert self._worker is not None
        try:
            kind, *rest = self._worker.connection.recv()
        except (EOFError, OSError):
            self._lost()
            return
        if kind == ANSWERED:
            self._answered(*rest)
        elif self._round:
            self._told(self._round, kind, rest)

    def _told(self, round_: Round, kind: str, rest: List[Any]) -> None:
        if kind == COUNTING:
            round_.share = rest[0] / rest[1] if rest[1] else 1.0
        elif kind == COUNTED:
            round_.counted = rest[0]
            if rest[0]["path"] == str(self.watcher.path):
                self.watcher.counted(rest[0]["consumed"], rest[0]["lines"])
        elif kind == BEGAN:
            round_.begin_analyzer(rest[0], time.monotonic())
            self.progress.began(rest[0])
        elif kind == ENDED:
            self._ended(round_, rest[0], rest[1])
            round_.may_help_again = round_.may_help_again or rest[2]
        elif kind == FINISHED:
            self._lost_in_a_row = 0
            self._finish(round_, rest[0], rest[1])

    def _ended(self, round_: Round, one: str, error: str, state: str = "") -> None:
        error = self._without_folders(error)
        round_.end_analyzer(one, error)
        self.progress.ended(one, state or (ERROR if error else COMPLETE), error, round_.size)
        if error:
            self._log.event("report failed", report=one, error=error)

    def _begin(self, now: float) -> None:
        """Begin a round when one was asked for or is due."""
        due = ""
        if self._automatic:
            due = self.watcher.rule.due(now)
            if now >= self._retry_at and not due:
                self.watcher.rule.again()
                due = self.watcher.rule.due(now)
        with self._lock:
            jobs, self._asked = self._asked, {}
            whole = "" in jobs or bool(due and not jobs)
            skipped = () if "" in jobs else self.progress.skipped
            ids = tuple(one for one in self.ids if one not in skipped) if whole else tuple(
                one for one in self.ids if one in jobs)
            if not ids:
                return
            self._round = Round(jobs, ids, whole, due == SETTLED, now, self.watcher.identity)
            if whole:
                self.watcher.rule.begin(due == SETTLED)
        self._retry_at = float("inf")
        for job in jobs.values():
            self._book.start(job)
        self._order(self._round, ids)

    def _order(self, round_: Round, ids: Tuple[str, ...]) -> None:
        assert self._worker is not None
        self._worker.send((ROUND, Order(
            str(self.watcher.path), str(self.reports), ids, round_.whole, bool(round_.jobs) or round_.is_continued,
            round_.settled, self._book.now(), self.progress.failures(ids), self.watcher.progress_percent)))

    def _finish(self, round_: Round, error: str, notes: Sequence[str] = ()) -> None:
        """Note how a round ended; one that failed for want of a disk or a permission is done again later."""
        error = self._without_folders(error)
        now = time.monotonic()
        seconds = now - round_.began
        self.rounds += 1
        if error or round_.may_help_again:
            self._retry_at = now + RETRY_SECONDS
        with self._lock:
            self._round = None
            self.progress.finished(round_, error, seconds)
            self.watcher.rule.end(now, seconds)
        for one, job in round_.jobs.items():
            failed = error or (round_.errors.get(one, "") if one else "; ".join(round_.failures()))
            self._book.end(job, ERROR if failed else COMPLETE, failed or None)
        if error or round_.did_anything:
            self._log.event("reports written" if not error else "reports not written", seconds=round(seconds, 3),
                            analysers=len(round_.done), error=error or None, notes="; ".join(notes) or None,
                            mb=round((round_.size or 0) / 1e6, 1))

    def _limit(self, now: float) -> None:
        """End a worker whose analyser takes too long."""
        round_ = self._round
        if round_ and round_.current and now - round_.current_began > self._settings.analyzer_seconds and self._worker:
            round_.is_late = True
            self._worker.kill()

    def _lost(self) -> None:
        """Replace a worker that is gone, and go on with the round behind the analyser that it was at."""
        assert self._worker is not None
        self._has_worker.clear()
        how, self._worker = self._worker.reap(), None
        round_, late = self._round, bool(self._round and self._round.is_late)
        self._log.event("worker lost", how=how, analyser=round_.current if round_ else None)
        self.restarts += 1
        self._start_at = time.monotonic() + RESTART_SECONDS[min(self._lost_in_a_row, len(RESTART_SECONDS) - 1)]
        self._lost_in_a_row += 1
        self._fail_questions()
        if round_ is None:
            return
        if round_.current:
            reason = (f"took longer than {self._settings.analyzer_seconds:g} s: it is left out until it is asked for"
                      if late else f"its process was ended ({how}): the other reports go on")
            self._ended(round_, round_.current, reason, TIMEOUT if late else ERROR)
        if round_.left and round_.done:
            round_.is_late, round_.is_continued = False, True  # a new worker gets what is left
        else:
            self._finish(round_, "" if round_.done else f"the process that counts was ended ({how}): it is restarted")

    def _answered(self, number: int, answer: Optional[Answer], error: str) -> None:
        future = self._questions.get(number)
        if future and not future.done():
            if answer is not None:
                future.set_result(answer)
            else:
                future.set_exception(Refusal(404, self._without_folders(error)))

    def _fail_questions(self) -> None:
        for future in list(self._questions.values()):
            if not future.done():
                future.set_exception(Refusal(503, "the worker was restarted: ask again", Retry_After="2"))

    def _without_folders(self, text: str) -> str:
        return without_folders(text, (self.watcher.path, self.reports))


def without_folders(text: str, paths: Sequence[Path]) -> str:
    """Return a message without the folders of these paths: what is told to browsers names files only."""
    for path in sorted({parent for one in paths for parent in (one, *one.parents)}, key=lambda one: -len(str(one))):
        if len(path.parts) > 1:
            text = text.replace(str(path) + "/", "").replace(str(path) + "\\", "").replace(str(path), path.name)
    return text
