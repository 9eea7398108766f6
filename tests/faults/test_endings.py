"""How commands end when their terminal, their reader or their output goes: no trace, and a documented exit code."""
from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from bringing import ANALYSERS, ANALYZE, EXPORT, check_counts, check_whole, one_line, rows, traced, write_log

from conftest import SIMULATE, run
from rollup.dataset import load_dataset

FULL = "/dev/full"
STORY = ("--days", "3", "--customers", "30", "--start", "2026-01-01")


@pytest.fixture
def log(tmp_path):
    return write_log(tmp_path / "calls.csv", rows(0, 300))


def shell(text: str, *words: object):
    """Run a line of the shell with `$@` as the command's words; returns its code and what it said on descriptor 3."""
    done = subprocess.run(["sh", "-c", text, "sh", sys.executable, *map(str, words)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, universal_newlines=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def commands(log, folder):
    return {"analyse": (ANALYZE, "--csv", log, "--output", folder / "reports", *ANALYSERS, "--quiet"),
            "simulate": (SIMULATE, "0.05", *STORY, "--output", folder / "new.csv"),
            "export": (EXPORT, "--csv", log, "--to", "csv", "--quiet")}


@pytest.mark.parametrize("name", ["analyse", "simulate", "export"])
def test_an_output_that_is_full_is_one_line_and_exit_1(log, tmp_path, name):
    code, out, err = shell(f'exec "$@" >{FULL}', *commands(log, tmp_path)[name])
    assert (code, out, err) == (1, "", "error: cannot write the output: the disk is full: free some space or choose "
                                       "another folder\n")
    check_counts(log)


@pytest.mark.parametrize("name", ["analyse", "simulate", "export"])
def test_closed_streams_stop_nothing_and_get_into_no_file(log, tmp_path, name):
    before = log.read_bytes()
    found, out, err = shell('exec "$@" <&- >&- 2>&-', *commands(log, tmp_path)[name])
    assert (found, out, err) == (0, "", "")
    assert log.read_bytes() == before
    for path in tmp_path.rglob("*.csv"):
        check_counts(path)
    check_whole(tmp_path / "reports") if name == "analyse" else None


def test_a_run_without_streams_that_is_stopped_writes_no_word_into_its_log(tmp_path):
    path = tmp_path / "calls.csv"
    with subprocess.Popen(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, str(SIMULATE), "200", *STORY,
                           "--output", str(path)]) as process:
        while not path.exists() or path.stat().st_size < 100_000:
            assert process.poll() is None
            time.sleep(0.01)
        process.terminate()
    assert process.returncode == 143
    gone_on_with(path)


def test_a_reader_that_has_seen_enough_is_met_in_silence(log):
    code, out, err = shell('{ "$@"; echo $? >&2; } | head -1', EXPORT, "--csv", log, "--to", "csv", "--quiet")
    assert (code, out.count("\n"), err) == (0, 1, "0\n")


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_an_analysis_without_a_trace_and_leaves_old_or_new(tmp_path, number):
    log, reports = write_log(tmp_path / "calls.csv", rows(0, 6000)), tmp_path / "reports"
    command = [sys.executable, str(ANALYZE), "--csv", str(log), "--output", str(reports), "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True) as process:
        while process.poll() is None and not reports.exists():
            time.sleep(0.005)
        process.send_signal(number)
        if number == signal.SIGINT:
            process.send_signal(number)  # pressed twice
        out, err = process.communicate(timeout=30)
    assert "Traceback" not in err and process.returncode in (-number, 128 + number, 0), (process.returncode, err)
    check_whole(reports)
    check_counts(log)


@pytest.fixture
def hung_up_like_any():
    """Let commands be ended by the end of their terminal, though the tests may run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def test_a_terminal_that_is_closed_leaves_whole_lines(hung_up_like_any, tmp_path):
    path = tmp_path / "calls.csv"
    with subprocess.Popen([sys.executable, str(SIMULATE), "200", *STORY, "--output", str(path), "--quiet"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True) as process:
        while not path.exists() or path.stat().st_size < 100_000:
            assert process.poll() is None
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGHUP)
        out, err = process.communicate(timeout=30)
    assert process.returncode in (-signal.SIGHUP, 129) and b"Traceback" not in err
    gone_on_with(path)


def test_a_file_system_without_locks_is_told_in_one_line_and_its_log_left_alone(tmp_path):
    path = write_log(tmp_path / "calls.csv", rows(0, 5))
    before = path.read_bytes()
    ran, _, hits = traced(tmp_path, "flock", SIMULATE, 0.05, *STORY, "--output", path, "--append", "--quiet",
                          inject="flock:error=ENOLCK")
    assert hits and (ran.code, ran.err) == (1, f"error: cannot open {path}: no locks available\n")
    assert path.read_bytes() == before


def test_a_second_simulator_is_told_to_wait_and_goes_on_where_a_killed_one_left_off(tmp_path):
    """What was lost: the batch that was being written, and no more of it than half a line is left, to be cut off."""
    path = tmp_path / "calls.csv"
    first = [sys.executable, str(SIMULATE), "200", *STORY, "--output", str(path), "--quiet"]
    again = (SIMULATE, 300, *STORY, "--seed", 9, "--output", path, "--append", "--quiet")
    with subprocess.Popen(first, start_new_session=True, stdout=subprocess.DEVNULL) as process:
        while not path.exists() or path.stat().st_size < 100_000:
            assert process.poll() is None
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGSTOP)  # in the middle of whatever it is at
        one_line(run(*again, env=dict(os.environ, FINOPS_LOCK_WAIT_SECONDS="0.1")), "is being written by another")
        os.killpg(process.pid, signal.SIGKILL)
    gone_on_with(path)


def gone_on_with(path) -> None:
    """Append a little more to a log, and check that it holds whole rows, at least as many as there were."""
    before = load_dataset(path, use_checkpoint=False).rollup
    assert before.rejected == {} and before.total().calls > 300
    ran = run(SIMULATE, 0.05 + 1.05 * path.stat().st_size / 1e6, *STORY, "--seed", 9, "--output", path, "--append",
              "--quiet")
    assert ran.code == 0, ran.err
    found = load_dataset(path, use_checkpoint=False)
    assert found.rollup.rejected == {} and found.rollup.total().calls > before.total().calls
    assert found.pending_bytes == 0
