"""AWS itself: Cost Explorer for costs, and the services' own APIs for what stands in the accounts."""
from __future__ import annotations

import threading
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Tuple

from aws.charges import METRICS
from aws.live.answers import Answer, Cell, lost_cells, rows_of
from aws.live.cache import AnswerCache
from aws.live.connections import Account, Connections
from aws.live.costing import ResourceCosts
from aws.live.explorer import Explorer
from aws.live.failures import DENIED, Failure
from aws.live.inventory import look_around
from aws.live.measures import measured
from aws.live.meter import Meter
from aws.live.patience import Surroundings
from aws.live.question import ForecastQuestion, Question, conditions_of, question_of
from aws.queries import MONTHLY, MOST_GROUPS, CostQuery, Costs, checked_dimension, checked_query
from aws.sources.base import Inventory, Progress, Source, SourceOptions
from config import load_settings
from errors import UsageError

MONTHS_KEPT = 13  # before the current one, that Cost Explorer tells of
RESOURCE_DAYS = 14  # up to today, for which it tells single resources
_DRY = "This was a dry run: what is not kept from an earlier look is missing."


class LiveSource(Source):
    """Costs as Cost Explorer answers them, kept on the disk so that the same question is paid for once."""

    id = "live"
    title = "AWS itself"
    description = "Cost Explorer ($0.01 a request, kept and counted) and what stands in the accounts, through boto3"

    def __init__(self, options: SourceOptions, progress: Progress = lambda what, share: None,
                 surroundings: Optional[Surroundings] = None) -> None:
        """Remember how to ask; time and chance may be handed in."""
        super().__init__(options, progress)
        self._surroundings = surroundings or Surroundings()
        self._meter = Meter(options.max_api_calls, options.dry_run)
        self._connections = Connections(options, self._meter, self._surroundings)
        self._explorer: Optional[Explorer] = None
        self._accounts: List[Account] = []
        self._notes: List[str] = []
        self._lock = threading.RLock()  # two questions at once find the accounts only once

    def period(self) -> Tuple[date, date]:
        """Return the first day that Cost Explorer keeps, and today."""
        today = self.options.today
        months = today.year * 12 + today.month - 1 - MONTHS_KEPT
        return date(months // 12, months % 12 + 1, 1), today

    def metrics(self) -> Tuple[str, ...]:
        """Return all metrics: one request brings them together."""
        return METRICS

    def costs(self, query: CostQuery) -> Costs:
        """Answer a query of at most two groups; raises `UsageError` for more, and for resources of older days."""
        checked_query(query)
        if len(query.group_by) > MOST_GROUPS:
            raise UsageError(f"{len(query.group_by)} dimensions to group by: Cost Explorer takes {MOST_GROUPS}")
        for name in (*query.group_by, *query.where, *query.without):
            if name == "provider":
                raise UsageError("Cost Explorer knows AWS's charges alone, and no provider to group or filter by")
        self._check_resource_days(query)
        held = self.period()
        first, last = max(query.first, held[0]), min(query.last, held[1])
        notes = [f"Cost Explorer tells of {held[0]} to {held[1]}; other days are missing."
                 ] if (first, last) != (query.first, query.last) else []
        if first > last:
            return Costs(query, "USD", (), tuple(notes))
        question = question_of(query, first, last)
        if question.operation.name.endswith("WithResources") and not question.conditions:
            question = self._within_services(question)
        answer = self.explorer.answer(question)
        lost = self._lost(query, answer)
        notes += self._notes + self.explorer.notes + ([_DRY] if self.options.dry_run else [])
        return Costs(query, answer.currency, rows_of(query, answer, lost), tuple(notes))

    def values(self, dimension: str, first: date, last: date) -> List[str]:
        """Return the values of a dimension in a period: of costs that the reports ask for anyway, mostly."""
        rows = self.costs(CostQuery(first, last, MONTHLY, group_by=(checked_dimension(dimension),))).rows
        return sorted({row.keys[0] for row in rows})

    def tag_keys(self, first: date, last: date) -> List[str]:
        """Return the keys of cost allocation tags; none, and a note in later answers, where that is denied."""
        held = self.period()
        try:
            return self.explorer.tag_keys(max(first, held[0]), min(last, held[1]))
        except Failure as error:
            if error.kind != DENIED:
                raise
            self._note(f"Tags are not told, since {error}.")
            return []

    def inventory(self, first: date, last: date) -> Inventory:
        """Return what stands in the accounts, with what it cost; what could not be asked is in the notes."""
        costs = ResourceCosts(self.costs, self.resource_period(), first, last)
        found = Inventory((), (_DRY,)) if self.options.dry_run else self._found(first, last)
        resources = costs.of(found.resources)
        return Inventory(tuple(resources), found.notes + tuple(costs.notes) + tuple(self._notes))

    def forecast(self, last: date, metric: str, where: Mapping[str, Tuple[str, ...]]) -> Optional[Decimal]:
        """Return what Cost Explorer foretells; None, and a note in later answers, where it does not."""
        query = CostQuery(self.options.today, last, metrics=(metric,), where=where)
        try:
            return self.explorer.forecast(ForecastQuestion(query.first, last, metric, conditions_of(query)))
        except Failure as error:  # an extra beside our own forecast, which stands without it
            self._note(f"AWS's own forecast is not told, since {error}.")
            return None

    def spending(self) -> Dict[str, int]:
        """Return how many requests were paid, answered from what was kept, and repeated, and the cents of it."""
        return self._meter.spending()

    @property
    def explorer(self) -> Explorer:
        """Return Cost Explorer, with the accounts found at the first question."""
        with self._lock:
            if self._explorer is None:
                accounts = self._all_accounts()
                folder = Path(self.options.cache or load_settings().aws_cache_path)
                self._explorer = Explorer(self._connections, accounts, AnswerCache(folder, self._surroundings.now),
                                          self._meter, self.options.endpoint_url)
            return self._explorer

    def resource_period(self) -> Tuple[date, date]:
        """Return the days for which Cost Explorer tells single resources, where the account has that on."""
        return self.options.today - timedelta(days=RESOURCE_DAYS - 1), self.options.today

    def _found(self, first: date, last: date) -> Inventory:
        accounts = self._all_accounts()
        found = look_around(self._connections, accounts, self.progress)
        resources, notes = measured(self._connections, accounts, found.resources, first, last)
        return Inventory(tuple(resources), found.notes + tuple(notes))

    def _all_accounts(self) -> List[Account]:
        with self._lock:
            if not self._accounts:
                self._accounts, notes = self._connections.accounts()
                for note in notes:
                    self._note(note)
            return self._accounts

    def _lost(self, query: CostQuery, answer: Answer) -> List[Cell]:
        """Return what the whole has beyond an answer by account; paid for only where nothing is filtered."""
        asked = answer.question
        if "account" not in query.group_by or "resource" in query.group_by or any(
                "account" in held for held in (query.where, query.without)):
            return []
        rest = query._replace(group_by=tuple(name for name in query.group_by if name != "account"))
        question = question_of(rest, max(query.first, asked.first), min(query.last, asked.last))
        # What AWS loses are support and taxes, which a filter mostly leaves out.
        whole = self.explorer.known(question) if question.conditions else self.explorer.answer(question)
        return lost_cells(query, answer, whole) if whole else []

    def _within_services(self, question: Question) -> Question:
        """Narrow a question by the services that there are: AWS answers for resources only with a filter."""
        services = tuple(self.values("service", question.first, question.last))
        return question._replace(conditions=frozenset({("service", True, services)})) if services else question

    def _check_resource_days(self, query: CostQuery) -> None:
        names = {*query.group_by, *query.where, *query.without}
        first, last = self.resource_period()
        if "resource" in names and (query.first < first or query.last > last):
            raise UsageError(f"Cost Explorer tells single resources from {first} to {last} only: ask for these days, "
                             "or read an export")

    def _note(self, note: str) -> None:
        self._notes += [note] if note not in self._notes else []
