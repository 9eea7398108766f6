"""Delivery that outlives its endpoint: tries again, stops asking a dead one, and keeps on the disk what it cannot send.

Sending a completion again is harmless, since its transaction id stays the same and is counted once.
"""
from __future__ import annotations

import random
import time
from typing import Callable, NamedTuple, Optional

from support.sender import Completion, Sender, SendError
from support.spool import Spool

SENT, SPOOLED = "sent", "spooled"


class Backoff(NamedTuple):
    """How often a completion is tried, and the pauses between: up to `first` seconds, then twice as long each time."""

    attempts: int = 4
    first: float = 0.25
    most: float = 8.0

    def pause(self, failures: int, chance: float) -> float:
        """Return the seconds to wait after so many failures; chance (0 to 1) keeps many senders from coming at once."""
        return chance * min(self.most, self.first * 2.0 ** (failures - 1))


class CircuitBreaker:
    """Opens after some failures in a row: nothing is sent then, until `rest` seconds later one call may try.

    So a dead endpoint costs a program no time for every call, and is not flooded when it comes back.
    """

    def __init__(self, failures: int = 3, rest: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin closed; `clock` returns seconds."""
        self._allowed, self._rest, self._clock = failures, rest, clock
        self._failures = 0
        self._opened: Optional[float] = None

    @property
    def is_open(self) -> bool:
        """Tell whether nothing may be sent now."""
        return self._opened is not None and self._clock() - self._opened < self._rest

    def succeeded(self) -> None:
        """Close: the endpoint answers."""
        self._failures, self._opened = 0, None

    def failed(self) -> None:
        """Count a failure, and open when there were too many; one that was let through to try opens it again."""
        self._failures += 1
        if self._failures >= self._allowed:
            self._opened = self._clock()


class Delivery:
    """Sends completions one by one, for one thread; none is lost while the endpoint is down."""

    def __init__(self, sender: Sender, spool: Spool, backoff: Backoff = Backoff(),  # noqa: B008 (a value)
                 breaker: Optional[CircuitBreaker] = None, sleep: Callable[[float], None] = time.sleep,
                 chance: Callable[[], float] = random.random) -> None:
        """Put the parts together; `sleep` takes seconds, `chance` returns a number from 0 to 1."""
        self.spool, self.breaker = spool, breaker or CircuitBreaker()
        self._sender, self._backoff, self._sleep, self._chance = sender, backoff, sleep, chance

    def deliver(self, completion: Completion) -> str:
        """Return SENT, or SPOOLED where the endpoint does not take it now; raises `SendError` where it never will."""
        if not self.breaker.is_open:
            try:
                self._try(completion)
                return SENT
            except SendError as error:
                if not error.is_temporary:
                    raise
        self.spool.keep(completion)
        return SPOOLED

    def resend(self) -> int:
        """Send what was kept, the oldest first, until the endpoint fails again; return how many were taken."""
        taken = 0
        for kept in self.spool.waiting():
            if self.breaker.is_open:
                break
            try:
                self._try(kept.completion)
            except SendError as error:
                if error.is_temporary:
                    break
                self.spool.set_aside(kept)  # or it would be in the way of all others for ever
            else:
                self.spool.forget(kept)
                taken += 1
        return taken

    def _try(self, completion: Completion) -> None:
        """Send once or a few times; raises the last `SendError`."""
        for failures in range(1, self._backoff.attempts + 1):
            try:
                self._sender.send(completion)
            except SendError as error:
                if not error.is_temporary:
                    self.breaker.succeeded()  # it answers, though it does not like this call
                    raise
                self.breaker.failed()
                if failures == self._backoff.attempts or self.breaker.is_open:
                    raise
                pause = self._backoff.pause(failures, self._chance())
                self._sleep(max(pause, min(error.retry_after or 0.0, self._backoff.most)))
            else:
                self.breaker.succeeded()
                return
