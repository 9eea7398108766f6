#!/usr/bin/env python3
"""Serve live reports at http://localhost:8000: watch the call log, keep its reports fresh, and show both."""
from __future__ import annotations

import argparse
import errno
import signal
import socket
import sys
import threading
import webbrowser
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, Sequence, Tuple

from bootstrap import find_sources

if TYPE_CHECKING:
    from app.metering import MeteringOptions
    from app.simulators import Wish
    from app.viewer import Options, Viewer
    from config import Settings

EXAMPLES = """examples:
  serve.py                            watch data/simulated_calls.csv, write and serve its reports
  serve.py --simulate --open          make 50 MB of calls first, and open the browser
  serve.py --simulate 5               only 5 MB of them
  serve.py --csv calls.csv --port 0   another log, on a port that is free
  serve.py --host 0.0.0.0 --token …   for other machines too: they must send the token
  serve.py --aws bill/                show the AWS costs of an export too, not those of a simulated company
  serve.py --metering                 take calls from programs, into data/metered_calls.csv
"""
PORTS_TO_TRY = 50


def main(arguments: Sequence[str]) -> int:
    """Run the viewer until SIGINT or SIGTERM; returns its exit code."""
    from config import load_settings
    settings = load_settings()
    given = _parser(settings).parse_args(arguments)
    if given.interval is not None:
        settings = replace(settings, watch_seconds=given.interval)
    options = _options(given, settings)
    wish = _wish(given, settings)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    viewer = _bound(options, settings)
    viewer.start(wish)
    print(f"serving {viewer.address} (Ctrl-C ends it)", flush=True)
    if options.metering:
        print(f"metering calls into {options.csv}", flush=True)
    if given.open:
        webbrowser.open(viewer.address)
    while not ended.wait(1.0):  # a wait without an end is not woken by signals on Windows
        pass
    viewer.stop()
    return 0


def _parser(settings: Settings) -> argparse.ArgumentParser:
    from app.logs import FORMATS, TEXT
    from console import Options as Parser
    from metering.intake import POLICIES
    parser = Parser(prog="serve.py", description=__doc__, epilog=EXAMPLES,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--simulate", type=float, nargs="?", const=settings.target_mb, metavar="MB",
        help="start the simulators in the background, up to so many MB (without a number: %(const)g)")
    add("--open", action="store_true", help="open the browser")
    add("--csv", metavar="PATH",
        help="the call log (default data/simulated_calls.csv; data/metered_calls.csv with --metering)")
    add("--reports", metavar="DIR", default=settings.reports_path,
        help="the folder with html/ and json/ (default reports)")
    add("--port", type=int, default=settings.viewer_port, help="0 picks one and prints it (default %(default)s)")
    add("--host", default=settings.viewer_host, help="the address to listen on (default %(default)s)")
    add("--token", default=settings.viewer_token, help="what every request must carry (needed with another --host)")
    add("--allow-host", action="append", default=[], metavar="NAME", help="serve requests for this host name too")
    add("--metering", action="store_true", help="take calls by POST from the Revenium SDK and OpenTelemetry exporters")
    add("--metering-token", default=settings.metering_token, metavar="TOKEN",
        help="what programs that send calls must carry (default the --token)")
    add("--metering-sync", choices=POLICIES, default=settings.metering_sync,
        help="when a call is on the disk: before the answer, within a second, or whenever (default %(default)s)")
    add("--aws", metavar="SOURCE", default="simulated",
        help="whose AWS costs are shown: simulated (default), live, or the file or folder of an export")
    add("--interval", type=float, metavar="SECONDS", help="between two looks at the log (default 0.25)")
    add("--no-watch", action="store_true", help="write reports only when asked")
    add("--log-format", choices=FORMATS, default=TEXT, help="of the lines on standard error (default %(default)s)")
    add("--verbose", action="store_true", help="log every request, and where errors came from")
    return parser


