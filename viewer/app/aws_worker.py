"""The AWS process: reads a bill once, holds it, answers questions about it, and writes its reports when asked to.

It is a process of its own, so that a large bill holds up neither the server nor the counting of calls. A source that
is asked over the network is asked only when reports are asked for; questions are answered from what was loaded then.
It talks through one pipe, in tuples whose first item says what they are.
"""
from __future__ import annotations

import os
import signal
import time
from typing import Any, Dict, NamedTuple, Optional

from app.messages import CSV_TYPE, HTML_TYPE, JSON_TYPE, json_bytes
from app.worker import NICENESS, end_with_parent
from aws.asking import Choice
from aws.cost_service import AWSCostService
from aws.explorer import Question, answer, choices, columns_of, page_of
from aws.loading import loaded
from aws.reports.base import Study, every_report
from aws.reports.writing import write_reports
from aws.sources.base import Source, SourceOptions, discover_sources
from aws.utils import as_csv
from calls.values import format_timestamp
from config import Settings, today
from errors import FinOpsError, UsageError
from generators.site import Site

# To the process.
WRITE, ASK, STOP = "write", "ask", "stop"
# From the process.
DOING, READY, WRITTEN, ANSWERED = "doing", "ready", "written", "answered"
COSTS, CSV_ROWS, CHOICES, PAGE = FORMS = ("costs", "csv", "choices", "page")
NOT_LOADED = 409  # the status of a question to what nobody has loaded
LIVE = "live"


class AwsOptions(NamedTuple):
    """Which bill is shown: a source's id and path, the folder of reports, and the seed of a simulated company."""

    source: str
    path: str
    reports: str
    seed: int


class Reply(NamedTuple):
    """The body of an answer and its type, or a status and a reason."""

    body: bytes
    content_type: str
    status: int = 200


def work_on_aws(options: AwsOptions, connection: Any, settings: Settings, parent: int) -> None:
    """Be the process until the other end of the pipe closes."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the server says when to end
    end_with_parent(parent)
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    try:
        AwsWorker(options, connection, settings).serve()
    except (EOFError, OSError):
        pass  # nobody is left to be told


class AwsWorker:
    """Loads, answers and writes, one after the other."""

    def __init__(self, options: AwsOptions, connection: Any, settings: Settings) -> None:
        """Read nothing yet."""
        self._options, self._connection, self._settings = options, connection, settings
        self._held: Optional[Source] = None
        self._told_at = 0.0

    def serve(self) -> None:
        """Do what comes through the pipe until it ends."""
        while True:
            kind, *rest = self._connection.recv()
            if kind == STOP:
                return
            if kind == WRITE:
                self._write(*rest)
            else:
                self._connection.send((ANSWERED, rest[0], self._reply(*rest[1:])))

    def _write(self, choice: Choice) -> None:
        """Load anew and write all reports; what went wrong is told in a sentence, or a report's own."""
        failures: Dict[str, str] = {}
        error = ""
        try:
            source = self._source()
            study = Study(AWSCostService(source, choice), self._settings)
            outcomes = write_reports(study, self._options.reports, _now(), self._tell)
            failures = {one.id: one.error for one in outcomes}
            self._held = loaded(source, self._tell)
            self._connection.send((READY, study.bill()))
        except FinOpsError as problem:
            error = str(problem)
        except Exception as problem:  # noqa: BLE001 (the process goes on answering from what it holds)
            error = f"unexpected {type(problem).__name__}: {problem}"
        self._connection.send((WRITTEN, error, failures))

    def _reply(self, form: str, question: Question) -> Reply:
        try:
            return self._answer(form, question)
        except UsageError as problem:
            return Reply(str(problem).encode("utf-8"), "", 404)  # well written, but not in this bill
        except FinOpsError as problem:
            return Reply(str(problem).encode("utf-8"), "", 503)
        except Exception as problem:  # noqa: BLE001 (one question's failure is no end)
            return Reply(f"unexpected {type(problem).__name__}: {problem}".encode(), "", 500)

    def _answer(self, form: str, question: Question) -> Reply:
        if self._held is None:
            if self._options.source == LIVE:
                return Reply(b"nothing is loaded yet: ask for the AWS reports first, which asks AWS", "", NOT_LOADED)
            source = self._source()
            self._held = loaded(source, self._tell)
            self._connection.send((READY, Study(AWSCostService(source), self._settings).bill()))
        if form == CHOICES:
            return Reply(json_bytes(choices(self._held)), JSON_TYPE)
        if form == COSTS:
            return Reply(json_bytes(answer(self._held, question)), JSON_TYPE)
        if form == CSV_ROWS:
            rows = answer(self._held, question)["rows"]
            return Reply(as_csv(rows, columns_of(question)).encode("utf-8", "backslashreplace"), CSV_TYPE)
        return Reply(self._page(question).encode("utf-8", "backslashreplace"), HTML_TYPE)

    def _page(self, question: Question) -> str:
        assert self._held is not None
        page, results = page_of(self._held, question)
        return Site(self._options.reports, [*every_report(), page], _now(), [page.id]).draw(page, results)

    def _source(self) -> Source:
        found = discover_sources()
        options = SourceOptions(today(self._settings), self._options.path, self._options.seed)
        return found[self._options.source](options, self._tell)

    def _tell(self, what: str, share: float) -> None:
        now = time.monotonic()
        if now - self._told_at > 0.1:
            self._told_at = now
            self._connection.send((DOING, what, share))


def _now() -> str:
    return format_timestamp(int(time.time() * 1000))
