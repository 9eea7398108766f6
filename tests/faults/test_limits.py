"""Too few files, threads or bytes of memory, and logs of monstrous shape: a clear line or a 503, and recovery."""
from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time

import pytest
from bringing import ANALYSERS, ANALYZE, append, check_counts, check_whole, lacking, one_line, rows, write_log

from conftest import EVERYTHING, Ran, thoroughly
from viewer.viewers import Running, ask

resource = pytest.importorskip("resource", reason="limits are those of POSIX")
MEGABYTE = 1 << 20


def limited(limits, *command: object) -> Ran:
    """Run a command under limits of its own."""
    def limit() -> None:
        for number, value in limits:
            resource.setrlimit(number, (value, value))
    done = subprocess.run([sys.executable, *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          universal_newlines=True, timeout=120, preexec_fn=limit)
    return Ran(done.returncode, done.stdout, done.stderr)


def test_too_few_files_are_one_line_that_says_which_limit_to_raise(tmp_path):
    log = write_log(tmp_path / "calls.csv", rows(0, 50))
    command = (ANALYZE, "--csv", log, "--output", tmp_path / "reports", "--quiet", "--workers", 2)
    one_line(limited([(resource.RLIMIT_NOFILE, 6)], *command), "ulimit -n")
    check_counts(log)
    check_whole(tmp_path / "reports")


@thoroughly
def test_too_little_memory_is_one_line_or_costs_single_reports(tmp_path):
    """Wherever memory ends, what stands is whole; with enough of it all is done."""
    log, outcomes = write_log(tmp_path / "calls.csv", rows(0, 3000)), []
    for megabytes in (26, 34, 200):
        ran = limited([(resource.RLIMIT_AS, megabytes * MEGABYTE)], ANALYZE, "--csv", log, "--output",
                      tmp_path / "reports", "--no-cache", "--quiet", *ANALYSERS)
        outcomes.append(ran.code)
        check_whole(tmp_path / "reports")
    assert outcomes[-1] == 0, ran.err
    check_counts(log)


@pytest.mark.parametrize("shape", ["a hole of zero bytes", "an open quote", "no end of the last line",
                                   "many lines of a megabyte"])
def test_a_line_of_hundreds_of_megabytes_takes_little_memory_and_time(tmp_path, shape):
    """A power cut may leave a hole; it is sparse here, and costs the disk nothing."""
    log = write_log(tmp_path / "calls.csv", rows(0, 500))
    with open(log, "r+b") as handle:
        handle.seek(0, os.SEEK_END)
        handle.write(b'"' if shape == "an open quote" else b"")
        if shape == "many lines of a megabyte":
            handle.writelines(b"x" * (MEGABYTE - 1) + b"\n" for _ in range(150))
        else:
            handle.truncate(handle.tell() + (600 if EVERYTHING else 150) * MEGABYTE)
    if shape != "no end of the last line":
        append(log, "\n" * (shape != "many lines of a megabyte") + rows(500, 700))
    began = time.process_time()
    ran = limited([(resource.RLIMIT_AS, 250 * MEGABYTE)], ANALYZE, "--csv", log, "--output", tmp_path / "r", "--json",
                  "--no-cache", "--quiet", *ANALYSERS)
    assert ran.code == 0, ran.err
    told = json.loads((tmp_path / "r" / "json" / "pricing.json").read_text())
    assert told["summary"]["total_calls"] == (500 if shape == "no end of the last line" else 700)
    assert time.process_time() - began < 60


@pytest.fixture
def viewer(tmp_path):
    if not hasattr(resource, "prlimit"):
        lacking("limits of another process can be set on Linux alone")
    (tmp_path / "data").mkdir()
    write_log(tmp_path / "data" / "calls.csv", rows(0, 60))
    with Running(tmp_path) as running:
        running.until_fresh(60)
        yield running


@contextlib.contextmanager
def soft_limit(pid: int, number: int, value: int):
    before = resource.prlimit(pid, number)
    resource.prlimit(pid, number, (value, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, number, before)


def crowd(port: int, count: int):
    opened = []
    for _ in range(count):
        with contextlib.suppress(OSError):
            one = socket.create_connection(("127.0.0.1", port), timeout=2)
            one.sendall(b"GET /health HTTP/1.1\r\n")  # and no more: it holds its thread
            opened.append(one)
    return opened


def memory_of(pid: int) -> int:
    with open(f"/proc/{pid}/statm") as handle:
        return int(handle.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("what", ["files", pytest.param("threads and memory", marks=thoroughly)])
def test_a_viewer_that_runs_out_of_files_or_threads_recovers(viewer, what):
    pid = viewer.process.pid
    limit = (resource.RLIMIT_NOFILE, len(os.listdir(f"/proc/{pid}/fd")) + 8) if what == "files" else (
        resource.RLIMIT_AS, memory_of(pid) + 40 * MEGABYTE)
    with soft_limit(pid, *limit):
        crowded = crowd(viewer.port, 40)
        time.sleep(0.5)
        for one in crowded:
            one.close()
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            if ask(viewer.port, "/health").status == 200:
                break
        time.sleep(0.1)
    assert ask(viewer.port, "/health").status == 200 and viewer.process.poll() is None
    append(viewer.csv, rows(60, 90))
    viewer.until_fresh(90)
    assert viewer.end() == 0
