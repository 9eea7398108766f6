#!/usr/bin/env python3
"""Import other tools' logs into a call log, checked and priced."""
from __future__ import annotations

import stopping  # noqa: F401 (before all others, so that a signal finds its answer while they are imported)

# isort: split
import argparse
import csv
import io
import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, Sequence, Type

from calls.log_writer import LogWriter
from calls.record import AICall
from calls.values import BadValue, parse_nano
from catalog.loader import load_catalog
from config import load_settings
from console import Options, ProgressBar, run_command
from discovery import choose
from errors import LogError, RecordError, UsageError, explain_os_error, listed
from importers.base import Business, Importer, discover_importers

EXAMPLES = """examples:
  import_calls.py trace.csv --format azure_llm_trace --provider azure --model gpt-4o --output data/trace.csv
  import_calls.py old_log.csv --format calls --output data/calls.csv --append
"""
BATCH_ROWS = 5000
HEAD_BYTES = 65_536


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns its exit code."""
    found = discover_importers()
    options = _options(found).parse_args(arguments)
    if options.list:
        for name, one in found.items():
            print(f"{name:18} {one.title}: {one.description}")
        return 0
    if not options.files:
        raise UsageError("name at least one file to import: see import_calls.py --help")
    sources = [(Path(name), _format_of(Path(name), options.format, found)) for name in options.files]
    output = Path(options.output)
    if output.exists() and output.stat().st_size and not (options.append or options.overwrite):
        raise LogError(f"{output} is there already: add to it with --append, or replace it with --overwrite")
    taken, rejected = _import(sources, output, options)
    print(json.dumps({"path": str(output), "taken": taken, "rejected": dict(rejected)}, indent=2) if options.json
          else _sentences(output, sources, taken, rejected))
    return 0 if taken or not rejected else 1


def _options(found: Dict[str, Type[Importer]]) -> argparse.ArgumentParser:
    settings = load_settings()
    options = Options(prog="import_calls.py", description=__doc__, epilog=EXAMPLES,
                      formatter_class=argparse.RawDescriptionHelpFormatter)
    add = options.add_argument
    add("files", nargs="*", metavar="FILE", help="files to import")
    add("--format", default="auto", metavar="NAME", help=f"auto or one of: {listed(found)} (default auto)")
    add("--output", metavar="PATH", default=str(Path(settings.csv_path).with_name("imported_calls.csv")),
        help="the call log to write (default data/imported_calls.csv)")
    add("--append", action="store_true", help="keep what the log holds and add behind it")
    add("--overwrite", action="store_true", help="replace the log")
    for field, default in Business._field_defaults.items():
        add("--" + field.replace("_id", "").replace("_", "-"), dest=field, default=default, metavar="TEXT",
            help=f"{field} where the source has none (default {default})")
    add("--list", action="store_true", help="list the formats and end")
    add("--json", action="store_true", help="print the summary as JSON")
    add("--quiet", "-q", action="store_true", help="show no progress")
    add("--verbose", action="store_true", help="show where an error came from")
    return options


def _format_of(path: Path, wanted: str, found: Dict[str, Type[Importer]]) -> Type[Importer]:
    """Return the importer of a file; raises `LogError` when none knows it, or more than one does."""
    if wanted != "auto":
        return next(iter(choose(found, wanted, "format").values()))
    try:
        with open(path, "rb") as handle:
            head = handle.read(HEAD_BYTES)
    except OSError as error:
        raise LogError(explain_os_error("read", path, error)) from error
    fitting = [one for one in found.values() if one.recognises(head)]
    if len(fitting) != 1:
        what = "no known format" if not fitting else f"as well {' as '.join(one.id for one in fitting)}"
        raise LogError(f"{path} is {what}: say which with --format, one of {listed(found)}")
    return fitting[0]


def _import(sources: List[Any], output: Path, options: argparse.Namespace) -> Any:
    business = Business(**{field: getattr(options, field) for field in Business._fields})
    try:
        parse_nano(business.tier_price_usd)
    except BadValue as error:
        raise UsageError(f"--tier-price-usd: {error}") from None
    taken = 0
    rejected: Dict[str, int] = Counter()
    bar, whole = ProgressBar(sys.stderr, options.quiet), sum(_size(path) for path, _ in sources)
    with LogWriter(output, fresh=options.overwrite) as log:
        batch: List[AICall] = []
        for path, importer in sources:
            for _, item in _read(importer(business, load_catalog()), path):
                if isinstance(item, RecordError):
                    rejected[item.category] += 1
                    continue
                batch.append(item)
                taken += 1
                if len(batch) == BATCH_ROWS:
                    log.write(_lines(batch))
                    batch = []
                    bar.show(log.size, max(whole, log.size), f"{taken:,} calls")
        log.write(_lines(batch))
        log.sync()
    bar.clear()
    return taken, rejected


def _read(importer: Importer, path: Path) -> Any:
    try:
        yield from importer.calls(path)
    except OSError as error:
        raise LogError(explain_os_error("read", path, error)) from error
    except UnicodeDecodeError as error:
        raise LogError(f"{path} is not UTF-8 text ({error.reason} at byte {error.start}): save it as UTF-8") from error


def _size(path: Path) -> int:
    try:
        return os.path.getsize(path)
    except OSError as error:
        raise LogError(explain_os_error("read", path, error)) from error


def _lines(calls: Sequence[AICall]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(call.to_row() for call in calls)
    return text.getvalue().encode("utf-8")


def _sentences(output: Path, sources: Sequence[Any], taken: int, rejected: Dict[str, int]) -> str:
    lines = [f"Took {taken:,} calls into {output}"]
    lines += [f"  {path}: read as {importer.id}" for path, importer in sources]
    lines += [f"  {count:,} rows rejected: {reason}" for reason, count in sorted(rejected.items())]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(run_command(main))
