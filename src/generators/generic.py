"""The page of results whose analyser describes none: every section under its name, so a new one shows at once."""
from __future__ import annotations

from typing import Any, Iterator, List, Mapping, Tuple

import blocks as b
from generators.formats import number, words

SHOWN_ELSEWHERE = ("headline", "summary", "recommendations", "log")
MOST_CARDS = 8


def page_of(report: Any, results: Mapping[str, Any]) -> Tuple[b.Block, ...]:
    """Return the blocks of a report's page: as it describes them for these results, or at all, else all sections."""
    described = getattr(report, "described", None)
    return tuple(described(results) if described else getattr(report, "page", ())) or generic_page(results)


def generic_page(results: Mapping[str, Any]) -> Tuple[b.Block, ...]:
    """Return blocks that show all sections of the results, in their order."""
    drawn: List[b.Block] = list(_summary(results.get("summary", {})))
    drawn.append(b.Recommendations())
    drawn += [b.Section(title=words(name), wide=True, blocks=tuple(_blocks(name, value)))
              for name, value in results.items() if name not in SHOWN_ELSEWHERE]
    return tuple(drawn)


def _summary(summary: Mapping[str, Any]) -> Iterator[b.Block]:
    numbers = [name for name, value in summary.items() if number(value) is not None]
    cards = tuple(b.Card(name, words(name)) for name in numbers[:MOST_CARDS])
    if cards:
        yield b.Cards("summary", cards=cards)
    rest = {name: value for name, value in summary.items() if name not in numbers[:MOST_CARDS]}
    if rest:
        yield from _mapping("summary", rest, "")


def _blocks(path: str, value: Any, title: str = "") -> Iterator[b.Block]:
    if isinstance(value, Mapping):
        yield from _mapping(path, value, title)
    elif isinstance(value, (list, tuple)) and (not value or isinstance(value[0], Mapping)):
        yield b.Table(path, title=title)
    else:
        yield b.Notes(path, title=title) if isinstance(value, (list, tuple)) else b.Facts(path, title=title)


def _mapping(path: str, value: Mapping[str, Any], title: str) -> Iterator[b.Block]:
    flat = tuple(name for name, one in value.items() if not isinstance(one, (Mapping, list, tuple)))
    if flat:
        yield b.Facts(path, title=title, names=flat)
    for name, one in value.items():
        if name not in flat:
            yield from _blocks(f"{path}.{name}", one, words(name))
