"""Machines and databases that are larger than their work: one size less costs half."""
from __future__ import annotations

from decimal import Decimal
from typing import Dict, Iterator, Mapping, Optional

from analyzers.base import HIGH, MEDIUM
from aws.insights.findings import Finding, Insight, Purse, Scene, Standing
from aws.insights.reading import DATABASE, INSTANCE, PEAKS, SIZES, about, called, fact, family_and_size, measure, uses

ROOM = 40.0  # percent: doubled by half the size, the highest use still leaves a fifth
CALM = 20.0  # percent on average, where the highest is not known
HOURS = ("BoxUsage", "InstanceUsage", "Multi-AZUsage", "HeavyUsage")  # usage types that the size has a part in
# Below there is little to save, and but for burstable families (t3) nothing smaller to be had.
_LEAST, _LEAST_BURSTABLE = SIZES.index("large"), SIZES.index("small")


class SizingInsight(Insight):
    """Rightsizing: instances and databases with room for half of themselves."""

    id = "sizing"
    title = "Rightsizing"
    description = "Instances and databases whose highest load would leave half their size with room to spare"
    rank = 20
    kinds: Mapping[str, str] = {"oversized_instance": "Oversized instance", "oversized_database": "Oversized database"}

    def find(self, scene: Scene, purse: Purse) -> Iterator[Finding]:
        """Yield what could be one size smaller, and saves half of what its hours cost."""
        hours: Dict[str, Decimal] = {}
        for use in uses(scene):
            if use.resource and any(word in use.usage_type for word in HOURS):
                hours[use.resource] = hours.get(use.resource, Decimal(0)) + use.monthly
        for one in scene.of_kind(INSTANCE, DATABASE):
            finding = _oversized(one)
            cost = hours.get(one.resource.id, one.monthly if not hours else None)
            if finding and cost and cost > 0:
                yield about(finding, one)._replace(saving=(
                    cost * scene.discounts.share("sizes", "one_smaller")).quantize(Decimal("0.01")))


def _oversized(one: Standing) -> Optional[Finding]:
    resource = one.resource
    kind = family_and_size(fact(resource, "instance_type") or "")
    cpu = measure(resource, "cpu_average_percent")
    peak = measure(resource, *PEAKS)
    memory = measure(resource, "memory_max_percent", "memory_average_percent")
    if kind is None or cpu is None or kind[1] not in SIZES:
        return None
    if SIZES.index(kind[1]) <= (_LEAST_BURSTABLE if kind[0].startswith("t") else _LEAST):
        return None
    if (peak is not None and peak >= ROOM) or cpu >= CALM or (memory is not None and memory >= ROOM):
        return None
    smaller = (fact(resource, "instance_type") or "").replace(f".{kind[1]}", "." + SIZES[SIZES.index(kind[1]) - 1])
    word = "database" if resource.kind == DATABASE else "instance"
    return Finding(f"oversized_{word}", f"Resize the {word} {called(resource)} to {smaller}",
                   f"it runs on {fact(resource, 'instance_type')}, and its processor was {cpu:.0f} % busy on average"
                   + (f", {peak:.0f} % at most" if peak is not None else "")
                   + (f"; its memory was {memory:.0f} % used" if memory is not None
                      else "; look at its memory before"), HIGH if peak is not None and memory is not None else MEDIUM)
