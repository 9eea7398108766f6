"""Keeps a run whole whatever happens to its terminal: the work is done by a child that ends on whole lines.

A signal can stop a process in the middle of a write and so leave half a line. The process that a person sees
(and kills) therefore only watches. When it is asked to stop, or is gone, the child finishes its slice, saves
the truth, and ends.
"""
from __future__ import annotations

import contextlib
import multiprocessing
import signal
import threading
import time
import traceback
from typing import Any, Callable, Dict, NamedTuple, Optional

import stopping
from config import Settings
from errors import LogError
from simulator.crew import Failure
from simulator.engine import Progress, Summary, tell_story
from simulator.plan import Plan

REPORT_SECONDS = 0.1  # between two reports of progress


class Outcome(NamedTuple):
    """What a supervised run came to; `signal` is the one that ended it early, if any."""

    summary: Summary
    signal: Optional[int]


def run_supervised(plan: Plan, settings: Settings, show: Callable[[Progress], None]) -> Outcome:
    """Tell a planned story in a child process; `show` is called with its progress.

    SIGINT and SIGTERM end the run early on a whole line. Raises what the child raised, and `LogError` when the
    child itself was killed.
    """
    receiver, sender = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.Process(target=_work, args=(plan, settings, receiver, sender))
    with contextlib.ExitStack() as stack:
        with stopping.postponed():  # a signal before the child can answer it would be lost
            forwarded = stack.enter_context(_Forwarded(child))
            child.start()
        sender.close()
        try:
            message = _listen(receiver, show)
        finally:
            child.join()
    if message is None:
        raise LogError(f"the process that wrote {plan.path} was ended from outside (exit {child.exitcode}): "
                       "run the same command again with --append to go on from there")
    if isinstance(message, Failure):
        message.throw()
    return Outcome(message, forwarded.caught)


def _listen(receiver: Any, show: Callable[[Progress], None]) -> Any:
    """Return the child's last word: a `Summary`, an exception, or None when it fell silent."""
    while True:
        try:
            message = receiver.recv()
        except (EOFError, OSError):
            return None
        if not isinstance(message, Progress):
            return message
        show(message)


class _Forwarded:
    """Passes signals on to the child, which decides when to end; outside the main thread there are none."""

    def __init__(self, child: Any) -> None:
        self.caught: Optional[int] = None
        self._child = child
        self._before: Dict[int, Any] = {}

    def __enter__(self) -> _Forwarded:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._forward)
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _forward(self, number: int, frame: object) -> None:
        self.caught = number
        if self._child.pid:
            self._child.terminate()


def _work(plan: Plan, settings: Settings, receiver: Any, sender: Any) -> None:
    """Be the child: tell the story, report, and end early when asked to or when nobody listens any more."""
    receiver.close()
    asked_to_stop = threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: asked_to_stop.set())
    stopping.admit()
    last = [0.0]

    def report(progress: Progress) -> bool:
        if time.monotonic() - last[0] >= REPORT_SECONDS:
            last[0] = time.monotonic()
            try:
                sender.send(progress)
            except OSError:
                return False
        return not asked_to_stop.is_set()

    try:
        message: Any = tell_story(plan, settings, report)
    except Exception as error:  # noqa: BLE001 (whatever it is, the parent raises it)
        message = Failure(error, traceback.format_exc())
    try:
        sender.send(message)
    except OSError:
        pass  # nobody is left to be told; the log and its truth say it all
