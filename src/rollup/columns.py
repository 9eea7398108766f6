"""A clean block's columns, checked whole: the part of the hot path that touches every row.

Per row there is no Python code: columns are cut, checked, converted and packed by the interpreter's own functions.
"""
from __future__ import annotations

import json
import struct
import sys
from array import array
from itertools import chain, repeat
from operator import add, mul, not_, sub
from typing import Callable, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

from calls.record import FIELDS
from calls.values import MAX_DIGITS, parse_nano, parse_timestamp
from rollup.cubes import Measures
from rollup.packing import FIELD_BYTES, latency_bucket

MS_PER_HOUR = 3_600_000
_COMMAS = len(FIELDS) - 1
_STAMP_AT, _CALLER_AT, _COUNTS_AT, _COST_AT, _LATENCY_AT, _CIRCUMSTANCE_AT = map(FIELDS.index, (
    "timestamp", "customer_id", "input_tokens", "cost_usd", "latency_ms", "status"))
_BUT_ENDS = bytes(code for code in range(256) if code not in b",\n")
_BLANKS = b" \t\r\x0b\x0c\x1c\x1d\x1e\x1f"
_DIGITS = b"0123456789"
_DIGITS_TO_ZERO = bytes(ord("0") if code in _DIGITS else code for code in range(256))
_STAMP = b"0000-00-00T00:00:00.000Z"
_MINUTE, _SECOND = 14, 17  # the tens of minutes and of seconds in a time
_HOUR_DIGITS = (2, 3, 5, 6, 8, 9, 11, 12)  # eight digits, from the year of the century to the hour
_UNKNOWN = b"0.000000000"
_MEASURES = len(Measures._fields)
_ROW = struct.Struct(f"{FIELD_BYTES * _MEASURES}s")
_BUCKETS = [latency_bucket(ms) for ms in range(1 << 16)]
number_of: Callable[[bytes, str], int] = int.from_bytes  # type: ignore[assignment]


class NotClean(Exception):
    """A block that the fast road cannot count; nothing of it was."""


