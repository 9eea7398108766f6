"""Bringing faults about for real, and what must hold after each of them.

In = accepted + rejected by reason + the half row at the end, and every report is what a count from scratch gives.
"""
from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Sequence, Tuple

import pytest

from calls.record import HEADER, AICall
from conftest import EVERYTHING, ROOT, Ran, run
from errors import RecordError
from rollup.counts import REPEATED
from rollup.dataset import Dataset, load_dataset
from rollup.rollup import Rollup

ANALYZE, EXPORT = ROOT / "src" / "run_all_analyzers.py", ROOT / "src" / "export_calls.py"
AS_ROOT = [] if not hasattr(os, "getuid") or os.getuid() == 0 else ["sudo", "-n"]
OURS = f"uid={os.getuid()},gid={os.getgid()}" if hasattr(os, "getuid") else ""
BAD = "bad row of two,fields\n"
ROW = ("call-{0},2026-01-{1:02d}T{2:02d}:00:00.000Z,cus-{3},org-{4},prod,feat-{4},openai,gpt-4o,10,{5},{6},0.{7:09d},"
       "90,success,production,us-east-1,pro,99.00,light\n")


def rows(first: int, last: int) -> str:
    """Return so many calls as lines; equal numbers give equal calls."""
    return "".join(ROW.format(number, number % 28 + 1, number % 24, number % 50, number % 7, number % 9,
                              number % 9 + 10, 1_000_000 + number) for number in range(first, last))


def write_log(path: Path, text: str) -> Path:
    """Write a log of lines."""
    path.write_bytes((HEADER + "\n" + text).encode("utf-8"))
    return path


def append(path: Path, text: Any) -> None:
    """Append text or bytes to a log."""
    with open(path, "ab") as handle:
        handle.write(text if isinstance(text, bytes) else text.encode("utf-8"))


# What the system must have

def lacking(what: str) -> None:
    """Skip the test and say what is lacking; where nothing may be skipped, fail."""
    (pytest.fail if EVERYTHING else pytest.skip)(what)


