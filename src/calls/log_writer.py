"""Appending to a call log: one writer at a time, whole lines only, nothing half done after an error.

A write that fails (full disk, I/O error) is cut back to the last whole line before the error is raised. Half a
line left behind by a killed process is moved to `<log>.partial` by the next writer that opens the log.
"""
from __future__ import annotations

import os
from pathlib import Path
from typing import Optional, Union

from calls.locks import lock_file
from calls.log_reader import check_ordinary
from calls.record import HEADER, AICall
from errors import LogBusyError, LogError, RecordError, explain_os_error

SIMULATED_PREFIX = "sim-"  # how the call ids of the simulator begin; a log is ours when its first row's id does
_PEEK_BYTES = 65_536
_BINARY = getattr(os, "O_BINARY", 0)


class LogAppender:
    """Appends whole lines behind the first `size` bytes of a log; use as a context manager.

    It neither locks nor checks the log: it is for workers of a process that holds the log as its `LogWriter`.
    """

    def __init__(self, path: Union[str, Path]) -> None:
        """Remember what to open; nothing is touched before the context is entered."""
        self.path = Path(path)
        self.size = 0
        self._descriptor: Optional[int] = None

    def __enter__(self) -> LogAppender:
        """Open the log, which must be there."""
        try:
            self._descriptor = os.open(self.path, os.O_RDWR | _BINARY)
            self.size = os.fstat(self._descriptor).st_size
        except OSError as error:
            raise LogError(explain_os_error("open", self.path, error)) from error
        return self

    def __exit__(self, *exception: object) -> None:
        """Let go of the log."""
        self.close()

    def write(self, lines: bytes) -> int:
        """Append whole lines (the last one ends with a newline) and return the size of the log in bytes.

        Raises `LogError` when they could not all be written; the log then ends where it did before.
        """
        try:
            self._append(lines)
        except OSError as error:
            os.ftruncate(self._held(), self.size)
            raise LogError(explain_os_error("write", self.path, error)) from error
        return self.size

    def read(self, offset: int, length: int) -> bytes:
        """Return what stands at a place of the log, for a writer that must know what an earlier one left."""
        descriptor, parts = self._held(), []
        os.lseek(descriptor, offset, os.SEEK_SET)
        while length:
            part = os.read(descriptor, length)
            if not part:
                break
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def sync(self) -> None:
        """Return once everything written so far is on the disk."""
        try:
            os.fsync(self._held())
        except OSError as error:
            raise LogError(explain_os_error("save", self.path, error)) from error

    def cut_back(self, size: int) -> None:
        """Take back what was written behind a size; raises `LogError` when that is impossible."""
        try:
            os.ftruncate(self._held(), size)
        except OSError as error:
            raise LogError(explain_os_error("cut", self.path, error)) from error
        self.size = size

    def is_intact(self) -> bool:
        """Tell whether the path still names this log, and nobody else has cut it or written to it."""
        found = os.fstat(self._held())
        try:
            return found.st_size == self.size and os.path.samestat(found, os.stat(self.path))
        except OSError:
            return False

    def close(self) -> None:
        """Let go of the log; closing twice is harmless."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)

    def _append(self, lines: bytes) -> None:
        view, descriptor = memoryview(lines), self._held()
        os.lseek(descriptor, self.size, os.SEEK_SET)
        while view:
            view = view[os.write(descriptor, view):]
        self.size += len(lines)

    def _held(self) -> int:
        if self._descriptor is None:
            raise LogError(f"{self.path} is not open for writing")
        return self._descriptor


class LogWriter(LogAppender):
    """An exclusive, append-only hold on one call log; use as a context manager.

    `path` is created with its folders when missing. With `fresh` the log is emptied first; otherwise rows are
    added behind those that are there. Either way the header stands on the first line afterwards. `size` is the
    log's size, `set_aside` the length of the half line that was moved away, both in bytes. A last line that lacks
    only its newline is taken for a row, unless the log is `torn`: its writer was killed, and may have meant more.
    Raises `LogBusyError` while another process writes the log, and `LogError` when the file cannot be used.
    """

    def __init__(self, path: Union[str, Path], *, fresh: bool = False, wait_seconds: float = 0.0,
                 torn: bool = False) -> None:
        """Remember what to open; nothing is touched before the context is entered."""
        super().__init__(path)
        self.set_aside = 0
        self._torn = torn
        self._fresh = fresh
        self._wait_seconds = wait_seconds

    def __enter__(self) -> LogWriter:
        """Open, lock, repair and, where asked, empty the log."""
        self._descriptor = self._open_locked()
        try:
            self._prepare()
        except OSError as error:
            self.close()
            raise LogError(explain_os_error("write", self.path, error)) from error
        except BaseException:
            self.close()
            raise
        return self

    def _open_locked(self) -> int:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            while True:
                descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | _BINARY, 0o644)
                if self._locked(descriptor):
                    return descriptor
        except OSError as error:
            raise LogError(explain_os_error("open", self.path, error)) from error

    def _locked(self, descriptor: int) -> bool:
        """Lock an open log; False when the file was replaced while we waited, so that the lock is worthless."""
        try:
            found = os.fstat(descriptor)
            check_ordinary("write", self.path, found)
            if not lock_file(descriptor, self._wait_seconds):
                raise LogBusyError(f"{self.path} is being written by another process: wait for it to end, "
                                   "or choose another file with --output")
            if os.path.samestat(found, os.stat(self.path)):
                return True
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        return False

    def _prepare(self) -> None:
        descriptor = self._held()
        if self._fresh:
            os.ftruncate(descriptor, 0)
        end = os.fstat(descriptor).st_size
        self.size = _last_line_end(descriptor, end)
        if not _may_begin_log(self.read(0, _PEEK_BYTES)):
            raise LogError(f"cannot append to {self.path}: its first line is not the header of the 19 fields in "
                           "their order: choose another file, or convert it with import_calls.py")
        if self.size < end:
            tail = self.read(self.size, end - self.size)
            if not self._torn and _lacks_only_its_newline(tail):
                self.size = end
                self.write(b"\n")
            else:
                self._set_aside(tail)
        if not self.size:
            self.write(HEADER.encode("ascii") + b"\n")

    def _set_aside(self, half_line: bytes) -> None:
        """Cut off the half line; unless it is simulated, and so can be made again, keep it in a file beside."""
        if not half_line.startswith(SIMULATED_PREFIX.encode("ascii")):
            with open(str(self.path) + ".partial", "ab") as handle:
                handle.write(half_line + b"\n")
        self.set_aside = len(half_line)
        os.ftruncate(self._held(), self.size)


def _lacks_only_its_newline(tail: bytes) -> bool:
    """Tell whether a foreign log's last row is whole, as editors leave it; a simulated one is made again instead."""
    if tail.startswith(SIMULATED_PREFIX.encode("ascii")):
        return False
    try:
        AICall.from_row(tail.decode("utf-8").split(","))
    except (RecordError, UnicodeDecodeError):
        return False
    return True


