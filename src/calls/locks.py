"""A lock on an open file that dies with its process, on POSIX and on Windows."""
from __future__ import annotations

import os
import time
from typing import Any

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

# Windows locks bytes, not files, and refuses reads of locked ones: take one far behind any content.
_FAR_BYTE = 0x7FFF_0000_0000_0000
_POLL_SECONDS = 0.02


def lock_file(descriptor: int, wait_seconds: float = 0.0) -> bool:
    """Lock the file against other processes; returns False when another still holds it after the wait.

    Raises OSError where the file system has no locks.
    """
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            _lock_now(descriptor)
            return True
        except (BlockingIOError, PermissionError):
            if time.monotonic() >= deadline:
                return False
        time.sleep(_POLL_SECONDS)


def _lock_now(descriptor: int) -> None:
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    else:
        _lock_far_byte(descriptor, _windows_module())


def _lock_far_byte(descriptor: int, msvcrt: Any) -> None:
    here = os.lseek(descriptor, 0, os.SEEK_CUR)
    os.lseek(descriptor, _FAR_BYTE, os.SEEK_SET)
    try:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    finally:
        os.lseek(descriptor, here, os.SEEK_SET)


def _windows_module() -> Any:
    import msvcrt
    return msvcrt
