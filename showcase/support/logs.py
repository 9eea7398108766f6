"""The log that an example looks at: the one it is given, or a small simulated one that is the same every time."""
from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Iterable, Iterator, List, NamedTuple, Optional, Tuple

from analyzers.budgets import months_of
from analyzers.common import whole_days
from calls.record import AICall
from catalog.loader import load_catalog
from config import load_settings
from console import Options
from errors import LogError
from exporters.base import Choice, Exporter
from rollup.dataset import Dataset, load_dataset
from rollup.rollup import Rollup
from simulator.engine import tell_story
from simulator.plan import Wish, plan_run
from simulator.story import discover_scenarios


class Simulated(NamedTuple):
    """A log to simulate; without scenarios, of all of them."""

    megabytes: float = 4.0
    start: date = date(2026, 7, 1)
    days: int = 92
    customers: int = 120
    seed: int = 2
    scenarios: Tuple[str, ...] = ()
    incidents: bool = True


DEMONSTRATION = Simulated()


def example_options(about: Optional[str]) -> argparse.ArgumentParser:
    """Return the options that all examples over a log share; some have more."""
    options = Options(prog=Path(sys.argv[0]).name, description=about,
                      formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--csv", metavar="PATH", help="the call log (default: a small simulated one)")
    options.add_argument("--json", action="store_true", help="print the figures as JSON")
    options.add_argument("--verbose", action="store_true", help="show where an error came from")
    return options


@contextlib.contextmanager
def counted_log(given: Optional[str], otherwise: Simulated = DEMONSTRATION) -> Iterator[Dataset]:
    """Give a log, counted; the simulated one is gone afterwards. Raises `LogError` when it cannot be read."""
    if given:
        yield load_dataset(given)
        return
    with tempfile.TemporaryDirectory() as folder:
        yield load_dataset(simulate(Path(folder) / "simulated_calls.csv", otherwise), use_checkpoint=False)


def simulate(path: Path, wanted: Simulated) -> Path:
    """Write a simulated log, and what really happened in it beside it; return its path."""
    wish = Wish(path, round(wanted.megabytes * 1e6), wanted.seed, wanted.days, wanted.customers,
                wanted.scenarios or tuple(discover_scenarios()), wanted.start, wanted.incidents)
    tell_story(plan_run(wish, wanted.start, append=False, overwrite=True), load_settings(), lambda progress: True)
    return path


def calls_of(dataset: Dataset) -> Iterator[AICall]:
    """Yield the calls of a log that count, one by one, in its order."""
    return Exporter(load_catalog()).wanted_calls(dataset, Choice())


def counted_calls(dataset: Dataset, calls: Iterable[AICall]) -> Dataset:
    """Return other calls counted as if the log held them: what it was earlier, or would be with other prices."""
    rollup = Rollup()
    for call in calls:
        rollup.add(call)
    return Dataset(dataset.path, rollup)


def whole_months(rollup: Rollup, least: int = 1) -> List[str]:
    """Return the calendar months, as 2026-01, that a log has whole; raises `LogError` where there are fewer."""
    months = [one.month for one in months_of(whole_days(rollup), {}) if one.whole]
    if len(months) < least:
        raise LogError(f"the log has {len(months)} whole calendar months, and this story needs {least}: "
                       "give a longer one with --csv")
    return months
