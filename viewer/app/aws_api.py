"""The endpoints of AWS cost: what can be asked, questions to the loaded bill, the explorer's page, and the job."""
from __future__ import annotations

import re
from datetime import date
from typing import Dict, Optional, Tuple

from app.aws_desk import AwsDesk
from app.aws_worker import CHOICES, COSTS, CSV_ROWS, PAGE
from app.files import packed
from app.messages import Refusal, Request, Response, as_json
from app.pages import respond
from app.queries import CSV, FORMS, JSON
from app.routes import Parameters, Route
from app.status import StatusBoard
from aws.asking import Choice
from aws.charges import COST_METRICS, UNBLENDED
from aws.cost_service import NONE
from aws.explorer import DEFAULT_ROWS, FILTERS, MOST_NAMES, MOST_ROWS, ExplorerPage, Question
from aws.queries import MONTHLY, TAG
from config import parse_date
from errors import UsageError
from generators.html_generator import policy

ASKED = ("first", "last", "granularity", "metric", "group_by", "service*", "account*", "region*", "tag*")


class AwsApi:
    """The handlers."""

    def __init__(self, desk: AwsDesk, board: StatusBoard) -> None:
        """Hold what they work with."""
        self._desk, self._board = desk, board
        self._policy = f"{policy(ExplorerPage.forms)}; frame-ancestors 'none'"

    def routes(self) -> Tuple[Route, ...]:
        """Return the routes of all endpoints; the explorer stands beside the reports that it links to."""
        return (Route("GET", "/api/aws/choices", self.choices),
                Route("GET", "/api/aws/costs", self.costs, ASKED + ("format", "limit")),
                Route("POST", "/api/aws/reports", self.write, ("first", "last", "metric")),
                Route("GET", f"/reports/html/{ExplorerPage.id}.html", self.page, ASKED))

    def choices(self, request: Request, given: Parameters) -> Response:
        """Return the days, dimensions, metrics and values of the bill."""
        reply = self._desk.ask(CHOICES, Question())
        return respond(packed(reply.body, reply.content_type))

    def costs(self, request: Request, given: Parameters) -> Response:
        """Return costs by some dimensions, as JSON or CSV."""
        form, limit = given.text("format", JSON), given.text("limit", str(DEFAULT_ROWS))
        if form not in FORMS:
            raise Refusal(400, f"format is one of {', '.join(FORMS)}")
        if not re.fullmatch(r"[0-9]{1,9}", limit) or not 1 <= int(limit) <= MOST_ROWS:
            raise Refusal(400, f"limit is a whole number from 1 to {MOST_ROWS}")
        question = read_question(given)._replace(limit=int(limit))
        reply = self._desk.ask(CSV_ROWS if form == CSV else COSTS, question)
        response = respond(packed(reply.body, reply.content_type))
        if form == CSV:
            return Response(200, response.body, response.content_type, {
                "Content-Disposition": 'attachment; filename="aws_costs.csv"'}, response.etag, response.gzipped)
        return response

    def page(self, request: Request, given: Parameters) -> Response:
        """Return the page of an answer, with a form for the next question."""
        reply = self._desk.ask(PAGE, read_question(given))
        return respond(packed(reply.body, reply.content_type), self._policy)

    def write(self, request: Request, given: Parameters) -> Response:
        """Have the bill read anew and its reports written."""
        metric = given.text("metric", UNBLENDED)
        if metric not in COST_METRICS:
            raise Refusal(400, f"metric is one of {', '.join(COST_METRICS)}")
        choice = Choice(_day(given, "first"), _day(given, "last"), metric)
        job = self._desk.write(choice)
        self._board.touch()
        return as_json({"job": job.describe()}, 202)


def read_question(given: Parameters) -> Question:
    """Read what a request asks of the bill; raises `Refusal` (400) for what is written wrongly.

    What the bill does not know is told by the process that holds it.
    """
    names = tuple(one.strip() for one in given.text("group_by", "service").split(",") if one.strip())
    if len(names) > MOST_NAMES or len(set(names)) < len(names):
        raise Refusal(400, f"group_by takes at most {MOST_NAMES} dimensions, each once")
    where: Dict[str, Tuple[str, ...]] = {}
    for name in FILTERS:
        # An empty text is none: forms sent it for "all". What has no value is asked for by the word that answers use.
        values = tuple("" if value == NONE else value for value in given.texts(name) if value)
        if values:
            where[name] = values
    for pair in given.texts("tag"):
        key, colon, value = pair.partition(":")
        if not colon:
            raise Refusal(400, "tag is written as key:value, like tag=team:web")
        where[TAG + key] = where.get(TAG + key, ()) + (value,)
    return Question(_day(given, "first"), _day(given, "last"), given.text("granularity", MONTHLY),
                    given.text("metric", UNBLENDED), names, where)


def _day(given: Parameters, name: str) -> Optional[date]:
    try:
        return parse_date(given.text(name), name) if name in given.values else None
    except UsageError as error:
        raise Refusal(400, str(error)) from None
