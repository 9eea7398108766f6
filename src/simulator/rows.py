"""The hot path: sessions become lines of the call log, at several hundred thousand lines a second on one core.

Everything that is constant over a session is looked up or formatted once, in `traffic.py`. What varies from call
to call comes from pools: inverse-CDF tables in random order, of which a session takes a run of neighbours from a
random place. So a call costs no draw of its own, no look-up in a cold table, and one f-string.
"""
from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import Dict, List, NamedTuple, Sequence, Tuple

from calls.log_writer import SIMULATED_PREFIX
from calls.record import AUTH_ERROR, RATE_LIMIT, SERVER_ERROR, TIMEOUT
from calls.values import format_nano
from simulator.calendar import MS_PER_DAY, day_of
from simulator.chance import lognormal_grid, stream

SESSION_CALLS_MAX = 2_000
POOL_BITS = 15  # a pool holds 2**15 values; 15 random bits choose a place in it
POOL_MASK = (1 << POOL_BITS) - 1
GRID_POINTS = 4096  # distinct values of a pool
GAP_UNIT_BITS = 10  # gaps are whole 1/1,024 of a session's mean gap
TIMEOUT_MS, REFUSAL_MS = 30_000, 120
PATIENCE_MS = 600_000  # for an answer that is on its way: what the vendors' own clients wait unless told otherwise
DAYS_OF_MINUTES = 2  # kept formatted; a session that begins on the first may run past midnight
GAP_SPREAD = 1.05  # log-normal, of the gaps within a session: their coefficient of variation is 1.4
LATENCY_SPREAD, LATENCY_TAIL_SHARE, LATENCY_TAIL = 0.38, 0.02, 4.0
# A line but for its call id's prefix, its texts, tokens and latency.
FRAME_BYTES = len("0123,2026-01-01T00:00:00.000Z,,,,0.000000000,,success")
BILLED_TIMEOUT = "timeout, input billed"
ABANDONED = "timeout after all patience, input billed"
ORDINARY_FAILURES = (TIMEOUT, BILLED_TIMEOUT, RATE_LIMIT, RATE_LIMIT, RATE_LIMIT, SERVER_ERROR, SERVER_ERROR,
                     RATE_LIMIT, TIMEOUT, SERVER_ERROR, AUTH_ERROR, RATE_LIMIT)


class Tariff(NamedTuple):
    """A model's prices on a day, in pico-dollars a token; a prompt above the limit moves to the long prices."""

    input: int
    output: int
    long_above: int
    long_input: int
    long_output: int


class Pace(NamedTuple):
    """How long a call takes, in milliseconds: to begin, for each prompt token, for each output token."""

    begin: float
    input: float
    output: float


# A session: a run of calls of one customer with one feature, model, environment and region. A plain tuple, since
# making a named one takes longer than writing a line. In order: start in milliseconds since 1970 UTC, mean gap in
# milliseconds, the texts before and behind the numbers, input and output tokens of each call, tariff, pace, the share
# of calls that fail, the statuses they fail with, and a place in the pool of luck.
Session = Tuple[int, int, str, str, Sequence[int], Sequence[int], Tariff, Pace, float, Sequence[str], int]


@lru_cache(maxsize=None)  # made when the first session is: a command that only lists or refuses need not wait for it
def _pool_order() -> List[int]:
    """Return the one random order of all pools: which of the grid's points stands at each place."""
    size = 1 << POOL_BITS
    chance = stream("pool order")
    keyed = sorted((chance.getrandbits(48) << POOL_BITS) | place for place in range(size))
    order = [(key & (size - 1)) % GRID_POINTS for key in keyed]
    return order + order[:SESSION_CALLS_MAX]


def pool(grid: Sequence) -> List:  # type: ignore[type-arg]
    """Return a pool of a grid's values; any run of at most `SESSION_CALLS_MAX` may begin at any 15-bit place."""
    return [grid[point] for point in _pool_order()]


def _latency_grid() -> List[float]:
    """Return factors around 1 with the heavy tail of real latencies: a share of calls is several times slower."""
    grid = lognormal_grid(LATENCY_SPREAD, GRID_POINTS)
    slow = int(GRID_POINTS * (1 - LATENCY_TAIL_SHARE))
    for index in range(slow, GRID_POINTS):
        grid[index] *= 1 + (LATENCY_TAIL - 1) * (index - slow) / (GRID_POINTS - slow)
    return grid


