"""Templates: files of named parts with `${holes}`; the one place where values are escaped.

A part begins with a line `<!--: name -->` (in a file of pure SVG or HTML alike) and ends where the next begins.
A hole is filled with escaped text, unless the value is `Markup`, which only a template can make.
"""
from __future__ import annotations

import functools
import html
import re
from pathlib import Path
from typing import Any, Dict, Iterable, List

FOLDER = Path(__file__).resolve().parent / "templates"
_PART = re.compile(r"^<!-{2}: (\w+) -->\n", re.MULTILINE)
_HOLE = re.compile(r"\$\{(\w+)\}")
# HTML allows no control characters; lone surrogates cannot be encoded; direction marks would turn the text around them.
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff"
                    "\u200e\u200f\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufffe\uffff]")
LONGEST_TEXT = 600  # characters of a text that a page shows; the JSON holds all


class Markup(str):
    """Text that is markup already: filled in as it is."""


class Template:
    """One part of a template file."""

    def __init__(self, text: str) -> None:
        """Cut the text at its holes."""
        pieces = _HOLE.split(text)
        self._texts, self._names = pieces[0::2], pieces[1::2]

    def fill(self, **values: Any) -> Markup:
        """Return the part with its holes filled; a hole without a value is a `KeyError`."""
        done: List[str] = [self._texts[0]]
        for name, text in zip(self._names, self._texts[1:]):
            value = values[name]
            done.append(value if type(value) is Markup else escape(value))
            done.append(text)
        return Markup("".join(done))


@functools.lru_cache(maxsize=None)
def parts(name: str) -> Dict[str, Template]:
    """Return the parts of `templates/<name>` by name."""
    pieces = _PART.split((FOLDER / name).read_text(encoding="utf-8"))
    return {part: Template(text.rstrip("\n")) for part, text in zip(pieces[1::2], pieces[2::2])}


def escape(value: Any) -> str:
    """Return a value as text that is safe inside elements and quoted attributes."""
    return html.escape(fit(str(value)), quote=True)


def fit(text: str) -> str:
    """Return a text with what no page can hold replaced, and cut where it is longer than anybody reads."""
    text = _UNFIT.sub("\ufffd", text)
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT - 1] + "\u2026"


def join(pieces: Iterable[Markup]) -> Markup:
    """Return pieces of markup one after the other."""
    return Markup("\n".join(pieces))
