#!/usr/bin/env python3
"""What was out of the ordinary: days and hours that cost too much, and patterns that look like abuse.

    python3 showcase/queries/anomalies.py --csv data/simulated_calls.csv

Two rules are shown beside each other: mean + 3 standard deviations, which everybody knows, and a robust one that knows
weekdays, learns each customer's own swings and controls how many findings are chance.
"""
from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any, Dict, Sequence

if __name__ == "__main__":  # a script finds only the modules beside it: begin again with the toolkit in reach
    runpy.run_path(str(Path(__file__).resolve().parents[2] / "viewer" / "bootstrap.py"))["find_sources"](__file__)

import blocks as b
from analyzers.advanced.abuse_detection import AbuseDetectionAnalyzer
from analyzers.finops.realtime import RealtimeAnalyzer
from analyzers.wording import numbered
from console import run_command
from rollup.dataset import Dataset
from support.logs import counted_log, example_options
from support.printing import told

TABLES = (
    b.Table("robust", "Days and hours that stand out, by the dollars above what was expected", columns=(
        b.Column("time", kind=b.TEXT), "scope", "value", "severity", "cost", b.Column("expected", kind=b.MONEY),
        b.Column("excess", kind=b.MONEY)), empty="none"),
    b.Table("abuse", "Patterns that look like abuse or a defect", empty="none", columns=(
        "first", "kind", "severity", "subject", "extra_calls", "extra_cost")))


def unusual(dataset: Dataset) -> Dict[str, Any]:
    """Return the findings of both rules, and those of abuse."""
    found = RealtimeAnalyzer(dataset=dataset).analyze()["anomalies"]
    robust, plain = found["robust_seasonal"], found["mean_plus_3_sigma"]
    abuse = AbuseDetectionAnalyzer(dataset=dataset).analyze()["findings"]
    headline = (f"{numbered(len(robust['alerts']), 'day or hour', 'days or hours')} and "
                f"{numbered(len(abuse), 'pattern')} are out of the ordinary; the plain rule would have raised "
                f"{numbered(plain['found'], 'alert')}.")
    return {"headline": headline, "robust": robust["alerts"], "abuse": abuse, "plain": plain}


def main(arguments: Sequence[str]) -> int:
    """Print what is unusual."""
    given = example_options(__doc__).parse_args(arguments)
    with counted_log(given.csv) as dataset:
        print(told(unusual(dataset), TABLES, given.json))
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
