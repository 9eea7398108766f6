"""The one exception tree: every error that a person can cause or cure, in words for that person.

An entry point catches `FinOpsError` once, prints its message as one line on standard error and exits with
its `exit_code`: 2 for wrong usage, 1 for everything else. Programming errors are not wrapped.
"""
from __future__ import annotations

import errno
import os
from typing import Iterable

_CURES = {
    errno.ENOSPC: "the disk is full: free some space or choose another folder",
    errno.EDQUOT: "the disk quota is used up: free some space or choose another folder",
    errno.EACCES: "permission denied: choose a file that you may write, or change its permissions",
    errno.EPERM: "permission denied: choose a file that you may write, or change its permissions",
    errno.EROFS: "the file system is read-only: choose another folder",
    errno.EISDIR: "it is a folder: name a file",
    errno.ENOTDIR: "a part of the path is a file, not a folder: check the path",
    errno.EEXIST: "a file is where a folder is needed: check the path",
    errno.ENOENT: "no such file or folder: check the path",
    errno.EIO: "the disk reported an error: check it, then try again",
    errno.EMFILE: "too many files are open at once: raise the limit, as with ulimit -n 1024",
    errno.ENFILE: "the system has too many files open: end other programs, then try again",
    errno.EAGAIN: "the system has no process left for it: end other programs, or raise the limit",
    errno.ENOMEM: "there is not enough memory: end other programs, or raise the limit",
    errno.EFBIG: "the file would exceed the size limit: raise the limit or choose a smaller size",
}


class FinOpsError(Exception):
    """Root of the tree; the message says what is wrong, where, and what to do."""

    exit_code = 1


class UsageError(FinOpsError):
    """A command was given something it cannot use."""

    exit_code = 2


class CatalogError(FinOpsError):
    """A data file of the catalogue holds an entry that cannot be used."""


class RegistryError(FinOpsError):
    """A unit that is registered by its presence is incomplete, or two share one id."""


class RecordError(FinOpsError):
    """A row of a call log does not hold a valid call."""

    def __init__(self, field: str, reason: str, kind: str = "") -> None:
        """Name the field (one of the 19, or `row`), what is wrong, and the same without the field's text."""
        super().__init__(field, reason, kind)
        self.field = field
        self.reason = reason
        self.category = f"{field} {kind or reason}"

    def __str__(self) -> str:
        """Return field and reason."""
        return f"{self.field}: {self.reason}"


class LogError(FinOpsError):
    """A call log cannot be opened, locked, read or written."""


class LogBusyError(LogError):
    """Another process is writing this call log."""


class AwsError(FinOpsError):
    """A source of AWS cost cannot be read or asked."""


def explain_os_error(action: str, path: object, error: OSError) -> str:
    """Turn an operating system's error into one sentence: what failed, on which file, and the cure."""
    return f"cannot {action} {os.fspath(path) if isinstance(path, os.PathLike) else path}: {cure_of(error)}"


def cure_of(error: OSError) -> str:
    """Return what an operating system's error is, and what to do about it where that is known."""
    return _CURES.get(error.errno or 0) or (error.strerror or str(error)).lower()


def listed(names: Iterable[str]) -> str:
    """Write names as they stand in a message: sorted, comma separated."""
    return ", ".join(sorted(names))
