"""Cost that no tag gives to anybody: it can neither be charged nor questioned."""
from __future__ import annotations

from decimal import Decimal
from typing import Dict, Iterator, List, Mapping, NamedTuple, Optional

from analyzers.base import HIGH
from analyzers.wording import money, percent
from aws.insights.findings import Finding, Insight, Purse, Scene
from aws.parts import LUMPS, Known, added
from aws.queries import TAG, CostRow
from aws.utils import ratio
from errors import UsageError

OWNER_WORDS = ("team", "owner", "costcenter", "cost-center", "cost_center", "project", "app", "application",
               "businessunit", "business_unit", "department", "product", "environment", "env", "stage")
MOST_KEYS = 4  # that are looked at: each costs a request where requests cost money
LEAST_COVERED = 0.2  # of cost: a key that fewer carry is no key that the company allocates by
# Commitments are bought for everybody: nothing that they cost could carry a tag.
UNTAGGABLE = LUMPS + ("SavingsPlanRecurringFee", "SavingsPlanNegation")
NOTABLE = 0.03  # of cost without the tag


class TagCoverage(NamedTuple):
    """How much of the recent cost carries a tag: of everything that could, and the services that lack most."""

    key: str
    tagged: Known
    untagged: Known
    by_service: List[CostRow]

    @property
    def share(self) -> Optional[float]:
        """Return the share of cost without the tag."""
        return ratio(self.untagged, added((self.tagged, self.untagged)))


class UntaggedInsight(Insight):
    """The share of cost that lacks each of the tags that costs are allocated by."""

    id = "untagged"
    title = "Untagged cost"
    description = "The share of cost that lacks a tag which most of the bill is allocated by, and where it stands"
    rank = 90
    kinds: Mapping[str, str] = {"untagged": "Cost without a tag"}

    def find(self, scene: Scene, purse: Purse) -> Iterator[Finding]:
        """Yield the tag that covers most, where a notable share of cost lacks it."""
        for one in coverage(scene)[:1]:
            share = one.share
            if share is None or one.untagged is None or not NOTABLE <= share <= 1 - LEAST_COVERED:
                continue
            first = max(one.by_service, key=lambda row: (row.amounts[0] or Decimal(0), row.keys))
            yield Finding("untagged", f"Tag what has no {one.key}, first in {first.keys[1]}",
                          f"{percent(share)} of the recent cost of services has no tag {one.key}; "
                          f"{first.keys[1]} has most of it, {money(first.amounts[0] or 0)}",
                          HIGH, None, scene.monthly(one.untagged), first.keys[1], name=one.key)


def coverage(scene: Scene) -> List[TagCoverage]:
    """Return how the recent cost is tagged, by the keys that say whose it is, the best covered first."""
    found = []
    for key in keys_to_look_at(scene.recent.tag_keys()):
        try:
            rows = scene.costs(TAG + key, "service", without=UNTAGGABLE)
        except UsageError:
            continue
        without = [row for row in rows if not row.keys[0]]
        found.append(TagCoverage(key, added(row.amounts[0] for row in rows if row.keys[0]),
                                 added(row.amounts[0] for row in without), without))
    return sorted(found, key=lambda one: (one.share is None, one.share or 0.0, one.key))


def keys_to_look_at(keys: List[str]) -> List[str]:
    """Return the keys that tell an owner by their name, else the first ones; few, since each costs a request."""
    ranks: Dict[str, int] = {word: place for place, word in enumerate(OWNER_WORDS)}

    def rank(key: str) -> int:
        plain = key.lower().rpartition(":")[2]
        return ranks.get(plain, ranks.get(plain.replace(" ", ""), len(ranks)))
    owners = [key for key in keys if rank(key) < len(ranks)]
    return sorted(owners or [key for key in keys if key != "Name"], key=lambda key: (rank(key), key))[:MOST_KEYS]
