"""A real browser over real pages: Debian's Chromium, driven by Playwright, with all that it complains of collected."""
from __future__ import annotations

import contextlib
import functools
import os
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple

import pytest

from conftest import EVERYTHING, ROOT, once, run, simulate

HERE = Path(__file__).resolve().parent
MODULES = HERE / "node_modules"
CDN = "https://cdn.jsdelivr.net/npm/chart.js@4.4.1/dist/chart.umd.js"
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
VIOLATIONS = "window.violations = []; document.addEventListener('securitypolicyviolation', " \
             "event => window.violations.push(event.violatedDirective + ' ' + event.blockedURI))"
TYPICAL = ("index", "understanding", "geographic_latency", "churn_growth", "abuse_detection", "aws_dashboard",
           "aws_insights")


def need(there: Any, what: str) -> None:
    """Skip the test with a reason, or fail it where nothing may be missing."""
    if there:
        return
    if EVERYTHING:
        pytest.fail(f"{what} is not installed, and nothing may be skipped here")
    pytest.skip(f"{what} is not installed")


class Reports(NamedTuple):
    """A folder of reports, also served."""

    folder: Path
    url: str

    @property
    def html(self) -> Path:
        return self.folder / "html"

    def names(self) -> List[str]:
        """Return all pages, or in the quick run those that have a block of every kind between them."""
        return sorted(path.name for path in self.html.glob("*.html") if EVERYTHING or path.stem in TYPICAL)

    def at(self, name: str, served: bool) -> str:
        return f"{self.url}/html/{name}" if served else (self.html / name).as_uri()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve a folder on a free port of the loopback as long as the block runs; yields the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reports]:
    """Make the reports of a small simulated log, as a user does, and serve them; tests only read them."""
    def make(folder: Path) -> None:
        simulate(folder / "calls.csv", 3, "--seed", 5, "--start", "2026-01-01", "--customers", 120)
        ran = run(ROOT / "src" / "run_all_analyzers.py", "--csv", folder / "calls.csv", "--output", folder / "reports",
                  "--quiet")
        assert ran.code == 0, ran.err
        ran = run(ROOT / "src" / "run_aws_costs.py", "--output", folder / "reports", "--quiet", "--budget", "25000",
                  env=dict(os.environ, FINOPS_TODAY="2026-04-16"))
        assert ran.code == 0, ran.err

    folder = once(tmp_path_factory, "browser", make)
    with serve(folder / "reports") as url:
        yield Reports(folder / "reports", url)


def browser_path() -> str:
    """Return Chromium; in the quick run rather the one without windows, which takes two fifths of the time."""
    names = ("chromium", "google-chrome") if EVERYTHING else ("chromium-headless-shell", "chromium", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    need(path, "Chromium")
    return str(path)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Start Chromium once."""
    sync = pytest.importorskip("playwright.sync_api", reason="playwright is not installed") if not EVERYTHING \
        else __import__("playwright.sync_api", fromlist=["sync_playwright"])
    path = browser_path()
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


class Tab:
    """A page of the browser with what went wrong in it."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.problems: List[str] = []
        self.requests: List[str] = []
        page.on("console", lambda message: message.type in ("error", "warning")
                and self.problems.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.problems.append(f"exception: {error}"))
        page.on("dialog", lambda dialog: (self.problems.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: self.requests.append(request.url))

    def open(self, url: str) -> "Tab":
        self.page.goto(url, wait_until="load")
        return self


@pytest.fixture
def open_tab(chromium: Any) -> Iterator[Any]:
    """Open pages: `open_tab(url, online=False, ...)`; online pages get Chart.js from the copy that npm brought."""
    contexts = []

    def open_one(url: str, online: bool = False, **options: Any) -> Tab:
        settings: Dict[str, Any] = dict({"viewport": DESK, "color_scheme": "light", "offline": not online}, **options)
        served = url.startswith("http")
        context = chromium.new_context(**dict(settings, offline=settings["offline"] and not served))
        contexts.append(context)
        context.add_init_script(VIOLATIONS)
        if served and not online:  # a cut network that leaves the loopback alone
            context.add_init_script("Object.defineProperty(navigator, 'onLine', {get: () => false})")
        if online:
            chart = MODULES / "chart.js" / "dist" / "chart.umd.js"
            need(chart.exists(), "the npm package chart.js")
            context.route(lambda address: address.startswith("https:"), lambda route: route.fulfill(
                path=str(chart), content_type="text/javascript", headers={"Access-Control-Allow-Origin": "*"})
                if route.request.url == CDN else route.abort())
        return Tab(context.new_page()).open(url)

    yield open_one
    for context in contexts:
        context.close()
