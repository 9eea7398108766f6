#!/usr/bin/env python3
"""Score the rules on AWS cost against what is planted in the simulated company: precision and recall by kind.

  benchmarks/aws_insights.py              seeds 1 to 5
  benchmarks/aws_insights.py --seeds 20   more of them
  benchmarks/aws_insights.py --companies 101-160   companies of `aws_companies.py` instead

A plant is found by a finding of its kind on its resource; where it is on none, by one of its service or tag, and a
spike when the days touch. A finding that was planted as another kind is wrong. Dollars compare the savings of those
that were found with what the truth says can be saved. The rules were written beside this company, in knowledge of what
is planted in it, and seeds change its amounts but not what stands in it: the other companies are the test. A spike that
costs less than a hundredth of a mean day's bill is faint: it counts where it is found.
"""
from __future__ import annotations

import argparse
import sys
from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from measure import ROOT

sys.path.insert(0, str(ROOT / "src"))

from aws_companies import company  # noqa: E402

from aws.asking import cost_of  # noqa: E402
from aws.cost_service import AWSCostService  # noqa: E402
from aws.insights.findings import Examined, Finding, examine  # noqa: E402
from aws.sources.base import SourceOptions  # noqa: E402
from aws.sources.simulated import SimulatedSource  # noqa: E402

TODAY = date(2026, 4, 16)
# Told of the whole bill or of a service: more of it may be true than what was planted, so precision is not judged.
SCOPES = ("low_coverage", "nat_traffic", "zone_traffic", "region_traffic", "internet_traffic", "unused_commitment",
          "untagged", "growth", "over_budget")


class Score(NamedTuple):
    """What was planted, found, and found rightly of a kind, and the dollars a month of both."""

    planted: Counter
    found: Counter
    right: Counter
    planted_usd: Dict[str, Decimal]
    right_usd: Dict[str, Decimal]


def main(arguments: Sequence[str]) -> int:
    """Score and print; returns the exit code."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seeds", type=int, default=5)
    options.add_argument("--companies", metavar="FIRST-LAST", help="others, by their numbers")
    given = options.parse_args(arguments)
    first, _, last = (given.companies or f"1-{given.seeds}").partition("-")
    score = Score(Counter(), Counter(), Counter(), {}, {})
    excess = 0
    for seed in range(int(first), int(last) + 1):
        excess += score_one(seed, score, company(seed) if given.companies else None)
    print(f"{'kind':24}{'planted':>9}{'found':>7}{'right':>7}{'precision':>11}{'recall':>8}{'saving/truth':>14}")
    for kind in sorted(set(score.planted) | set(score.found)):
        print(line(kind, score))
    judged = [kind for kind in set(score.planted) | set(score.found) if kind not in SCOPES]
    planted, found, right = (sum(counts[kind] for kind in judged) for counts in score[:3])
    print(f"\nresources and spikes together: precision {right / max(1, found):.3f}, "
          f"recall {right / max(1, planted):.3f}; resources that save more than they cost: {excess}")
    return 0


def line(kind: str, score: Score) -> str:
    """Return a kind's figures."""
    planted, found, right = (counts[kind] for counts in score[:3])
    precision = "-" if kind in SCOPES or not found else f"{right / found:.2f}"
    recall = f"{right / planted:.2f}" if planted else "-"
    truth = score.planted_usd.get(kind)
    dollars = f"{score.right_usd.get(kind, Decimal(0)) / truth:.3f}" if truth else "-"
    return f"{kind:24}{planted:>9}{found:>7}{right:>7}{precision:>11}{recall:>8}{dollars:>14}"


def score_one(seed: int, score: Score, other: Optional[Dict[str, Any]]) -> int:
    """Add a seed's figures; returns how many resources' findings save more than the resource costs."""
    source = SimulatedSource(SourceOptions(TODAY, seed=seed))
    source.company = other
    service = AWSCostService(source)
    examined, first = examine(service), service.days[0].isoformat()
    usual = (cost_of(service.base().rows) or Decimal(0)) / ((service.days[1] - service.days[0]).days + 1)
    left: List[Dict[str, Any]] = [plant for plant in source.truth()["planted"] if plant["last"] >= first]
    for finding in examined.findings:
        plant = next((plant for plant in left if matches(finding, plant)), None)
        if plant:
            left.remove(plant)
        if plant and is_faint(plant, usual):
            continue
        score.found[finding.kind] += 1
        if plant:
            score.planted[finding.kind] += 1
            score.right[finding.kind] += 1
            add(score.planted_usd, plant["kind"], worth(plant))
            add(score.right_usd, plant["kind"], finding.at_stake if finding.kind == "spike" else finding.saving)
        elif finding.kind not in SCOPES:
            print(f"{seed}: wrong {finding.kind} {finding.name or finding.service} {finding.evidence}", file=sys.stderr)
    for plant in left:
        if not is_faint(plant, usual):
            score.planted[plant["kind"]] += 1
            add(score.planted_usd, plant["kind"], worth(plant))
            if plant["kind"] not in SCOPES or not other:
                print(f"{seed}: missed {plant['kind']} {plant.get('name') or plant.get('service')} {worth(plant)}",
                      file=sys.stderr)
    return beyond(examined)


def worth(plant: Dict[str, Any]) -> Decimal:
    """Return what of a plant can be saved in a month, or what a spike cost beyond the usual."""
    return Decimal(plant.get("saving_usd") or plant.get("extra_usd") or 0)


def is_faint(plant: Dict[str, Any], usual: Decimal) -> bool:
    """Tell whether a spike is too small beside a mean day's bill for anybody to look at it."""
    if plant["kind"] != "spike":
        return False
    days = (date.fromisoformat(plant["last"]) - date.fromisoformat(plant["first"])).days + 1
    return worth(plant) / days < usual / 100


def add(sums: Dict[str, Decimal], kind: str, amount: Optional[Decimal]) -> None:
    """Add to a kind's dollars."""
    sums[kind] = sums.get(kind, Decimal(0)) + (amount or Decimal(0))


def matches(finding: Finding, plant: Dict[str, Any]) -> bool:
    """Tell whether a finding is of what was planted."""
    if finding.kind != plant["kind"]:
        return False
    if finding.kind == "spike":
        return finding.service == plant["service"] and plant["first"] <= finding.name <= plant["last"]
    if plant.get("resource"):
        return finding.resource == plant["resource"]
    return plant.get("tag", finding.name) == finding.name and plant.get("service", finding.service) == finding.service


def beyond(examined: Examined) -> int:
    """Count the resources whose findings save more than the resource costs in a month."""
    sums: Dict[Tuple[str, str], Decimal] = {}
    for finding in examined.findings:
        if finding.resource and finding.saving:
            key = (finding.service, finding.resource)
            sums[key] = sums.get(key, Decimal(0)) + finding.saving
    costs = {(one.resource.service, one.resource.id): one.monthly for one in examined.scene.resources}
    return sum(1 for key, saving in sums.items() if saving > (costs.get(key) or Decimal(0)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
