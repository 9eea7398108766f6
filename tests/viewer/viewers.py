"""Help for the tests of the viewer: raw HTTP, a server around a function, and viewers in and out of this process."""
from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional

from app.logs import EventLog
from app.messages import Request, Response
from app.server import ViewerServer
from calls.record import HEADER
from conftest import ROOT

SERVE = ROOT / "viewer" / "serve.py"
ROW = ("call-{0},2026-01-{1:02d}T10:00:00.000Z,cus-{2},org-{3},prod,feat,openai,gpt-4o,10,5,15,0.{4:09d},90,success,"
       "production,us-east-1,pro,99.00,light\n")


class Answer(NamedTuple):
    """A parsed response; the names of headers are in lower case."""

    status: int
    headers: Dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body.decode("utf-8"))


def rows(first: int, last: int) -> str:
    """Return so many calls as lines."""
    return "".join(ROW.format(number, number % 28 + 1, number % 50, number % 7, 1_000_000 + number)
                   for number in range(first, last))


def write_log(path: Path, count: int) -> Path:
    """Write a log of so many calls."""
    path.write_text(HEADER + "\n" + rows(0, count))
    return path


def add_calls(path: Path, first: int, last: int) -> None:
    """Append calls to a log."""
    with open(path, "a") as handle:
        handle.write(rows(first, last))


def raw(port: int, data: bytes, wait: float = 5.0) -> bytes:
    """Send bytes and return all that comes back until the other side closes, or falls silent."""
    with socket.create_connection(("127.0.0.1", port), timeout=wait) as connection:
        connection.sendall(data)
        return read_all(connection)


def read_all(connection: socket.socket) -> bytes:
    """Return all that comes until the other side closes, or falls silent."""
    received = b""
    with contextlib.suppress(socket.timeout, ConnectionResetError):
        while True:
            part = connection.recv(65_536)
            if not part:
                break
            received += part
    return received


def parsed(answer: bytes) -> Answer:
    """Return the first response of some bytes; what it lacks fails the test."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Answer(int(re.fullmatch(r"HTTP/1\.1 (\d{3}) .+", first).group(1)), headers, body)


def ask(port: int, path: str, method: str = "GET", body: Any = None, **headers: str) -> Answer:
    """Send one proper request; a body becomes JSON, the underscores of header names hyphens."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        data = None if body is None else json.dumps(body).encode()
        if body is not None:
            given.setdefault("Content-Type", "application/json")
        connection.request(method, path, data, given)
        answer = connection.getresponse()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


@contextlib.contextmanager
def serving(application: Callable[[Request], Response], **attributes: Any) -> Iterator[ViewerServer]:
    """Run a server around a function."""
    server = ViewerServer(("127.0.0.1", 0), application, EventLog(io.StringIO(), "text", False, time.time))
    for name, value in attributes.items():
        setattr(server, name, value)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        server.close_connections(0.0)


class Running:
    """A viewer in a process of its own."""

    def __init__(self, folder: Path, *options: str, env: Optional[Dict[str, str]] = None, csv: str = "data/calls.csv",
                 python: str = sys.executable, serve: Path = SERVE, command: str = "") -> None:
        self.csv, self.reports = folder / csv, folder / "reports"
        self.csv.parent.mkdir(exist_ok=True)
        self.errors = folder / "viewer.log"
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        environment.update({"FINOPS_WATCH_SECONDS": "0.05", "FINOPS_QUIET_SECONDS": "0.3",
                            "FINOPS_REFRESH_SECONDS": "1"}, **(env or {}))
        with open(self.errors, "a") as errors:
            self.process = subprocess.Popen(
                [python, str(serve), *command.split(), "--port", "0", "--csv", str(self.csv), "--reports",
                 str(self.reports), *options],
                stdout=subprocess.PIPE, stderr=errors, env=environment, universal_newlines=True)
        line = self.process.stdout.readline()
        match = re.match(r"serving http://[^/]+:(\d+)/ ", line)
        assert match, line + self.errors.read_text()
        self.port = int(match.group(1))

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def status(self) -> Any:
        return ask(self.port, "/api/status").document

    def post(self, path: str, body: Any = None) -> Answer:
        return ask(self.port, path, "POST", body)

    def until(self, fits: Callable[[Any], Any], seconds: float = 60.0) -> Any:
        """Poll the status until it fits, and return it."""
        end = time.monotonic() + seconds
        while True:
            status = self.status()
            if fits(status):
                return status
            assert time.monotonic() < end, json.dumps(status, indent=1)[:6000] + self.errors.read_text()
            time.sleep(0.05)

    def until_fresh(self, count: Optional[int] = None) -> Any:
        """Wait until the log is seen to hold so many rows, and every report stands and tells of it."""
        return self.until(lambda status: (count is None or status["csv"]["line_count"] == count)
                          and status["regeneration"]["state"] == "idle" and status["reports"] and all(
            one["exists"] and not one["stale"] for one in status["reports"]))

    def worker(self) -> int:
        """Return the process number of the worker, as the log tells it."""
        return int(re.findall(r"worker started pid=(\d+)", self.errors.read_text())[-1])

    def end(self, number: int = signal.SIGTERM) -> int:
        """End it by a signal; it must be over within five seconds. Returns the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=5)


def until_gone(processes: List[int], seconds: float = 5.0) -> None:
    """Wait until processes are over (Linux)."""
    end = time.monotonic() + seconds
    left = list(processes)
    while left:
        assert time.monotonic() < end, left
        time.sleep(0.02)
        with contextlib.suppress(OSError):
            left = [one for one in left if Path(f"/proc/{one}").exists()
                    and Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()[0] != "Z"]


def children_of(pid: int) -> List[int]:
    """Return the processes that a process, and they in turn, have started (Linux)."""
    parents = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found, newest = [], [pid]
    while newest:
        newest = [one for one, parent in parents.items() if parent in newest]
        found += newest
    return found
