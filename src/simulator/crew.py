"""Who tells the slices: this process, or workers beside it. Either way the lines reach the log in order.

A worker makes the lines of its slice, waits for its turn, and appends them itself: sending them through a pipe
costs a third of the time that a second worker saves.
"""
from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections import deque
from pathlib import Path
from typing import Any, Deque, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from calls.log_writer import LogAppender, LogWriter
from config import Settings
from errors import LogError
from simulator.incidents import Effect
from simulator.sizing import Order
from simulator.spec import StorySpec
from simulator.story import Part, Story

PARENT_CHECK_SECONDS = 1.0


class Told(NamedTuple):
    """What one slice added to the log."""

    bytes: int
    rows: Dict[str, int]
    effects: List[Effect]


class Failure(NamedTuple):
    """An exception on its way to another process, with the trace that it had."""

    error: BaseException
    trace: str

    def throw(self) -> None:
        """Raise the exception here, with the other process's trace as its cause."""
        raise self.error from ChildTrace(self.trace)


class ChildTrace(Exception):
    """Shows another process's trace as the cause of its error."""


def put(log: LogAppender, position: int, parts: Iterable[Part]) -> Told:
    """Append a slice's lines that belong at a position of the log.

    Where an earlier telling was cut short behind its truth, some lines stand there already: they are compared,
    and only what is missing is written. Raises `LogError` when something else stands there.
    """
    begin, rows, effects = position, {}, []
    for part in parts:
        for batch in part.batches:
            there = min(log.size - position, len(batch))
            if there < 0 or there and log.read(position, there) != batch[:there]:
                raise LogError(f"cannot go on with {log.path}: it was changed since its run was cut short: "
                               "give another --seed to add a new run, or --overwrite to start afresh")
            position += len(batch)
            if there < len(batch):
                log.write(batch[there:])
        rows[part.scenario] = part.rows
        effects += part.effects
    return Told(position - begin, rows, effects)


_story: Optional[Story] = None  # a forked worker finds it made; a spawned one makes its own


class Soloist:
    """Tells every slice in this process."""

    most = 1

    def __init__(self, story: Story, shares: Sequence[float], log: LogWriter) -> None:
        """Hold what the slices are told from, and the log they go to."""
        self._story, self._shares, self._log = story, shares, log
        self._asked: Deque[Tuple[int, Order]] = deque()

    def __enter__(self) -> Soloist:
        """Begin; there is nothing to start."""
        return self

    def __exit__(self, *exception: object) -> None:
        """End; there is nothing to stop."""

    def ask(self, number: int, order: Order) -> None:
        """Have a slice told as ordered."""
        self._asked.append((number, order))

    def finish(self, position: int) -> Told:
        """Have the slice that was asked for first stand in the log at a position; returns what it added."""
        number, order = self._asked.popleft()
        return put(self._log, position, self._story.tell(number, order, self._shares))


class Ensemble:
    """Tells slices in workers, one slice each at a time."""

    def __init__(self, story: Story, shares: Sequence[float], log: LogWriter, workers: int) -> None:
        """Hold what the workers are made from."""
        self.most = workers
        self._story, self._shares, self._log = story, shares, log
        self._workers: List[Tuple[Any, Any]] = []
        self._asked: Deque[int] = deque()

    def __enter__(self) -> Ensemble:
        """Start the workers."""
        global _story
        _story = self._story
        settings = self._story.cast[0].settings
        for _ in range(self.most):
            here, there = multiprocessing.Pipe()
            worker = multiprocessing.Process(target=_work, daemon=True, args=(
                there, self._story.spec, settings, self._log.path, list(self._shares), os.getpid()))
            worker.start()
            there.close()
            self._workers.append((worker, here))
        return self

    def __exit__(self, *exception: object) -> None:
        """Stop the workers; each has whole lines in the log or none."""
        for worker, here in self._workers:
            here.close()
            worker.terminate()
        for worker, _ in self._workers:
            worker.join()

    def ask(self, number: int, order: Order) -> None:
        """Have a slice told as ordered, by the worker whose turn it is."""
        self._send(number, (number, order))
        self._asked.append(number)

    def finish(self, position: int) -> Told:
        """Have the slice that was asked for first stand in the log at a position; returns what it added."""
        number = self._asked.popleft()
        self._send(number, position)
        try:
            answer = self._workers[number % self.most][1].recv()
        except (EOFError, OSError):
            raise LogError("a worker of the simulator was ended from outside: run again with --append") from None
        if isinstance(answer, Failure):
            answer.throw()
        told: Told = answer
        self._log.size = max(self._log.size, position + told.bytes)
        return told

    def _send(self, number: int, message: Any) -> None:
        try:
            self._workers[number % self.most][1].send(message)
        except OSError:
            pass  # the worker is gone; waiting for its answer says so


def _work(there: Any, spec: StorySpec, settings: Settings, path: Path, shares: Sequence[float], parent: int) -> None:
    """Be a worker: tell the slices asked for until the engine closes the pipe or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    story = _story or Story(spec, settings)
    with LogAppender(path) as log:
        while True:
            try:
                number, order = there.recv()
                parts = list(story.tell(number, order, shares))
                position = there.recv()
                log.size = os.path.getsize(path)
                there.send(put(log, position, parts))
            except (EOFError, OSError):
                return
            except Exception as error:  # noqa: BLE001 (whatever it is, the engine raises it)
                there.send(Failure(error, traceback.format_exc()))


def _end_with(parent: int) -> None:
    # Other workers hold copies of the pipes, so that the end of the engine alone closes none of them.
    while os.getppid() == parent:
        time.sleep(PARENT_CHECK_SECONDS)
    os._exit(1)
