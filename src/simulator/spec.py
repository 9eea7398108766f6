"""The spec of a story: the few values that decide every byte of a simulated log."""
from __future__ import annotations

import hashlib
from datetime import date
from typing import NamedTuple, Tuple


class StorySpec(NamedTuple):
    """Everything that decides a story's bytes. `target_bytes` is the size the log shall reach.

    `begin_bytes` is the size of the log where the story begins, header included, and `gone` the customers that
    left in earlier chapters of the same log.
    """

    seed: int
    start: date
    days: int
    customers: int
    scenarios: Tuple[str, ...]
    target_bytes: int
    incidents: bool
    begin_bytes: int
    gone: Tuple[str, ...] = ()

    @property
    def tag(self) -> str:
        """Return eight hexadecimal digits that stand in all call ids of this story."""
        return hashlib.blake2b(repr(tuple(self)).encode("utf-8"), digest_size=4).hexdigest()
