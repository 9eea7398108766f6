"""What commitments, newer generations and cheaper classes cost less: as AWS lists it, or a file of one's own says."""
from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple

from errors import UsageError, explain_os_error, listed

LISTED = Path(__file__).resolve().with_name("discounts.json")
_SHARES = ("commitments", "storage", "sizes")  # tables of shares; the names in them are fixed
_NEWER = ("instances", "databases", "volumes")  # tables of what is newer, and its share, by what is old
_FACTS = ("about", "as_of", "source")


class Discounts(NamedTuple):
    """Shares off the list price by table and name, when and where they were listed, and whose file changed them."""

    as_of: str
    source: str
    own: str
    tables: Mapping[str, Mapping[str, Any]]

    def share(self, table: str, name: str) -> Decimal:
        """Return what is paid less."""
        return Decimal(self.tables[table][name])

    def newer(self, table: str, old: str) -> Optional[Tuple[str, Decimal]]:
        """Return what is newer than something, and what it costs less; None where nothing is known to be."""
        found = self.tables[table].get(old)
        return (str(found[0]), Decimal(found[1])) if found else None

    def as_data(self) -> Dict[str, Any]:
        """Return where the shares are from."""
        return {"as_of": self.as_of, "source": self.source, "own": self.own or "none"}


def load_discounts(path: str = "") -> Discounts:
    """Return AWS's list prices with what a file changes of them; a `UsageError` says what is wrong in the file."""
    base = json.loads(LISTED.read_text(encoding="utf-8"), parse_float=Decimal)
    tables: Dict[str, Dict[str, Any]] = {name: dict(base[name]) for name in _SHARES + _NEWER}
    if path:
        for name, changes in _own(path).items():
            if name in _FACTS:
                continue
            if name not in tables or not isinstance(changes, dict):
                raise UsageError(f"{path}: {name!r} is no table of discounts; there are: {listed(tables)}")
            for key, value in changes.items():
                tables[name][key] = _checked(path, name, key, value, tables)
    return Discounts(base["as_of"], base["source"], os.path.basename(path), tables)


def _own(path: str) -> Dict[str, Any]:
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8-sig"), parse_float=Decimal)
    except OSError as error:
        raise UsageError(explain_os_error("read", path, error)) from error
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise UsageError(f"{path} is no JSON object of discounts: write it like src/aws/insights/discounts.json")
    return found


def _checked(path: str, table: str, key: str, value: Any, tables: Mapping[str, Mapping[str, Any]]) -> Any:
    """Return a share, or a name and a share, as it is."""
    if table in _SHARES:
        if key not in tables[table]:
            raise UsageError(f"{path}: {table} has no {key!r}; there are: {listed(tables[table])}")
        share = value
    else:
        is_pair = isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and value[0]
        share = value[1] if is_pair else None
    if isinstance(share, bool) or not isinstance(share, (int, Decimal)) or not 0 <= share < 1:
        form = "a share" if table in _SHARES else 'a pair like ["gp3", 0.2], whose second is a share'
        raise UsageError(f"{path}: {table}.{key} is not {form} from 0 to below 1")
    return value
