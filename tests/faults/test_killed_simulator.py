"""Whatever ends a run, the log holds whole lines, and `--append` goes on from there."""
from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from calls.record import FIELDS, HEADER
from conftest import EVERYTHING, SIMULATE, Ran, read_calls, read_truth, run

fcntl = pytest.importorskip("fcntl", reason="what is killed here is a POSIX process")
PROCESSES = Path("/proc")
pytestmark = pytest.mark.skipif(not (PROCESSES / "self" / "cmdline").exists(), reason="there is no /proc to look at")

STORY = (30, "--seed", 11, "--start", "2026-01-01", "--customers", 100)  # few customers: it starts sooner
LONG_STORY = (200,) + STORY[1:]  # for runs that are stopped early: surely not at their end by then
PATIENCE_SECONDS = 60.0  # for what takes a second on a quiet machine
MEANWHILE_SECONDS = 0.02
KILLS = 40 if EVERYTHING else 3


def start(path: Path, *options: object, story=STORY) -> subprocess.Popen:
    command = [sys.executable, str(SIMULATE), *map(str, story), "--output", str(path), *map(str, options)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)


def ended(process: subprocess.Popen) -> Ran:
    """Wait for a process and return how it ended."""
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    return Ran(process.returncode, out, err)


def wait_until(happened, what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(MEANWHILE_SECONDS)


def processes_of(path: Path):
    """Return the processes that were started for a log or hold it open."""
    found = set()
    for folder in PROCESSES.iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            named = os.fsencode(str(path)) in (folder / "cmdline").read_bytes()
            if named or any(os.readlink(str(one)) == str(path) for one in (folder / "fd").iterdir()):
                found.add(int(folder.name))
        except OSError:
            pass  # it ended while we looked, or is not ours
    return found


def can_be_locked(path: Path) -> bool:
    if not path.exists():
        return True
    with open(path, "rb") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def wait_for_quiet(path: Path) -> None:
    """Wait until nobody works on a log any more: no process is left behind, and its lock is free."""
    wait_until(lambda: not processes_of(path), "no process of the run is left")
    assert can_be_locked(path)


def size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def check_whole_lines(path: Path) -> None:
    """Check that a log ends with a newline and that every line has all its fields."""
    if not size_of(path):
        return
    data = path.read_bytes()
    assert data.endswith(b"\n") and data.startswith(HEADER.encode("ascii") + b"\n")
    broken = [line for line in data.split(b"\n")[:-1] if line.count(b",") != len(FIELDS) - 1]
    assert broken == []


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "calls.csv"
    assert run(SIMULATE, *STORY, "--output", path).code == 0
    return path


def killed(path: Path, writing: bool, later_seconds: float, workers: int) -> int:
    """Go on with a log, kill the process once it writes or while it starts, and return its exit code."""
    victim, before = start(path, "--append", "--quiet", "--workers", workers), size_of(path)
    if writing:
        wait_until(lambda: size_of(path) > max(before, len(HEADER) + 1) or victim.poll() is not None, "it writes")
    time.sleep(later_seconds)
    victim.send_signal(signal.SIGKILL)
    return ended(victim).code


def test_many_kills_leave_whole_lines_and_the_log_becomes_what_it_would_have_been(uninterrupted, tmp_path):
    """Kill -9 at random moments of starting and writing; each run goes on where the one before was killed."""
    path, chance, while_writing = tmp_path / "calls.csv", Random(20), 0
    for kill in range(KILLS):
        before = size_of(path)
        if kill % 4:
            code = killed(path, True, 0.2 * chance.random(), 2 if kill % 5 == 4 else 1)
        else:
            code = killed(path, False, 0.6 * chance.random(), 1)
        wait_for_quiet(path)
        check_whole_lines(path)
        while_writing += size_of(path) > before
        assert code == -signal.SIGKILL or is_complete(path)
        if is_complete(path):
            finish(path, uninterrupted)
            path.unlink()
            path.with_suffix(".truth.json").unlink()
    assert while_writing >= KILLS / 2  # most kills came in the middle of the work
    finish(path, uninterrupted)
    ids = [line.partition(b",")[0] for line in path.read_bytes().splitlines()]
    assert len(set(ids)) == len(ids) > 100_000


def test_the_writer_ends_by_itself_soon_after_the_visible_process_is_killed(tmp_path):
    path = tmp_path / "calls.csv"
    command = [sys.executable, str(SIMULATE), "300", "--output", str(path), "--quiet", "--workers", "2"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as victim:
        wait_until(lambda: size_of(path) > 1_000_000, "it writes")
        victim.kill()
    at_once = size_of(path)
    wait_for_quiet(path)
    check_whole_lines(path)
    assert read_truth(path)[0]["complete"] is False
    assert size_of(path) < at_once + 100_000_000  # not to the end of the story: a second of writing at most


def is_complete(path: Path) -> bool:
    return path.with_suffix(".truth.json").exists() and read_truth(path)[0]["complete"]


def finish(path: Path, uninterrupted: Path) -> None:
    """Go on to the end, if that was not reached yet, and compare with the log that nobody interrupted."""
    if not is_complete(path):
        ran = run(SIMULATE, *STORY, "--output", path, "--append")
        assert ran.code == 0, ran.err
    assert path.read_bytes() == uninterrupted.read_bytes()
    assert read_truth(path) == read_truth(uninterrupted)
    assert not path.with_name("calls.csv.partial").exists()


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_run_that_is_asked_to_stop_ends_on_a_whole_line_and_says_how_to_go_on(tmp_path, number, code, workers):
    path = tmp_path / "calls.csv"
    process = start(path, "--workers", workers, story=LONG_STORY)
    wait_until(lambda: size_of(path) > 1_000_000, "it writes")
    process.send_signal(number)
    ran = ended(process)
    assert (ran.code, ran.err) == (code, "")
    assert processes_of(path) == set() and can_be_locked(path)
    check_whole_lines(path)
    [told] = read_truth(path)
    calls = read_calls(path)
    assert told["complete"] is False and sum(told["rows"].values()) == len(calls)
    assert told["spec"]["begin_bytes"] + sum(told["slice_bytes"]) == size_of(path) < 200e6
    assert ran.out.startswith(f"Stopped early: wrote {len(calls):,} calls")
    assert "go on with the same command and --append" in ran.out


def test_ctrl_c_reaches_all_processes_of_the_terminal_and_still_ends_on_a_whole_line(tmp_path):
    """A terminal sends SIGINT to the whole group: workers and writer must not die of it in the middle of a line."""
    path = tmp_path / "calls.csv"
    command = [sys.executable, str(SIMULATE), *map(str, LONG_STORY), "--output", str(path), "--workers", "2"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True,
                               start_new_session=True)
    wait_until(lambda: size_of(path) > 1_000_000, "it writes")
    os.killpg(process.pid, signal.SIGINT)
    ran = ended(process)
    assert (ran.code, ran.err) == (130, "") and ran.out.startswith("Stopped early")
    assert processes_of(path) == set()
    check_whole_lines(path)
    assert read_truth(path)[0]["complete"] is False


def test_a_stopped_run_says_in_json_that_it_is_not_complete(tmp_path):
    path = tmp_path / "calls.csv"
    process = start(path, "--json", story=LONG_STORY)
    wait_until(lambda: size_of(path) > 1_000_000, "it writes")
    process.send_signal(signal.SIGTERM)
    ran = ended(process)
    assert ran.code == 143 and '"complete": false' in ran.out and f'"bytes": {size_of(path)},' in ran.out


def parent_of(process: int) -> int:
    return int((PROCESSES / str(process) / "stat").read_text().rpartition(")")[2].split()[1])


@pytest.mark.parametrize("workers", [1, 2])
def test_the_writing_process_killed_under_the_visible_one_is_one_line_and_exit_1(uninterrupted, tmp_path, workers):
    path = tmp_path / "calls.csv"
    process = start(path, "--workers", workers)
    wait_until(lambda: size_of(path) > 1_000_000, "it writes")
    [child] = [one for one in processes_of(path) if parent_of(one) == process.pid]
    os.kill(child, signal.SIGKILL)
    ran = ended(process)
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert "ended from outside" in ran.err and "--append" in ran.err
    wait_for_quiet(path)
    # This kill may hit the middle of a write: the next run takes the half line away.
    finish(path, uninterrupted)
    check_whole_lines(path)


def test_a_worker_killed_under_the_run_is_one_line_and_exit_1(uninterrupted, tmp_path):
    path = tmp_path / "calls.csv"
    process = start(path, "--workers", 2)
    wait_until(lambda: size_of(path) > 1_000_000, "it writes")
    os.kill(max(processes_of(path) - {process.pid}), signal.SIGKILL)
    ran = ended(process)
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1) and "--append" in ran.err
    wait_for_quiet(path)
    finish(path, uninterrupted)


@pytest.mark.parametrize("half, kept", [("sim-00-0-0000,2026-01", False), ("req-1,2026-01", True)])
def test_half_a_line_at_the_end_is_set_aside_and_only_a_foreign_one_is_kept(tmp_path, half, kept):
    path = tmp_path / "calls.csv"
    assert run(SIMULATE, 0.1, "--days", 3, "--output", path).code == 0
    before = path.read_bytes()
    path.write_bytes(before + half.encode("ascii"))
    ran = run(SIMULATE, 0.2, "--days", 3, "--output", path, "--append")
    assert ran.code == 0 and f"half a line of {len(half)} bytes at the end of the log was set aside" in ran.out
    check_whole_lines(path)
    assert path.read_bytes().startswith(before) and size_of(path) > len(before)
    assert read_truth(path)[1]["spec"]["begin_bytes"] == len(before)
    partial = tmp_path / "calls.csv.partial"
    assert (partial.read_text() if partial.exists() else "") == (half + "\n" if kept else "")
