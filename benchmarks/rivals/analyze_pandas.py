"""The same groupings in pandas, loading the CSV in the same run."""
from __future__ import annotations

import sys

import pandas as pd

FINE = ["customer_id", "organization_id", "product_id", "feature_id", "provider", "model", "status", "environment",
        "region", "subscription_tier", "tier_price_usd", "customer_archetype"]
GROUPINGS = (["provider"], ["model"], ["customer_id"], ["organization_id"], ["feature_id"], ["product_id"], ["region"],
             ["status"], ["day"], ["hour", "customer_id"], ["hour", "feature_id", "provider", "region", "status"],
             ["provider", "model", "region"], ["day", *FINE])


def main(path: str) -> None:
    """Load, count repeated ids, and answer every grouping."""
    calls = pd.read_csv(path, dtype=dict.fromkeys(FINE, "category"), parse_dates=["timestamp"])
    calls["call_id"].duplicated().sum()
    calls["day"], calls["hour"] = calls["timestamp"].dt.floor("D"), calls["timestamp"].dt.floor("h")
    measures = ["cost_usd", "input_tokens", "output_tokens", "latency_ms"]
    for grouping in GROUPINGS:
        calls.groupby(grouping, observed=True)[measures].agg(["sum", "count"])
    good = calls[calls["status"] == "success"]
    good.groupby(["provider", "model", "region"], observed=True)["latency_ms"].quantile([0.5, 0.95, 0.99])


if __name__ == "__main__":
    main(sys.argv[1])
