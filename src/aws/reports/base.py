"""The contract of a report on AWS cost, what all of them share, and how they are found."""
from __future__ import annotations

from decimal import Decimal
from typing import Any, Dict, List, Optional, Tuple, Type, Union

import aws.reports
from analyzers.base import discover_analyzers
from aws.cost_service import AWSCostService
from aws.insights.ahead import Ahead, derived_budget, look_ahead, month_by_aws
from aws.insights.discounts import load_discounts
from aws.insights.findings import Examined, Finding, examine
from aws.parts import Known
from blocks import Block, Card, in_currency
from config import Settings
from discovery import discover

AWS = "AWS"
MOST_RECOMMENDED = 8

Results = Dict[str, Any]


class Study:
    """One look at one source, which all reports share: what was asked and found is not asked and found again."""

    def __init__(self, service: AWSCostService, settings: Settings, budget: Optional[Decimal] = None) -> None:
        """Remember whom to ask; `budget` is a month's, None takes that of the settings, where one is set."""
        self.service, self.settings = service, settings
        self.set_budget = budget or (Decimal(str(settings.aws_budget_usd)) if settings.aws_budget_usd > 0 else None)
        self.discounts = load_discounts(settings.aws_discounts_path)  # here, so that a wrong file ends the whole run
        self.written: Optional[Results] = None  # what a model wrote, where it was asked
        self._ahead: Optional[Ahead] = None
        self._month_by_aws: Known = None
        self._has_asked_aws = False  # where it foretells nothing, asking again would be paid for again
        self._examined: Optional[Examined] = None

    @property
    def ahead(self) -> Ahead:
        """Return the forecast."""
        if self._ahead is None:
            self._ahead = look_ahead(self.service)
        return self._ahead

    @property
    def month_by_aws(self) -> Known:
        """Return what the month comes to by AWS's own forecast; None where there is none."""
        if not self._has_asked_aws:
            self._has_asked_aws, self._month_by_aws = True, month_by_aws(self.service)
        return self._month_by_aws

    @property
    def budget(self) -> Optional[Decimal]:
        """Return the month's budget: the one that is set, else last month's cost and a tenth."""
        return self.set_budget or derived_budget(self.ahead.last_month)

    @property
    def examined(self) -> Examined:
        """Return what the rules found."""
        if self._examined is None:
            self._examined = examine(self.service, self.settings, self.budget)
        return self._examined

    @property
    def saving(self) -> Decimal:
        """Return what all findings save in a month."""
        return sum((one.saving for one in self.examined.findings if one.saving), Decimal(0))

    def bill(self) -> Results:
        """Return what every page says of its bill: whose it is, which days, metric and currency, what asking cost."""
        service, source = self.service, self.service.source
        first, last = service.days
        return {"source": source.id, "name": source.title, "first": first.isoformat(), "last": last.isoformat(),
                "complete_last": service.complete_last.isoformat(), "metric": service.choice.metric,
                "currency": service.currency, "providers": source.providers(first, last),
                "filters": {name: list(values) for name, values in service.choice.where.items()},
                "asking": source.spending()}


class AwsReport:
    """Base of the reports: a subclass sets what the index tells of it, `page`, and overrides `examine`."""

    id = ""
    title = ""
    description = ""
    category = AWS
    world = "aws"
    rank = 100
    page: Tuple[Block, ...] = ()
    highlights: Tuple[Union[Card, Block], ...] = ()

    def __init__(self, study: Study) -> None:
        """Remember what to report on."""
        self.study, self.service = study, study.service

    def analyze(self) -> Results:
        """Return the results as plain data: the report's sections, `recommendations`, `bill` and `notes`."""
        with in_currency(self.service.currency):
            results = self.examine()
            results["recommendations"] = recommended(results.get("recommendations", []))
        results["bill"] = self.study.bill()
        results["notes"] = list(self.service.notes)
        return results

    def examine(self) -> Results:
        """Return the report's sections; `recommendations` is a list of `Finding`."""
        raise NotImplementedError


def recommended(findings: List[Finding]) -> List[Results]:
    """Return findings as what to do, the most dollars first."""
    return [{"action": one.action, "monthly_usd": one.saving,
             "evidence": one.evidence + (f" ({one.overlap})" if one.overlap else ""), "confidence": one.confidence}
            for one in findings]


def discover_reports() -> Dict[str, Type[AwsReport]]:
    """Return the reports on AWS cost by id, in the order of their rank."""
    return discover(aws.reports, AwsReport)


def every_report() -> List[Any]:
    """Return all reports that a folder may hold: those on calls, then those on AWS cost."""
    return [*discover_analyzers().values(), *discover_reports().values()]