class Columns:
    """A clean block's columns; raises `NotClean` when it is not.

    Attributes: `rows`; `ids` and `stamps` as bytes; `texts`, a tuple of the caller's and the circumstances' twelve
    texts for each row, to be read once; `input`, `output`, `latency` and `nanos`, whole numbers for each row;
    `unpriced` and `untimed`, whether a row is, or None when none is.
    """

    def __init__(self, block: bytes) -> None:
        """Cut and check a block of whole lines."""
        cells, ends = _cut(block)
        self.rows = len(ends) // 2
        self.ids = [cells[0], *ends[1:-1:2]]
        _check_bytes(block, self.ids)
        columns = [cells[place::_COMMAS] for place in range(_COMMAS)]
        self._stamps = columns[_STAMP_AT]
        self.texts = zip(*columns[_CALLER_AT:_COUNTS_AT], *columns[_CIRCUMSTANCE_AT:], ends[::2])
        self.untimed, waits = _filled(columns[_LATENCY_AT], b"0")
        self.input, self.output, totals, self.latency = _counts([*columns[_COUNTS_AT:_COST_AT], waits])
        if list(map(add, self.input, self.output)) != totals:
            raise NotClean
        self.unpriced, costs = _filled(columns[_COST_AT], _UNKNOWN)
        self.nanos = _nanos(costs)
        self.first_ms = self.last_ms = 0

    def hours(self, known: Hours) -> Sequence[int]:
        """Return each row's hour as `known` gives it; notes the first and last time in milliseconds since 1970."""
        stamps = self._stamps
        joined = b"".join(stamps)
        if joined.translate(_DIGITS_TO_ZERO) != _STAMP * self.rows or joined[::len(_STAMP)].strip(b"2") \
                or joined[1::len(_STAMP)].strip(b"0"):
            return self._hours_of_odd_times(known)
        tens = joined[_MINUTE::len(_STAMP)] + joined[_SECOND::len(_STAMP)]
        if tens.strip(b"012345"):
            raise NotClean
        digits = bytearray(len(_HOUR_DIGITS) * self.rows)
        for to, place in enumerate(_HOUR_DIGITS):
            digits[to::len(_HOUR_DIGITS)] = joined[place::len(_STAMP)]
        hours = list(map(known.__getitem__, array("Q", bytes(digits))))
        self.first_ms, self.last_ms = (parse_timestamp(end(stamps).decode("ascii")) for end in (min, max))
        return hours

    def _hours_of_odd_times(self, known: Hours) -> Sequence[int]:
        try:
            times = [parse_timestamp(stamp.decode("utf-8")) for stamp in self._stamps]
        except ValueError:
            raise NotClean from None
        self.first_ms, self.last_ms = min(times), max(times)
        if self.first_ms < 0:
            raise NotClean
        return [time // MS_PER_HOUR << known.shift for time in times]

    def packed(self) -> Iterator[int]:
        """Return each row's measures but `failed` as one number (see `rollup.packing`), laid out for all at once."""
        table = array("Q", bytes(_ROW.size * self.rows))
        columns: Dict[str, Optional[Sequence[int]]] = {
            "calls": array("Q", [1]) * self.rows, "unpriced": self.unpriced, "untimed": self.untimed,
            "input_tokens": self.input, "output_tokens": self.output, "latency_ms": self.latency,
            "cost_nano": self.nanos}
        try:
            for name, column in columns.items():
                if column is not None:
                    table[Measures._fields.index(name)::_MEASURES] = array("Q", column)
        except OverflowError:
            raise NotClean from None
        if sys.byteorder == "big":
            table.byteswap()
        return map(number_of, chain.from_iterable(_ROW.iter_unpack(table)), repeat("little"))

    def buckets(self) -> Iterable[int]:
        """Return the latency bucket of each row."""
        if max(self.latency) < len(_BUCKETS):
            return map(_BUCKETS.__getitem__, self.latency)
        return [_BUCKETS[ms] if ms < len(_BUCKETS) else latency_bucket(ms) for ms in self.latency]


class Hours(Dict[int, int]):
    """From the eight digits of an hour, as one number, to hours since 1970, shifted to their place in a key."""

    def __init__(self, shift: int) -> None:
        """Shift hours by so many bits."""
        super().__init__()
        self.shift = shift

    def __missing__(self, digits: int) -> int:
        text = digits.to_bytes(len(_HOUR_DIGITS), sys.byteorder).decode("ascii")
        try:
            first_ms = parse_timestamp(f"20{text[:2]}-{text[2:4]}-{text[4:6]}T{text[6:]}:00:00Z")
        except ValueError:
            raise NotClean from None
        self[digits] = first_ms // MS_PER_HOUR << self.shift
        return self[digits]


def _cut(block: bytes) -> Tuple[List[bytes], List[bytes]]:
    """Return the block cut at its commas, and the last and first texts of neighbouring lines in turn."""
    if b"\r" in block:
        ends = block.count(b"\r")
        block = block.replace(b"\r\n", b"\n")
        if b"\r" in block or block.count(b"\n") != ends:
            raise NotClean
    cells = block.split(b",")
    between = b",".join(cells[_COMMAS::_COMMAS])
    # Each line has 19 fields when line ends stand in every 18th piece, one in each.
    rows = len(cells) // _COMMAS
    if len(cells) != rows * _COMMAS + 1 or between.translate(None, _BUT_ENDS) != (b"\n," * rows)[:-1]:
        raise NotClean
    return cells, between.replace(b"\n", b",").split(b",")


def _check_bytes(block: bytes, ids: Sequence[bytes]) -> None:
    joined = b",".join([b"", *ids, b""])
    # An id of blanks alone is an empty field; for blanks beyond ASCII the ids are read as text.
    if b"\0" in block or b"\n" in ids[0] or b",," in joined.translate(None, _BLANKS):
        raise NotClean
    if not block.isascii():
        try:
            block.decode("utf-8")
        except UnicodeDecodeError:
            raise NotClean from None
        if not all(map(str.strip, joined.decode("utf-8")[1:-1].split(","))):
            raise NotClean


def _filled(column: Sequence[bytes], instead: bytes) -> Tuple[Optional[Sequence[int]], Sequence[bytes]]:
    """Return which texts are empty, or None when none is, and the column with something instead of them."""
    if all(column):
        return None, column
    return list(map(not_, column)), [text or instead for text in column]


def _counts(columns: Sequence[Sequence[bytes]]) -> List[List[int]]:
    """Read whole numbers, as JSON: where nothing but digits and commas is given, it knows nothing else."""
    joined = b"],[".join(map(b",".join, columns))
    if joined.translate(None, _DIGITS + b",") != b"][" * (len(columns) - 1):
        raise NotClean
    try:
        numbers: List[List[int]] = json.loads(b"[[" + joined + b"]]")
        if max(map(max, numbers)) >= 10 ** MAX_DIGITS:
            raise NotClean
    except ValueError:
        raise NotClean from None
    return numbers


def _nanos(texts: Sequence[bytes]) -> Sequence[int]:
    """Read amounts; where all have equally many decimals, as JSON: dollars and decimals in turn."""
    joined = b",".join(texts)
    decimals = len(texts[0]) - texts[0].find(b".") - 1
    if decimals <= 9 and joined.translate(None, _DIGITS) == (b".," * len(texts))[:-1]:
        try:
            # A 1 in front of the decimals keeps their zeros.
            numbers = json.loads(b"[" + joined.replace(b".", b",1") + b"]")
        except ValueError:
            numbers = [1]
        one, dollars, parts = 10 ** decimals, numbers[::2], numbers[1::2]
        if parts and one <= min(parts) and max(parts) < 2 * one and max(dollars) < 10 ** MAX_DIGITS:
            nanos = map(sub, parts, repeat(one))
            if any(dollars):
                nanos = map(add, nanos, map(mul, dollars, repeat(one)))
            return list(nanos if decimals == 9 else map(mul, nanos, repeat(10 ** (9 - decimals))))
    try:
        return [parse_nano(text.decode("utf-8")) for text in texts]
    except ValueError:
        raise NotClean from None
