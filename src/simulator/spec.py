"""The spec of a story: the few values that decide every byte of a simulated log."""
from __future__ import annotations

import hashlib
from datetime import date, timedelta
from typing import NamedTuple, Tuple


class Cohort(NamedTuple):
    """Customers that come together: how many, where their numbers begin, and the calendar that they come in."""

    customers: int
    organizations: int
    first_customer: int
    first_organization: int
    start: date
    days: int

    @property
    def last_day(self) -> date:
        """Return the last day of the calendar that they come in."""
        return self.start + timedelta(days=self.days - 1)

    @property
    def names(self) -> Tuple[int, ...]:
        """Return what tells this cohort's streams of chance from those of others; nothing for a log's first."""
        return (self.first_customer,) if self.first_customer > 1 else ()


class StorySpec(NamedTuple):
    """Everything that decides a story's bytes. `target_bytes` is the size the log shall reach.

    `begin_bytes` is the size of the log where the story begins, header included. The last of `cohorts` comes in
    this story; those before it came in earlier chapters of the same log, and `gone` are who of them left there.
    """

    seed: int
    start: date
    days: int
    customers: int
    scenarios: Tuple[str, ...]
    target_bytes: int
    incidents: bool
    begin_bytes: int
    cohorts: Tuple[Cohort, ...]
    gone: Tuple[str, ...] = ()

    @property
    def first_day(self) -> int:
        """Return how many days were told of these customers in earlier chapters."""
        return sum(cohort.days for cohort in self.cohorts[:-1])

    @property
    def chapter(self) -> Tuple[int, ...]:
        """Return what tells this chapter's streams of chance from those of earlier ones; nothing for the first."""
        return (self.first_day,) if self.first_day else ()

    @property
    def tag(self) -> str:
        """Return eight hexadecimal digits that stand in all call ids of this story."""
        return hashlib.blake2b(repr(tuple(self)).encode("utf-8"), digest_size=4).hexdigest()
