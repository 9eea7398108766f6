#!/usr/bin/env python3
"""What customers pay and cost on the same days, and at which price a loss would end.

    python3 showcase/queries/profitability.py --csv data/simulated_calls.csv --by tier

A plan's price is prorated to a customer's active days: a month's revenue is never held against three months' cost.
"""
from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any, Dict, Sequence

if __name__ == "__main__":  # a script finds only the modules beside it: begin again with the toolkit in reach
    runpy.run_path(str(Path(__file__).resolve().parents[2] / "viewer" / "bootstrap.py"))["find_sources"](__file__)

import blocks as b
from analyzers.revenue import combined, economics_row, grouped, open_book
from analyzers.ubr.profitability import ProfitabilityAnalyzer, class_of
from console import run_command
from rollup.dataset import Dataset
from support.logs import counted_log, example_options
from support.printing import told

GROUPS = ("customer", "tier", "archetype", "month")


def profit_by(dataset: Dataset, group: str) -> Dict[str, Any]:
    """Return revenue, cost and margin by customer, tier, archetype or month, the worst first, and who makes a loss."""
    accounts = open_book(dataset.rollup).accounts  # a customer in a calendar month each
    rows = [{group: name, **economics_row(sums), "class": class_of(sums)}
            for name, sums in grouped(accounts, lambda account: getattr(account, group)).items()]
    rows.sort(key=lambda row: (row["margin"] is None, row["margin"] or 0))
    found = ProfitabilityAnalyzer(dataset=dataset).analyze()
    return {"headline": found["headline"], "margins": rows, "losses": found["unprofitable"],
            "total": economics_row(combined(account.economics for account in accounts))}


def tables(group: str) -> Sequence[b.Table]:
    """Return how the figures are shown."""
    return (b.Table("margins", f"Margin by {group}, the worst first", columns=(
                group, "revenue", "cost", "margin", b.Column("margin_percent", "Margin, %"), "calls", "class")),
            b.Table("losses", "Served at a loss, and what would end it", empty="nobody", columns=(
                "customer", "tier", "tier_price", b.Column("break_even_price", "Price that covers the cost"),
                b.Column("cap_calls_monthly", "Or at most so many calls a month", b.COUNT))))


def main(arguments: Sequence[str]) -> int:
    """Print margins and losses."""
    options = example_options(__doc__)
    options.add_argument("--by", choices=GROUPS, default=GROUPS[0], help="whose margin (default %(default)s)")
    given = options.parse_args(arguments)
    with counted_log(given.csv) as dataset:
        print(told(profit_by(dataset, given.by), tables(given.by), given.json))
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
