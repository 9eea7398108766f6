"""The endpoints below /api, /health and /metrics."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

from app.files import packed
from app.jobs import Job
from app.messages import JSON_TYPE, Refusal, Request, Response, as_json, json_bytes
from app.metering import Metering
from app.metrics import METRICS_TYPE, Meter
from app.pages import Pages, respond
from app.queries import CSV, DEFAULT_ROWS, JSON, parse_question
from app.regeneration import Regenerator
from app.routes import Parameters, Route
from app.simulators import LIMITS, PARAMETERS, Simulators, read_wish
from app.status import StatusBoard
from app.watcher import MEGABYTE
from calls.values import format_timestamp
from config import Settings

OPENAPI = Path(__file__).resolve().parent / "openapi.json"
_NOT_LOGS = (".rejected.csv",)


class Services(NamedTuple):
    """What the endpoints work with."""

    settings: Settings
    board: StatusBoard
    regenerator: Regenerator
    simulators: Simulators
    pages: Pages
    meter: Meter
    scenarios: Sequence[Any]
    metering: Metering


class Api:
    """The handlers."""

    def __init__(self, services: Services) -> None:
        """Hold what they work with."""
        self._with = services
        document = json.loads(OPENAPI.read_text(encoding="utf-8"))
        schemas = document["components"]["schemas"]
        schemas["AnalyzerId"]["enum"] = list(services.regenerator.ids)
        schemas["ScenarioId"]["enum"] = [one.id for one in services.scenarios]
        self._openapi = packed(json_bytes(document), JSON_TYPE)

    def routes(self) -> Tuple[Route, ...]:
        """Return the routes of all endpoints."""
        return (
            Route("GET", "/health", self.health, is_open=True),
            Route("GET", "/metrics", self.metrics),
            Route("GET", "/api/status", self.status),
            Route("GET", "/api/openapi.json", self.openapi),
            Route("GET", "/api/results/{id}", self.results),
            Route("GET", "/api/rollup", self.rollup, ("by", "where*", "format", "limit")),
            Route("GET", "/api/csv-files", self.csv_files),
            Route("GET", "/api/scenarios", self.scenarios),
            Route("POST", "/api/run-analyzer", self.run_analyzer, ("id",)),
            Route("POST", "/api/run-all-analyzers", self.run_all_analyzers),
            Route("POST", "/api/run-simulators", self.run_simulators, PARAMETERS),
            Route("POST", "/api/stop-simulators", self.stop_simulators),
            Route("POST", "/api/load-csv", self.load_csv, ("name",)))

    def health(self, request: Request, given: Parameters) -> Response:
        """Say that the server answers."""
        return as_json({"status": "ok"})

    def metrics(self, request: Request, given: Parameters) -> Response:
        """Return counters for Prometheus."""
        return Response(200, self._with.meter.text().encode("utf-8"), METRICS_TYPE)

    def status(self, request: Request, given: Parameters) -> Response:
        """Return the status."""
        return respond(self._with.board.served())

    def openapi(self, request: Request, given: Parameters) -> Response:
        """Return the description of all this."""
        return respond(self._openapi)

    def results(self, request: Request, given: Parameters) -> Response:
        """Return an analyser's results, as on disk."""
        return self._with.pages.results_of(given.text("id") + ".json")

    def rollup(self, request: Request, given: Parameters) -> Response:
        """Return counts by some dimensions."""
        try:
            question = parse_question(given.text("by"), given.texts("where"), given.text("format", JSON),
                                      given.text("limit", str(DEFAULT_ROWS)))
        except (ValueError, LookupError) as error:
            raise Refusal(400 if isinstance(error, ValueError) else 404, str(error)) from None
        response = respond(packed(*self._with.regenerator.question(question)))
        if question.form != CSV:
            return response
        return Response(200, response.body, response.content_type, {
            "Content-Disposition": 'attachment; filename="rollup.csv"'}, response.etag, response.gzipped)

    def csv_files(self, request: Request, given: Parameters) -> Response:
        """List the logs that can be loaded."""
        watched = self._with.regenerator.watcher.path
        return as_json({"files": [dict(one, current=one["name"] == watched.name) for one in self._logs()]})

    def scenarios(self, request: Request, given: Parameters) -> Response:
        """List the scenarios, and what else simulators can be told, with defaults and limits."""
        settings = self._with.settings
        return as_json({
            "scenarios": [{"id": one.id, "title": one.title, "description": one.description}
                          for one in self._with.scenarios],
            "defaults": {"size": settings.target_mb, "seed": settings.seed, "days": settings.days,
                         "customers": settings.customers},
            "limits": {name: {"least": least, "most": most} for name, (least, most) in LIMITS.items()}})

    def run_analyzer(self, request: Request, given: Parameters) -> Response:
        """Ask for one analyser."""
        one, known = given.text("id"), self._with.regenerator.ids
        if one not in known:
            raise Refusal(404, f"there is no analyser {one[:40]!r}; there are: {', '.join(known)}")
        return self._accepted(self._with.regenerator.ask_for(one))

    def run_all_analyzers(self, request: Request, given: Parameters) -> Response:
        """Ask for all analysers."""
        return self._accepted(self._with.regenerator.ask_for(""))

    def run_simulators(self, request: Request, given: Parameters) -> Response:
        """Start the simulators, into the log that is watched."""
        wish = read_wish(given.values, [one.id for one in self._with.scenarios], self._with.settings)
        self._with.metering.refuse_simulators(self._with.regenerator.watcher.path)
        return self._accepted(self._with.simulators.start(wish, self._with.regenerator.watcher.path))

    def stop_simulators(self, request: Request, given: Parameters) -> Response:
        """Ask the simulators to end."""
        return self._accepted(self._with.simulators.stop())

    def load_csv(self, request: Request, given: Parameters) -> Response:
        """Follow another log of the data folder."""
        name = given.text("name")
        if name not in [one["name"] for one in self._logs()]:
            raise Refusal(404, "the data folder has no such log: /api/csv-files lists them")
        if self._with.simulators.job:
            raise Refusal(409, "simulators are at work: stop them first, or wait")
        return self._accepted(self._with.regenerator.load(self._with.regenerator.watcher.path.parent / name))

    def _accepted(self, job: Job) -> Response:
        self._with.board.touch()
        return as_json({"job": job.describe()}, 202)

    def _logs(self) -> List[Dict[str, Any]]:
        """Return the logs of the data folder: regular files whose name ends in .csv, no links."""
        folder, found = self._with.regenerator.watcher.path.parent, []
        try:
            for path in sorted(folder.glob("*.csv")):
                if path.is_symlink() or not path.is_file() or path.name.endswith(_NOT_LOGS):
                    continue
                status = path.stat()
                found.append({"name": path.name, "size_mb": round(status.st_size / MEGABYTE, 3),
                              "modified_at": format_timestamp(int(status.st_mtime * 1000))})
        except OSError:
            pass  # the folder is gone, or a file went away meanwhile
        return found
