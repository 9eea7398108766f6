"""The viewer put together: what it needs to know, its parts, and how it starts and ends."""
from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Optional, Sequence, TextIO

from analyzers.base import discover_analyzers
from app.api import Api, Services
from app.application import Application
from app.aws_api import AwsApi
from app.aws_desk import AwsDesk
from app.aws_worker import AwsOptions
from app.files import FileCache
from app.jobs import JobBook
from app.logs import EventLog
from app.messages import Request, Response
from app.metering import Metering, MeteringOptions
from app.metrics import Meter
from app.pages import Pages
from app.regeneration import Regenerator
from app.routes import Router
from app.security import Guard, RateLimit
from app.server import ViewerServer
from app.simulators import Simulators, Wish
from app.status import ReportFolder, StatusBoard
from app.watcher import Watcher
from aws.reports.base import discover_reports
from calls.locks import lock_file
from config import Settings
from errors import UsageError
from generators.site import report_version
from simulator.story import discover_scenarios

ACCEPT_SECONDS = 0.25  # between two looks at whether to end
CLOSE_SECONDS = 1.0  # that answers under way get at the end
SIMULATORS_SECONDS = 2.5  # that simulators get at the end


@dataclass(frozen=True)
class Options:
    """What a viewer is started with."""

    csv: Path
    reports: Path
    host: str
    port: int
    token: str = ""
    allowed_hosts: Sequence[str] = ()
    watch: bool = True
    log_format: str = "text"
    verbose: bool = False
    metering: Optional[MeteringOptions] = None
    aws_source: str = "simulated"
    aws_path: str = ""


class Viewer:
    """A server with its watcher, its worker and its jobs."""

    def __init__(self, options: Options, settings: Settings, stream: TextIO) -> None:
        """Bind the port and put the parts together.

        Raises OSError when the port cannot be bound, `UsageError` when another viewer writes the same reports.
        """
        self.options, self._settings = options, settings
        self.log = EventLog(stream, options.log_format, options.verbose, time.time)
        book, files = JobBook(time.time), FileCache()
        reports = ReportFolder(options.reports, list(discover_analyzers().values()), list(discover_reports().values()))
        watcher = Watcher(options.csv, settings)
        self.regenerator = Regenerator(watcher, options.reports, reports.ids, settings, book, self.log, options.watch)
        self.simulators = Simulators(book, self.log)
        shown = AwsOptions(options.aws_source, options.aws_path, str(options.reports), settings.seed)
        self.aws = AwsDesk(shown, settings, book, self.log)
        self.server = ViewerServer((options.host, options.port), _starting, self.log)
        self._claim = _claim(options.reports)
        guard = Guard(options.host, self.server.port, options.token, options.allowed_hosts,
                      options.metering.token if options.metering else "")
        self.metering = Metering(options.metering, options.csv, settings, guard, self.log)
        self.server.body_limit = self.metering.body_limit
        pages = Pages(reports, guard, files, bool(options.token))
        board = StatusBoard(reports, self.regenerator, self.aws, book, {
            "version": report_version(), "chartjs": pages.has_chartjs, "watching": options.watch,
            "metering": options.metering is not None})
        meter = Meter(self.regenerator)
        meter.server, meter.metering = self.server, self.metering
        api = Api(Services(settings, board, self.regenerator, self.simulators, pages, meter,
                           list(discover_scenarios().values()), self.metering))
        self.router = Router(api.routes() + AwsApi(self.aws, board).routes() + self.metering.routes() + pages.routes())
        self.server.application = Application(self.router, guard, RateLimit(settings.requests_per_minute), self.log)
        self._take_over(reports)
        self._thread = threading.Thread(target=self.server.serve_forever, args=(ACCEPT_SECONDS,), daemon=True)

    @property
    def address(self) -> str:
        """Return the address to open in a browser."""
        host = self.options.host
        shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
        return f"http://{shown}:{self.server.port}/"

    def start(self, wish: Optional[Wish] = None) -> None:
        """Begin to serve, to watch, to meter and to simulate when that is wished.

        Raises `LogError` when calls are to be metered into a log that cannot be written, or that another one writes.
        """
        self.metering.start()
        self.regenerator.watcher.tick(time.monotonic())  # whoever asks first is told what stands there
        self._thread.start()
        if wish:
            self.simulators.start(wish, self.options.csv)
        self.regenerator.start()

    def stop(self) -> None:
        """End everything that was started, the server first; takes less than five seconds."""
        self.server.stopping = True
        self.server.shutdown()
        self.server.server_close()
        closing = [threading.Thread(target=target, args=arguments, daemon=True) for target, arguments in (
            (self.server.close_connections, (CLOSE_SECONDS,)), (self.simulators.close, (SIMULATORS_SECONDS,)),
            (self.aws.close, ()))]
        for thread in closing:
            thread.start()
        self.regenerator.stop()
        for thread in closing:
            thread.join(SIMULATORS_SECONDS + 0.5)
        self.metering.close()
        self.release()

    def release(self) -> None:
        """Give port and folder free."""
        self.server.server_close()
        if self._claim:
            self._claim.close()

    def _take_over(self, reports: ReportFolder) -> None:
        """Know again the reports that an earlier viewer or command wrote."""
        size, manifest = reports.made_from(self.options.csv), reports.manifest()
        for entry in manifest.get("reports", ()) if size is not None else ():
            if isinstance(entry, dict) and entry.get("id") in reports.ids and not entry.get("failure"):
                self.regenerator.progress.restore(entry["id"], entry.get("made"), size or 0)


def _claim(folder: Path) -> Optional[IO[bytes]]:
    """Claim a folder of reports for this process; None where nothing can be written there anyway."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        claim = open(folder / ".viewer.lock", "wb")  # noqa: SIM115 (held as long as the viewer runs)
        free = lock_file(claim.fileno())
    except OSError:
        return None
    if not free:
        raise UsageError(f"another viewer writes the reports in {folder}: end it, or name another --reports folder")
    return claim


def _starting(request: Request) -> Response:
    raise RuntimeError("the server was asked before it was ready")
