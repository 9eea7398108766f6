"""Ctrl-C and SIGTERM end a command with one line, from its first moment on.

A command imports this module before all others. Until the command runs, Python itself would answer Ctrl-C with a
trace and SIGTERM with nothing; what is still being imported then needs no care, so the process ends at once.
"""
from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from types import FrameType
from typing import Any, Dict, Iterator, List, Optional

NUMBERS = (signal.SIGINT, signal.SIGTERM)
WORD = "stopped"
_masks: List[Any] = []
_UNTOUCHED = (signal.SIG_DFL, signal.default_int_handler)


class Stopped(SystemExit):
    """Raised wherever a command is when SIGTERM asks it to stop, so that it leaves nothing half done."""

    def __init__(self, number: int) -> None:
        """Hold the exit code that shells know for a signal."""
        super().__init__(128 + number)


@contextlib.contextmanager
def orderly() -> Iterator[None]:
    """Let both signals raise where the command is: `KeyboardInterrupt` and `Stopped`.

    Does nothing outside the main thread, and to a signal that somebody else handles or ignores.
    """
    before: Dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for number in NUMBERS:
            if signal.getsignal(number) in _UNTOUCHED + (_end,):
                before[number] = signal.signal(number, _raise)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


@contextlib.contextmanager
def postponed() -> Iterator[None]:
    """Hold both signals back, where the system can, until the block ends or `admit` is called in a child."""
    masks = hasattr(signal, "pthread_sigmask")
    before: Any = signal.pthread_sigmask(signal.SIG_BLOCK, NUMBERS) if masks else None
    try:
        yield
    finally:
        if masks:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def admit() -> None:
    """Take in a child the signals that were held back while it was started."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, NUMBERS)


def _before_fork() -> None:
    # Python forgets a signal that comes to a child before its interpreter is ready: hold it back until it is.
    _masks.append(signal.pthread_sigmask(signal.SIG_BLOCK, NUMBERS))


def _after_fork() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _masks.pop())


def _after_fork_in_child() -> None:
    for number in NUMBERS:
        if signal.getsignal(number) in (_raise, _end):
            signal.signal(number, signal.SIG_DFL)  # a child has no words of its own
    _after_fork()


def _raise(number: int, frame: Optional[FrameType]) -> None:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise Stopped(number)


def _end(number: int, frame: Optional[FrameType]) -> None:
    os.write(2, f"{WORD}\n".encode("ascii"))
    os._exit(128 + number)


def _is_command() -> bool:
    """Tell whether one of the scripts beside this module is what was started, and not a test or a library."""
    started = getattr(sys.modules.get("__main__"), "__file__", None)
    return bool(started) and _folder(started or "") == _folder(__file__)


def _folder(path: str) -> str:
    return os.path.dirname(os.path.realpath(path))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork_in_child)
if _is_command():
    for _number in NUMBERS:
        if signal.getsignal(_number) in _UNTOUCHED:
            signal.signal(_number, _end)
