"""The contract of a rule: `Insight`, `Finding`, the scene it looks at, and the purse that counts no dollar twice."""
from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple, Type

import aws.insights
from analyzers.base import HIGH, LOW, MEDIUM
from analyzers.common import LONGEST_PERIOD
from analyzers.wording import money
from aws.asking import cost_of
from aws.charges import USAGE
from aws.cost_service import AWSCostService
from aws.insights.discounts import load_discounts
from aws.parts import NO_SERVICES
from aws.queries import DAILY, MONTHLY, CostRow
from aws.sources.base import Resource
from aws.utils import monthly_amount
from blocks import in_currency
from config import Settings, load_settings
from discovery import discover
from errors import UsageError

LEAST_SAVING = Decimal("1.00")  # a month; less is not worth anybody's look
LEAST_LEFT = Decimal("0.5")  # of a finding's saving: where others took more of it, it is told as overlapping
NOTHING = Decimal(0)
CONFIDENCES = (HIGH, MEDIUM, LOW)


class Finding(NamedTuple):
    """What a rule found: what to do, on which evidence, how sure, and its dollars a month.

    `saving` is what doing it saves in a month, None where it saves nothing by itself; `at_stake` is the cost in a month
    of what it is about (for a spike: what it cost beyond the usual). `overlap` says why a saving is less than the
    rule itself would say, or none: another finding has counted it.
    """

    kind: str
    action: str
    evidence: str
    confidence: str
    saving: Optional[Decimal] = None
    at_stake: Optional[Decimal] = None
    service: str = ""
    resource: str = ""
    account: str = ""
    region: str = ""
    name: str = ""
    overlap: str = ""
    rule: str = ""

    def as_data(self) -> Dict[str, Any]:
        """Return the finding as a row, its saving as dollars a month."""
        row: Dict[str, Any] = dict(self._asdict())
        row["monthly_usd"] = row.pop("saving")
        return row


class Standing(NamedTuple):
    """A resource and what it costs in a month, at its cost of late; None is unknown."""

    resource: Resource
    monthly: Optional[Decimal]


class Scene:
    """What rules look at: the costs of all chosen days (`whole`), those of late (`recent`), and resources.

    `recent` are the last complete days, at most 30; `days` is how many. `budget` is a month's, None where none is set.
    `discounts` are AWS's list prices, or what the settings' file says.
    """

    def __init__(self, service: AWSCostService, settings: Settings, budget: Optional[Decimal]) -> None:
        """Take the last complete days for recent ones; all of a choice that has no complete day."""
        self.whole, self.settings, self.budget = service, settings, budget
        first, last = service.days
        last = max(first, service.complete_last)
        first = max(first, last - timedelta(days=LONGEST_PERIOD - 1))
        self.recent = AWSCostService(service.source, service.choice._replace(first=first, last=last))
        self.recent.notes = service.notes  # one list: what is missing is told once, wherever it was met
        self.days = (last - first).days + 1
        self.discounts = load_discounts(settings.aws_discounts_path)
        self._standing: Optional[List[Standing]] = None

    def monthly(self, cost: Decimal) -> Decimal:
        """Return what a cost of the recent days comes to in a month."""
        return monthly_amount(cost, self.days, self.settings.month_days)

    @property
    def resources(self) -> List[Standing]:
        """Return the resources of late, the dearest first."""
        if self._standing is None:
            found = [Standing(one, None if one.cost is None else self.monthly(one.cost))
                     for one in self.recent.resource_costs()]
            self._standing = sorted(found, key=lambda one: (-(one.monthly or NOTHING), one.resource.id))
        return self._standing

    def of_kind(self, *kinds: str) -> Iterator[Standing]:
        """Yield the resources of some kinds."""
        return (one for one in self.resources if one.resource.kind in kinds)

    def costs(self, *group_by: str, without: Tuple[str, ...] = ()) -> List[CostRow]:
        """Return recent costs of services by some dimensions, a row each, without tax, credits and refunds.

        `without` are further record types to leave out. Nothing where the source knows none of the dimensions.
        """
        try:
            rows = self.recent.ask(MONTHLY, group_by, without={"record_type": NO_SERVICES + without}).rows
        except UsageError:
            return []
        found: Dict[Tuple[str, ...], List[CostRow]] = {}
        for row in rows:
            found.setdefault(row.keys, []).append(row)
        return [ones[0]._replace(last=ones[-1].last, amounts=(cost_of(ones),)) for ones in found.values()]


    def daily_usage(self) -> List[CostRow]:
        """Return recent costs of usage by day, service and usage type; nothing where the source does not know them."""
        try:
            return list(self.recent.ask(DAILY, ("service", "usage_type"), where={"record_type": (USAGE,)}).rows)
        except UsageError:
            return []


