"""A disk that is full, read-only or broken, at every write: old or new stands, and all is right when it is cured.

What was lost: nothing. A file that could not be replaced stays as it was, and the command says why.
"""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bringing import (
    ANALYSERS,
    ANALYZE,
    BAD,
    EXPORT,
    analyse,
    append,
    check_counts,
    check_reports,
    check_set_aside,
    check_whole,
    mounted,
    one_line,
    remount,
    rows,
    spread,
    traced,
    write_log,
)

from conftest import EVERYTHING, SIMULATE, run

STORY = ("--days", 3, "--customers", 30, "--start", "2026-01-01", "--quiet")
CALLS = "write,fsync,rename,renameat2"


class State:
    """A log with reports of its beginning; it grew since."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log, self.reports = folder, folder / "calls.csv", folder / "reports"

    def command(self):
        return (ANALYZE, "--csv", self.log, "--output", self.reports, *ANALYSERS, "--quiet")

    def again(self, folder: Path) -> State:
        """Return a copy."""
        if folder.exists():
            shutil.rmtree(str(folder))
        shutil.copytree(str(self.folder), str(folder))
        return State(folder)


@pytest.fixture(scope="module")
def before(tmp_path_factory) -> State:
    state = State(tmp_path_factory.mktemp("before"))
    write_log(state.log, rows(0, 300) + BAD)
    analyse(state.log, state.reports)
    append(state.log, rows(300, 340) + BAD + rows(310, 312) + rows(340, 341)[:30])
    return state


@pytest.fixture(scope="module")
def made(before, tmp_path_factory):
    """Return the calls of the system that an undisturbed run makes, by name."""
    folder = tmp_path_factory.mktemp("made")
    ran, calls, _ = traced(folder, CALLS, *before.again(folder / "state").command())
    assert ran.code == 0
    return {name: [call for call in calls if call.name == name] for name in ("write", "fsync", "rename")}


def old_or_new(state: State, old: State) -> None:
    """Check that each file is the one before the fault or another whole one, and that nothing is left beside."""
    check_whole(state.reports)
    assert {path.name for path in old.reports.rglob("*.*")} <= {path.name for path in state.reports.rglob("*.*")}
    assert state.log.read_bytes() == old.log.read_bytes()
    for name in ("understanding.json", "pricing.json"):
        text = (state.reports / "json" / name).read_text()
        assert ('"total_calls": 300' in text) != ('"total_calls": 340' in text)


@pytest.mark.parametrize("name, faults, few", [
    ("write", ("error=ENOSPC", "error=EIO"), 1), ("fsync", ("error=EIO",), 0),
    ("rename", ("error=EROFS", "error=EXDEV", "error=EACCES"), 0),
    ("write", ("signal=SIGKILL",), 1), ("fsync", ("signal=SIGKILL",), 0), ("rename", ("signal=SIGKILL",), 1)])
def test_reports_are_old_or_new_whatever_call_of_the_system_fails_or_is_the_last(
        before, made, tmp_path, name, faults, few):
    if not few and not EVERYTHING:
        pytest.skip("takes seconds of its own: set FINOPS_TEST_EVERYTHING")
    for number in spread(range(1, len(made[name]) + 1), 6 if EVERYTHING else few):
        state, fault = before.again(tmp_path / "state"), faults[number % len(faults)]
        ran, _, hits = traced(tmp_path, CALLS, *state.command(), inject=f"{name}:{fault}:when={number}")
        assert hits, number
        assert "Traceback" not in ran.err and "unexpected" not in ran.err, ran
        assert ran.code == -9 or ran.code in (0, 1) and ran.err.count("\n") >= 1, ran
        old_or_new(state, before)
        assert ran.code == -9 or not list(state.folder.rglob("*.new"))
        check_counts(state.log)
        check_set_aside(state.log)
        analyse(state.log, state.reports)
        check_whole(state.reports)
        assert '"total_calls": 340' in (state.reports / "json" / "pricing.json").read_text()
    check_reports(state.log, state.reports)


def in_order(calls, folder: Path) -> int:
    """Check that everything written below a folder is on the disk before its name is, and before it is spoken of.

    Returns how many files were replaced.
    """
    dirty, renamed = set(), 0
    for call in calls:
        if call.name == "write" and call.files[0].startswith(str(folder)):
            dirty.add(call.files[0])
        elif call.name == "write" and call.files[0].startswith(("pipe:", "/dev/pts")):
            assert dirty == set(), "said to be saved before it is"
        elif call.name == "fsync":
            dirty.discard(call.files[0])
        elif call.name == "rename":
            assert not dirty & {call.files[0]}, call
            dirty.add(str(Path(call.files[1]).parent))
            renamed += 1
    assert dirty == set()
    return renamed


def test_what_is_called_saved_is_on_the_disk_before_its_name_and_before_it_is_said(before, tmp_path):
    """A power cut loses what was not synced: the order of calls is what keeps it."""
    state = before.again(tmp_path / "state")
    _, calls, _ = traced(tmp_path, CALLS, *(one for one in state.command() if one != "--quiet"))
    assert in_order([one for one in calls if not one.files[0].startswith("pipe:")], state.folder) >= 7
    ran, calls, _ = traced(tmp_path, CALLS, EXPORT, "--to", "jsonl", "--csv", state.log, "--output",
                           tmp_path / "out.jsonl", "--quiet")
    assert ran.code == 0 and in_order(calls, tmp_path) == 1
    ran, calls, _ = traced(tmp_path, CALLS, SIMULATE, 0.1, *STORY, "--output", tmp_path / "s" / "calls.csv")
    assert ran.code == 0 and ran.out.startswith("Wrote ")
    log = str(tmp_path / "s" / "calls.csv")
    places = [number for number, call in enumerate(calls) if log == call.files[0]]
    said = next(number for number, call in enumerate(calls) if call.name == "rename" and number > places[-1])
    assert calls[places[-1]].name == "fsync" and said > places[-1]  # the log, then its truth


def test_a_disk_that_fills_up_leaves_whole_lines_and_the_run_goes_on_when_there_is_room(tmp_path):
    with mounted(tmp_path / "disk", "size=1m") as disk:
        path = disk / "calls.csv"
        ran = run(SIMULATE, 1.3, *STORY, "--output", path)
        one_line(ran, str(path.parent), "the disk is full")
        if path.exists():
            check_counts(path)
        remount(disk, "size=20m")
        ran = run(SIMULATE, 1.3, *STORY, "--output", path, "--append")
        assert ran.code == 0, ran.err
        whole = tmp_path / "whole.csv"
        assert run(SIMULATE, 1.3, *STORY, "--output", whole).code == 0
        assert path.read_bytes() == whole.read_bytes()


def test_on_a_full_disk_the_old_reports_stand_and_each_failure_is_told(before, tmp_path):
    with mounted(tmp_path / "disk", "size=2m") as disk:
        state = before.again(disk / "state")
        with open(disk / "filler", "wb", buffering=0) as filler, pytest.raises(OSError):
            while True:
                filler.write(b"x" * 4096)
        ran = run(*state.command())
        assert ran.code == 1 and "the disk is full" in ran.err and "Traceback" not in ran.err
        old_or_new(state, before)
        assert '"total_calls": 300' in (state.reports / "json" / "pricing.json").read_text()
        (disk / "filler").unlink()
        analyse(state.log, state.reports)
        check_reports(state.log, state.reports)


def test_a_read_only_disk_is_told_and_counting_goes_on_without_a_checkpoint(before, tmp_path):
    with mounted(tmp_path / "disk", "size=5m") as disk:
        state = before.again(disk / "state")
        remount(disk, "ro")
        ran = run(*state.command())
        assert ran.code == 1 and "read-only: choose another folder" in ran.err and "Traceback" not in ran.err
        old_or_new(state, before)
        ran = run(ANALYZE, "--csv", state.log, "--output", tmp_path / "elsewhere", *ANALYSERS, "--quiet")
        assert ran.code == 0 and "note: " in ran.err and "read-only" in ran.err
        check_reports(state.log, tmp_path / "elsewhere")
        one_line(run(SIMULATE, 0.1, *STORY, "--output", disk / "new.csv"), "read-only: choose another folder")


@pytest.mark.parametrize("place", ["reports", "reports/html/index.html"])
def test_something_else_in_the_place_of_reports_is_told(tmp_path, place):
    log = write_log(tmp_path / "calls.csv", rows(0, 20))
    if place.endswith(".html"):
        (tmp_path / place / "mine").mkdir(parents=True)
    else:
        (tmp_path / place).write_text("mine")
    ran = run(ANALYZE, "--csv", log, "--output", tmp_path / "reports", *ANALYSERS, "--quiet")
    assert ran.code == 1 and "Traceback" not in ran.err and "unexpected" not in ran.err, ran.err
    assert "check the path" in ran.err or "name a file" in ran.err
    check_counts(log)


def test_odd_names_of_folders_are_as_good_as_others(tmp_path):
    folder = Path(os.fsdecode(os.fsencode(str(tmp_path)) + b"/with space/two\nlines/-dash/\xc3\xbcber \xe9"))
    folder.mkdir(parents=True)
    log = write_log(folder / "calls.csv", rows(0, 20) + BAD)
    command = [sys.executable, str(ANALYZE), "--csv", str(log), "--output", str(folder / "reports"), *ANALYSERS]
    assert subprocess.call(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    check_whole(folder / "reports")
    check_counts(log)
    check_set_aside(log)
    assert len(list((folder / "reports" / "html").iterdir())) == 4
