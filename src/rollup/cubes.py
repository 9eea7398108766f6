"""WHAT is counted: the dimensions, the measures, and the few combinations of dimensions that are kept.

A cube's dimensions are a time grain and any of the caller's and the circumstances' dimensions: who calls for what,
which changes rarely, and what a call met with. Nothing here says how counting is done; adding a cube is one line.
"""
from __future__ import annotations

from typing import NamedTuple, Tuple

CALLER = ("customer", "organization", "product", "feature", "provider", "model", "tier", "tier_price", "archetype")
CIRCUMSTANCE = ("status", "environment", "region")
TIMES = ("day", "hour")  # texts such as 2026-01-31 and 2026-01-31T05, in UTC
DIMENSIONS = TIMES + CALLER + CIRCUMSTANCE


class Measures(NamedTuple):
    """What is added up: counts, tokens, milliseconds, and whole nano-dollars.

    `failed` counts calls whose status is not success, `unpriced` those whose cost is unknown, and `untimed` those
    whose latency is: they add nothing to `cost_nano` and `latency_ms`.
    """

    calls: int = 0
    failed: int = 0
    unpriced: int = 0
    untimed: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    latency_ms: int = 0
    cost_nano: int = 0

    @property
    def tokens(self) -> int:
        """Return input plus output tokens."""
        return self.input_tokens + self.output_tokens

    @property
    def timed(self) -> int:
        """Return the calls whose latency is known: what `latency_ms` is to be divided by."""
        return self.calls - self.untimed


INPUT_SQUARES = "input_squares"  # the sum of the squares of prompts' tokens, each at most `MOST_SQUARED` tokens
MOST_SQUARED = 1 << 20  # more than prompts have, and few enough that sums keep within their bits


class Cube(NamedTuple):
    """One combination of dimensions that is counted; `time` is a grain of `GRAINS`, or empty where none is kept."""

    name: str
    time: str
    caller: Tuple[str, ...]
    circumstance: Tuple[str, ...]
    measures: Tuple[str, ...] = Measures._fields

    @property
    def dimensions(self) -> Tuple[str, ...]:
        """Return all dimensions, time first."""
        return (self.time,) + self.caller + self.circumstance


CUBES = (
    # The finest grain by day: whatever is asked without an hour can be rolled up from it.
    Cube("daily", "day", CALLER, CIRCUMSTANCE),
    # Hours of customers and services together: about one cell a session, yet fewer than two cubes for the two have.
    Cube("hourly", "hour", ("customer", "organization", "feature", "provider", "model"), ("status", "region")),
)
# What tells one request made again and again from many: how much prompts differ within ten minutes. It holds too
# little to be asked for anything else.
PACE = Cube("pace", "ten_minutes", ("customer", "organization", "feature"), (),
            ("calls", "input_tokens", INPUT_SQUARES, "cost_nano"))
COUNTED = CUBES + (PACE,)
MS_PER_SLOT = 600_000
GRAINS = {"day": 144, "hour": 6, "ten_minutes": 1}  # in ten minutes, the finest time that is counted
LATENCY = Cube("latency", "", ("feature", "provider", "model"), ("region",))  # of successful calls, over all time
EXACT_MS = 128  # latencies below are counted to the millisecond
OCTAVE_STEPS = 64  # above, steps per doubling: the middle of a step is within 0.8 % of every value in it

