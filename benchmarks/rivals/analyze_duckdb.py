"""The same groupings in DuckDB, loading the CSV in the same run."""
from __future__ import annotations

import sys

import duckdb

GROUPINGS = (
    "provider", "model", "customer_id", "organization_id", "feature_id", "product_id", "region", "status",
    "date_trunc('day', timestamp)", "date_trunc('hour', timestamp), customer_id",
    "date_trunc('hour', timestamp), feature_id, provider, region, status", "provider, model, region",
    "date_trunc('day', timestamp), customer_id, organization_id, product_id, feature_id, provider, model, status, "
    "environment, region, subscription_tier, tier_price_usd, customer_archetype")


def main(path: str) -> None:
    """Load, count repeated ids, and answer every grouping."""
    connection = duckdb.connect()
    connection.execute("CREATE TABLE calls AS SELECT * REPLACE (CAST(cost_usd AS DECIMAL(18,9)) AS cost_usd) "
                       "FROM read_csv(?, header=true, all_varchar=false)", [path])
    connection.execute("SELECT count(*) - count(DISTINCT call_id) FROM calls").fetchall()
    for grouping in GROUPINGS:
        connection.execute(f"SELECT {grouping}, count(*), sum(cost_usd), sum(input_tokens), sum(output_tokens), "
                           f"sum(latency_ms) FROM calls GROUP BY {grouping}").fetchall()
    connection.execute("SELECT provider, model, region, quantile_disc(latency_ms, [0.5, 0.95, 0.99]) FROM calls "
                       "WHERE status = 'success' GROUP BY ALL").fetchall()


if __name__ == "__main__":
    main(sys.argv[1])
