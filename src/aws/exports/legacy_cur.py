"""The legacy cost and usage report: CUR 2.0 with other spellings of its columns, and a column for each tag."""
from __future__ import annotations

import re
from typing import List, Sequence

from aws.exports.base import Format, Lines
from aws.exports.cur import CATEGORIES, TAGS, Cur, CurLines

_CAPITAL = re.compile(r"(?=[A-Z])")
_FREE = {"resourceTags": TAGS, "costCategory": CATEGORIES}  # whose columns people have named


class LegacyCur(Format):
    """Reports that were set up before Data Exports."""

    id = "legacy-cur"
    title = "Legacy CUR"
    description = "cost and usage report as it was before Data Exports, as CSV"
    telling = frozenset(("lineItem/UnblendedCost",))

    def missing(self, header: Sequence[str]) -> List[str]:
        """Return the needed columns that a header lacks, by the names of CUR 2.0."""
        return Cur().missing([snake_case(name) for name in header])

    def lines(self, header: Sequence[str]) -> Lines:
        """Return what reads the rows under a header."""
        return CurLines([snake_case(name) for name in header])


def snake_case(name: str) -> str:
    """Return the name that CUR 2.0 gives a column: `line_item_usage_type` for `lineItem/UsageType`.

    Tags and cost categories keep theirs: `resource_tags/user:Team`.
    """
    group, slash, column = name.partition("/")
    if group in _FREE:
        return f"{_FREE[group]}/{column}"
    return "_".join(part for part in _CAPITAL.sub("_", group + slash + column).lower().replace("/", "_").split("_")
                    if part)
