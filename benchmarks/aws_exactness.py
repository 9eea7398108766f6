#!/usr/bin/env python3
"""Compare the costs read from FOCUS files with DuckDB's, to the last digit, by service, account, region and day.

  .venv/bench/bin/python benchmarks/aws_exactness.py tests/samples/focus_sample_1.0.csv ...

Needs the `bench` extra; run it with that environment's interpreter. Ends with 1 at the first difference. With --golden
it prints DuckDB's totals a service instead, which a test holds against the reader.
"""
from __future__ import annotations

import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

import duckdb  # noqa: E402

from aws.queries import DAILY, YEARLY, CostQuery  # noqa: E402
from aws.sources.base import SourceOptions  # noqa: E402
from aws.sources.export import ExportSource  # noqa: E402

LOAD = "CREATE TABLE bill AS SELECT * FROM read_csv(?, header=true, all_varchar=true, nullstr=['NULL', ''])"
SUMS = ("SELECT {keys}, sum(CAST(BilledCost AS DECIMAL(38,20))), sum(CAST(EffectiveCost AS DECIMAL(38,20))) FROM bill "
        "GROUP BY ALL ORDER BY ALL")
COLUMNS = {"service": "ServiceName", "account": "coalesce(SubAccountId, BillingAccountId, '')",
           "region": "coalesce(RegionId, RegionName, '')", "resource": "coalesce(ResourceId, '')"}
DAY = "left(ChargePeriodStart, 10)"
Sums = Dict[Tuple[str, ...], Tuple[Optional[Decimal], ...]]


def main(arguments: List[str]) -> int:
    """Compare each file; returns the exit code."""
    for path in [one for one in arguments if one != "--golden"]:
        connection = duckdb.connect()
        connection.execute(LOAD, [path])
        if "--golden" in arguments:
            for keys, (billed, effective) in _theirs(connection, ("ServiceName",)).items():
                print(f'    "{keys[0]}": ("{billed}", "{effective}"),')
            continue
        source = ExportSource(SourceOptions(date.today(), path))
        groupings = [((), False), *(((name,), daily) for name in COLUMNS for daily in (False, True)),
                     (tuple(COLUMNS), True)]
        for names, daily in groupings:
            theirs = _theirs(connection, tuple(COLUMNS[name] for name in names) + ((DAY,) if daily else ()))
            if _ours(source, names, daily) != theirs:
                print(f"{path}: by {', '.join(names) or 'nothing'}{' and day' * daily}: different")
                return 1
        print(f"{path}: {len(source.ledger):,} sums, {len(groupings)} groupings equal in both metrics")
    return 0


def _ours(source: ExportSource, names: Tuple[str, ...], daily: bool) -> Sums:
    first, last = source.period()
    query = CostQuery(first, last, DAILY if daily else YEARLY, ("unblended", "amortized"), names)
    found: Sums = {}
    for row in source.costs(query).rows:
        key = row.keys + ((row.first.isoformat(),) if daily else ())
        assert key not in found, "a file of more than one year: compare it by day"
        found[key] = row.amounts
    return found


def _theirs(connection: Any, keys: Tuple[str, ...]) -> Sums:
    rows = connection.execute(SUMS.format(keys=", ".join((*keys, "''")))).fetchall()
    return {tuple(row[:len(keys)]): tuple(None if one is None else _plain(one) for one in row[len(keys) + 1:])
            for row in rows}


def _plain(amount: Decimal) -> Decimal:
    """Return an amount without zeros at its end, and without an exponent."""
    return Decimal(format(amount, "f").rstrip("0").rstrip(".") or "0")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
