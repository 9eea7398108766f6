#!/usr/bin/env python3
"""Write a simulated call log: twelve scenarios over one calendar, up to a size, with the truth beside it."""
from __future__ import annotations

import stopping  # noqa: F401 (before all others, so that a signal finds its answer while they are imported)

# isort: split
import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any, Dict, Sequence

from calls.values import format_timestamp
from config import Settings, load_settings, parse_date, today
from console import Options, ProgressBar, run_command
from discovery import choose
from errors import UsageError
from simulator.calendar import Calendar
from simulator.engine import Progress, Summary
from simulator.plan import Plan, Wish, plan_run
from simulator.story import discover_scenarios
from simulator.supervisor import run_supervised
from simulator.truth import truth_path

EXAMPLES = """examples:
  run_all_simulators.py                          50 MB of the 90 days to yesterday
  run_all_simulators.py 500 --seed 7 --days 180  500 MB, other chance, a longer calendar
  run_all_simulators.py 5 --scenarios burst_traffic,viral_spike --output data/spikes.csv
  run_all_simulators.py 80 --append              go on until the log has 80 MB
  run_all_simulators.py --list                   the scenarios that there are
"""
MOST_DAYS, MOST_WORKERS, LEAST_MB, MOST_MB = 3660, 64, 0.01, 1_000_000.0


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns its exit code."""
    settings = load_settings()
    options = _options(settings).parse_args(arguments)
    found = discover_scenarios()
    if options.list:
        _print_list(found, options.json)
        return 0
    wish = _wish(options, tuple(choose(found, options.scenarios, "scenario") if options.scenarios else found))
    settings = _replaced(settings, workers=options.workers)
    plan = plan_run(wish, today(settings), options.append, options.overwrite)
    bar = ProgressBar(sys.stderr, options.quiet)

    def show(progress: Progress) -> None:
        bar.show(progress.bytes - plan.spec.begin_bytes, progress.target_bytes - plan.spec.begin_bytes,
                 f"{progress.bytes / 1e6:,.1f} of {progress.target_bytes / 1e6:,.1f} MB  "
                 f"{progress.rows / max(bar.seconds, 1e-3):,.0f} rows/s")

    outcome = run_supervised(plan, settings, show)
    bar.clear()
    document = _describe(plan, outcome.summary, bar.seconds)
    print(json.dumps(document, indent=2) if options.json else _sentences(document))
    return 0 if outcome.summary.complete else 128 + (outcome.signal or 1)


def _options(settings: Settings) -> argparse.ArgumentParser:
    options = Options(prog="run_all_simulators.py", description=__doc__, epilog=EXAMPLES,
                      formatter_class=argparse.RawDescriptionHelpFormatter)
    add = options.add_argument
    add("size", nargs="?", type=float, default=settings.target_mb, metavar="SIZE",
        help="size of the log in MB (default %(default)g)")
    add("--seed", type=int, default=settings.seed, help="chance: equal seeds, equal bytes (default %(default)s)")
    add("--days", type=int, default=settings.days, help="length of the calendar (default %(default)s)")
    add("--start", metavar="YYYY-MM-DD", help="first day in UTC (default: so that the calendar ends yesterday)")
    add("--customers", type=int, default=settings.customers, help="customers in all (default %(default)s)")
    add("--scenarios", metavar="ID,ID", help="only these scenarios (default: all; see --list)")
    add("--output", metavar="PATH", default=settings.csv_path,
        help="the log to write (default data/simulated_calls.csv)")
    add("--append", action="store_true", help="keep what the log holds and go on behind it, up to SIZE")
    add("--overwrite", action="store_true", help="replace the file even if the simulator did not write it")
    add("--workers", type=int, default=settings.workers, help="processes (default: as many as pay off)")
    add("--no-incidents", action="store_true", help="plant no incidents")
    add("--list", action="store_true", help="list the scenarios and end")
    add("--json", action="store_true", help="print the summary (or the list) as JSON")
    add("--quiet", "-q", action="store_true", help="show no progress")
    add("--verbose", action="store_true", help="show where an error came from")
    return options


def _wish(options: argparse.Namespace, scenarios: Sequence[str]) -> Wish:
    """Check the numbers; raises `UsageError` naming the option."""
    if not math.isfinite(options.size) or not LEAST_MB <= options.size <= MOST_MB:
        raise UsageError(f"SIZE {options.size:g}: choose {LEAST_MB} to {MOST_MB:,.0f} MB")
    if not 1 <= options.days <= MOST_DAYS:
        raise UsageError(f"--days {options.days}: choose 1 to {MOST_DAYS}")
    if not 0 <= options.workers <= MOST_WORKERS:
        raise UsageError(f"--workers {options.workers}: choose 1 to {MOST_WORKERS}, or 0 for as many as pay off")
    if options.append and options.overwrite:
        raise UsageError("--append and --overwrite exclude each other: choose one")
    return Wish(
        path=Path(options.output), target_bytes=round(options.size * 1e6), seed=options.seed, days=options.days,
        customers=options.customers, scenarios=tuple(scenarios),
        start=parse_date(options.start, "--start") if options.start else None, incidents=not options.no_incidents)


def _replaced(settings: Settings, **changes: Any) -> Settings:
    values = dict(vars(settings))
    values.update(changes)
    return Settings(**values)


def _print_list(found: Dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps([{"id": name, "title": one.title, "description": one.description}
                          for name, one in found.items()], indent=2))
        return
    width = max(map(len, found))
    for name, one in found.items():
        print(f"{name:{width}}  {one.description}")


def _describe(plan: Plan, summary: Summary, seconds: float) -> Dict[str, Any]:
    calendar = Calendar(plan.spec.start, plan.spec.days * 24)
    return {
        "path": str(plan.path), "truth": str(truth_path(plan.path)), "bytes": summary.bytes,
        "calls": sum(summary.rows.values()), "calls_by_scenario": summary.rows, "run": plan.spec.tag,
        "seed": plan.spec.seed, "start": format_timestamp(calendar.start_ms),
        "end": format_timestamp(calendar.end_ms), "last_day": format_timestamp(calendar.end_ms - 1)[:10],
        "complete": summary.complete, "resumed": summary.resumed, "set_aside_bytes": summary.set_aside_bytes,
        "seconds": round(seconds, 3)}


def _sentences(document: Dict[str, Any]) -> str:
    lines = [f"{'Wrote' if document['complete'] else 'Stopped early: wrote'} {document['calls']:,} calls of "
             f"{len(document['calls_by_scenario'])} scenarios, {document['start'][:10]} to {document['last_day']}, "
             f"in {document['seconds']:.1f} s",
             f"  log    {document['path']} ({document['bytes'] / 1e6:,.1f} MB)",
             f"  truth  {document['truth']}"]
    if document["set_aside_bytes"]:
        lines.append(f"  half a line of {document['set_aside_bytes']} bytes at the end of the log was set aside")
    if not document["complete"]:
        lines.append("  go on with the same command and --append")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(run_command(main))
