"""Shared by all tests: where things are, and one simulated log that many of them look at."""
from __future__ import annotations

import csv
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Sequence

import pytest
from hypothesis import HealthCheck, settings

from calls.locks import lock_file
from calls.record import AICall
from console import run_command

pytest_plugins = ["browser.browsing", "scripted_aws"]  # a real browser and a stand-in for AWS, where tests ask for one

# How fast examples are made says something about the machine, which may be busy, and nothing about what is tested.
settings.register_profile("busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy machine")
# Files that take longest, each on one worker: begun last, they would leave the other workers with nothing to do.
LONG = ("browser/test_rebuilt_pages.py", "documents/test_commands.py", "viewer/test_metering.py",
        "viewer/test_regeneration.py", "viewer/test_serve.py", "viewer/test_page.py", "browser/test_every_page.py",
        "faults/test_killed_simulator.py", "bundle/test_pyz.py", "viewer/test_aws.py", "test_versions.py",
        "documents/test_extending.py")
EVERYTHING = bool(os.environ.get("FINOPS_TEST_EVERYTHING"))  # set by .ci/run: what is missing fails instead of skipping
thoroughly = pytest.mark.skipif(not EVERYTHING, reason="takes seconds of its own: set FINOPS_TEST_EVERYTHING")
ROOT = Path(__file__).resolve().parent.parent
SIMULATE = ROOT / "src" / "run_all_simulators.py"


class Ran(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


class Log:
    """A simulated log with its calls and its run as the truth tells it, both read when they are first asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def calls(self) -> List[AICall]:
        if not hasattr(self, "_calls"):
            self._calls = read_calls(self.path)
        return self._calls

    @property
    def run(self) -> Dict[str, Any]:
        return read_truth(self.path)[0]


def run(script: Path, *arguments: object, python: str = sys.executable, env: Any = None) -> Ran:
    """Run a script as a user would and wait for its end."""
    done = subprocess.run([python, str(script), *map(str, arguments)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, universal_newlines=True, timeout=300, env=env)
    return Ran(done.returncode, done.stdout, done.stderr)


def free_port() -> int:
    """Return a port of the loopback that nobody listens on just now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def simulate(path: Path, *arguments: object) -> Ran:
    """Run the simulators into a file; fails the test when they fail."""
    ran = run(SIMULATE, *arguments, "--output", path, "--quiet")
    assert ran.code == 0, ran.err
    return ran


def read_calls(path: Path) -> List[AICall]:
    """Read a log with nothing but the csv module and the record's own checks."""
    with open(path, newline="", encoding="utf-8") as handle:
        rows = csv.reader(handle)
        next(rows)
        return [AICall.from_row(row) for row in rows]


def read_truth(path: Path) -> Sequence[Dict[str, Any]]:
    """Return the runs of a log's truth file."""
    document = json.loads(path.with_suffix(".truth.json").read_text(encoding="utf-8"))
    runs: Sequence[Dict[str, Any]] = document["runs"]
    return runs


def pytest_configure(config: Any) -> None:
    """Have files handed out in their order, where pytest-xdist would begin with those of the most tests.

    A shell that starts the tests in the background has Ctrl-C ignored by all that they start: not by what they test.
    """
    config.option.loadscopereorder = False
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: List[Any]) -> None:
    """Put the files that take longest first; all else stays in its order."""
    def place(item: Any) -> int:
        name = item.nodeid.partition("::")[0]
        return next((number for number, one in enumerate(LONG) if name == f"tests/{one}"), len(LONG))
    items.sort(key=place)


@pytest.fixture
def in_process(capfd: Any) -> Callable[..., Ran]:
    """Return a way to run a command's `main` in this process: `in_process(main, *arguments)`.

    For the many cases that differ in their arguments alone; what concerns the process itself needs one of its own.
    """
    def ran(main: Callable[[Sequence[str]], int], *arguments: object) -> Ran:
        code = run_command(main, [str(one) for one in arguments])
        return Ran(code, *capfd.readouterr())
    return ran


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that the first of all test processes to ask has filled; others wait for it, and only read."""
    workers = bool(os.environ.get("PYTEST_XDIST_WORKER"))
    folder = (factory.getbasetemp().parent if workers else factory.getbasetemp()) / f"once-{name}"
    folder.mkdir(exist_ok=True)
    with open(folder / ".lock", "a") as lock:
        assert lock_file(lock.fileno(), 300), f"another process has been making {name} for minutes"
        if not (folder / ".made").exists():
            make(folder)
            (folder / ".made").touch()
    return folder


@pytest.fixture(scope="session")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    """Return the 20 MB log of all twelve scenarios, seed 1, from 2026-01-01, 90 days."""
    folder = once(tmp_path_factory, "log", lambda folder: simulate(folder / "calls.csv", 20, "--seed", 1,
                                                                   "--start", "2026-01-01"))
    return Log(folder / "calls.csv")


@pytest.fixture(scope="session")
def log_reports(log: Log, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of all reports on that log, made as a user makes them; tests only read it."""
    def make(folder: Path) -> None:
        ran = run(ROOT / "src" / "run_all_analyzers.py", "--csv", log.path, "--output", folder,
                  "--workers", 1)
        assert ran.code == 0, ran.err
    return once(tmp_path_factory, "reports", make)
