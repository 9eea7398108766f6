"""The plain way to write a simulated log: csv.DictWriter, one random draw a field."""
from __future__ import annotations

import csv
import random
import sys
from datetime import datetime, timedelta, timezone

PRICES = {"gpt-4o": (2.5, 10.0), "gpt-4o-mini": (0.15, 0.6), "claude-haiku-4-5": (1.0, 5.0)}
FIELDS = ["call_id", "timestamp", "customer_id", "organization_id", "product_id", "feature_id", "provider", "model",
          "input_tokens", "output_tokens", "total_tokens", "cost_usd", "latency_ms", "status", "environment", "region",
          "subscription_tier", "tier_price_usd", "customer_archetype"]


def main(path: str, rows: int) -> None:
    """Write so many rows."""
    draw = random.Random(1)
    start = datetime(2026, 1, 1, tzinfo=timezone.utc)
    with open(path, "w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, FIELDS)
        writer.writeheader()
        for number in range(rows):
            taken, given = int(draw.lognormvariate(6.6, 1.0)), int(draw.lognormvariate(5.0, 0.9))
            model = draw.choice(list(PRICES))
            cost = (taken * PRICES[model][0] + given * PRICES[model][1]) / 1e6
            moment = start + timedelta(milliseconds=draw.randrange(90 * 86_400_000))
            writer.writerow({
                "call_id": f"call_{number:08d}", "timestamp": moment.isoformat(timespec="milliseconds"),
                "customer_id": f"cust_{draw.randrange(500):04d}", "organization_id": f"org_{draw.randrange(50):03d}",
                "product_id": draw.choice(["assist", "automate", "build"]),
                "feature_id": draw.choice(["chat", "rag_search", "classification", "code_assistant"]),
                "provider": draw.choice(["openai", "anthropic", "google"]), "model": model, "input_tokens": taken,
                "output_tokens": given, "total_tokens": taken + given, "cost_usd": f"{cost:.9f}",
                "latency_ms": int(draw.lognormvariate(7.0, 0.6)),
                "status": draw.choices(["success", "timeout", "rate_limit"], [97, 1, 2])[0],
                "environment": draw.choice(["production", "staging", "development"]),
                "region": draw.choice(["us-east-1", "us-west-2", "eu-west-1", "ap-southeast-1"]),
                "subscription_tier": draw.choice(["starter", "pro", "enterprise"]), "tier_price_usd": 29,
                "customer_archetype": draw.choice(["light", "power", "heavy"])})


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
