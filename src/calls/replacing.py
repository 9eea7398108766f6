"""Files that are replaced as a whole: a reader, and a power cut, leave either the old one or the new one."""
from __future__ import annotations

import contextlib
import glob
import os
from pathlib import Path
from typing import BinaryIO, Iterable, Iterator, Union

from errors import LogError, explain_os_error

LEFT_OVER_SECONDS = 3600.0  # after which nobody writes to a file beside another any more: its process was killed


def replace_file(path: Path, *pieces: Union[bytes, memoryview]) -> None:
    """Replace a file's content by these pieces at once, on the disk when this returns.

    Raises `LogError`, the old one then stays.
    """
    with replacing(path) as handle:
        handle.writelines(pieces)


def replace_text(path: Path, pieces: Iterable[str]) -> None:
    """Replace a text file by pieces that need not fit into memory, making its folder; else as `replace_file`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LogError(explain_os_error("write", path, error)) from error
    with replacing(path) as handle:
        handle.writelines(piece.encode("utf-8", "backslashreplace") for piece in pieces)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Give a new file to write to, which takes the path's place, on the disk, when the block ends.

    When that fails, or the block does, the old one stays; an OSError of either becomes a `LogError`.
    """
    # Two processes may write the same reports: a name for each, so that neither writes into the other's file.
    beside = path.with_name(f"{path.name}.{os.urandom(4).hex()}.new")
    try:
        with open(beside, "xb") as handle:
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(beside, path)
        sync_folder(path.parent)
        _remove_left_over(path)
    except OSError as error:
        _remove(beside)
        raise LogError(explain_os_error("write", path, error)) from error
    except BaseException:
        _remove(beside)
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


def _remove_left_over(path: Path) -> None:
    """Remove what processes left beside a file that were killed while they replaced it."""
    now = path.stat().st_mtime  # as the file system tells it
    for one in path.parent.glob(glob.escape(path.name) + ".*.new"):
        with contextlib.suppress(OSError):
            if now - one.stat().st_mtime > LEFT_OVER_SECONDS:
                one.unlink()


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):  # it was never made, or what keeps us from writing keeps us from removing
        path.unlink()
