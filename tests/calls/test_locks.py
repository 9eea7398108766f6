"""A lock on an open file: who gets it, for how long one waits, and how Windows is asked for it."""
from __future__ import annotations

import errno
import os
import time

import pytest

from calls import locks
from calls.locks import lock_file

pytestmark = pytest.mark.skipif(locks.fcntl is None, reason="two descriptors of one process share Windows' locks")
FAR = 1 << 40  # as far as every file system goes


@pytest.fixture
def two(tmp_path):
    """Return two descriptors of one file, as two writers would have them."""
    path = tmp_path / "log"
    path.write_bytes(b"0123456789")
    opened = [os.open(path, os.O_RDWR), os.open(path, os.O_RDWR)]
    yield opened
    for descriptor in opened:
        os.close(descriptor)


def test_the_first_gets_the_lock_and_the_second_does_not(two):
    assert [lock_file(one) for one in two] == [True, False]


def test_a_lock_that_is_let_go_can_be_had(two):
    lock_file(two[0])
    locks.fcntl.flock(two[0], locks.fcntl.LOCK_UN)
    assert lock_file(two[1]) is True


def test_without_a_wait_the_answer_comes_at_once_and_with_one_after_it(two):
    lock_file(two[0])
    start = time.monotonic()
    assert lock_file(two[1]) is False
    middle = time.monotonic()
    assert lock_file(two[1], 0.3) is False
    end = time.monotonic()
    assert end - middle >= 0.3 > middle - start


def test_a_lock_that_becomes_free_during_the_wait_is_had(two, monkeypatch):
    lock_file(two[0])
    monkeypatch.setattr(locks.time, "sleep", lambda seconds: locks.fcntl.flock(two[0], locks.fcntl.LOCK_UN))
    assert lock_file(two[1], 60) is True


def test_a_file_system_without_locks_is_an_error_and_no_lock(two, monkeypatch):
    def refuse(descriptor, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks.fcntl, "flock", refuse)
    with pytest.raises(OSError) as caught:
        lock_file(two[0], 60)
    assert caught.value.errno == errno.ENOLCK


class _Msvcrt:
    """Windows' locking as far as it is used; remembers where one byte was locked."""

    LK_NBLCK = 2

    def __init__(self, busy=False):
        self.busy = busy
        self.locked = []

    def locking(self, descriptor, mode, count):
        self.locked.append((os.lseek(descriptor, 0, os.SEEK_CUR), mode, count))
        if self.busy:
            raise PermissionError(errno.EACCES, "Permission denied")


@pytest.mark.parametrize("busy", [False, True])
def test_on_windows_one_byte_far_behind_the_content_is_locked_and_the_place_kept(two, monkeypatch, busy):
    windows = _Msvcrt(busy)
    monkeypatch.setattr(locks, "fcntl", None)
    monkeypatch.setattr(locks, "_FAR_BYTE", FAR)
    monkeypatch.setattr(locks, "_windows_module", lambda: windows)
    os.lseek(two[0], 4, os.SEEK_SET)
    assert lock_file(two[0]) is not busy
    assert windows.locked == [(FAR, 2, 1)]
    assert os.lseek(two[0], 0, os.SEEK_CUR) == 4
