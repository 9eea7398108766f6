#!/usr/bin/env python3
"""Count a call log once and run all analysers over it: results as JSON, and a page each."""
from __future__ import annotations

import stopping  # noqa: F401 (before all others, so that a signal finds its answer while they are imported)

# isort: split
import argparse
import functools
import gc
import json
import os
import sys
import time
from itertools import chain
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple, Type

from analyzers.base import Analyzer, discover_analyzers
from aws.reports.base import every_report
from calls.values import format_timestamp
from config import Settings, load_settings
from console import Options, ProgressBar, note, run_command
from discovery import choose
from errors import FinOpsError
from generators.site import Site
from rollup.dataset import Dataset, load_dataset, validate_dataset
from side_by_side import side_by_side

EXAMPLES = """examples:
  run_all_analyzers.py                                  all analysers over data/simulated_calls.csv
  run_all_analyzers.py --csv calls.csv --output out     another log, another folder
  run_all_analyzers.py --only understanding,realtime    some of them
  run_all_analyzers.py --validate                       only say which rows are faulty, and why
"""
BYTES_FOR_WORKERS = 32_000_000  # below, one process is as fast


class Outcome(NamedTuple):
    """How one analyser ended."""

    id: str
    title: str
    seconds: float
    error: str
    page: str
    result: str


