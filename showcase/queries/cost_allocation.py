#!/usr/bin/env python3
"""Who causes the cost, and who is charged for it.

    python3 showcase/queries/cost_allocation.py --csv data/simulated_calls.csv --by product

The log is counted once; every question is then one call of `rollup.by`. What has no owner of its own (tests, nameless
calls) is shared out by everybody's direct cost, to the nano-dollar.
"""
from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any, Dict, Sequence

if __name__ == "__main__":  # a script finds only the modules beside it: begin again with the toolkit in reach
    runpy.run_path(str(Path(__file__).resolve().parents[2] / "viewer" / "bootstrap.py"))["find_sources"](__file__)

import blocks as b
from analyzers.attribution import charge
from analyzers.common import by_cost, measures_row, ratio, usd
from analyzers.wording import money, percent
from console import run_command
from rollup.rollup import Rollup
from support.logs import counted_log, example_options
from support.printing import told

OWNERS = ("organization", "product", "feature")


def allocate(rollup: Rollup, owner: str) -> Dict[str, Any]:
    """Return cost as it was caused, by owner and model, and as it is charged, by owner; each adds up to all cost."""
    whole = rollup.total().cost_nano
    caused = [measures_row((owner, "model"), group, share=ratio(group.measures.cost_nano, whole))
              for group in by_cost(rollup.by(owner, "model"))]
    bills = charge(rollup.by(owner, "environment"), name=0, environment=1)
    charged = [{owner: bill.owner, "direct": usd(bill.direct.cost_nano), "shared": usd(bill.shared_nano),
                "unattributed": usd(bill.unattributed_nano), "charged": usd(bill.charged_nano)}
               for bill in bills.charges]
    direct = sum(bill.direct.cost_nano for bill in bills.charges)
    first = f"; {charged[0][owner]} is charged most" if charged else ""
    return {"headline": f"{money(usd(whole))} was spent, {percent(ratio(direct, whole) or 0)} of it with a direct "
                        f"owner{first}.",
            "total_cost": usd(whole), "caused": caused, "charged": charged}


def tables(owner: str) -> Sequence[b.Table]:
    """Return how the figures are shown."""
    return (b.Table("charged", f"Charged by {owner}", columns=(owner, "direct", "shared", "unattributed", "charged")),
            b.Table("caused", f"Caused by {owner} and model",
                    columns=(owner, "model", "cost", b.Column("share", kind=b.SHARE), "calls", "tokens")))


def main(arguments: Sequence[str]) -> int:
    """Print who causes the cost and who is charged."""
    options = example_options(__doc__)
    options.add_argument("--by", choices=OWNERS, default=OWNERS[0], help="whose cost (default %(default)s)")
    given = options.parse_args(arguments)
    with counted_log(given.csv) as dataset:
        print(told(allocate(dataset.rollup, given.by), tables(given.by), given.json))
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
