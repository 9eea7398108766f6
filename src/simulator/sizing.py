"""How a log comes to its size: a scale for every slice, and for the last ones the very bytes they shall have.

Traffic is bursty, so what a slice comes to is known only when it is told. The scale of a slice makes up for those
before it; the last slices are told a little too full and then cut, session by session at random, to what is left.
"""
from __future__ import annotations

from random import Random
from typing import List, NamedTuple, Optional, Sequence, Tuple

from simulator.chance import shuffled, total
from simulator.rows import FRAME_BYTES, GAP_UNIT_BITS, Session, luck_pool
from simulator.traffic import SessionMaker

ROW_BYTES = 178.0  # first guess of a line's length, corrected by what slices turn out to be
LAG = 8  # slices: the size control sees what was written so many slices ago, whatever the number of workers
FITTED = 8  # the last slices of a calendar, and all of a short one, are told to the byte they shall have
MOST_CORRECTION = 1.25  # of the scale, either way, so that the size control never shows as a trend
MOST_FITTING = 4.0  # the same for the last slices, where nothing later can make up for what is missing


class Order(NamedTuple):
    """How a slice is to be told: the scale of its traffic, and the bytes it shall come to, or None for any."""

    scale: float
    bytes: Optional[int] = None


class SizeControl:
    """Chooses each slice's scale, and the last slices' bytes, so that the log ends at its target size.

    It corrects by the sizes of slices that ended at least `LAG` slices ago (fewer near the end), so that the
    result does not depend on how many slices are made at once.
    """

    def __init__(self, target_bytes: int, weights: Sequence[float]) -> None:
        """`weights` are the calls expected in each slice at scale 1; `target_bytes` is what they shall become."""
        self._target = target_bytes
        self._weights = list(weights)
        self._sizes: List[int] = []
        self._orders: List[Order] = []
        self._first = target_bytes / max(1e-9, total(self._weights) * ROW_BYTES)

    def known(self, number: int) -> int:
        """Return how many slices must have ended before a slice can be ordered."""
        return max(0, number - min(LAG, len(self._weights) - 1 - number))

    def order(self, number: int) -> Order:
        """Return how a slice is to be told; to be asked for once a slice, in order."""
        known = self.known(number)
        asked = [weight * order.scale for weight, order in zip(self._weights, self._orders)]
        row_bytes = ROW_BYTES
        if sum(self._sizes[:known]):
            row_bytes = sum(self._sizes[:known]) / total(asked[:known])
        foreseen = sum(self._sizes[:known]) + total(
            [row_bytes * calls if order.bytes is None else order.bytes
             for calls, order in zip(asked[known:], self._orders[known:])])
        left = total(self._weights[number:])
        fitted = number >= len(self._weights) - FITTED
        most = MOST_FITTING if fitted else MOST_CORRECTION
        scale = (self._target - foreseen) / (left * row_bytes) if left else 0.0
        scale = min(max(scale, self._first / most), self._first * most)
        self._orders.append(Order(scale, round(self._weights[number] * scale * row_bytes) if fitted else None))
        return self._orders[-1]

    def record(self, size: int) -> None:
        """Note the size of the next slice that ended."""
        self._sizes.append(size)


def line_bytes(session: Session) -> float:
    """Return about how long a line of a session is behind its call id's prefix, were no call to fail."""
    _, _, before, after, inputs, outputs, _, (begin, per_input, per_output), _, _, _ = session
    digits = sum([len(f"{taken}{given}{taken + given}{int(begin + taken * per_input + given * per_output)}")
                  for taken, given in zip(inputs, outputs)])
    return FRAME_BYTES + len(before) + len(after) + digits / max(1, len(inputs))


def calls_before(session: Session, end_ms: int) -> int:
    """Return how many of a session's calls begin before an instant."""
    at, gap_ms, calls, place = session[0], session[1], len(session[4]), session[-1]
    for number, (_, gap, _) in enumerate(luck_pool()[place:place + calls]):
        if at >= end_ms:
            return number
        at += gap_ms * gap >> GAP_UNIT_BITS
    return calls


class Fitting:
    """The sessions of one slice, of all scenarios, on their way to the bytes that the slice shall have."""

    def __init__(self, end_ms: int) -> None:
        """`end_ms` is the end of the calendar, where sessions are cut."""
        self.bytes = 0.0
        self._end_ms = end_ms
        self._weighed: List[Tuple[SessionMaker, int, int, float]] = []

    def weigh(self, maker: SessionMaker, first: int, prefix: str) -> None:
        """Count the sessions of a scenario from a number on; `prefix` is that of its call ids."""
        for number in range(first, len(maker.sessions)):
            session = maker.sessions[number]
            calls, length = calls_before(session, self._end_ms), len(prefix) + line_bytes(session)
            self.bytes += calls * length
            self._weighed.append((maker, number, calls, length))

    def cut(self, most_bytes: int, chance: Random) -> None:
        """Drop sessions at random until the rest comes to so many bytes; what incidents touch stays.

        The session at the edge keeps the calls that fit.
        """
        left = float(most_bytes)
        loose = []
        for one in self._weighed:
            maker, number, calls, length = one
            if number in maker.twists:
                left -= calls * length
            else:
                loose.append(one)
        for maker, number, calls, length in shuffled(chance, loose):
            kept = calls if calls * length <= left else max(0, int(left / length))
            if kept < calls:
                maker.shorten(number, kept)
            left -= kept * length
