"""What asking comes to: paid requests are counted, and stopped before the one that would be too many."""
from __future__ import annotations

import threading
from typing import Dict

from aws.live.operations import GET_METRIC_DATA, Operation
from errors import AwsError

CENTS_PER_REQUEST = 1  # of Cost Explorer: each page of an answer is a request; a failed one is free
FIGURES_PER_CENT = 1000  # of CloudWatch's GetMetricData


class Meter:
    """Counts of one run, safe to share between threads. With `dry`, requests are counted and none may be made."""

    def __init__(self, most: int, dry: bool = False) -> None:
        """Begin at nothing; `most` is how many paid requests there may be."""
        self.dry = dry
        self._most = most
        self._counts = dict.fromkeys(("paid_requests", "cached_answers", "would_be_paid_at_least", "free_requests",
                                      "retries", "figures"), 0)
        self._lock = threading.Lock()

    def count(self, name: str) -> None:
        """Count one of something."""
        with self._lock:
            self._counts[name] += 1

    def enter(self, operation: Operation) -> None:
        """Count a request that is about to be made; raises `AwsError` where it would be a paid one too many."""
        with self._lock:
            if operation.paid:
                self._check(1, operation.action)
            self._counts[_name(operation)] += 1

    def failed(self, operation: Operation) -> None:
        """Take back a request that failed: AWS asks no money for it."""
        with self._lock:
            self._counts[_name(operation)] -= 1

    def figures(self, number: int) -> None:
        """Count figures of CloudWatch that are about to be asked for; raises `AwsError` like a request."""
        with self._lock:
            self._check(_requests_worth(self._counts["figures"] + number) - _requests_worth(self._counts["figures"]),
                        GET_METRIC_DATA.action)
            self._counts["figures"] += number

    def spending(self) -> Dict[str, int]:
        """Return the counts, and what was paid for costs in cents."""
        with self._lock:
            return dict(self._counts, cents=self._paid() * CENTS_PER_REQUEST)

    def _check(self, more: int, action: str) -> None:
        if self._paid() + more > self._most:
            raise AwsError(f"{self._paid()} requests are paid for, and {action} would be more than --max-api-calls "
                           f"{self._most} allows: raise it, or ask for fewer days or groups")

    def _paid(self) -> int:
        return self._counts["paid_requests"] + _requests_worth(self._counts["figures"])


def _name(operation: Operation) -> str:
    return "paid_requests" if operation.paid else "free_requests"


def _requests_worth(figures: int) -> int:
    """Return how many requests of Cost Explorer cost as much as some figures of CloudWatch, rounded up."""
    return -(-figures // FIGURES_PER_CENT)
