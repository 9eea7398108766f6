#!/usr/bin/env python3
"""Story 2: a model migration is held against what it cost: which part paid it back, and which should be undone.

    python3 showcase/scenarios/model_migration.py --one-time 40

Chapter 1 shows which models the calls moved from and to. Chapter 2 prices the moved calls at the list price of the
model that the same customer's feature began with: what they would have cost that day. Chapter 3 adds the difference
up, day by day, until it has paid for the work of moving, for all moves and for those alone that saved anything.
"""
from __future__ import annotations

import runpy
import sys
from itertools import accumulate
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

if __name__ == "__main__":  # a script finds only the modules beside it: begin again with the toolkit in reach
    runpy.run_path(str(Path(__file__).resolve().parents[2] / "viewer" / "bootstrap.py"))["find_sources"](__file__)

import blocks as b
from analyzers.common import usd
from analyzers.rates import CELL, Cell, Rates
from analyzers.wording import money
from calls.record import SUCCESS
from calls.values import BadValue, parse_nano
from catalog.loader import load_catalog
from console import run_command
from errors import UsageError
from rollup.rollup import Rollup
from support.logs import Simulated, counted_log, example_options
from support.printing import told

LOG = Simulated(customers=60, seed=3, scenarios=("model_migration",), incidents=False)
TABLES = (
    b.Table("moves", "1. and 2. What moved, and what it would have cost", empty="nothing moved", columns=(
        "from_model", "to_model", "calls", b.Column("cost", "Cost now"), b.Column("would_cost", "Would have cost"),
        b.Column("saved", kind=b.MONEY_CHANGE))),
    b.Table("months", "3. Saved so far, at the end of each month", columns=(
        "month", b.Column("all_moves", kind=b.MONEY_CHANGE),
        b.Column("good_moves", "Moves that save", b.MONEY_CHANGE))))

Lane = Tuple[str, str]  # a customer and a feature
Offer = Tuple[str, str]  # a provider and a model


class Moved(NamedTuple):
    """Calls of one lane on one day that another model answers than at the beginning; amounts in nano-dollars."""

    day: str
    old: Offer
    new: Offer
    calls: int
    cost: int
    would_cost: int


def moved_calls(rollup: Rollup) -> List[Moved]:
    """Return what moved, day by day; calls without a known cost, or whose old model has no price, are left out.

    So are calls that failed: many of them cost nothing, whatever the model.
    """
    rates = Rates(load_catalog())
    cells = [Cell(group) for group in rollup.by(*CELL, where={"status": SUCCESS}) if not group.measures.unpriced]
    began: Dict[Lane, Offer] = {}
    for cell in cells:  # they come in order of days
        began.setdefault((cell.customer, cell.feature), (cell.provider, cell.model))
    moved = []
    for cell in cells:
        old, new = began[cell.customer, cell.feature], (cell.provider, cell.model)
        would_cost = rates.cost(cell, *old) if old != new and cell.cost else None
        if would_cost is not None:
            moved.append(Moved(cell.day, old, new, cell.calls, cell.cost, would_cost))
    return moved


def moves(moved: Sequence[Moved]) -> List[Dict[str, Any]]:
    """Return the sums by old and new model, what saved most first."""
    sums: Dict[Tuple[Offer, Offer], List[int]] = {}
    for one in moved:
        held = sums.setdefault((one.old, one.new), [0, 0, 0])
        sums[one.old, one.new] = [held[0] + one.calls, held[1] + one.cost, held[2] + one.would_cost]
    rows = [{"from_provider": old[0], "from_model": old[1], "to_provider": new[0], "to_model": new[1], "calls": calls,
             "cost": usd(cost), "would_cost": usd(would_cost), "saved": usd(would_cost - cost)}
            for (old, new), (calls, cost, would_cost) in sums.items()]
    return sorted(rows, key=lambda row: -row["saved"])


def saved_by(moved: Sequence[Moved]) -> Dict[str, int]:
    """Return what was saved in all by the end of each day, in nano-dollars."""
    days: Dict[str, int] = {}
    for one in moved:
        days[one.day] = days.get(one.day, 0) + one.would_cost - one.cost
    ordered = sorted(days)
    return dict(zip(ordered, accumulate(days[day] for day in ordered)))


def paid_back(saved: Mapping[str, int], one_time_nano: int) -> Optional[str]:
    """Return the first day by which enough was saved; None when there is none."""
    return next((day for day, nano in saved.items() if nano >= one_time_nano), None)


def tell(rollup: Rollup, one_time_nano: int) -> Dict[str, Any]:
    """Return the three chapters as figures."""
    moved = moved_calls(rollup)
    rows = moves(moved)
    good = {(row["from_model"], row["to_model"]) for row in rows if row["saved"] > 0}
    by_all = saved_by(moved)
    by_good = saved_by([one for one in moved if (one.old[1], one.new[1]) in good])
    months = [{"month": month, "all_moves": usd(_until(by_all, month)), "good_moves": usd(_until(by_good, month))}
              for month in sorted({one.day[:7] for one in moved})]
    found = {"moves": rows, "months": months, "one_time": usd(one_time_nano),
             "paid_back": paid_back(by_all, one_time_nano), "good_paid_back": paid_back(by_good, one_time_nano)}
    return {"headline": _headline(found), **found}


def _until(saved: Mapping[str, int], month: str) -> int:
    """Return what was saved by the end of a month."""
    return [0, *(nano for day, nano in saved.items() if day[:7] <= month)][-1]


def _headline(found: Dict[str, Any]) -> str:
    if not found["moves"]:
        return "No customer's feature moved to another model."
    last, work = found["months"][-1], money(found["one_time"])
    text = f"Moving saved {money(last['all_moves'])} in all; the {work} of work {_paid(found['paid_back'])}."
    losing = sorted({row["from_model"] for row in found["moves"] if row["saved"] < 0})
    if losing:
        text += (f" Without moving {', '.join(losing)}, which had been cheaper, it would have saved "
                 f"{money(last['good_moves'])}, and the work {_paid(found['good_paid_back'])}.")
    return text


def _paid(day: Optional[str]) -> str:
    return f"was paid back on {day}" if day else "is not paid back"


def main(arguments: Sequence[str]) -> int:
    """Tell the story."""
    options = example_options(__doc__)
    options.add_argument("--one-time", default="40", metavar="USD", help="what moving cost once (default %(default)s)")
    given = options.parse_args(arguments)
    try:
        one_time = parse_nano(given.one_time)
    except BadValue as error:
        raise UsageError(f"--one-time: {error}") from None
    with counted_log(given.csv, LOG) as dataset:
        print(told(tell(dataset.rollup, one_time), TABLES, given.json))
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
