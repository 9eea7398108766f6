"""Tasks side by side in processes that share what was there before they began.

Only where a process can be forked; elsewhere, and with one worker, the tasks are done one after the other.
"""
from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from multiprocessing.connection import wait
from typing import Any, Callable, Dict, Iterator, List, Sequence, TypeVar, cast

Answer = TypeVar("Answer")
_NUMBER_BYTES = 2
_MOST_TASKS = 1000  # so that their numbers fit into a pipe before anybody reads


def side_by_side(tasks: Sequence[Callable[[], Answer]], workers: int,
                 done: Callable[[Answer], None]) -> List[Answer]:
    """Do all tasks and return their answers in order; `done` is called with each answer as it comes.

    This process is one of the workers. A task must not raise, and its answer must be picklable. Tasks of a worker
    that was ended from outside are done again here.
    """
    answers: Dict[int, Answer] = {}

    def take(number: int, answer: Answer) -> None:
        answers[number] = answer
        done(answer)

    _share_out(tasks, min(workers, len(tasks)) if _can_fork() and len(tasks) <= _MOST_TASKS else 1, take)
    for number, task in enumerate(tasks):
        if number not in answers:
            take(number, task())
    return [answers[number] for number in range(len(tasks))]


def _can_fork() -> bool:
    # On macOS system libraries may not survive a fork.
    return "fork" in multiprocessing.get_all_start_methods() and sys.platform != "darwin"


def _share_out(tasks: Sequence[Callable[[], Answer]], workers: int, take: Callable[[int, Answer], None]) -> None:
    """Do the tasks with so many workers; each takes the next number from a pipe that all read."""
    if workers < 2:
        return
    queue, filling = os.pipe()
    os.write(filling, b"".join([number.to_bytes(_NUMBER_BYTES, "big") for number in range(len(tasks))]))
    os.close(filling)
    helpers: Dict[Any, Any] = {}
    try:
        for _ in range(workers - 1):
            here, there = multiprocessing.Pipe(duplex=False)
            process: Any = multiprocessing.get_context("fork").Process(target=_help, args=(there, queue, tasks))
            process.start()
            there.close()
            helpers[here] = process
        for number in _numbers(queue):
            take(number, tasks[number]())
            _take_sent(helpers, 0, take)
        while helpers:
            _take_sent(helpers, None, take)
    finally:
        os.close(queue)
        for process in helpers.values():
            process.terminate()


def _take_sent(helpers: Dict[Any, Any], seconds: Any, take: Callable[[int, Any], None]) -> None:
    for here in cast("List[Any]", wait(list(helpers), seconds)):
        try:
            take(*here.recv())
        except EOFError:
            helpers.pop(here).join()


def _help(there: Any, queue: int, tasks: Sequence[Callable[[], Any]]) -> None:
    """Be a helper: do tasks until there are none left."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for number in _numbers(queue):
        there.send((number, tasks[number]()))


def _numbers(queue: int) -> Iterator[int]:
    """Yield numbers of tasks that nobody else has taken."""
    text = os.read(queue, _NUMBER_BYTES)
    while text:
        yield int.from_bytes(text, "big")
        text = os.read(queue, _NUMBER_BYTES)