class Purse:
    """What is left to be saved of each service and resource, in dollars a month: a finding takes out what it saves."""

    def __init__(self, services: Mapping[str, Decimal], resources: Mapping[Tuple[str, str], Decimal]) -> None:
        """Begin with the monthly costs of services, and of (service, resource)."""
        self._services, self._resources = dict(services), dict(resources)

    def left(self, service: str, resource: str = "") -> Decimal:
        """Return what can still be saved; nothing of what has no known cost."""
        left = self._services.get(service, NOTHING)
        return max(NOTHING, min(left, self._resources.get((service, resource), NOTHING)) if resource else left)

    def offer(self, finding: Finding) -> Finding:
        """Return the finding with what it can save beside those that were taken before."""
        if finding.saving is None or not finding.service:
            return finding
        granted = min(finding.saving, self.left(finding.service, finding.resource))
        if granted == finding.saving:
            return finding
        return finding._replace(saving=granted, overlap=f"by itself it would save {money(finding.saving)} a month: "
                                "other findings count the rest")

    def take(self, finding: Finding) -> None:
        """Take out what a finding saves, so that no other counts it."""
        if finding.saving is None or not finding.service:
            return
        key = (finding.service, finding.resource)
        if finding.resource:
            self._resources[key] = self._resources.get(key, NOTHING) - finding.saving
        self._services[finding.service] = self._services.get(finding.service, NOTHING) - finding.saving


class Insight:
    """Base of all rules: a subclass sets `id`, `title`, `description` and `rank`, and overrides `find`.

    Rules run in the order of their rank, what removes something before what makes it cheaper. `kinds` names the kinds
    of findings it can have, in words.
    """

    id = ""
    title = ""
    description = ""
    rank = 100
    kinds: Mapping[str, str] = {}

    def find(self, scene: Scene, purse: Purse) -> Iterator[Finding]:
        """Yield what is found; `purse` tells what those before have left."""
        raise NotImplementedError


class Examined(NamedTuple):
    """All findings, the most dollars first; those that others count already; and the monthly cost they are of."""

    findings: List[Finding]
    overlapping: List[Finding]
    monthly_cost: Decimal
    scene: Scene


def discover_insights() -> Dict[str, Type[Insight]]:
    """Return all rules by id, in the order of their rank: every file below `aws/insights/` is one or more."""
    return discover(aws.insights, Insight)


def kinds_of_findings() -> Dict[str, str]:
    """Return all kinds of findings with their names."""
    return {kind: name for rule in discover_insights().values() for kind, name in rule.kinds.items()}


def examine(service: AWSCostService, settings: Optional[Settings] = None,
            budget: Optional[Decimal] = None) -> Examined:
    """Run all rules; savings never come to more than the resource or the service costs."""
    scene = Scene(service, settings or load_settings(), budget)
    services = _by_service(scene)
    purse = Purse(services, {(one.resource.service, one.resource.id): one.monthly for one in scene.resources
                             if one.monthly is not None})
    kept: List[Finding] = []
    overlapping: List[Finding] = []
    with in_currency(service.currency):
        for rule in discover_insights().values():
            for found in rule().find(scene, purse):
                finding = purse.offer(found._replace(rule=rule.id))
                if _is_worth_telling(found, finding):
                    purse.take(finding)
                    kept.append(finding)
                elif found.saving is None or found.saving >= LEAST_SAVING:
                    overlapping.append(finding)
    kept.sort(key=lambda one: (-(one.saving or NOTHING), -(one.at_stake or NOTHING), one.kind, one.resource))
    return Examined(kept, overlapping, sum(services.values(), NOTHING), scene)


def _is_worth_telling(found: Finding, offered: Finding) -> bool:
    if found.saving is None or offered.saving is None:
        return True
    return offered.saving >= LEAST_SAVING and offered.saving >= LEAST_LEFT * found.saving


def _by_service(scene: Scene) -> Dict[str, Decimal]:
    return {row.keys[0]: scene.monthly(row.amounts[0]) for row in scene.costs("service")
            if row.amounts[0] is not None and row.amounts[0] > 0}
