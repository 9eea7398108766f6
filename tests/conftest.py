"""Shared by all tests: where things are, and one simulated log that many of them look at."""
from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Sequence

import pytest

from calls.record import AICall

pytest_plugins = ["browser.browsing", "scripted_aws"]  # a real browser and a stand-in for AWS, where tests ask for one

ROOT = Path(__file__).resolve().parent.parent
SIMULATE = ROOT / "src" / "run_all_simulators.py"


class Ran(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


class Log(NamedTuple):
    """A simulated log with its truth."""

    path: Path
    calls: List[AICall]
    run: Dict[str, Any]


def run(script: Path, *arguments: object, python: str = sys.executable, env: Any = None) -> Ran:
    """Run a script as a user would and wait for its end."""
    done = subprocess.run([python, str(script), *map(str, arguments)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, universal_newlines=True, timeout=300, env=env)
    return Ran(done.returncode, done.stdout, done.stderr)


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


@pytest.fixture(scope="session")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    """Return the 20 MB log of all twelve scenarios, seed 1, from 2026-01-01, 90 days."""
    path = tmp_path_factory.mktemp("log") / "calls.csv"
    simulate(path, 20, "--seed", 1, "--start", "2026-01-01")
    return Log(path, read_calls(path), read_truth(path)[0])
