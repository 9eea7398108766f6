"""Files that are replaced as a whole: a reader, and a power cut, leave either the old one or the new one."""
from __future__ import annotations

import os
from pathlib import Path

from errors import LogError, explain_os_error


def replace_file(path: Path, *pieces: bytes) -> None:
    """Replace a file's content by these pieces at once, on the disk when this returns.

    Raises `LogError`, the old one then stays.
    """
    beside = path.with_name(path.name + ".new")
    try:
        with open(beside, "wb") as handle:
            handle.writelines(pieces)
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(beside, path)
        sync_folder(path.parent)
    except OSError as error:
        _remove(beside)
        raise LogError(explain_os_error("write", path, error)) from error


def sync_folder(folder: Path) -> None:
    """Bring the new name to the disk, where folders can be opened at all (not on Windows)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError:
        pass  # it was never made, or what keeps us from writing keeps us from removing