def _options(given: argparse.Namespace, settings: Settings) -> Options:
    """Check the options; raises `UsageError` naming the one that cannot be used."""
    from app.security import is_loopback
    from app.viewer import Options
    from errors import UsageError
    if not 0 <= given.port <= 65_535:
        raise UsageError(f"--port {given.port}: choose 1 to 65535, or 0 for one that is free")
    if given.interval is not None and not 0.05 <= given.interval <= 3600:
        raise UsageError(f"--interval {given.interval:g}: choose 0.05 to 3600 seconds")
    _check_token("--token", given.token)
    if not is_loopback(given.host) and not given.token:
        raise UsageError(f"--host {given.host} lets other machines read these reports and start jobs: give a --token "
                         "that they must send, or leave --host out")
    log = Path(given.csv or settings.csv_path)
    if given.metering and not given.csv:
        log = log.with_name("metered_calls.csv")  # real calls do not mix with simulated ones unless told to
    return Options(log.absolute(), Path(given.reports).absolute(), given.host, given.port, given.token,
                   given.allow_host, not given.no_watch, given.log_format, given.verbose, _metering(given, settings),
                   *_aws(given.aws))


def _aws(source: str) -> Tuple[str, str]:
    """Return the id of the source of AWS cost, and the path of an export."""
    from errors import UsageError
    if source in ("simulated", "live"):
        return source, ""
    if not source or not Path(source).exists():
        raise UsageError(f"--aws {source}: there is no such file or folder; else it is simulated or live")
    return "export", str(Path(source).absolute())


def _metering(given: argparse.Namespace, settings: Settings) -> Optional[MeteringOptions]:
    """Return how to meter, None when that is not asked for; raises `UsageError`."""
    from app.metering import MeteringOptions
    from errors import UsageError
    from metering.intake import POLICIES
    _check_token("--metering-token", given.metering_token)
    if not given.metering:
        return None
    if given.simulate is not None:
        raise UsageError("--simulate and --metering would both write the log: start one viewer for each, or leave one")
    if given.metering_sync not in POLICIES:  # argparse does not look at what the environment gives
        raise UsageError(f"FINOPS_METERING_SYNC {given.metering_sync!r} is none of {', '.join(POLICIES)}")
    if not 0.1 <= settings.metering_body_mb <= 64:
        raise UsageError(f"FINOPS_METERING_BODY_MB {settings.metering_body_mb:g}: choose 0.1 to 64 megabytes")
    return MeteringOptions(given.metering_token, given.metering_sync)


def _check_token(name: str, token: str) -> None:
    """Refuse a token that is easily guessed, or that no header can carry."""
    from app.security import LEAST_TOKEN
    from errors import UsageError
    if token and (len(token) < LEAST_TOKEN or not token.isprintable() or not token.isascii() or " " in token):
        raise UsageError(f"{name}: choose at least {LEAST_TOKEN} printable characters without spaces")


def _wish(given: argparse.Namespace, settings: Settings) -> Optional[Wish]:
    """Return what `--simulate` asks for; raises `UsageError` for an impossible size."""
    from app.messages import Refusal
    from app.simulators import read_wish
    from errors import UsageError
    if given.simulate is None:
        return None
    try:
        return read_wish({"size": given.simulate}, (), settings)
    except Refusal as refusal:
        raise UsageError(f"--simulate {given.simulate:g}: {refusal.reason}") from None


def _bound(options: Options, settings: Settings) -> Viewer:
    """Return a viewer on its port; raises `FinOpsError` saying what to do where that cannot be bound."""
    from app.viewer import Viewer
    from errors import FinOpsError
    try:
        return Viewer(options, settings, sys.stderr)
    except OSError as error:
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            what = "is in use" if error.errno == errno.EADDRINUSE else "is not permitted here"
            free = _free_port(options.host, options.port)
            raise FinOpsError(f"port {options.port} {what}: {free} is free, start with --port {free}") from error
        raise FinOpsError(f"cannot listen on {options.host} port {options.port}: "
                          f"{(error.strerror or str(error)).lower()}: check --host") from error


def _free_port(host: str, port: int) -> int:
    """Return a port that is free: one of the next, else any."""
    for one in [*range(max(port, 1023) + 1, min(port + PORTS_TO_TRY, 65_535)), 0]:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as tried:
            try:
                tried.bind((host, one))
            except OSError:
                continue
            free: Any = tried.getsockname()[1]
            return int(free)
    return 0


if __name__ == "__main__":
    find_sources(__file__)
    from console import run_command
    sys.exit(run_command(main))
