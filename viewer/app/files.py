"""Files for the web: only regular files straight in known folders, read once a version, compressed once.

A name is matched against a narrow pattern before it ever touches a path, and a link is not followed: what is served is
what stands in the folder itself.
"""
from __future__ import annotations

import gzip
import hashlib
import os
import re
import stat
import threading
from collections import OrderedDict
from pathlib import Path
from typing import NamedTuple, Optional, Tuple

from app.messages import CSV_TYPE, HTML_TYPE, JSON_TYPE, TEXT_TYPE

MOST_BYTES = 64 << 20  # of one file that is served
CACHE_BYTES = 64 << 20  # of all files that are held
LEAST_TO_COMPRESS = 500  # bytes; below, a compressed answer is hardly smaller
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_TYPES = {".html": HTML_TYPE, ".json": JSON_TYPE, ".css": "text/css; charset=utf-8", ".csv": CSV_TYPE,
          ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png", ".txt": TEXT_TYPE}


class Served(NamedTuple):
    """One version of a file."""

    body: bytes
    gzipped: Optional[bytes]
    etag: str
    content_type: str


class FileCache:
    """Holds files as they were last read; a changed file is read again."""

    def __init__(self, most_bytes: int = CACHE_BYTES) -> None:
        """Begin empty."""
        self._most = most_bytes
        self._held: OrderedDict[Path, Tuple[Tuple[int, ...], Served]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def read(self, folder: Path, name: str) -> Optional[Served]:
        """Return a file of a folder; None when no such file may be served."""
        if not _NAME.fullmatch(name) or Path(name).suffix not in _TYPES:
            return None
        path = folder / name
        try:
            # O_NONBLOCK: a pipe in the file's place must not hold the thread.
            flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
            with open(os.open(str(path), flags | getattr(os, "O_BINARY", 0)), "rb") as handle:
                status = os.fstat(handle.fileno())
                if not stat.S_ISREG(status.st_mode) or status.st_size > MOST_BYTES or _is_link(path):
                    return None
                version = (status.st_ino, status.st_size, status.st_mtime_ns)
                with self._lock:
                    held = self._held.get(path)
                    if held and held[0] == version:
                        self._held.move_to_end(path)
                        return held[1]
                body = handle.read()
        except (OSError, ValueError):
            return None
        served = packed(body, _TYPES[Path(name).suffix])
        self._hold(path, version, served)
        return served

    def _hold(self, path: Path, version: Tuple[int, ...], served: Served) -> None:
        with self._lock:
            old = self._held.pop(path, None)
            self._held[path] = (version, served)
            self._bytes += _size(served) - (_size(old[1]) if old else 0)
            while self._bytes > self._most and self._held:
                _, (_, dropped) = self._held.popitem(last=False)
                self._bytes -= _size(dropped)


def packed(body: bytes, content_type: str) -> Served:
    """Return a body with its tag, and compressed where that pays; the tag is weak since both forms share it."""
    tag = f'W/"{hashlib.sha256(body).hexdigest()[:24]}"'
    pays = len(body) >= LEAST_TO_COMPRESS and content_type != "image/png"
    gzipped = gzip.compress(body, 6) if pays else None
    return Served(body, gzipped, tag, content_type)


def _size(served: Served) -> int:
    return len(served.body) + len(served.gzipped or b"")


def _is_link(path: Path) -> bool:
    """Tell whether a path is a link, where opening could not be told to refuse them (Windows)."""
    return not hasattr(os, "O_NOFOLLOW") and path.is_symlink()
