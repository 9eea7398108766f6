#!/usr/bin/env python3
"""Import other tools' logs into a call log, checked and priced."""
from __future__ import annotations

import stopping  # noqa: F401 (before all others, so that a signal finds its answer while they are imported)

# isort: split
import argparse
import csv
import io
import itertools
import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Dict, Iterable, Iterator, Sequence, Tuple, Type

from calls.log_writer import LogWriter
from calls.record import AICall
from calls.values import BadValue, parse_nano
from catalog.loader import load_catalog
from config import load_settings, parse_date
from console import Options, ProgressBar, run_command
from discovery import choose
from errors import LogError, RecordError, UsageError, explain_os_error, listed
from importers.base import Business, Imported, Importer, discover_importers

EXAMPLES = """examples:
  import_calls.py spend_logs.csv
  import_calls.py spend_logs.csv --customer-from metadata.user_api_key_alias --product-from team_id
  import_calls.py ~/.claude/projects/*/*.jsonl --format claude_code --customer acme --output data/claude.csv
  import_calls.py trace.csv --format azure_llm_trace --provider azure --model gpt-4o --output data/trace.csv
  import_calls.py old_log.csv --format calls --output data/calls.csv --append
"""
Source = Tuple[Path, Type[Importer]]
BATCH_ROWS = 5000
HEAD_BYTES = 65_536
NO_TEXT = ((b"\x1f\x8b", "packed with gzip", "unpack it first"), (b"PK\x03\x04", "a zip archive or workbook",
           "unpack it, or save it as CSV"), (b"PAR1", "Parquet", "export it as CSV or JSON"),
           (b"\xff\xfe", "UTF-16", "save it as UTF-8"), (b"\xfe\xff", "UTF-16", "save it as UTF-8"))
ALL_ONE = "tier_price_usd"  # the field that no source holds, and that is a number


class Outcome:
    """What became of the records of all files: calls taken, and the others by reason."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.taken = 0
        self.skipped: Dict[str, int] = Counter()
        self.rejected: Dict[str, int] = Counter()
        self.notes: Dict[str, int] = Counter()

    def take(self, items: Iterable[Imported]) -> Iterator[AICall]:
        """Yield the calls among the records, and count all."""
        for _, item in items:
            if isinstance(item, AICall):
                self.taken += 1
                yield item
            elif isinstance(item, RecordError):
                self.rejected[item.category] += 1
            else:
                self.skipped[item.reason] += 1


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns its exit code."""
    found = discover_importers()
    parser = _options(found)
    options = parser.parse_args(arguments)
    if options.list:
        for name, one in found.items():
            print(f"{name:18} {one.title}: {one.description}")
        return 0
    if not options.files:
        parser.error("name at least one file to import")
    sources = [(Path(name), _format_of(Path(name), options.format, found)) for name in options.files]
    output = Path(options.output)
    if output.exists() and output.stat().st_size and not (options.append or options.overwrite):
        raise LogError(f"{output} is there already: add to it with --append, or replace it with --overwrite")
    if any(output.exists() and path.exists() and output.samefile(path) for path, _ in sources):
        raise UsageError(f"{output} is to be read and written: name another file with --output")
    outcome = _import(sources, output, options)
    print(json.dumps({"path": str(output), **vars(outcome)}, indent=2) if options.json
          else _sentences(output, sources, outcome))
    return 0 if outcome.taken or not outcome.rejected else 1


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
        flag = "--" + field.replace("_id", "").replace("_", "-")
        add(flag, dest=field, default=default, metavar="TEXT",
            help=f"{field} where the source has none (default {default})")
        if field != ALL_ONE:
            add(flag + "-from", dest=field + "_from", metavar="NAME",
                help=f"the source's field that {field} is taken from; dots lead into objects")
    add("--start", metavar="DATE", help="the day, YYYY-MM-DD, that the times of a trace without dates count from")
    add("--reprice", action="store_true", help="price every call by the catalogue, whatever cost the source recorded")
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
    for begin, what, cure in NO_TEXT if not fitting else ():
        if head.startswith(begin):
            raise LogError(f"{path} is {what}: {cure}")
    if len(fitting) != 1:
        what = "no known format" if not fitting else f"as well {' as '.join(one.id for one in fitting)}"
        raise LogError(f"{path} is {what}: say which with --format, one of {listed(found)}")
    return fitting[0]


def _import(sources: Sequence[Source], output: Path, options: argparse.Namespace) -> Outcome:
    """Write the calls of all sources; the output is not touched before the first source could be read."""
    importers = {kind: _importer(kind, options) for _, kind in sources}
    whole, before = sum(_size(path) for path, _ in sources), 0
    outcome, bar = Outcome(), ProgressBar(sys.stderr, options.quiet)
    first, *others = [(path, _read(importers[kind], path)) for path, kind in sources]
    begun = list(itertools.islice(first[1], 1))
    with LogWriter(output, fresh=options.overwrite) as log:
        for path, items in [(first[0], itertools.chain(begun, first[1])), *others]:
            calls = outcome.take(items)
            reading = importers[dict(sources)[path]]
            while True:
                batch = list(itertools.islice(calls, BATCH_ROWS))
                if not batch:
                    break
                log.write(_lines(batch))
                bar.show(before + reading.bytes_read(), whole, f"{outcome.taken:,} calls")
            before += _size(path)
        log.sync()
    bar.clear()
    for one in importers.values():
        outcome.notes.update(one.notes)
        outcome.notes.update({f"fields were to be found and stand in no call: {field}": 1 for field in one.unseen})
    return outcome


def _importer(kind: Type[Importer], options: argparse.Namespace) -> Importer:
    business = Business(**{field: getattr(options, field) for field in Business._fields})
    try:
        parse_nano(business.tier_price_usd)
    except BadValue as error:
        raise UsageError(f"--tier-price-usd: {error}") from None
    chosen = {field: getattr(options, field + "_from") for field in Business._fields if field != ALL_ONE}
    return kind(business, load_catalog(), {field: name for field, name in chosen.items() if name},
                parse_date(options.start, "--start") if options.start else None, options.reprice)


def _read(importer: Importer, path: Path) -> Iterator[Imported]:
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


def _sentences(output: Path, sources: Sequence[Source], outcome: Outcome) -> str:
    lines = [f"Took {outcome.taken:,} calls into {output}"]
    lines += [f"  {path}: read as {importer.id}" for path, importer in sources]
    lines += [f"  {count:,} rows rejected: {reason}" for reason, count in sorted(outcome.rejected.items())]
    lines += [f"  {count:,} records skipped: {reason}" for reason, count in sorted(outcome.skipped.items())]
    lines += [f"  note, {count:,} times: {what}" for what, count in sorted(outcome.notes.items())]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(run_command(main))
