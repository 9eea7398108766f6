"""What a browser is shown: the viewer's own page, its style and script, Chart.js, and the reports."""
from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Optional, Tuple

from app.files import FileCache, Served, packed
from app.messages import PAGE_POLICY, Refusal, Request, Response
from app.routes import Parameters, Route
from app.security import COOKIE, Guard
from app.status import ReportFolder
from chartjs import CHARTJS_FILE, read_verified
from generators.files import as_json
from generators.html_generator import ASSETS, policy
from generators.site import INDEX, MANIFEST

STATIC = Path(__file__).resolve().parent.parent / "static"
OF_REPORTS = ("report.css", "form.css", "formats.js")  # parts of the reports that the viewer's page shares
NOTHING = "there is nothing at this address"


class Pages:
    """Serves files, each from the one folder that it may come from."""

    def __init__(self, reports: ReportFolder, guard: Guard, files: FileCache, needs_token: bool) -> None:
        """Look for the verified copy of Chart.js; the reports' files are read when asked for."""
        self._reports, self._guard, self._files, self._needs_token = reports, guard, files, needs_token
        chartjs = read_verified()
        self._chartjs = packed(chartjs, "text/javascript; charset=utf-8") if chartjs else None
        self._telling: Tuple[str, Optional[Served]] = ("", None)  # the manifest that names Chart.js, by its tag
        self._policy = f"{policy()}; frame-ancestors 'none'"

    @property
    def has_chartjs(self) -> bool:
        """Tell whether there is a verified copy of Chart.js."""
        return self._chartjs is not None

    def routes(self) -> Tuple[Route, ...]:
        """Return the routes of all pages."""
        return (Route("GET", "/", self.home, ("token",), is_open=True), Route("GET", "/index.html", self.index),
                Route("GET", "/static/{name}", self.static), Route("GET", "/manifest.json", self.manifest),
                Route("GET", "/reports", self.to_reports), Route("GET", "/reports/", self.to_reports),
                Route("GET", "/reports/html/{name}", self.report), Route("GET", "/reports/json/{name}", self.result))

    def home(self, request: Request, given: Parameters) -> Response:
        """Return the viewer's page; with the token in the address, put it into a cookie and come again without it."""
        if self._needs_token and "token" in given.values:
            if not self._guard.is_token(given.text("token")):
                raise Refusal(401, "this is not the token that the viewer was started with")
            cookie = f"{COOKIE}={self._guard.cookie_value}; HttpOnly; SameSite=Strict; Path=/"
            return Response(303, headers={"Location": "/", "Set-Cookie": cookie})
        if self._needs_token and not self._guard.holds_token(request):
            raise Refusal(401, "a token is needed: open /?token=… with the token that the viewer was started with",
                          WWW_Authenticate="Bearer")
        return self.index(request, given)

    def index(self, request: Request, given: Parameters) -> Response:
        """Return the viewer's page."""
        return _found(self._files.read(STATIC, INDEX))

    def static(self, request: Request, given: Parameters) -> Response:
        """Return a part of the viewer's page, or Chart.js."""
        name = given.text("name")
        if name == CHARTJS_FILE:
            return _found(self._chartjs, "there is no copy of Chart.js here: get one with viewer/get_chartjs.py")
        folder = ASSETS if name in OF_REPORTS else STATIC
        return _found(self._files.read(folder, name) if name != INDEX else None)

    def manifest(self, request: Request, given: Parameters) -> Response:
        """Return the manifest of the reports, telling their pages of the copy of Chart.js where there is one."""
        served = self._files.read(self._reports.html, MANIFEST)
        if served and self._chartjs:
            if self._telling[0] != served.etag:
                told = dict(json.loads(served.body.decode("utf-8")), chartjs=True)
                self._telling = (served.etag, packed(as_json(told).encode("utf-8"), served.content_type))
            served = self._telling[1]
        return _found(served, "no report has been written yet")

    def report(self, request: Request, given: Parameters) -> Response:
        """Return a report's page under the policy of its constant script and style, or the manifest."""
        name = given.text("name")
        if name == MANIFEST:
            return self.manifest(request, given)
        if name != INDEX and name not in [f"{one}.html" for one in self._reports.served_ids]:
            raise Refusal(404, "there is no such report")
        return _found(self._files.read(self._reports.html, name), "this report has not been written yet", self._policy)

    def result(self, request: Request, given: Parameters) -> Response:
        """Return a report's results as they stand on disk."""
        return self.results_of(given.text("name"))

    def results_of(self, name: str) -> Response:
        """Return the file of a report's results."""
        if name not in [f"{one}.json" for one in self._reports.served_ids]:
            raise Refusal(404, "there is no such report")
        return _found(self._files.read(self._reports.json, name), "this report has not been written yet")

    def to_reports(self, request: Request, given: Parameters) -> Response:
        """Send on to the index of the reports."""
        return Response(302, headers={"Location": f"/reports/html/{INDEX}"})


def respond(served: Served, content_policy: str = PAGE_POLICY) -> Response:
    """Return what is served as a response."""
    return Response(200, served.body, served.content_type, {}, served.etag, served.gzipped, content_policy)


def _found(served: Optional[Served], reason: str = NOTHING, content_policy: str = PAGE_POLICY) -> Response:
    if served is None:
        raise Refusal(404, reason)
    if content_policy is PAGE_POLICY:
        return respond(served)
    # The policy comes with the page: under another one the same page is another version.
    tag = hashlib.sha256((served.etag + content_policy).encode("ascii")).hexdigest()[:24]
    return respond(served._replace(etag=f'W/"{tag}"'), content_policy)
