"""What all drawn blocks share: places in the results, ids, links, and the data that a page carries."""
from __future__ import annotations

import json
import re
import zlib
from decimal import Decimal
from typing import Any, Dict, List, Mapping, Optional, Set

from blocks import SIGN, Block, Chart

_UNSAFE = str.maketrans({letter: f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"})
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_.-]")
LONGEST_ID = 60
TABLES, CHARTS = "tables", "charts"  # kinds of parts that take script and style of their own


class PageParts:
    """The state of one page being drawn."""

    def __init__(self) -> None:
        """Begin with an empty page that knows no other."""
        self.begin("", {})

    def begin(self, report: str, homes: Mapping[str, str]) -> None:
        """Begin the page of a report; `homes` tells by column name which report has the rows of its ids."""
        self._report = report
        self._homes = homes
        self._ids: Set[str] = set()
        self._data: Dict[str, Dict[str, Any]] = {}
        self.used: Set[str] = set()
        self.is_alone = False  # whether the blocks that are drawn now have the whole width

    def new_id(self, block: Block) -> str:
        """Return an id that no other block of the page has, told by the block's place or title; a table's is bare."""
        name = _NOT_IN_IDS.sub("-", block.path or block.title or type(block).__name__).strip("-.").lower()
        name += "-chart" if isinstance(block, Chart) else ""
        unused, number = name, 1
        while unused in self._ids:
            number += 1
            unused = f"{name}-{number}"
        self._ids.add(unused)
        return unused

    def data(self, kind: str, block_id: str, value: Mapping[str, Any]) -> None:
        """Put what a page's script needs of a block (`kind` is `TABLES` or `CHARTS`) into the page."""
        self._data.setdefault(kind, {})[block_id] = value
        self.used.add(kind)

    def rows(self, block: Block, results: Any) -> List[Any]:
        """Return the rows at a block's path."""
        return rows_at(results, block.path)

    def link(self, name: str, value: Any) -> Optional[str]:
        """Return where the row of an id stands, as a relative address, or None where no report has such rows."""
        home = self._homes.get(name)
        if home is None or value in (None, ""):  # a link without a word could not be read
            return None
        place = "#" + anchor(name, value)
        return place if home == self._report else f"{home}.html{place}"

    def data_json(self, report: Mapping[str, Any]) -> str:
        """Return all data of the page as JSON that is safe inside a script element."""
        return safe_json(dict({TABLES: {}, CHARTS: {}}, **self._data, report=report,
                              **({} if SIGN.get() == "$" else {"sign": SIGN.get()})))


def rows_at(results: Any, path: str) -> List[Any]:
    """Return the rows at a path: a list as it is, a mapping as one row, nothing as no rows."""
    found = at(results, path)
    if isinstance(found, dict):
        return [found]
    return list(found) if isinstance(found, (list, tuple)) else []


def at(results: Any, path: str) -> Any:
    """Return what stands at a path like "forecast.daily" or "daily.-1.cost"; None where a step of it is not there."""
    for step in path.split(".") if path else ():
        if isinstance(results, dict):
            results = results.get(step)
        elif isinstance(results, (list, tuple)):
            try:
                results = results[int(step)]
            except (ValueError, IndexError):
                return None
        else:
            return None
    return results


def anchor(name: str, value: Any) -> str:
    """Return the element id of a value's row; values that differ only in what ids cannot hold keep different ids."""
    text = str(value)
    plain = _NOT_IN_IDS.sub("-", text)[:LONGEST_ID]
    if plain != text:
        plain += f"-{zlib.crc32(text.encode('utf-8', 'surrogatepass')):08x}"
    return f"{name}-{plain}"


def safe_json(value: Any) -> str:
    """Return compact JSON that ends no script element, and holds no NaN."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False, ensure_ascii=False, default=_plain)
    return text.translate(_UNSAFE).encode("utf-8", "backslashreplace").decode("utf-8")  # lone surrogates as escapes


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"{type(value).__name__} has no place in a page")
