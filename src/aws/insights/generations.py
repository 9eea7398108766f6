"""Older generations that a newer one does the same work for less: told by the usage types of the bill alone."""
from __future__ import annotations

import re
from decimal import Decimal
from typing import Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from analyzers.base import HIGH, MEDIUM
from analyzers.wording import money, numbered
from aws.insights.discounts import Discounts
from aws.insights.findings import Finding, Insight, Purse, Scene
from aws.insights.reading import Use, family_and_size, uses

_VOLUME = re.compile(r"EBS:VolumeUsage(?:\.(\w+))?\Z")
_INSTANCE = re.compile(r"(?:BoxUsage|HeavyUsage|SpotUsage):([\w.-]+)\Z")
_DATABASE = re.compile(r"(?:InstanceUsage|Multi-AZUsage):(db\.[\w.-]+)\Z")
MOST_ONE_BY_ONE = 25  # resources of one kind that have a finding each, the dearest; the others share one


class Newer(NamedTuple):
    """A newer kind, and what share of the old one's cost it saves."""

    kind: str
    old: str
    new: str
    share: Decimal
    confidence: str


class GenerationInsight(Insight):
    """Volumes, instances and databases of an older generation."""

    id = "generations"
    title = "Old generations"
    description = "gp2 volumes, and instances and databases of families that a newer one replaces for less"
    rank = 30
    kinds: Mapping[str, str] = {"old_volume": "Volume of an old generation",
                                "old_instance": "Instance of an old generation",
                                "old_database": "Database of an old generation"}

    def find(self, scene: Scene, purse: Purse) -> Iterator[Finding]:
        """Yield what is old, resource by resource, and together where the source names none."""
        found: Dict[Tuple[Newer, str], List[Use]] = {}
        for use in uses(scene):
            newer = newer_than(use.usage_type, scene.discounts)
            if newer and newer.share and use.monthly > 0:
                found.setdefault((newer, use.service), []).append(use)
        for (newer, service), ones in found.items():
            ones.sort(key=lambda use: (-use.monthly, use.resource))
            single = [use for use in ones if use.resource][:MOST_ONE_BY_ONE]
            for use in single:
                yield _of_resource(scene, newer, use)
            rest = ones[len(single):] if single else ones
            if rest:
                yield _together(newer, service, rest)


def newer_than(usage_type: str, discounts: Discounts) -> Optional[Newer]:
    """Return what is newer than a usage type (`EU-BoxUsage:m4.large`, `EBS:VolumeUsage.gp2`), None for no old one."""
    plain = usage_type[usage_type.find("-") + 1:] if re.match(r"[A-Z]{2,4}\d?-", usage_type) else usage_type
    for kind, pattern, sure in (("volume", _VOLUME, HIGH), ("instance", _INSTANCE, MEDIUM),
                                ("database", _DATABASE, MEDIUM)):
        match = pattern.match(plain)
        if not match:
            continue
        name = match.group(1) or "standard"
        family = name if kind == "volume" else (family_and_size(name) or ("", ""))[0]
        new = discounts.newer(kind + "s", family)
        if new:
            return Newer(f"old_{kind}", name, new[0] if kind == "volume" else name.replace(family, new[0], 1),
                         new[1], sure)
    return None


def _of_resource(scene: Scene, newer: Newer, use: Use) -> Finding:
    resource = next((one.resource for one in scene.resources
                     if (one.resource.service, one.resource.id) == (use.service, use.resource)), None)
    name = resource.name if resource and resource.name else use.resource
    return Finding(newer.kind, f"Move {name} from {newer.old} to {newer.new}",
                   f"its {newer.old} costs {money(use.monthly)} a month; {newer.new} lists at {_percent(newer)} less",
                   newer.confidence, _saving(newer, use.monthly), use.monthly, use.service, use.resource,
                   resource.account if resource else "", resource.region if resource else "", name)


def _together(newer: Newer, service: str, ones: List[Use]) -> Finding:
    cost = sum((use.monthly for use in ones), Decimal(0))
    named = sum(1 for use in ones if use.resource)
    what = f"the other {numbered(named, 'resource')}" if named else "what runs"
    return Finding(newer.kind, f"Move {what} on {newer.old} to {newer.new}",
                   f"{newer.old} costs {money(cost)} a month there; {newer.new} lists at {_percent(newer)} less",
                   newer.confidence, _saving(newer, cost), cost, service)


def _saving(newer: Newer, cost: Decimal) -> Decimal:
    return (cost * newer.share).quantize(Decimal("0.01"))


def _percent(newer: Newer) -> str:
    return f"{newer.share * 100:.0f} %"
