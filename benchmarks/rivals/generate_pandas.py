"""The vectorised way to write a simulated log: NumPy draws the columns, pandas writes them."""
from __future__ import annotations

import sys

import numpy as np
import pandas as pd


def main(path: str, rows: int) -> None:
    """Write so many rows with the same columns as the simulator's."""
    draw = np.random.default_rng(1)
    models = np.array(["gpt-4o", "gpt-4o-mini", "claude-haiku-4-5"])
    price_in, price_out = np.array([2.5, 0.15, 1.0]), np.array([10.0, 0.6, 5.0])
    which = draw.integers(0, 3, rows)
    taken, given = draw.lognormal(6.6, 1.0, rows).astype(int), draw.lognormal(5.0, 0.9, rows).astype(int)
    moments = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(draw.integers(0, 90 * 86_400_000, rows), unit="ms")

    def one_of(*names: str) -> np.ndarray:
        return np.array(names)[draw.integers(0, len(names), rows)]

    pd.DataFrame({
        "call_id": [f"call_{number:08d}" for number in range(rows)], "timestamp": np.sort(moments),
        "customer_id": np.array([f"cust_{number:04d}" for number in range(500)])[draw.integers(0, 500, rows)],
        "organization_id": np.array([f"org_{number:03d}" for number in range(50)])[draw.integers(0, 50, rows)],
        "product_id": one_of("assist", "automate", "build"),
        "feature_id": one_of("chat", "rag_search", "classification", "code_assistant"),
        "provider": one_of("openai", "anthropic", "google"), "model": models[which], "input_tokens": taken,
        "output_tokens": given, "total_tokens": taken + given,
        "cost_usd": (taken * price_in[which] + given * price_out[which]) / 1e6,
        "latency_ms": draw.lognormal(7.0, 0.6, rows).astype(int), "status": one_of("success", "timeout", "rate_limit"),
        "environment": one_of("production", "staging", "development"),
        "region": one_of("us-east-1", "us-west-2", "eu-west-1", "ap-southeast-1"),
        "subscription_tier": one_of("starter", "pro", "enterprise"), "tier_price_usd": 29,
        "customer_archetype": one_of("light", "power", "heavy"),
    }).to_csv(path, index=False, float_format="%.9f", date_format="%Y-%m-%dT%H:%M:%S.%fZ")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
