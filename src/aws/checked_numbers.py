"""Numbers in a text that somebody else wrote, checked against the figures it was written from.

A number holds when a figure, rounded to as many places as the text shows, is that number: `$1.2k` holds for 1234.56 and
`12%` for a share of 0.1184. What is part of a name (`m5.large`, `i-0abc`, `gp3`) is no number.
"""
from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Iterable, Iterator, List, Mapping, NamedTuple, Sequence, Set, Tuple

MARK = " [not in the figures]"
_NUMBER = re.compile(
    r"(?<![\w.:/\-])[-\u2212+]?\s?[$\u20ac\u00a3]?(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    r"(?P<scale>\s?(?:%|percent\b|[kKmM]\b|bn\b|thousand\b|million\b|billion\b))?(?!\w)(?!\.\w)(?!-[A-Za-z0-9])")
_DATE = re.compile(r"\b\d{4}-\d{2}(?:-\d{2})?\b")
_SCALES = {"": Decimal(1), "%": Decimal("0.01"), "percent": Decimal("0.01"), "k": Decimal(1000),
           "thousand": Decimal(1000), "m": Decimal(10) ** 6, "million": Decimal(10) ** 6, "bn": Decimal(10) ** 9,
           "billion": Decimal(10) ** 9}
_LIST_NUMBER = re.compile(r"\s*\d+[.)]\s")  # at the begin of a line


class Checked(NamedTuple):
    """A text in which the numbers that hold for no figure are followed by `MARK`, and these numbers."""

    text: str
    unknown: Tuple[str, ...]


class _Seen(NamedTuple):
    """A number in a text: as it stands there, what it can mean, each with one of its last digit, and its end."""

    text: str
    meanings: Tuple[Tuple[Decimal, Decimal], ...]
    end: int


def check_numbers(text: str, figures: Any) -> Checked:
    """Mark what numbers and dates of a text are none of the figures: any nesting of lists, mappings and values."""
    known, texts = _known(figures)
    marks: List[Tuple[int, str]] = []
    for found in _DATE.finditer(text):
        if not any(found.group() in one for one in texts):
            marks.append((found.end(), found.group()))
    for seen in _numbers(text):
        if not _holds(seen, known):
            marks.append((seen.end, seen.text))
    marked = text
    for end, _ in sorted(marks, reverse=True):
        marked = marked[:end] + MARK + marked[end:]
    return Checked(marked, tuple(one for _, one in sorted(marks)))


def _numbers(text: str) -> Iterator[_Seen]:
    start = 0
    for line in text.splitlines(True):
        skipped = _LIST_NUMBER.match(line)
        dates = [found.span() for found in _DATE.finditer(line)]
        for found in _NUMBER.finditer(line, skipped.end() if skipped else 0):
            if not any(first <= found.start("digits") < end for first, end in dates):
                yield _seen(found, start)
        start += len(line)


def _seen(found: "re.Match[str]", start: int) -> _Seen:
    scale = _SCALES[(found.group("scale") or "").strip().lower()]
    digits = found.group("digits").replace(",", "")
    step = Decimal(1).scaleb(-len(digits.partition(".")[2]))
    # A figure may hold 12% as 0.12 or as 12.
    scales = (scale, Decimal(1)) if scale < 1 else (scale,)
    return _Seen(found.group().strip(), tuple((Decimal(digits) * one, step * one) for one in scales),
                 start + found.end())


def _holds(seen: _Seen, known: Set[Decimal]) -> bool:
    """Tell whether some figure is a number once rounded like it; a sign may be said in words instead."""
    return any(abs(one - value) <= step / 2 for value, step in seen.meanings for one in known)


def _known(figures: Any) -> Tuple[Set[Decimal], List[str]]:
    """Return all figures without their signs, and all texts; numbers within texts are figures too."""
    values: Set[Decimal] = set()
    texts: List[str] = []
    for one in _leaves(figures):
        if isinstance(one, bool) or one is None:
            continue
        if isinstance(one, (int, float, Decimal)):
            number = Decimal(str(one))
            if number.is_finite():
                values.add(abs(number))
            continue
        texts.append(str(one))
        values.update(seen.meanings[0][0] for seen in _numbers(str(one)))
        if _is_number(str(one)):
            values.add(abs(Decimal(str(one))))
    return values, texts


def _leaves(value: Any) -> Iterator[Any]:
    parts: Iterable[Any] = ()
    if isinstance(value, Mapping):
        parts = [*value.keys(), *value.values()]
    elif isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        parts = value
        yield len(value)  # "three findings" is the length of a list
    else:
        yield value
    for part in parts:
        yield from _leaves(part)


def _is_number(text: str) -> bool:
    return re.match(r"-?\d+(\.\d+)?\Z", text) is not None
