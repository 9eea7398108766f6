"""The intake: calls from many threads into one log, each on disk before its sender hears of it.

One thread writes. While it waits for the disk others line up, and the next write takes all of them at once: a thousand
senders share one write and one fsync. What fails is taken back whole, and each of its senders is told.
"""
from __future__ import annotations

import csv
import io
import os
import threading
import time
from pathlib import Path
from typing import Callable, List, Optional, Sequence, Set

from calls.log_writer import LogWriter
from calls.record import AICall
from calls.replacing import sync_folder
from errors import FinOpsError, LogError, explain_os_error
from metering.recent_ids import RecentIds, read_recent_ids

ALWAYS, INTERVAL, NEVER = POLICIES = ("always", "interval", "never")
INTERVAL_SECONDS = 1.0  # between two syncs of the policy `interval`
MOST_WAITING = 20_000  # calls that wait to be written
MARK = ".metering"  # behind the log's name: stands while an intake has it open


class IntakeBusyError(FinOpsError):
    """More calls wait to be written than are kept in memory, or the intake has ended."""


class _Ticket:
    """The calls of one sender, and what became of them."""

    def __init__(self, calls: Sequence[AICall]) -> None:
        self.calls = calls
        self.news: List[bool] = []
        self.error: Optional[FinOpsError] = None
        self.done = threading.Event()


class Intake:
    """Holds a log as its only writer from `start` to `close`.

    `policy` says when the disk must have it: `always` before the answer, `interval` within a second, `never` when the
    operating system likes. A call that was answered outlives a killed process with each of them; only `always`
    outlives a power cut. `trouble` is called with each error that no sender hears of.
    """

    def __init__(self, path: Path, policy: str = ALWAYS, wait_seconds: float = 0.0,
                 trouble: Callable[[FinOpsError], None] = lambda error: None) -> None:
        """Touch nothing yet; `wait_seconds` is how long another writer of the log is waited for."""
        self.path = path
        self.accepted = self.repeated = self.failed = self.writes = 0
        self._policy, self._wait_seconds, self._trouble = policy, wait_seconds, trouble
        self._mark = path.with_name(path.name + MARK)
        self._log: Optional[LogWriter] = None
        self._ids = RecentIds()
        self._waiting: List[_Ticket] = []
        self._size = 0
        self._closing = self._is_unsynced = False
        self._synced_at = 0.0
        self._wake = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="intake", daemon=True)

    def start(self) -> None:
        """Open the log; raises `LogBusyError` while another process writes it, `LogError` when it cannot be used."""
        self._open(self._mark.exists())
        self._thread.start()

    def submit(self, calls: Sequence[AICall]) -> List[bool]:
        """Return once the calls are in the log: for each whether it is new, or was there already.

        Raises `LogError` when they could not be written, `IntakeBusyError` when there is no room to wait: none of
        them is in the log then.
        """
        ticket = _Ticket(calls)
        with self._wake:
            if self._closing or self._size + len(calls) > MOST_WAITING:
                raise IntakeBusyError("the log takes no more calls now: send them again in a moment")
            self._waiting.append(ticket)
            self._size += len(calls)
            self._wake.notify()
        ticket.done.wait()
        if ticket.error:
            raise ticket.error
        return ticket.news

    def close(self) -> None:
        """Write what waits, let go of the log, and leave no mark; closing twice is harmless."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._waiting and not self._closing:
                    if not self._wake.wait(INTERVAL_SECONDS if self._is_unsynced else None):
                        break
                tickets, self._waiting, self._size = self._waiting, [], 0
                ending = self._closing
            if tickets:
                self._settle(tickets)
            self._sync_now_and_then(ending)
            if ending:
                return self._let_go()

    def _settle(self, tickets: Sequence[_Ticket]) -> None:
        """Write the calls of some senders at once, and tell each of them what became of it."""
        error: Optional[FinOpsError] = None
        try:
            self._write(tickets)
        except FinOpsError as found:
            error = found
        except Exception as found:  # noqa: BLE001 (whatever it is, no sender may wait for ever)
            error = LogError(f"cannot write {self.path.name}: {type(found).__name__}")
            error.__cause__ = found
        if error:
            self._trouble(error)
        for ticket in tickets:
            ticket.error = error
            self.failed += len(ticket.calls) if error else 0
            ticket.done.set()

    def _write(self, tickets: Sequence[_Ticket]) -> None:
        log, rows = self._intact_log(), io.StringIO()
        fresh: Set[str] = set()
        writer = csv.writer(rows, lineterminator="\n")
        for ticket in tickets:
            ticket.news = [self._is_new(call.call_id, fresh) for call in ticket.calls]
            writer.writerows(call.to_row() for call, is_new in zip(ticket.calls, ticket.news) if is_new)
        if fresh:
            self._append(log, rows.getvalue().encode("utf-8"))
        for call_id in fresh:
            self._ids.add(call_id)
        self.accepted += len(fresh)
        self.repeated += sum(len(ticket.calls) for ticket in tickets) - len(fresh)

    def _is_new(self, call_id: str, fresh: Set[str]) -> bool:
        if call_id in fresh or call_id in self._ids:
            return False
        fresh.add(call_id)
        return True

    def _append(self, log: LogWriter, lines: bytes) -> None:
        before = log.size
        log.write(lines)
        self.writes += 1
        self._is_unsynced = True
        if self._policy == ALWAYS:
            try:
                self._sync(log)
            except LogError:
                log.cut_back(before)  # nobody knows what of it the disk has; its senders send it again
                raise

    def _sync(self, log: LogWriter) -> None:
        log.sync()
        self._is_unsynced, self._synced_at = False, time.monotonic()

    def _sync_now_and_then(self, ending: bool) -> None:
        is_due = ending or time.monotonic() - self._synced_at >= INTERVAL_SECONDS
        if self._policy == INTERVAL and self._is_unsynced and is_due and self._log is not None:
            try:
                self._sync(self._log)
            except LogError as error:
                self._trouble(error)

    def _intact_log(self) -> LogWriter:
        """Return the log, opened again when somebody has put another in its place, cut it or written to it."""
        if self._log is None or not self._log.is_intact():
            if self._log is not None:
                self._log.close()
                self._log = None
            self._open(torn=False)
        assert self._log is not None
        return self._log

    def _open(self, torn: bool) -> None:
        log = LogWriter(self.path, wait_seconds=self._wait_seconds, torn=torn)
        log.__enter__()
        try:
            self._ids = read_recent_ids(self.path, log.size)
            self._mark.touch()
            if self._policy != NEVER:
                log.sync()
                sync_folder(self.path.parent)
        except OSError as error:
            log.close()
            raise LogError(explain_os_error("write beside", self.path, error)) from error
        except BaseException:
            log.close()
            raise
        self._log = log

    def _let_go(self) -> None:
        if self._log is not None:
            try:
                os.unlink(self._mark)
            except OSError:
                pass  # then the next one takes the log for torn, which costs it nothing
            self._log.close()
            self._log = None