@lru_cache(maxsize=None)
def luck_pool() -> List[Tuple[float, int, float]]:
    """Return what happens to a call: latency factor, gap to the next in units, and its luck between 0 and 1.

    Three pools in one list: a session then takes one slice, and its neighbours lie together in memory.
    """
    gaps = [round(gap * (1 << GAP_UNIT_BITS)) for gap in lognormal_grid(GAP_SPREAD, GRID_POINTS)]
    lucks = [(point + 0.5) / GRID_POINTS for point in range(GRID_POINTS)]
    columns = [pool(grid) for grid in (_latency_grid(), gaps, lucks)]
    size = 1 << POOL_BITS
    # Each column is turned by another stretch, so that the three do not move together.
    turned = [column[turn:size] + column[:turn] for column, turn in zip(columns, (0, size // 3, 2 * size // 3))]
    luck = [(noise * 1.0, gap, one) for noise, gap, one in zip(*turned)]
    return luck + luck[:SESSION_CALLS_MAX]


SECONDS = [f"{second:02d}." for second in range(60)]
MILLISECONDS = [f"{ms:03d}Z," for ms in range(1000)]
_COUNTERS: List[str] = []
_CLOCK = [f"T{minute // 60:02d}:{minute % 60:02d}:" for minute in range(24 * 60)]
_DAYS: Dict[date, List[str]] = {}


def render(sessions: Sequence[Session], end_ms: int) -> Tuple[List[str], List[int]]:
    """Return the lines of all sessions without their call ids, and the number of lines behind each session.

    A line begins with its timestamp and ends with a newline. No call begins at or after `end_ms`.
    """
    if not sessions:
        return [], []
    first_day = day_of(min([session[0] for session in sessions]))
    origin = (first_day - date(1970, 1, 1)).days * MS_PER_DAY
    last = min(end_ms - origin, MS_PER_DAY * DAYS_OF_MINUTES)
    lines: List[str] = []
    ends: List[int] = []
    # Local names: the inner loop runs once a call and is most of the time of a simulation.
    minutes, seconds, millis, append, lucks = _minutes(first_day), SECONDS, MILLISECONDS, lines.append, luck_pool()
    for start, gap_ms, before, after, inputs, outputs, tariff, pace, fail_rate, fail_table, place in sessions:
        price_in, price_out, long_above, long_in, long_out = tariff
        begin, per_input, per_output = pace
        at = start - origin
        for taken, given, (noise, gap, luck) in zip(inputs, outputs, lucks[place:place + len(inputs)]):
            if at >= last:
                break
            wait = int((begin + taken * per_input + given * per_output) * noise)
            if luck < fail_rate or wait > PATIENCE_MS:
                price = long_in if taken > long_above else price_in
                status = fail_table[gap % len(fail_table)] if luck < fail_rate else ABANDONED
                append(f"{minutes[at // 60000]}{seconds[at // 1000 % 60]}{millis[at % 1000]}{before}"
                       f"{_failed(taken, price, status, noise)}{after}")
            else:
                if taken > long_above:
                    nano = (taken * long_in + given * long_out + 500) // 1000
                else:
                    nano = (taken * price_in + given * price_out + 500) // 1000
                if nano < 1000000000:
                    # Padding with zfill takes half the time of a format with :09d.
                    append(f"{minutes[at // 60000]}{seconds[at // 1000 % 60]}{millis[at % 1000]}{before}"
                           f"{taken},{given},{taken + given},0.{str(nano).zfill(9)},{wait},success{after}")
                else:
                    append(f"{minutes[at // 60000]}{seconds[at // 1000 % 60]}{millis[at % 1000]}{before}"
                           f"{taken},{given},{taken + given},{format_nano(nano)},{wait},success{after}")
            at += gap_ms * gap >> 10  # GAP_UNIT_BITS, as a number for its speed
        ends.append(len(lines))
    return lines, ends


def join_numbered(lines: Sequence[str], prefix: str, rows: int) -> List[bytes]:
    """Return blocks of at most `rows` lines; each line gets a call id: the prefix, then its number."""
    while len(_COUNTERS) < len(lines):
        _COUNTERS.append(f"{len(_COUNTERS):04x},")
    blocks = []
    for first in range(0, len(lines), rows):
        part = lines[first:first + rows]
        pieces = [prefix] * (3 * len(part))
        pieces[1::3] = _COUNTERS[first:first + len(part)]
        pieces[2::3] = part
        blocks.append("".join(pieces).encode("utf-8"))
    return blocks


def call_id_prefix(run_tag: str, unit: int) -> str:
    """Return the beginning of all call ids of one unit (a scenario's part of a slice) of one run."""
    return f"{SIMULATED_PREFIX}{run_tag}-{unit:x}-"


def _minutes(first: date) -> List[str]:
    """Return the beginnings of timestamps for every minute from the first day on."""
    minutes: List[str] = []
    for ahead in range(DAYS_OF_MINUTES):
        day = first + timedelta(days=ahead)
        if day not in _DAYS:
            if len(_DAYS) > DAYS_OF_MINUTES:
                _DAYS.clear()
            prefix = day.isoformat()
            _DAYS[day] = [prefix + minute for minute in _CLOCK]
        minutes += _DAYS[day]
    return minutes


def _failed(taken: int, price: int, status: str, noise: float) -> str:
    """Return tokens, cost, latency and status of a failed call; of the calls that time out, some cost their input."""
    if status not in (BILLED_TIMEOUT, TIMEOUT, ABANDONED):
        return f"{taken},0,{taken},0.000000000,{int(REFUSAL_MS * noise)},{status}"
    nano = 0 if status == TIMEOUT else (taken * price + 500) // 1000
    waited = PATIENCE_MS if status == ABANDONED else TIMEOUT_MS
    return f"{taken},0,{taken},{format_nano(nano)},{waited + int(40 * noise)},{TIMEOUT}"
