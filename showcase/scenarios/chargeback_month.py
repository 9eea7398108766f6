#!/usr/bin/env python3
"""Story 4: a month's cost is charged to the organisations, the month is closed, and late calls do not move it.

    python3 showcase/scenarios/chargeback_month.py --output reports/showcase

Chapter 1 charges the last whole month, to the nano-dollar. Chapter 2 writes the statement as CSV and closes it: the
file's checksum is what was agreed on. In chapter 3 some calls of that month arrive late; the statement stays, and the
difference is the correction on the next one.
"""
from __future__ import annotations

import csv
import hashlib
import io
import itertools
import runpy
import sys
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

if __name__ == "__main__":  # a script finds only the modules beside it: begin again with the toolkit in reach
    runpy.run_path(str(Path(__file__).resolve().parents[2] / "viewer" / "bootstrap.py"))["find_sources"](__file__)

import blocks as b
from analyzers.attribution import charge
from analyzers.common import usd
from analyzers.wording import money, numbered
from calls.replacing import replace_file
from calls.values import format_nano, format_timestamp, guarded_cell
from console import run_command
from rollup.dataset import Dataset
from rollup.rollup import Rollup
from support.logs import calls_of, counted_calls, counted_log, example_options, whole_months
from support.printing import told

LATE = 25  # calls that come late in the story
COLUMNS = ("month", "organization", "direct", "shared", "unattributed", "charged")
TABLES = (
    b.Table("statement", "1. The statement", columns=COLUMNS[1:]),
    b.Table("corrections", "3. What late calls add, on the next statement", empty="nothing", columns=(
        "organization", b.Column("closed", kind=b.MONEY), b.Column("now", kind=b.MONEY),
        b.Column("correction", kind=b.MONEY_CHANGE))))


def charges(rollup: Rollup, month: str) -> Dict[str, Dict[str, int]]:
    """Return the parts of each organisation's bill for a month, in nano-dollars; together they are the month's cost."""
    days = [day for (day,), _ in rollup.by("day") if day.startswith(month)]
    bills = charge(rollup.by("organization", "environment", where={"day": days}), name=0, environment=1)
    return {bill.owner: {"direct": bill.direct.cost_nano, "shared": bill.shared_nano,
                         "unattributed": bill.unattributed_nano, "charged": bill.charged_nano}
            for bill in bills.charges}


def as_csv(month: str, bills: Mapping[str, Mapping[str, int]]) -> bytes:
    """Return the statement as CSV with all nine decimals; names that a spreadsheet would run are guarded."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for owner, parts in bills.items():
        writer.writerow([month, guarded_cell(owner), *(format_nano(parts[name]) for name in COLUMNS[2:])])
    return text.getvalue().encode("utf-8")


def corrections(closed: Mapping[str, Mapping[str, int]], now: Mapping[str, Mapping[str, int]]) -> List[Dict[str, Any]]:
    """Return by organisation what a closed month would be charged now, where that differs."""
    rows = []
    for owner in sorted(set(closed) | set(now)):
        before, after = (bills.get(owner, {}).get("charged", 0) for bills in (closed, now))
        if before != after:
            rows.append({"organization": owner, "closed": usd(before), "now": usd(after),
                         "correction": usd(after - before)})
    return rows


def with_late_calls(dataset: Dataset, month: str) -> Dataset:
    """Return the log as it stands when some calls of a month came late: copies of its first ones, with other ids."""
    of_month = (call for call in calls_of(dataset) if _month(call.timestamp_ms) == month)
    late = [call._replace(call_id=f"late-{number}") for number, call in enumerate(itertools.islice(of_month, LATE))]
    return counted_calls(dataset, itertools.chain(calls_of(dataset), late))


def _month(milliseconds: int) -> str:
    return format_timestamp(milliseconds)[:7]


def tell(dataset: Dataset, output: Optional[Path]) -> Dict[str, Any]:
    """Return the three chapters as figures; the statement is written where a folder is given."""
    month = whole_months(dataset.rollup)[-1]
    bills = charges(dataset.rollup, month)
    statement = as_csv(month, bills)
    path = output / f"chargeback-{month}.csv" if output else None
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, statement)
    later = corrections(bills, charges(with_late_calls(dataset, month).rollup, month))
    whole = sum(parts["charged"] for parts in bills.values())
    digest = hashlib.sha256(statement).hexdigest()
    added = money(sum(row["correction"] for row in later))
    return {"headline": f"{month} is closed: {money(usd(whole))} charged to {numbered(len(bills), 'organisation')}, as "
                        f"statement {digest[:12]}; {LATE} late calls add {added} to the next one.",
            "month": month, "charged": usd(whole), "sha256": digest, "path": str(path) if path else None,
            "statement": [{"month": month, "organization": owner, **{name: usd(nano) for name, nano in parts.items()}}
                          for owner, parts in bills.items()], "corrections": later}


def main(arguments: Sequence[str]) -> int:
    """Tell the story."""
    options = example_options(__doc__)
    options.add_argument("--output", metavar="DIR", help="write the statement there (default: only show it)")
    given = options.parse_args(arguments)
    with counted_log(given.csv) as dataset:
        found = tell(dataset, Path(given.output) if given.output else None)
    print(told(found, TABLES, given.json))
    if found["path"] and not given.json:
        print(f"\n2. Closed as {found['path']}")
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
