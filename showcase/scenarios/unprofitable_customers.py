#!/usr/bin/env python3
"""Story 1: customers who cost more than they pay are found, repriced, and looked at again a month later.

    python3 showcase/scenarios/unprofitable_customers.py

Chapter 1 reads the log as it stood before its last whole month, and names who is served at a loss. Chapter 2 decides:
each of them gets the cheapest plan that covers the cost, or a price of its own. Chapter 3 is the last month itself,
with the calls that were really made and the new prices: did the losses end?
"""
from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Sequence

if __name__ == "__main__":  # a script finds only the modules beside it: begin again with the toolkit in reach
    runpy.run_path(str(Path(__file__).resolve().parents[2] / "viewer" / "bootstrap.py"))["find_sources"](__file__)

import blocks as b
from analyzers.revenue import Economics, book_of, combined, economics_row, grouped
from analyzers.ubr.profitability import ProfitabilityAnalyzer
from analyzers.wording import money, numbered
from calls.record import AICall
from calls.values import NANO_PER_USD, parse_timestamp
from console import run_command
from rollup.dataset import Dataset
from support.logs import Simulated, calls_of, counted_calls, counted_log, example_options, whole_months
from support.printing import told

LOG = Simulated(megabytes=3.0, customers=25, seed=12)
TABLES = (
    b.Table("losses", "1. Served at a loss before", empty="nobody", columns=(
        "customer", "tier", "tier_price", "revenue", "cost", "margin", "months_lost", "months")),
    b.Table("decisions", "2. New plans from the first of the month", empty="none", columns=(
        "customer", "plan", b.Column("old_price", kind=b.MONEY), b.Column("new_price", kind=b.MONEY))),
    b.Table("outcome", "3. The month after, at the old price and at the new one", empty="nothing", columns=(
        "customer", "cost", b.Column("old_margin", kind=b.MONEY_CHANGE), b.Column("new_margin", kind=b.MONEY_CHANGE))))


class Plan(NamedTuple):
    """A plan and what it costs a month, in nano-dollars."""

    name: str
    price_nano: int


def decide(losses: Sequence[Mapping[str, Any]], plans: Mapping[int, str]) -> Dict[str, Plan]:
    """Return the new plan of each customer: the cheapest that covers its cost, else a price of its own."""
    decided = {}
    for loss in losses:
        price = int((loss["covering_tier_price"] or loss["break_even_price"]) * NANO_PER_USD)
        decided[loss["customer"]] = Plan(plans.get(price, "individual"), price)
    return decided


def repriced(dataset: Dataset, decided: Mapping[str, Plan]) -> Iterator[AICall]:
    """Yield all calls, those of repriced customers with their new plan."""
    for call in calls_of(dataset):
        plan = decided.get(call.customer_id)
        yield call._replace(subscription_tier=plan.name, tier_price_nano=plan.price_nano) if plan else call


def margins(dataset: Dataset, month: str) -> Dict[str, Economics]:
    """Return each customer's month."""
    days = [day for (day,), _ in dataset.rollup.by("day") if day.startswith(month)]
    return grouped(book_of(dataset.rollup, days).accounts, lambda account: account.customer)


def tell(dataset: Dataset) -> Dict[str, Any]:
    """Return the three chapters as figures."""
    month = whole_months(dataset.rollup, 2)[-1]
    since = parse_timestamp(f"{month}-01")
    before = counted_calls(dataset, (call for call in calls_of(dataset) if call.timestamp_ms < since))
    found = ProfitabilityAnalyzer(dataset=before).analyze()
    losses = [loss for loss in found["unprofitable"] if not loss["already_repriced"]]
    plans = {int(price): tier for (tier, price), _ in before.rollup.by("tier", "tier_price")}
    decided = decide(losses, plans)
    old = margins(dataset, month)
    new = margins(counted_calls(dataset, repriced(dataset, decided)), month)
    outcome = _outcome(decided, old, new)
    return {"headline": _headline(month, losses, outcome), "month": month, "losses": losses,
            "decisions": [{"customer": loss["customer"], "plan": decided[loss["customer"]].name,
                           "old_price": loss["tier_price"],
                           "new_price": loss["covering_tier_price"] or loss["break_even_price"]} for loss in losses],
            "outcome": outcome, "all_before": economics_row(combined(old.values())),
            "all_after": economics_row(combined(new.values()))}


def _outcome(decided: Mapping[str, Plan], old: Mapping[str, Economics],
             new: Mapping[str, Economics]) -> List[Dict[str, Any]]:
    """Return the repriced customers that still called in the month after."""
    return [{"customer": name, "cost": economics_row(new[name])["cost"],
             "old_margin": economics_row(old[name])["margin"], "new_margin": economics_row(new[name])["margin"]}
            for name in decided if name in new]


def _headline(month: str, losses: Sequence[Mapping[str, Any]], outcome: Sequence[Mapping[str, Any]]) -> str:
    if not losses:
        return f"Before {month} nobody was served at a loss."
    known = [row for row in outcome if row["old_margin"] is not None and row["new_margin"] is not None]
    still = sum(row["new_margin"] < 0 for row in known)
    gain = sum(row["new_margin"] - row["old_margin"] for row in known)
    gone = len(losses) - len(outcome)
    lost = money(-sum(loss["margin"] for loss in losses))
    return (f"{numbered(len(losses), 'customer')} lost {lost} before {month}; their new plans earned {money(gain)} "
            f"more in that month, and {numbered(still, 'loss', 'losses')} {'is' if still == 1 else 'are'} left"
            + (f"; {gone:,} of them did not call any more." if gone else "."))


def main(arguments: Sequence[str]) -> int:
    """Tell the story."""
    given = example_options(__doc__).parse_args(arguments)
    with counted_log(given.csv, LOG) as dataset:
        print(told(tell(dataset), TABLES, given.json))
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
