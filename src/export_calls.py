#!/usr/bin/env python3
"""Export a call log for other tools: FOCUS 1.2, CSV or JSON lines."""
from __future__ import annotations

import stopping  # noqa: F401 (before all others, so that a signal finds its answer while they are imported)

# isort: split
import argparse
import json
import sys
from pathlib import Path
from typing import Dict, Iterator, Optional, Sequence, Type

from calls.replacing import replace_text
from catalog.loader import load_catalog
from config import load_settings, parse_date
from console import Options, ProgressBar, run_command
from discovery import choose
from errors import LogError, UsageError, listed
from exporters.base import DIMENSIONS, Choice, Exporter, discover_exporters, read_where
from rollup.dataset import Dataset, load_dataset

EXAMPLES = """examples:
  export_calls.py --to focus-1.2 --output focus.csv
  export_calls.py --to csv --from 2026-01-01 --until 2026-01-31 --where customer=acme --output january.csv
  export_calls.py --to jsonl --where provider=openai,azure --where status=timeout | head
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns its exit code."""
    found = discover_exporters()
    options = _options(found).parse_args(arguments)
    if options.list:
        for name, one in found.items():
            print(f"{name:10} {one.title}: {one.description}")
        return 0
    if not options.to:
        raise UsageError(f"say what to export to with --to, one of: {listed(found)}")
    kind = next(iter(choose(found, options.to, "format").values()))
    choice = _choice(options)
    output = Path(options.output) if options.output else None
    if output and output.exists() and not options.overwrite:
        raise LogError(f"{output} is there already: replace it with --overwrite, or name another file")
    if output and output.exists() and Path(options.csv).exists() and output.samefile(options.csv):
        raise UsageError(f"{output} is the log that is exported: name another file with --output")
    exporter = kind(load_catalog())
    _export(exporter, options, choice, output)
    return 0


def _options(found: Dict[str, Type[Exporter]]) -> argparse.ArgumentParser:
    settings = load_settings()
    options = Options(prog="export_calls.py", description=__doc__, epilog=EXAMPLES,
                      formatter_class=argparse.RawDescriptionHelpFormatter)
    add = options.add_argument
    add("--csv", metavar="PATH", default=settings.csv_path, help="the call log (default data/simulated_calls.csv)")
    add("--to", metavar="FORMAT", help=f"one of: {listed(found)}")
    add("--output", metavar="PATH", help="the file to write (default: standard output)")
    add("--overwrite", action="store_true", help="replace the file")
    add("--from", dest="first", metavar="DATE", help="the first day, YYYY-MM-DD in UTC")
    add("--until", dest="last", metavar="DATE", help="the last day, included")
    add("--where", action="append", default=[], metavar="DIM=VALUE,VALUE",
        help=f"only calls with one of these values; may be given again. Dimensions: {listed(DIMENSIONS)}")
    add("--list", action="store_true", help="list the formats and end")
    add("--json", action="store_true", help="print the summary as JSON (with --output)")
    add("--quiet", "-q", action="store_true", help="show no progress and no summary")
    add("--verbose", action="store_true", help="show where an error came from")
    return options


def _choice(options: argparse.Namespace) -> Choice:
    first = parse_date(options.first, "--from") if options.first else None
    last = parse_date(options.last, "--until") if options.last else None
    if first and last and first > last:
        raise UsageError(f"--from {first} is behind --until {last}: exchange them")
    return Choice(first, last, read_where(options.where))


def _export(exporter: Exporter, options: argparse.Namespace, choice: Choice, output: Optional[Path]) -> None:
    """Write the export; data go to the file or to standard output, everything else to standard error."""
    bar = ProgressBar(sys.stderr, options.quiet)
    dataset = load_dataset(options.csv, report=lambda done, whole: bar.show(done, whole, "counted"))
    pieces = _shown(exporter, dataset, choice, bar)
    if output:
        replace_text(output, pieces)
    else:
        for piece in pieces:
            sys.stdout.write(piece)
    bar.clear()
    notes = {**dict.fromkeys(dataset.notes, 1), **exporter.notes}
    rejected = sum(dataset.rollup.rejected.values())
    if rejected:
        notes["rows of the log are rejected and not exported: see " + str(dataset.rejected_path)] = rejected
    if output and options.json:
        print(json.dumps({"path": str(output), "calls": exporter.calls, "notes": notes}, indent=2))
    elif not options.quiet:
        where = f" into {output}" if output else ""
        print("\n".join([f"Exported {exporter.calls:,} calls as {exporter.id}{where}",
                         *(f"  note, {count:,} times: {what}" for what, count in sorted(notes.items()))]),
              file=sys.stdout if output else sys.stderr)


def _shown(exporter: Exporter, dataset: Dataset, choice: Choice, bar: ProgressBar) -> Iterator[str]:
    whole = sum(group.measures.calls for group in dataset.rollup.by("day"))
    for piece in exporter.lines(dataset, choice):
        yield piece
        bar.show(exporter.calls, whole, f"{exporter.calls:,} calls")


if __name__ == "__main__":
    sys.exit(run_command(main))
