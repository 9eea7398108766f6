"""Cost Explorer, asked as seldom as can be: answers in memory, then those on the disk, then AWS itself."""
from __future__ import annotations

import threading
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

from aws.live.answers import Answer, read_answer, read_forecast
from aws.live.cache import AnswerCache, Page
from aws.live.connections import Account, Connections, Place
from aws.live.meter import Meter
from aws.live.operations import GET_FORECAST, GET_TAGS, Operation
from aws.live.question import ForecastQuestion, Question
from errors import AwsError


class Explorer:
    """Answers questions of cost for some accounts together; requests go one after the other, as AWS wants them.

    `notes` say in sentences what could not be done. In a dry run, answers that are not kept are counted and empty.
    """

    def __init__(self, connections: Connections, accounts: Sequence[Account], cache: AnswerCache, meter: Meter,
                 endpoint: str = "") -> None:
        """Begin with nothing asked; `endpoint` keeps a stand-in's answers apart from those of AWS."""
        self.notes: List[str] = []
        self._connections = connections
        self._accounts = accounts
        self._cache = cache
        self._meter = meter
        self._endpoint = endpoint
        self._answers: List[Answer] = []
        self._tags: Dict[Any, List[str]] = {}
        self._lock = threading.RLock()

    def answer(self, question: Question) -> Answer:
        """Return an answer that covers a question: the question's own, or a wider one that is there already."""
        with self._lock:
            known = self.known(question)
            if known:
                return known
            answer = read_answer(question, self._items(question.operation, question.parameters))
            self._answers.append(answer)
            return answer

    def known(self, question: Question) -> Optional[Answer]:
        """Return an answer that covers a question, if one was given before."""
        with self._lock:
            for one in self._answers:
                if one.question.covers(question):
                    self._meter.count("cached_answers")
                    return one
        return None

    def tag_keys(self, first: date, last: date) -> List[str]:
        """Return the keys of tags on charges of a period."""
        with self._lock:
            if (first, last) not in self._tags:
                asked = {"TimePeriod": {"Start": first.isoformat(), "End": (last + timedelta(days=1)).isoformat()}}
                self._tags[first, last] = sorted({key for account in self._accounts
                                                  for page in self._pages(account, GET_TAGS, asked)
                                                  for key in page.get("Tags", ()) if key})
            return self._tags[first, last]

    def forecast(self, question: ForecastQuestion) -> Optional[Decimal]:
        """Return what AWS itself foretells, the accounts together; None in a dry run."""
        with self._lock:
            return read_forecast(self._items(GET_FORECAST, question.parameters))

    def _items(self, operation: Operation, parameters: Callable[[str], Mapping[str, Any]]) -> List[Page]:
        """Return the items of all accounts, each asked for its own: a payer's answer would hold its members' again."""
        own = len(self._accounts) > 1
        return [item for account in self._accounts
                for page in self._pages(account, operation, parameters(account.id if own else ""))
                for item in page.get(operation.items, ())]

    def _pages(self, account: Account, operation: Operation, parameters: Mapping[str, Any]) -> List[Page]:
        question = {"operation": operation.name, "account": account.id, "endpoint": self._endpoint,
                    "parameters": parameters}
        kept: Optional[List[Page]] = self._cache.get(question)
        if kept is not None:
            self._meter.count("cached_answers")
            return kept
        if self._meter.dry:
            self._meter.count("would_be_paid_at_least")
            return []
        pages = [{operation.items: page.get(operation.items, [])} for page in self._connections.pages(
            operation, Place(account, self._connections.home), parameters)]
        try:
            self._cache.keep(question, pages, final=_is_final(pages))
        except AwsError as error:
            note = f"The next look costs as much again, since {error}."
            self.notes += [note] if note not in self.notes else []
        return pages


def _is_final(pages: Sequence[Page]) -> bool:
    """Tell whether nothing in an answer may still change; one without periods may."""
    periods = [period for page in pages for period in page.get("ResultsByTime", ())]
    return bool(periods) and not any(period.get("Estimated", True) for period in periods)
