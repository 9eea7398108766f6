"""The one place that asks again: growing pauses with chance in them, and a breaker that leaves a dead service alone."""
from __future__ import annotations

import random
import threading
import time
from typing import Callable, NamedTuple, TypeVar

from aws.live.failures import BUSY, Failure

Answer = TypeVar("Answer")
ATTEMPTS = 5
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 20.0  # seconds; a pause is a random part of the whole, as AWS advises
FAILURES_TO_OPEN = 3
REST_SECONDS = 60.0

CLOSED, OPEN, HALF_OPEN = "closed", "open", "half-open"


class Surroundings(NamedTuple):
    """Time and chance: the clock in seconds since 1970, how to wait, and a number from 0 to below 1."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random


class Breaker:
    """Counts requests in a row that came to nothing; after some it lets none through for a while, then one to try.

    Only failures that waiting would cure count: a right that is missing says that the service is there.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        """Begin closed."""
        self._now = now
        self._failed = 0
        self._opened = 0.0
        self._trying = False
        self._lock = threading.Lock()

    @property
    def state(self) -> str:
        """Return closed, open or half-open."""
        if self._failed < FAILURES_TO_OPEN:
            return CLOSED
        return HALF_OPEN if self._now() - self._opened >= REST_SECONDS else OPEN

    def enter(self, name: str) -> None:
        """Let a request pass; raises `Failure` while open, and while another one is trying in the half-open state."""
        with self._lock:
            state = self.state
            if state == OPEN or (state == HALF_OPEN and self._trying):
                left = max(1, round(self._opened + REST_SECONDS - self._now()))
                raise Failure(f"AWS failed {self._failed} times in a row at {name}, which is left alone: try again in "
                              f"{left} seconds", BUSY, "CircuitOpen")
            self._trying = state == HALF_OPEN

    def leave(self, worked: bool) -> None:
        """Note how a request ended."""
        with self._lock:
            self._trying = False
            self._failed = 0 if worked else self._failed + 1
            if self._failed >= FAILURES_TO_OPEN:
                self._opened = self._now()


def insist(attempt: Callable[[], Answer], breaker: Breaker, name: str, surroundings: Surroundings,
           again: Callable[[], None]) -> Answer:
    """Return a request's answer, asking again while AWS is busy; `again` is told of each new attempt.

    `attempt` raises `Failure`. The last one is raised, with the breaker told.
    """
    breaker.enter(name)
    worked = True  # also where AWS refused: then it is there
    try:
        for number in range(ATTEMPTS):
            try:
                return attempt()
            except Failure as error:
                if error.kind != BUSY:
                    raise
                if number == ATTEMPTS - 1:
                    worked = False
                    raise
            surroundings.sleep(surroundings.chance() * min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** number))
            again()
        raise AssertionError("the last attempt returns or raises")
    finally:
        breaker.leave(worked)