def whole_lines_size(path: Union[str, Path]) -> int:
    """Return where a log's last whole line ends, in bytes; 0 where there is no log."""
    try:
        check_ordinary("write", path, os.stat(path))  # opening a pipe would wait for its other end
        with open(path, "rb") as handle:
            return _last_line_end(handle.fileno(), os.fstat(handle.fileno()).st_size)
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise LogError(explain_os_error("open", path, error)) from error


def is_replaceable(path: Union[str, Path]) -> bool:
    """Tell whether a fresh log may take this path: nothing is there, or calls that are simulated at both ends."""
    end = whole_lines_size(path)
    if not end:
        return not os.path.exists(path) or os.path.getsize(path) == 0
    prefix = SIMULATED_PREFIX.encode("ascii")
    with open(path, "rb") as handle:
        head = handle.read(_PEEK_BYTES)
        handle.seek(max(0, end - _PEEK_BYTES))
        tail = handle.read(min(end, _PEEK_BYTES))
        half_line = handle.read(len(prefix))
    if not _may_begin_log(head) or not prefix.startswith(half_line):
        return False
    header, _, rows = head.partition(b"\n")
    last_line = tail[:-1].rpartition(b"\n")[2]
    return end == len(header) + 1 or rows.startswith(prefix) and last_line.startswith(prefix)


def _may_begin_log(head: bytes) -> bool:
    """Tell whether a log may begin like this: with the header, or with as much of it as was written."""
    first_line, newline, _ = head.partition(b"\n")
    text = first_line.strip().decode("utf-8-sig", "replace")
    return text == HEADER if newline else HEADER.startswith(text)


def _last_line_end(descriptor: int, end: int) -> int:
    """Return the position behind the last newline before `end`; 0 when there is none."""
    while end:
        start = max(0, end - _PEEK_BYTES)
        os.lseek(descriptor, start, os.SEEK_SET)
        newline = os.read(descriptor, end - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0