Done = Tuple[Outcome, Any]  # with what the site noted of it


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns its exit code."""
    settings = load_settings()
    found = discover_analyzers()
    options = make_options(settings, found).parse_args(arguments)
    if options.list:
        for name, one in found.items():
            print(f"{name:20} {one.title}: {one.description}")
        return 0
    if options.validate:
        return _validate(options.csv, options.json)
    chosen = choose(found, options.only, "analyser") if options.only else found
    return run_analyzers(list(chosen.values()), options, settings)


def make_options(settings: Settings, found: Dict[str, Any], description: Optional[str] = __doc__,
                 epilog: str = EXAMPLES) -> argparse.ArgumentParser:
    """Return the command line that this command and `run_analyzer.py` share."""
    options = Options(prog=Path(sys.argv[0]).name, description=description, epilog=epilog,
                      formatter_class=argparse.RawDescriptionHelpFormatter)
    add = options.add_argument
    add("--csv", metavar="PATH", default=settings.csv_path, help="the call log (default data/simulated_calls.csv)")
    add("--output", metavar="DIR", default=settings.reports_path,
        help="the folder that gets html/ and json/ (default reports)")
    add("--only", metavar="ID,ID", help=f"only these analysers, of: {', '.join(found) or 'none'}")
    add("--workers", type=int, default=settings.workers, help="processes (default: as many as pay off)")
    add("--tables", action="store_true", help="write every table of the reports as CSV too, into csv/")
    add("--no-cache", action="store_true", help="count the whole log again, and keep no checkpoint")
    add("--validate", action="store_true", help="print the faults of the log, with line numbers, and end")
    add("--list", action="store_true", help="list the analysers and end")
    add("--json", action="store_true", help="print the outcome as JSON")
    add("--quiet", "-q", action="store_true", help="show no progress, only what failed")
    add("--verbose", action="store_true", help="show where an error came from")
    return options


def run_analyzers(chosen: List[Any], options: argparse.Namespace, settings: Settings) -> int:
    """Count the log, run the analysers over it side by side, write results and pages, and say how it went."""
    began = time.perf_counter()
    # A short command over counts that stay: looking for circles of dead objects among them only costs time.
    gc.disable()
    dataset = _counted(options, settings)
    site = Site(options.output, every_report(), format_timestamp(int(time.time() * 1000)),
                [one.id for one in chosen], options.tables)

    def show(done: List[Done]) -> None:
        for outcome, _ in done:
            if not options.json and (outcome.error or not options.quiet):
                print(_line(outcome), file=sys.stderr)

    if len(chosen) > 1:
        dataset.rollup.prepare()
    tasks = [functools.partial(_run_group, [one(dataset=dataset, settings=settings) for one in group], site)
             for group in _groups(chosen)]
    outcomes = []
    for outcome, noted in chain(*side_by_side(tasks, options.workers or os.cpu_count() or 1, show)):
        outcomes.append(outcome)
        site.note(outcome.id, noted)
    order = [one.id for one in chosen]
    outcomes.sort(key=lambda outcome: order.index(outcome.id))
    site.finish({outcome.id: outcome.error for outcome in outcomes})
    seconds = time.perf_counter() - began
    print(json.dumps(_describe(dataset, outcomes, seconds), indent=2) if options.json
          else _sentences(dataset, outcomes, seconds, Path(options.output), options.tables))
    return 1 if any(outcome.error for outcome in outcomes) else 0


def _counted(options: argparse.Namespace, settings: Settings) -> Dataset:
    bar = ProgressBar(sys.stderr, options.quiet)
    big = Path(options.csv).exists() and Path(options.csv).stat().st_size >= BYTES_FOR_WORKERS
    workers = options.workers or (os.cpu_count() or 1 if big else 1)
    dataset = load_dataset(options.csv, workers, not options.no_cache,
                           lambda done, whole: bar.show(done, whole, f"counted {done / 1e6:,.0f} MB"))
    bar.clear()
    for text in dataset.notes:
        note(text)
    return dataset


def _groups(chosen: Sequence[Type[Analyzer]]) -> List[List[Type[Analyzer]]]:
    """Return the analysers by what they share, so that one process makes it once; the largest groups come first."""
    groups: Dict[str, List[Type[Analyzer]]] = {}
    for one in chosen:
        groups.setdefault(one.shares or one.id, []).append(one)
    return sorted(groups.values(), key=lambda group: -len(group))


def _run_group(group: Sequence[Analyzer], site: Site) -> List[Done]:
    return [_run_one(analyzer, site) for analyzer in group]


def _run_one(analyzer: Analyzer, site: Site) -> Done:
    began, error = time.perf_counter(), ""
    try:
        site.write(analyzer, analyzer.analyze())
    except FinOpsError as problem:
        error = str(problem)
    except Exception as problem:  # noqa: BLE001 (one analyser's defect must not cost the others' reports)
        error = f"unexpected {type(problem).__name__}: {problem}"
    return Outcome(analyzer.id, analyzer.title, time.perf_counter() - began, error, str(site.page(analyzer)),
                   str(site.result(analyzer))), site.noted(analyzer.id)


def _line(outcome: Outcome) -> str:
    state = f"failed: {outcome.error}" if outcome.error else f"{outcome.seconds * 1000:,.0f} ms"
    return f"  {outcome.title:32} {state}"


def _describe(dataset: Dataset, outcomes: Sequence[Outcome], seconds: float) -> Dict[str, Any]:
    return {"csv": str(dataset.path), "calls": dataset.rollup.total().calls, "rejected": dataset.rollup.rejected,
            "pending_bytes": dataset.pending_bytes, "counted": dataset.how, "count_seconds": round(dataset.seconds, 3),
            "seconds": round(seconds, 3), "analyzers": [outcome._asdict() for outcome in outcomes]}


def _sentences(dataset: Dataset, outcomes: Sequence[Outcome], seconds: float, output: Path,
               tables: bool) -> str:
    rejected = sum(dataset.rollup.rejected.values())
    done = sum(not outcome.error for outcome in outcomes)
    lines = [f"{done} of {len(outcomes)} analyses of {dataset.rollup.total().calls:,} calls in {seconds:.1f} s "
             f"({dataset.how} count {dataset.seconds:.1f} s)", f"  pages    {output / 'html'}",
             f"  results  {output / 'json'}"]
    if tables:
        lines.append(f"  tables   {output / 'csv'}")
    if rejected:
        lines.append(f"  {rejected:,} rows were set aside, see {dataset.rejected_path}")
    return "\n".join(lines)


def _validate(csv_path: str, as_list: bool) -> int:
    faults = validate_dataset(csv_path)
    if as_list:
        print(json.dumps(faults, indent=1))
    else:
        for fault in faults:
            print(fault)
        print(f"{len(faults):,} faults in {csv_path}" if faults else f"no fault in {csv_path}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(run_command(main))
