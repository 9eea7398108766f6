"""The same groupings in Polars, loading the CSV in the same run."""
from __future__ import annotations

import sys

import polars as pl

DAY, HOUR = pl.col("timestamp").dt.truncate("1d").alias("day"), pl.col("timestamp").dt.truncate("1h").alias("hour")
FINE = ["customer_id", "organization_id", "product_id", "feature_id", "provider", "model", "status", "environment",
        "region", "subscription_tier", "tier_price_usd", "customer_archetype"]
GROUPINGS = (["provider"], ["model"], ["customer_id"], ["organization_id"], ["feature_id"], ["product_id"], ["region"],
             ["status"], [DAY], [HOUR, "customer_id"], [HOUR, "feature_id", "provider", "region", "status"],
             ["provider", "model", "region"], [DAY, *FINE])


def main(path: str) -> None:
    """Load, count repeated ids, and answer every grouping."""
    calls = pl.read_csv(path, try_parse_dates=True)
    calls.select(pl.len() - pl.col("call_id").n_unique())
    sums = [pl.len(), *(pl.col(name).sum() for name in ("cost_usd", "input_tokens", "output_tokens", "latency_ms"))]
    for grouping in GROUPINGS:
        calls.group_by(grouping).agg(sums).rows()
    latency = pl.col("latency_ms")
    calls.filter(pl.col("status") == "success").group_by(["provider", "model", "region"]).agg(
        [latency.quantile(share).alias(str(share)) for share in (0.5, 0.95, 0.99)]).rows()


if __name__ == "__main__":
    main(sys.argv[1])
