"""A clean block's columns, checked whole: the part of the hot path that touches every row.

Per row there is no Python code: columns are cut, checked, converted and packed by the interpreter's own functions.
"""
from __future__ import annotations

import json
import re
import struct
import sys
from array import array
from itertools import chain, repeat
from operator import add, contains, mul, rshift, sub
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

from calls.record import FIELDS
from calls.values import CALLS_END_MS, MAX_DIGITS, parse_nano, parse_timestamp
from rollup.cubes import INPUT_SQUARES, MOST_SQUARED, MS_PER_SLOT, OCTAVE_STEPS
from rollup.packing import FIELD_BYTES, LAYOUT, latency_bucket, number_of

_FIELD = b"[^,]*,"
# Id, time, caller, numbers (from input tokens to latency), circumstances: cutting by one pattern takes half the time
# of cutting at each comma, and leaves little to join again.
# It looks for a beginning at beginnings of lines alone: what holds few commas takes the square of its length otherwise.
_CALLER_FIELDS = FIELDS.index("input_tokens") - FIELDS.index("customer_id")
_LINE = re.compile(b"^([^,]*),([^,]*),(%b)(%b[^,]*),(.*)\n" % (_FIELD * _CALLER_FIELDS, _FIELD * 4), re.MULTILINE)
_BLANKS = b" \t\r\x0b\x0c\x1c\x1d\x1e\x1f"
_DIGITS = b"0123456789"
_DIGITS_TO_ZERO = bytes(ord("0") if code in _DIGITS else code for code in range(256))
_STAMP = b"0000-00-00T00:00:00.000Z"
_DECADE, _SECOND = 2, 17  # in a time, the tens of years and of seconds
_SLOT_DIGITS = (3, 5, 6, 8, 9, 11, 12, 14)  # eight digits, from the year of the decade to the tens of minutes
_COST = 3  # among the numbers
_UNKNOWN = b",0.000000000,"  # as long as it is written
_MEASURES = len(LAYOUT)
_OCTAVES = (10 ** MAX_DIGITS).bit_length() + 1
_SHIFTS = [max(0, octave - OCTAVE_STEPS.bit_length()) for octave in range(_OCTAVES)]
_BASES = [latency_bucket(1 << octave >> 1) - (1 << octave >> 1 >> shift) for octave, shift in enumerate(_SHIFTS)]
_ROW = struct.Struct(f"{FIELD_BYTES * _MEASURES}s")
Flags = Optional[Sequence[bool]]  # of rows


class NotClean(Exception):
    """A block that the fast road cannot count; nothing of it was."""


