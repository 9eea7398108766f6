"""Files that are replaced as a whole, and left alone when nothing in them would change."""
from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from calls.replacing import replace_file
from errors import LogError, explain_os_error


def write_whole(path: Path, text: str) -> bool:
    """Replace a text file as a whole; False when it held the same text already. Raises `LogError` on failure."""
    data = text.encode("utf-8", "backslashreplace")
    try:
        if path.exists() and path.read_bytes() == data:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LogError(explain_os_error("write", path, error)) from error
    replace_file(path, data)
    return True


def as_json(results: Any) -> str:
    """Return results as JSON: amounts as exact decimal strings, no NaN, a section and a row to a line."""
    # json's own indent takes the slow encoder, which is half the time that all pages need.
    encode = json.JSONEncoder(default=_plain, allow_nan=False, ensure_ascii=False).encode
    if not isinstance(results, dict) or not results:
        return encode(results) + "\n"
    lines = []
    for name, value in results.items():
        if isinstance(value, (list, tuple)) and value:
            value = "[\n  " + ",\n  ".join(map(encode, value)) + "]"
        else:
            value = encode(value)
        lines.append(f" {encode(str(name))}: {value}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"{type(value).__name__} has no place in results")
