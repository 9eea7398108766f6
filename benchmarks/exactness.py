#!/usr/bin/env python3
"""Compare every grouping of the rollup with DuckDB's, to the nano-dollar, on the logs given.

  .venv/bench/bin/python benchmarks/exactness.py LOG.csv ...

Needs the `bench` extra; run it with that environment's interpreter. Ends with 1 at the first difference.
"""
from __future__ import annotations

import os
import sys
from itertools import combinations
from pathlib import Path
from typing import Any, Dict, List, Tuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

import duckdb  # noqa: E402

from rollup.cubes import CUBES, DIMENSIONS, TIMES  # noqa: E402
from rollup.dataset import load_dataset  # noqa: E402
from rollup.rollup import Rollup  # noqa: E402

COLUMNS = {"day": "strftime(timestamp, '%Y-%m-%d')", "hour": "strftime(timestamp, '%Y-%m-%dT%H')",
           "customer": "customer_id", "organization": "organization_id", "product": "product_id",
           "feature": "feature_id", "provider": "provider", "model": "model", "status": "status",
           "environment": "environment", "region": "region", "tier": "subscription_tier",
           "tier_price": "CAST(CAST(tier_price_usd * 1000000000 AS BIGINT) AS VARCHAR)",
           "archetype": "customer_archetype"}
LOAD = ("CREATE TABLE calls AS SELECT * REPLACE (CAST(cost_usd AS DECIMAL(28,9)) AS cost_usd, "
        "CAST(tier_price_usd AS DECIMAL(28,9)) AS tier_price_usd, CAST(latency_ms AS BIGINT) AS latency_ms) "
        "FROM read_csv(?, header=true)")
SUMS = ("count(*)", "count(*) FILTER (status <> 'success')", "count(*) FILTER (cost_usd IS NULL)",
        "count(*) FILTER (latency_ms IS NULL)", "sum(input_tokens)", "sum(output_tokens)",
        "coalesce(sum(latency_ms), 0)", "coalesce(CAST(sum(cost_usd) * 1000000000 AS HUGEINT), 0)")


def main(paths: List[str]) -> int:
    """Compare each log; returns the exit code."""
    for path in paths:
        rollup = load_dataset(path, workers=os.cpu_count() or 1, use_checkpoint=False).rollup
        connection = duckdb.connect()
        connection.execute(LOAD, [path])
        groupings = _groupings()
        for grouping in groupings:
            if _ours(rollup, grouping) != _theirs(connection, grouping):
                print(f"{path}: by {', '.join(grouping)}: different")
                return 1
        print(f"{path}: {rollup.total().calls:,} calls, {len(groupings)} groupings equal in all measures")
    return 0


def _groupings() -> List[Tuple[str, ...]]:
    """Return every cube as a whole, every dimension, and every pair of dimensions that some cube holds."""
    pairs = [pair for pair in combinations(DIMENSIONS, 2)
             if any(set(pair) <= set(cube.dimensions) for cube in CUBES) and not set(TIMES) <= set(pair)]
    return [cube.dimensions for cube in CUBES] + [(name,) for name in DIMENSIONS] + pairs


def _ours(rollup: Rollup, grouping: Tuple[str, ...]) -> Dict[Tuple[str, ...], Tuple[int, ...]]:
    return {group.key: tuple(group.measures) for group in rollup.by(*grouping)}


def _theirs(connection: Any, grouping: Tuple[str, ...]) -> Dict[Tuple[str, ...], Tuple[int, ...]]:
    keys = ", ".join(COLUMNS[name] for name in grouping)
    rows = connection.execute(f"SELECT {keys}, {', '.join(SUMS)} FROM calls GROUP BY ALL").fetchall()
    return {tuple(map(str, row[:len(grouping)])): tuple(map(int, row[len(grouping):])) for row in rows}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
