"""The log writer among processes: who waits for whom, what a kill leaves, and what a full disk leaves."""
from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from calls import log_writer
from calls.log_writer import LogWriter
from calls.record import HEADER
from conftest import ROOT
from errors import LogBusyError, LogError

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals, limits and mounts are those of POSIX")
HEAD = HEADER.encode() + b"\n"
SIM, SIM_2 = b"sim-1,a,b\n", b"sim-2,a,b\n"
HOLD = """
    import sys
    from calls.log_writer import LogWriter
    with LogWriter(sys.argv[1]) as writer:
        writer.write(b"sim-1,a,b\\n")
        print("held", flush=True)
        sys.stdin.read()
"""
FILL = """
    import os, resource, signal, sys
    from calls.log_writer import LogWriter
    from errors import LogError
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    path, limit = sys.argv[1], int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        with LogWriter(path) as writer:
            for _ in range(100):
                writer.write(b"sim-1,a,b\\n" * 3)
    except LogError as error:
        print(error)
"""


def _child(source, *arguments):
    environment = dict(os.environ, PYTHONPATH=str(ROOT / "src"))
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(source), *map(str, arguments)], env=environment,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, universal_newlines=True)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "calls.csv"


@pytest.fixture
def holder(path):
    """Return another process that holds the log, with one row written."""
    with _child(HOLD, path) as child:
        assert child.stdout.readline() == "held\n"
        yield child
        child.kill()


@pytest.mark.parametrize("fresh", [False, True])
def test_a_second_writer_is_refused_and_changes_nothing(path, holder, fresh):
    with pytest.raises(LogBusyError) as caught, LogWriter(path, fresh=fresh):
        pass
    assert str(caught.value) == (f"{path} is being written by another process: wait for it to end, or choose another "
                                 "file with --output")
    assert path.read_bytes() == HEAD + SIM


def test_a_writer_waits_as_long_as_it_was_told(path, holder):
    start = time.monotonic()
    with pytest.raises(LogBusyError), LogWriter(path, wait_seconds=0.3):
        pass
    assert time.monotonic() - start >= 0.3


def test_a_log_held_by_a_killed_process_can_be_written(path, holder):
    os.kill(holder.pid, signal.SIGKILL)
    assert holder.wait(30) == -signal.SIGKILL
    with LogWriter(path) as writer:
        writer.write(SIM_2)
    assert path.read_bytes() == HEAD + SIM + SIM_2


def test_a_writer_that_waits_gets_the_log_when_its_holder_ends(path, holder):
    holder.stdin.close()
    with LogWriter(path, wait_seconds=30) as writer:
        writer.write(SIM_2)
    assert path.read_bytes() == HEAD + SIM + SIM_2


def test_a_log_that_is_replaced_during_the_wait_is_opened_anew(path, tmp_path, monkeypatch):
    path.write_bytes(HEAD + SIM)
    real, waits = log_writer.lock_file, []

    def replace_once(descriptor, wait_seconds):
        waits.append(wait_seconds)
        if len(waits) == 1:
            (tmp_path / "new.csv").write_bytes(HEAD)
            os.replace(tmp_path / "new.csv", path)
        return real(descriptor, wait_seconds)

    monkeypatch.setattr(log_writer, "lock_file", replace_once)
    with LogWriter(path, wait_seconds=1.5) as writer:
        writer.write(SIM_2)
    assert waits == [1.5, 1.5]
    assert path.read_bytes() == HEAD + SIM_2


def test_a_log_that_is_removed_during_the_wait_is_made_anew(path, monkeypatch):
    path.write_bytes(HEAD + SIM)
    real, removed = log_writer.lock_file, []

    def remove_once(descriptor, wait_seconds):
        if not removed:
            removed.append(path)
            path.unlink()
        return real(descriptor, wait_seconds)

    monkeypatch.setattr(log_writer, "lock_file", remove_once)
    with LogWriter(path) as writer:
        writer.write(SIM_2)
    assert path.read_bytes() == HEAD + SIM_2


def test_a_file_system_without_locks_is_told_in_one_line(path, monkeypatch):
    def refuse(descriptor, wait_seconds):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(log_writer, "lock_file", refuse)
    with pytest.raises(LogError) as caught, LogWriter(path):
        pass
    assert str(caught.value) == f"cannot open {path}: no locks available"


@pytest.mark.parametrize("rows", [0, 3, 7])
@pytest.mark.parametrize("more", [0, 1, 9, 29])
def test_a_write_beyond_the_size_limit_leaves_the_last_whole_write(path, rows, more):
    limit = len(HEAD) + len(SIM) * 3 * rows + more
    with _child(FILL, path, limit) as child:
        said = child.communicate(timeout=60)[0]
    assert said == (f"cannot write {path}: the file would exceed the size limit: raise the limit or choose a smaller "
                    "size\n")
    assert path.read_bytes() == HEAD + SIM * 3 * rows


def test_a_header_beyond_the_size_limit_leaves_an_empty_file(path):
    with _child(FILL, path, 100) as child:
        said = child.communicate(timeout=60)[0]
    assert said.startswith(f"cannot write {path}: the file would exceed the size limit")
    assert path.read_bytes() == b""


@pytest.fixture
def small_disk(tmp_path):
    """Return a folder on a disk of 1 MB, where this user may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        mounted = subprocess.call(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("this user may mount nothing here; the size limit's test stands in")
    yield folder
    subprocess.check_call(["umount", str(folder)])


def test_a_full_disk_leaves_the_last_whole_write_and_the_log_goes_on_when_there_is_room(small_disk):
    path, other = small_disk / "calls.csv", small_disk / "other"
    other.write_bytes(b"x" * 500_000)
    block = SIM * 1000
    with LogWriter(path) as writer:
        with pytest.raises(LogError) as caught:
            for _ in range(200):
                writer.write(block)
        assert str(caught.value) == (f"cannot write {path}: the disk is full: free some space or choose another "
                                     "folder")
        blocks, rest = divmod(path.stat().st_size - len(HEAD), len(block))
        assert (rest, writer.size) == (0, path.stat().st_size)
        assert 40 <= blocks <= 54
        other.unlink()
        writer.write(SIM_2)
    assert path.read_bytes() == HEAD + block * blocks + SIM_2