class Columns:
    """A clean block's columns; raises `NotClean` when it is not.

    Attributes: `rows`; `ids` as bytes; `texts`, for each row the caller's and the circumstances' twelve texts with
    commas between; `input`, `output`, `latency` and `nanos`, whole numbers for each row; `unpriced` and `untimed`,
    whether a row is, or None when none is.
    """

    def __init__(self, block: bytes) -> None:
        """Cut and check a block of whole lines."""
        self.ids, self._stamps, callers, numbers, circumstances = _cut(block)
        self.rows = len(self.ids)
        _check_bytes(block, self.ids)
        self.texts = map(add, callers, circumstances)
        self.unpriced, self.untimed, numbers = _filled(numbers)
        self.input, self.output, totals, self.nanos, self.latency = _numbers(numbers)
        if list(map(add, self.input, self.output)) != totals:
            raise NotClean
        self.first_ms = self.last_ms = 0

    def slots(self, known: Slots) -> Sequence[int]:
        """Return each row's ten minutes as `known` gives them; notes the first and last time in milliseconds."""
        stamps = self._stamps
        joined = b"".join(stamps)
        decades = joined[_DECADE::len(_STAMP)]
        if joined.translate(_DIGITS_TO_ZERO) != _STAMP * self.rows or joined[::len(_STAMP)].strip(b"2") \
                or joined[1::len(_STAMP)].strip(b"0") or decades.strip(decades[:1]):
            return self._slots_of_odd_times(known)
        if joined[_SECOND::len(_STAMP)].strip(b"012345"):
            raise NotClean
        digits = bytearray(len(_SLOT_DIGITS) * self.rows)
        for to, place in enumerate(_SLOT_DIGITS):
            digits[to::len(_SLOT_DIGITS)] = joined[place::len(_STAMP)]
        slots = list(map(known.within(decades[:1]).__getitem__, array("Q", bytes(digits))))
        self.first_ms, self.last_ms = (parse_timestamp(end(stamps).decode("ascii")) for end in (min, max))
        return slots

    def _slots_of_odd_times(self, known: Slots) -> Sequence[int]:
        try:
            times = [parse_timestamp(stamp.decode("utf-8")) for stamp in self._stamps]
        except ValueError:
            raise NotClean from None
        self.first_ms, self.last_ms = min(times), max(times)
        if self.first_ms < 0 or self.last_ms >= CALLS_END_MS:
            raise NotClean
        return [time // MS_PER_SLOT << known.shift for time in times]

    def packed(self) -> Iterator[int]:
        """Return each row's measures but `failed` as one number (see `rollup.packing`), laid out for all at once."""
        table = array("Q", bytes(_ROW.size * self.rows))
        squared = self.input
        if max(squared) > MOST_SQUARED:
            squared = list(map(min, squared, repeat(MOST_SQUARED)))
        columns: Dict[str, Optional[Sequence[int]]] = {
            "calls": array("Q", [1]) * self.rows, "unpriced": self.unpriced, "untimed": self.untimed,
            "input_tokens": self.input, "output_tokens": self.output, "latency_ms": self.latency,
            INPUT_SQUARES: list(map(mul, squared, squared)), "cost_nano": self.nanos}
        try:
            for name, column in columns.items():
                if column is not None:
                    table[LAYOUT.index(name)::_MEASURES] = array("Q", column)
        except OverflowError:
            raise NotClean from None
        if sys.byteorder == "big":
            table.byteswap()
        return map(number_of, chain.from_iterable(_ROW.iter_unpack(table)), repeat("little"))

    def buckets(self) -> Iterator[int]:
        """Return the latency bucket of each row."""
        # As latency_bucket does, a column at a time: within an octave buckets are a shift and a constant away.
        octaves = list(map(int.bit_length, self.latency))
        return map(add, map(rshift, self.latency, map(_SHIFTS.__getitem__, octaves)),
                   map(_BASES.__getitem__, octaves))


class Slots(Dict[int, int]):
    """From eight digits of a time, as one number, to ten minutes since 1970, shifted to their place in a key."""

    def __init__(self, shift: int) -> None:
        """Shift them by so many bits."""
        super().__init__()
        self.shift = shift
        self._decade = b""
        self._hours: Dict[str, int] = {}

    def within(self, decade: bytes) -> Slots:
        """Take the digits for those of years of this decade, 0 to 9 after 2000."""
        if decade != self._decade:
            self.clear()
            self._decade = decade
        return self

    def __missing__(self, digits: int) -> int:
        text = (self._decade + digits.to_bytes(len(_SLOT_DIGITS), sys.byteorder)).decode("ascii")
        hour, tens = text[:-1], int(text[-1])
        if tens > 5:
            raise NotClean
        if hour not in self._hours:
            try:
                first_ms = parse_timestamp(f"20{hour[:2]}-{hour[2:4]}-{hour[4:6]}T{hour[6:]}:00:00Z")
            except ValueError:
                raise NotClean from None
            self._hours[hour] = first_ms // MS_PER_SLOT
        self[digits] = self._hours[hour] + tens << self.shift
        return self[digits]


def _cut(block: bytes) -> Tuple[Sequence[bytes], ...]:
    """Return the columns of ids, times, callers (a comma behind each), numbers, and circumstances."""
    if b"\r" in block:
        ends = block.count(b"\r")
        block = block.replace(b"\r\n", b"\n")
        if b"\r" in block or block.count(b"\n") != ends:
            raise NotClean
    lines = block.count(b"\n")
    if not lines or block.count(b",") != lines * (len(FIELDS) - 1):
        raise NotClean  # before the pattern looks for commas that are not there
    rows = _LINE.findall(block)
    # A match takes in a whole line, and more lines when the first has too few fields. What the last column holds too
    # much or too little is seen where kinds are told apart.
    if len(rows) != lines:
        raise NotClean
    return tuple(zip(*rows))


def _check_bytes(block: bytes, ids: Sequence[bytes]) -> None:
    joined = b",".join([b"", *ids, b""])
    # An id of blanks alone is an empty field; for blanks beyond ASCII the ids are read as text.
    if b"\0" in block or b",," in joined.translate(None, _BLANKS):
        raise NotClean
    if not block.isascii():
        try:
            block.decode("utf-8")
        except UnicodeDecodeError:
            raise NotClean from None
        if not all(map(str.strip, joined.decode("utf-8")[1:-1].split(","))):
            raise NotClean


def _filled(texts: Sequence[bytes]) -> Tuple[Flags, Flags, Sequence[bytes]]:
    """Return which rows have no cost and which no latency, and the rows' numbers with something instead of them."""
    unpriced = untimed = None
    if b",," in b";".join(texts):
        unpriced = list(map(contains, texts, repeat(b",,")))
        texts = [text.replace(b",,", _UNKNOWN) if empty else text for text, empty in zip(texts, unpriced)]
    if b",;" in b";".join([*texts, b""]):
        untimed = [text[-1:] == b"," for text in texts]
        texts = [text + b"0" if empty else text for text, empty in zip(texts, untimed)]
    return unpriced, untimed, texts


def _numbers(texts: Sequence[bytes]) -> Sequence[Sequence[int]]:
    """Read the rows' numbers: input, output, total, nano-dollars and milliseconds, each as a column."""
    joined = b",".join(texts)
    decimals = texts[0].rfind(b",") - texts[0].find(b".") - 1
    # Where all amounts have equally many decimals everything is read at once. A 1 in front keeps the decimals' zeros.
    if 0 < decimals <= 9 and joined.translate(None, _DIGITS) == (b",,,.,," * len(texts))[:-1]:
        cents = joined.replace(b",0.", b",1")
        if b"." in cents:
            columns = _columns_of(joined.replace(b".", b",1"), 6)
        else:
            columns = _columns_of(cents, 5)
            columns.insert(_COST, [0])
        given, taken, totals, dollars, parts, waits = columns
        one = 10 ** decimals
        if one <= min(parts) and max(parts) < 2 * one:
            _check_range(totals, dollars, waits)
            nanos = map(sub, parts, repeat(one))
            if any(dollars):
                nanos = map(add, nanos, map(mul, dollars, repeat(one)))
            return given, taken, totals, list(map(mul, nanos, repeat(10 ** (9 - decimals)))), waits
    cells = list(zip(*map(bytes.split, texts, repeat(b","))))
    return (*_counts(cells[:_COST]), _nanos(cells[_COST]), *_counts(cells[_COST + 1:]))


def _counts(columns: Sequence[Sequence[bytes]]) -> List[List[int]]:
    """Read whole numbers, as JSON: where nothing but digits and commas is given, it knows nothing else."""
    joined = b"],[".join(map(b",".join, columns))
    if joined.translate(None, _DIGITS + b",") != b"][" * (len(columns) - 1):
        raise NotClean
    numbers: List[List[int]] = _read_json(b"[[" + joined + b"]]")
    _check_range(*numbers)
    return numbers


def _columns_of(numbers: bytes, width: int) -> List[List[int]]:
    read = _read_json(b"[" + numbers + b"]")
    return [read[place::width] for place in range(width)]


def _read_json(text: bytes) -> List[Any]:
    try:
        numbers: List[Any] = json.loads(text)
    except ValueError:
        raise NotClean from None
    return numbers


def _check_range(*columns: Sequence[int]) -> None:
    if max(map(max, columns)) >= 10 ** MAX_DIGITS:
        raise NotClean


def _nanos(texts: Sequence[bytes]) -> List[int]:
    try:
        return [parse_nano(text.decode("utf-8")) for text in texts]
    except ValueError:
        raise NotClean from None
