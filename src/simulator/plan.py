"""What a run will do to its log: begin afresh, go on with a run that was cut short, or add a new chapter."""
from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from calls.log_writer import is_replaceable, whole_lines_size
from calls.record import HEADER
from calls.values import CALLS_END_MS, parse_timestamp
from errors import LogError, UsageError
from simulator.calendar import day_of
from simulator.customers import check_customers, cohort_of
from simulator.spec import Cohort, StorySpec
from simulator.truth import read_runs, spec_of

HEADER_BYTES = len(HEADER) + 1
LEAST_CHAPTER = 0.01  # of the size asked for; with less to add, the log has its size

People = Tuple[Tuple[Cohort, ...], Tuple[str, ...]]  # cohorts, and the ids of who left


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
        return Plan(_spec(wish, wish.start or ends_yesterday, HEADER_BYTES, []), wish.path, [], None, True)
    runs, begin = read_runs(wish.path), whole_lines_size(wish.path)
    specs = [spec_of(run, wish.path) for run in runs]
    if runs and not runs[-1]["complete"] and _same_story(wish, specs[-1]):
        return Plan(specs[-1], wish.path, runs[:-1], runs[-1], False)
    if wish.target_bytes - begin < LEAST_CHAPTER * wish.target_bytes:
        raise UsageError(f"{wish.path} has {begin / 1e6:.1f} MB already: give a size above that, in MB")
    start = wish.start or (_end_of(runs[-1]) if runs else ends_yesterday)
    return Plan(_spec(wish, start, max(begin, HEADER_BYTES), list(zip(specs, runs))), wish.path, runs, None, False)


def _spec(wish: Wish, start: date, begin: int, earlier: Sequence[Tuple[StorySpec, Dict[str, Any]]]) -> StorySpec:
    last = start.toordinal() + wish.days
    if last > day_of(CALLS_END_MS).toordinal():
        raise UsageError(f"--start {start} with --days {wish.days} ends after the year 2099")
    cohorts, gone = _people(wish, start, earlier)
    return StorySpec(wish.seed, start, wish.days, wish.customers, wish.scenarios, wish.target_bytes, wish.incidents,
                     begin, cohorts, gone)


def _people(wish: Wish, start: date, earlier: Sequence[Tuple[StorySpec, Dict[str, Any]]]) -> People:
    """Return the cohorts of a new chapter, and who of them is gone.

    With the seed and number of customers of an earlier chapter its customers go on, and newcomers take the places
    of those who left. Otherwise all are new, and so are their ids.
    """
    all_cohorts = [cohort for spec, _ in earlier for cohort in spec.cohorts]
    customer = max([one.first_customer + one.customers for one in all_cohorts], default=1)
    organization = max([one.first_organization + one.organizations for one in all_cohorts], default=1)
    same = [(spec, run) for spec, run in earlier if (spec.seed, spec.customers) == (wish.seed, wish.customers)]
    if not same:
        check_customers(wish.customers)
        return (cohort_of(wish.customers, start, wish.days, len(wish.scenarios), customer, organization),), ()
    known = same[-1][0].cohorts
    gone = tuple(sorted({one["customer_id"] for _, run in same for one in run["left"]}))
    missing = wish.customers - sum(one.customers for one in known) + len(gone)
    return known + (cohort_of(missing, start, wish.days, 1, customer, organization),), gone


def _same_story(wish: Wish, spec: StorySpec) -> bool:
    """Tell whether a wish asks for what an unfinished run was to become."""
    asked = (wish.seed, wish.start or spec.start, wish.days, wish.customers, wish.scenarios, wish.target_bytes,
             wish.incidents)
    return asked == tuple(spec)[:len(asked)]


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
