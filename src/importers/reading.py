"""Reading other tools' files as a stream of records: CSV with a header, JSON lines, JSON arrays, answers of an API."""
from __future__ import annotations

import csv
import json
import re
from decimal import Decimal
from typing import Any, Dict, Iterator, NoReturn, Optional, Sequence, Set, TextIO, Tuple, Union

from errors import LogError, RecordError

Row = Dict[str, Any]
Read = Tuple[int, Union[Row, RecordError]]  # the line or number of a record, and the record or what is wrong with it

MOST_CHARACTERS = 1 << 26  # of one record
_CHUNK = 1 << 18
_SLACK = 16  # an error so near to the end of what was read may be a cut and no error
_BETWEEN = re.compile(r"[\s,\[\]]*")
_KEY = re.compile(rb'"([A-Za-z_][\w.]*)"\s*:')
_INVALID = "is not valid JSON"


def rows(handle: TextIO, path: object, title: str, columns: Sequence[str]) -> Iterator[Read]:
    """Yield the records of a text file opened without newline translation, JSON or CSV by its first character.

    Raises `LogError` when a CSV lacks one of the columns.
    """
    first = _first_character(handle)
    if first in ("{", "["):
        yield from json_rows(handle, first)
    else:
        yield from _csv_rows(handle, first, path, title, columns)


def head_fields(head: bytes) -> Set[str]:
    """Return the column names of a CSV, or the keys of all JSON objects, in the first bytes of a file."""
    text = head[3:] if head.startswith(b"\xef\xbb\xbf") else head
    if text.lstrip()[:1] in (b"{", b"["):
        return {name.decode("ascii") for name in _KEY.findall(text)}
    line = text.partition(b"\n")[0].decode("utf-8", "replace").strip()
    return set() if "\0" in line else {name.strip() for name in next(csv.reader([line]), [])}


def dig(row: Row, path: str) -> Any:
    """Return what stands under a name, or under names joined by dots; None where nothing does.

    A text that holds a JSON object, as cells of a CSV do, is looked into.
    """
    if path in row:
        return row[path]
    value: Any = row
    for name in path.split("."):
        value = opened(value).get(name)
        if value is None:
            return None
    return value


def opened(value: Any) -> Row:
    """Return a JSON object, or the one that a text holds; empty where it is none."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = _DECODER.decode(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def json_rows(handle: TextIO, begun: str = "") -> Iterator[Read]:
    """Yield the objects of a JSON file: one a line, or values in any layout; arrays and answers are taken apart.

    Memory holds one value at a time. Behind an error in a layout other than lines nothing can be read.
    """
    line = begun + (handle.readline(MOST_CHARACTERS) if begun == "{" else "")
    whole = begun == "{"
    try:
        _DECODER.decode(line)
    except json.JSONDecodeError as error:
        whole = whole and error.pos < len(line.rstrip())  # a bad line among others, unless it only begins a value
    except (ValueError, RecursionError):
        pass
    found = _lines(handle, line) if whole else _values(handle, line or begun)
    for number, value in found:
        yield from _records(number, value)


def _lines(handle: TextIO, first: str) -> Iterator[Tuple[int, Any]]:
    number, line = 1, first
    while line:
        if line.strip():
            try:
                yield number, _DECODER.decode(line)
            except (ValueError, RecursionError):
                yield number, RecordError("row", _INVALID)
        line = handle.readline(MOST_CHARACTERS)
        number += 1


def _values(handle: TextIO, text: str) -> Iterator[Tuple[int, Any]]:
    number, place, wanted, ended, depth = 1, 0, _CHUNK, False, 0
    while True:
        begin, place = place, _end_of(_BETWEEN, text, place)
        depth += text.count("[", begin, place) - text.count("]", begin, place)
        try:
            value, place = _DECODER.raw_decode(text, place)
        except json.JSONDecodeError as error:
            if ended and place == len(text):
                if depth > 0:
                    yield number, RecordError("row", "is not there: the file ends within a list, as if it was cut off")
                return
            if ended or len(text) - place > MOST_CHARACTERS or not _may_be_cut(error, text):
                yield number, RecordError("row", _INVALID + "; nothing behind it was read", _INVALID)
                return
            more = handle.read(wanted)
            text, place, wanted, ended = text[place:] + more, 0, max(_CHUNK, len(text) - place), not more
            continue
        except (ValueError, RecursionError):
            yield number, RecordError("row", _INVALID + "; nothing behind it was read", _INVALID)
            return
        yield number, value
        number += 1


def _records(number: int, value: Any) -> Iterator[Read]:
    if isinstance(value, RecordError):
        yield number, value
    elif not isinstance(value, dict):
        yield number, RecordError("row", "is no JSON object")
    elif isinstance(value.get("data"), list):
        for one in value["data"]:
            yield number, one if isinstance(one, dict) else RecordError("row", "is no JSON object")
    else:
        yield number, value


def _csv_rows(handle: TextIO, first: str, path: object, title: str, columns: Sequence[str]) -> Iterator[Read]:
    csv.field_size_limit(MOST_CHARACTERS)
    lines = _BoundedLines(first, handle)
    reader = csv.reader(lines)
    try:
        header: Optional[Sequence[str]] = next(reader, None)
    except (csv.Error, RecordError):
        header = None
    names = [name.strip() for name in header or ()]
    missing = [name for name in columns if name not in names]
    if missing:
        raise LogError(f"{path} is no {title}: its first line has no column {', '.join(missing)}; see --list")
    while True:
        try:
            fields = next(reader, None)
        except RecordError as error:
            yield lines.number, error
            continue
        except csv.Error:
            yield lines.number, RecordError("row", "is not valid CSV")
            continue
        if fields is None:
            return
        if len(fields) == len(names):
            yield lines.number, dict(zip(names, fields))
        elif fields:
            yield lines.number, RecordError("row", f"has {len(fields)} fields instead of {len(names)}")


class _BoundedLines:
    """The lines of a file. One that is too long is an error in its place: a generator could not go on behind it."""

    def __init__(self, begun: str, handle: TextIO) -> None:
        self._begun, self._handle = begun, handle
        self.number = 0  # of the last line; the reader does not count one that is an error

    def __iter__(self) -> "_BoundedLines":
        return self

    def __next__(self) -> str:
        line, self._begun = self._begun + self._handle.readline(MOST_CHARACTERS), ""
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) >= MOST_CHARACTERS:
            rest = line
            while rest and not rest.endswith(("\n", "\r")):
                rest = self._handle.readline(_CHUNK)
            raise RecordError("row", f"is longer than {MOST_CHARACTERS:,} characters")
        return line


def _first_character(handle: TextIO) -> str:
    while True:
        one = handle.read(1)
        if not one.isspace():
            return one


def _end_of(pattern: Any, text: str, place: int) -> int:
    match = pattern.match(text, place)
    return int(match.end()) if match else place


def _may_be_cut(error: json.JSONDecodeError, text: str) -> bool:
    return error.msg.startswith("Unterminated string") or error.pos >= len(text) - _SLACK


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_number)
