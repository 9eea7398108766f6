"""What a run will do to its log: begin afresh, go on with a run that was cut short, or add a new chapter."""
from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from calls.log_writer import is_replaceable, whole_lines_size
from calls.record import HEADER
from calls.values import parse_timestamp
from errors import LogError, UsageError
from simulator.calendar import day_of
from simulator.spec import StorySpec
from simulator.truth import read_runs, spec_of

HEADER_BYTES = len(HEADER) + 1


class Plan(NamedTuple):
    """A run: its spec and log, the complete runs before it, and the run, if any, that it goes on with."""

    spec: StorySpec
    path: Path
    earlier: List[Dict[str, Any]]
    unfinished: Optional[Dict[str, Any]]
    fresh: bool


class Wish(NamedTuple):
    """What a person asked for; `start` None takes the day that fits."""

    path: Path
    target_bytes: int
    seed: int
    days: int
    customers: int
    scenarios: Tuple[str, ...]
    start: Optional[date]
    incidents: bool


def plan_run(wish: Wish, today: date, append: bool, overwrite: bool) -> Plan:
    """Decide how a wish becomes a run.

    Raises `LogError` when the log holds anything but simulated calls and is to be neither kept nor overwritten,
    and `UsageError` when there is nothing left to add.
    """
    ends_yesterday = today - timedelta(days=wish.days)
    if not append:
        if not overwrite and not _all_simulated(wish.path):
            raise LogError(f"{wish.path} holds calls that the simulator did not write: add to it with --append, "
                           "replace it with --overwrite, or name another file with --output")
        return Plan(_spec(wish, wish.start or ends_yesterday, HEADER_BYTES, ()), wish.path, [], None, True)
    runs, begin = read_runs(wish.path), whole_lines_size(wish.path)
    if runs and not runs[-1]["complete"] and _same_story(wish, spec_of(runs[-1])):
        return Plan(spec_of(runs[-1]), wish.path, runs[:-1], runs[-1], False)
    if wish.target_bytes <= begin:
        raise UsageError(f"{wish.path} has {begin / 1e6:.1f} MB already: give a size above that, in MB")
    start = wish.start or (_end_of(runs[-1]) if runs else ends_yesterday)
    gone = sorted({one["customer_id"] for run in runs if run["spec"]["seed"] == wish.seed for one in run["left"]})
    return Plan(_spec(wish, start, max(begin, HEADER_BYTES), tuple(gone)), wish.path, runs, None, False)


def _spec(wish: Wish, start: date, begin: int, gone: Tuple[str, ...]) -> StorySpec:
    last = start.toordinal() + wish.days
    if last > date.max.toordinal() - 2:
        raise UsageError(f"--start {start} with --days {wish.days} ends after the year 9999")
    return StorySpec(wish.seed, start, wish.days, wish.customers, wish.scenarios, wish.target_bytes, wish.incidents,
                     begin, gone)


def _same_story(wish: Wish, spec: StorySpec) -> bool:
    asked = _spec(wish, wish.start or spec.start, spec.begin_bytes, spec.gone)
    return asked == spec


def _end_of(run: Dict[str, Any]) -> date:
    return day_of(parse_timestamp(run["end"]))


def _all_simulated(path: Path) -> bool:
    """Tell whether a log holds nothing but what its truth says was simulated, or begins and ends that way."""
    if not is_replaceable(path):
        return False
    runs = read_runs(path) if path.exists() else []
    ends = [run["spec"]["begin_bytes"] + sum(run["slice_bytes"]) for run in runs]
    begins: Sequence[int] = [run["spec"]["begin_bytes"] for run in runs[1:]]
    # Between two chapters of the truth, another writer (metering, an importer) may have added real calls.
    return all(begin == end or not run["complete"] for run, end, begin in zip(runs, ends, begins))
