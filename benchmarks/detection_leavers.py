#!/usr/bin/env python3
"""Score the leavers rule of churn_growth against the simulator's truth.

  python3 benchmarks/detection_leavers.py [--seeds 6] [--first-seed 501] [--mb 50]

A leaver is found when the rule calls the customer left at the end of the log. Some left so late, or called so
rarely, that nobody could know: even who knew their true share of active days (that of all their days before they
left) would find the silence since then likelier than the rule's own chance. They are counted apart, and so are
leavers with fewer active days than tell of a rhythm.
"""
from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Dict, List

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from analyzers.advanced.churn_growth import LEFT_CHANCE, ChurnGrowthAnalyzer  # noqa: E402
from analyzers.common import whole_days  # noqa: E402
from analyzers.rhythm import LEAST_ACTIVE_DAYS  # noqa: E402
from rollup.dataset import load_dataset  # noqa: E402


def main() -> None:
    """Score all seeds and print a table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seeds", type=int, default=6, help="number of logs (default %(default)s)")
    options.add_argument("--first-seed", type=int, default=501, help="seed of the first (default %(default)s)")
    options.add_argument("--mb", type=int, default=50, help="size of each log (default %(default)s)")
    chosen = options.parse_args()
    scores: List[Counter[str]] = []
    print("| seed | leavers | knowable | found | false alarms | precision | recall | of all | alarms a stayer |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(chosen.first_seed, chosen.first_seed + chosen.seeds):
            path = Path(folder) / f"{seed}.csv"
            simulate = [sys.executable, str(ROOT / "src" / "run_all_simulators.py"), str(chosen.mb), "--quiet"]
            subprocess.check_call(simulate + ["--seed", str(seed), "--start", "2026-06-01", "--output", str(path)],
                                  stdout=subprocess.DEVNULL)
            scores.append(score(path))
            print(row(str(seed), scores[-1]))
            path.unlink()
    print(row("all", sum(scores, Counter())))


def score(path: Path) -> Counter[str]:
    """Return the counts of one log."""
    dataset = load_dataset(path, use_checkpoint=False)
    run = json.loads(path.with_suffix(".truth.json").read_text(encoding="utf-8"))["runs"][-1]
    truth = {one["customer_id"]: one["at"][:10] for one in run["left"]}
    found = {one["customer"] for one in ChurnGrowthAnalyzer(dataset=dataset).analyze()["leavers"]}
    active: Dict[str, List[str]] = {}
    for group in dataset.rollup.by("customer", "day"):
        active.setdefault(group.key[0], []).append(group.key[1])
    end = whole_days(dataset.rollup)[-1]
    knowable = {name for name, day in truth.items() if is_knowable(active.get(name, []), day, end)}
    return Counter(leavers=len(truth), knowable=len(knowable), hits=len(found & set(truth)),
                   known_hits=len(found & knowable), false=len(found - set(truth)),
                   stayers=len(set(active) - set(truth)))


def is_knowable(days: List[str], left: str, end: str) -> bool:
    """Tell whether somebody who knew a leaver's true rhythm could know by the log's last day."""
    if len(days) < LEAST_ACTIVE_DAYS:
        return False
    share = min(1.0, len(days) / max(1, (date.fromisoformat(left) - date.fromisoformat(days[0])).days))
    silent = (date.fromisoformat(end) - date.fromisoformat(left)).days
    return bool((1 - share) ** silent <= LEFT_CHANCE)


def row(name: str, one: Counter[str]) -> str:
    """Return a line of the table."""
    alarms = one["hits"] + one["false"]
    return (f"| {name} | {one['leavers']} | {one['knowable']} | {one['hits']} | {one['false']} "
            f"| {one['hits'] / alarms:.3f} | {one['known_hits'] / one['knowable']:.3f} "
            f"| {one['hits'] / one['leavers']:.3f} | {one['false'] / one['stayers']:.4f} |")


if __name__ == "__main__":
    main()