def spread(cases: Sequence[Any], few: int) -> Sequence[Any]:
    """Return a few of many cases, the first among them, far from each other."""
    return cases if len(cases) <= few else [cases[len(cases) * one // few] for one in range(few)]


def tool(name: str, package: str) -> str:
    """Return where a command of the system is."""
    found = shutil.which(name)
    if found is None:
        lacking(f"there is no {name}: apt-get install {package}")
    return str(found)


@contextlib.contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """Have a file system in memory at a folder, for as long as the block runs."""
    folder.mkdir(exist_ok=True)
    if os.name == "nt" or _quietly(*AS_ROOT, "mount", "-t", "tmpfs", "-o", f"{options},{OURS}", "tmpfs", str(folder)):
        lacking("this user may mount no file system")
    try:
        yield folder
    finally:
        subprocess.check_call([*AS_ROOT, "umount", str(folder)])


def remount(folder: Path, options: str) -> None:
    """Change a mounted file system."""
    subprocess.check_call([*AS_ROOT, "mount", "-o", f"remount,{options},{OURS}", str(folder)])


def _quietly(*command: str) -> int:
    try:
        return subprocess.call(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except OSError:
        return 1


class Call(NamedTuple):
    """A call of the system as strace tells it: the file that it was for, or the two of a rename."""

    name: str
    files: Tuple[str, ...]


def traced(folder: Path, names: str, *command: object, inject: str = "") -> Tuple[Ran, List[Call], int]:
    """Run a Python command and return how it ended, its calls of these names, and how many were made to fail.

    `inject` is what strace shall do to them, as `write:error=ENOSPC:when=3`.
    """
    strace, log = tool("strace", "strace"), folder / "strace.log"
    if _quietly(strace, "-qq", "-e", "trace=none", "true"):
        lacking("this user may trace no process")
    options = ["-f", "-qq", "-y", "-s", "0", "-o", str(log), "-e", f"trace={names}"]
    options += ["-e", f"inject={inject}"] if inject else []
    # With -B, so that no file of bytecode is among those that are written.
    done = subprocess.run([strace, *options, sys.executable, "-B", *map(str, command)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, universal_newlines=True, timeout=120)
    lines = log.read_text(errors="replace").splitlines()
    return Ran(done.returncode, done.stdout, done.stderr), list(filter(None, map(_call, lines))), sum(
        "(INJECTED)" in line or "killed by SIGKILL" in line for line in lines)


def _call(line: str) -> Any:
    name, bracket, rest = line.partition(" ")[2].strip().partition("(")
    if not bracket or not name.isidentifier() or "<unfinished" in line:
        return None
    if name.startswith("rename"):
        return Call("rename", tuple(rest.split('"')[1::2][:2]))
    return Call(name, (rest.partition("<")[2].partition(">")[0],) if "<" in rest else (rest.partition(",")[0],))


# What must hold

def counted_apart(path: Path) -> Tuple[Rollup, Dict[str, int], int]:
    """Count a log whose rows are single lines, with nothing but the record's own checks.

    Returns accepted calls, rejected rows by reason, and how many rows there are in all, half a row included.
    """
    *lines, half = path.read_bytes().split(b"\n")[1:]
    rollup, rejected, seen = Rollup(), {}, set()
    for line in filter(None, (one.rstrip(b"\r") for one in lines)):
        try:
            if b"\0" in line:
                raise RecordError("row", "holds a NUL byte")
            (row,) = csv.reader([line.decode("utf-8")]) if b'"' in line else [line.decode("utf-8").split(",")]
            call = AICall.from_row(row)
            if call.call_id in seen:
                raise REPEATED
        except RecordError as error:
            rejected[error.category] = rejected.get(error.category, 0) + 1
        except UnicodeDecodeError:
            rejected["row is not UTF-8 text"] = rejected.get("row is not UTF-8 text", 0) + 1
        else:
            seen.add(call.call_id)
            rollup.add(call)
    return rollup, rejected, sum(1 for one in lines if one.rstrip(b"\r")) + bool(half)


def check_counts(path: Path, dataset: Any = None) -> Dataset:
    """Check that a log's counts, as its checkpoint goes on, are those from scratch and add up to its rows."""
    found: Dataset = dataset or load_dataset(path)
    apart, rejected, rows_in = counted_apart(path)
    assert sum(found.rollup.rejected.values()) == sum(rejected.values())
    assert found.rollup.total() == apart.total()
    assert found.rollup.total().calls + sum(rejected.values()) + bool(found.pending_bytes) == rows_in
    assert found.rollup.canonical() == load_dataset(path, use_checkpoint=False).rollup.canonical()
    return found


def check_set_aside(path: Path) -> None:
    """Check that the rows set aside stand once each, in order."""
    found = load_dataset(path)
    text = found.rejected_path.read_text(encoding="utf-8") if found.rejected_path.exists() else "line\n"
    _, *lines = csv.reader(io.StringIO(text, newline=""))
    numbers = [int(line[0]) for line in lines]
    assert numbers == sorted(set(numbers)) and len(numbers) == sum(found.rollup.rejected.values())


def analyse(log: Path, reports: Path, *options: object) -> Ran:
    """Run two analysers as a user does; the run must succeed."""
    ran = run(ANALYZE, "--csv", log, "--output", reports, *ANALYSERS, "--quiet", *options)
    assert ran.code == 0 and "Traceback" not in ran.err, ran.err
    return ran


ANALYSERS = ("--only", "understanding,pricing", "--workers", "1")


def check_reports(log: Path, reports: Path) -> None:
    """Check that results are to the byte what a run from scratch gives, and that every page is whole."""
    scratch = reports.with_name(reports.name + "-scratch")
    analyse(log, scratch, "--no-cache")
    for name in ("understanding.json", "pricing.json"):
        assert (reports / "json" / name).read_bytes() == (scratch / "json" / name).read_bytes(), name
    shutil.rmtree(str(scratch))
    check_whole(reports)


def check_whole(reports: Path) -> None:
    """Check that no page or result of a folder is cut off."""
    for path in reports.rglob("*.*"):
        if path.suffix == ".json":
            json.loads(path.read_text(encoding="utf-8"))
        elif path.suffix == ".html":
            assert path.read_text(encoding="utf-8").rstrip().endswith("</html>"), path


def one_line(ran: Ran, *words: str) -> None:
    """Check that a command failed with one clear line."""
    assert ran.code == 1 and ran.err.startswith("error: ") and ran.err.count("\n") == 1, ran
    assert "Traceback" not in ran.err and "unexpected" not in ran.err and all(word in ran.err for word in words), ran


