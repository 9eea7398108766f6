from __future__ import annotations

import functools
import os
import signal
from pathlib import Path
from typing import List

import pytest

import side_by_side as module
from side_by_side import side_by_side

forking = pytest.mark.skipif(not module._can_fork(), reason="processes cannot be forked here")


def square(number: int) -> int:
    return number * number


@pytest.mark.parametrize("workers", [1, 2, 3, 50])
def test_answers_come_in_the_order_of_the_tasks(workers: int) -> None:
    told: List[int] = []
    answers = side_by_side([functools.partial(square, number) for number in range(20)], workers, told.append)
    assert answers == [number * number for number in range(20)] and sorted(told) == answers


def test_nothing_to_do_is_done() -> None:
    assert side_by_side([], 4, pytest.fail) == []


@forking
def test_tasks_are_shared_by_two_processes(tmp_path: Path) -> None:
    def meet(mine: str, other: str) -> int:
        # Each task waits for the other to have begun, so that one process alone would never end the first.
        (tmp_path / mine).touch()
        for _ in range(1000):
            if (tmp_path / other).exists():
                return os.getpid()
            module.wait([], 0.01)
        return 0

    pids = side_by_side([functools.partial(meet, "a", "b"), functools.partial(meet, "b", "a")], 2, lambda _: None)
    assert 0 not in pids and len(set(pids)) == 2


@forking
def test_tasks_of_a_helper_that_is_ended_from_outside_are_done_again() -> None:
    here = os.getpid()

    def task(number: int) -> int:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        module.wait([], 0.1)
        return number

    assert side_by_side([functools.partial(task, number) for number in range(4)], 2, lambda _: None) == [0, 1, 2, 3]
