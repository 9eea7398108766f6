"""Files that are replaced as a whole: a reader, and a power cut, leave either the old one or the new one."""
from __future__ import annotations

import os
from pathlib import Path
from typing import Iterable

from errors import LogError, explain_os_error


def replace_file(path: Path, data: bytes) -> None:
    """Replace a file's content at once, on the disk when this returns; raises `LogError`, the old one then stays."""
    _replace(path, [data])


def replace_text(path: Path, pieces: Iterable[str]) -> None:
    """Replace a text file by pieces that need not fit into memory, making its folder; else as `replace_file`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LogError(explain_os_error("write", path, error)) from error
    _replace(path, (piece.encode("utf-8", "backslashreplace") for piece in pieces))


def _replace(path: Path, pieces: Iterable[bytes]) -> None:
    beside = path.with_name(path.name + ".new")
    try:
        with open(beside, "wb") as handle:
            handle.writelines(pieces)
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(beside, path)
        sync_folder(path.parent)
    except BaseException as error:
        _remove(beside)
        if isinstance(error, OSError):
            raise LogError(explain_os_error("write", path, error)) from error
        raise


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
