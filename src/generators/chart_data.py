"""From a chart's description and rows of results to its data: labels, series, what was added up and what left out."""
from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import blocks as b
from generators.formats import NUMERIC, kind_of, number, show, words
from generators.page_parts import at
from generators.scales import ELLIPSIS
from generators.templates import fit

LARGEST = Decimal(10) ** 300  # what is larger has no place as a plain number in JSON, and counts as unknown
_ADDS = frozenset((b.MONEY, b.MONEY_CHANGE, b.COUNT, b.COMPACT, b.BYTES))
# What is money or a count by its name, and still makes no sense when added up (a customer can be in several rows).
_RATE = re.compile(r"(^|[_.])(per|mean|median|average|p\d+|max|min|unique|customers|price|index)(_|$)")
LONGEST_LABEL = 120  # letters of a label in the data for the script
OTHER = "other"
EMPTY = "(empty)"  # a name without a letter
_NAME, _VALUE = "name", "value"


class Series(NamedTuple):
    """Values of one name, one for each label; None where it is unknown. `adds` tells whether a sum makes sense."""

    name: str
    kind: str
    values: List[Optional[Decimal]]
    adds: bool = True


@dataclass(frozen=True)
class ChartData:
    """What a chart shows. `labels` are as in the results, `texts` as people read them.

    `groups` has the group of each row, where rows have groups. `rest` counts the rows that the last label ("other")
    adds up; `notes` say what was left out.
    """

    labels: List[str]
    texts: List[str]
    series: List[Series]
    groups: List[str] = field(default_factory=list)
    rest: int = 0
    notes: List[str] = field(default_factory=list)

    @property
    def known(self) -> List[Decimal]:
        """Return all values that are known."""
        return [value for one in self.series for value in one.values if value is not None]

    def take(self, places: Sequence[int]) -> "ChartData":
        """Return the data of these places only."""
        return replace(self, labels=[self.labels[place] for place in places],
                       texts=[self.texts[place] for place in places],
                       groups=[self.groups[place] for place in places] if self.groups else [],
                       series=[one._replace(values=[one.values[place] for place in places]) for one in self.series])

    def noted(self, count: int, one: str, several: str = "") -> "ChartData":
        """Return the data with a note that begins with a count, unless that is 0."""
        if not count:
            return self
        return replace(self, notes=[*self.notes, f"{count:,} {one if count == 1 else several or one}"])


def read(block: b.Chart, rows: Sequence[Any]) -> ChartData:
    """Return the labels and values of a chart; one mapping of names to numbers is a row for each name."""
    columns = [b.Column(column) if isinstance(column, str) else column for column in block.values]
    label = block.label
    if not label and len(rows) == 1 and isinstance(rows[0], Mapping):
        rows, label = [{_NAME: words(str(name)), _VALUE: value} for name, value in rows[0].items()], _NAME
        columns = [replace(columns[0], name=_VALUE)] if columns else []
    rows = [row if isinstance(row, Mapping) else {_NAME: place, _VALUE: row} for place, row in enumerate(rows)]
    label = label or _NAME
    columns = columns or _first_numbers(rows, label)
    labels = [label_of(row, label) for row in rows]
    group = getattr(block, "group", "")
    return ChartData([raw for raw, _ in labels], [text for _, text in labels],
                     [series_of(rows, column) for column in columns],
                     groups=[label_of(row, group)[1] for row in rows] if group else [])


def _first_numbers(rows: Sequence[Mapping[str, Any]], label: str) -> List[b.Column]:
    """Return the first column that holds numbers, for a chart that names none."""
    names = [name for row in rows for name, value in row.items() if name not in label.split()
             and (number(value) is not None or _is_list(value))]
    return [b.Column(names[0])] if names else []


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple))


def label_of(row: Mapping[str, Any], names: str) -> Tuple[str, str]:
    """Return a row's label as in the results, and as people read it; `names` may be several columns, by spaces."""
    found = [(at(row, name), name) for name in names.split()]
    raw = " ".join(str(value) for value, _ in found if value is not None)
    return raw, " \u00b7 ".join(_word(value, kind_of(name, value)) for value, name in found) or EMPTY


def _word(value: Any, kind: str) -> str:
    """Return a part of a label; classes and kinds are read as words, as in badges."""
    text = show(value, kind)
    return text.replace("_", " ") if kind == b.BADGE else text


def series_of(rows: Sequence[Mapping[str, Any]], column: b.Column) -> Series:
    """Return a column's values, with their kind."""
    found = [at(row, column.name) for row in rows]
    values = [exact(value) for value in found]
    kind = kind_for(column, next((one for one, value in zip(found, values) if value is not None), None))
    return Series(column.title or words(column.name), kind, values, adds(column.name, kind))


def exact(value: Any) -> Optional[Decimal]:
    """Return a number that can be drawn, or None."""
    found = number(value)
    return found if found is not None and abs(found) < LARGEST else None


def kind_for(column: b.Column, value: Any) -> str:
    """Return the kind of a column of numbers, the same for decimals and for decimals that are written as text."""
    kind = column.kind or kind_of(column.name, value)
    return kind if kind in NUMERIC else b.NUMBER


def adds(name: str, kind: str) -> bool:
    """Tell whether values of a column may be added up over rows."""
    return kind == b.MONEY_CHANGE or kind in _ADDS and not _RATE.search(name)


def unknown_noted(data: ChartData) -> ChartData:
    """Return the data with a note of how many values are unknown."""
    count = sum(value is None for one in data.series for value in one.values)
    return data.noted(count, "value is unknown.", "values are unknown.")


def bounded(data: ChartData, most: int, whole: bool = False) -> ChartData:
    """Return the largest `most` rows in their order, and the others added up, or dropped where no sum makes sense.

    `whole` adds up in any case, since the chart's description says that its rows are parts of a whole. A single row
    too many stays, since "other" would take its place.
    """
    count = len(data.labels)
    if not most or count <= most + (1 if whole or all(one.adds for one in data.series) else 0):
        return data
    places = sorted(range(count), key=lambda place: -size(data, place))
    keep, rest = sorted(places[:most]), places[most:]
    if not whole and not all(one.adds for one in data.series):
        return data.take(keep).noted(len(rest), "more is not shown.", "more are not shown.")
    shown = data.take(keep)
    text = f"{OTHER} ({len(rest):,})"
    series = [one._replace(values=part.values + [total([one.values[place] for place in rest])])
              for one, part in zip(data.series, shown.series)]
    return replace(shown, labels=shown.labels + [text], texts=shown.texts + [text], series=series, rest=len(rest),
                   groups=shown.groups + [OTHER] if shown.groups else [])


def size(data: ChartData, place: int) -> Decimal:
    """Return how much a row weighs: the sum of its values without their signs."""
    return sum((abs(one.values[place] or Decimal(0)) for one in data.series), Decimal(0))


def total(values: Sequence[Optional[Decimal]]) -> Optional[Decimal]:
    """Return the sum of the known values, None without any."""
    known = [value for value in values if value is not None]
    return sum(known, Decimal(0)) if known else None


def parts_of_whole(data: ChartData, most: int) -> ChartData:
    """Return the parts above 0, the largest first, the others added up, and notes of what cannot be a part."""
    data = replace(data, series=data.series[:1])
    values = data.series[0].values if data.series else []
    order = sorted((place for place, value in enumerate(values) if value is not None and value > 0),
                   key=lambda place: -(values[place] or 0))
    unknown = sum(value is None for value in values)
    flat = len(values) - len(order) - unknown
    data = data.take(order).noted(flat, "part of zero or less is left out.", "parts of zero or less are left out.")
    return bounded(data.noted(unknown, "part is unknown.", "parts are unknown."), most, whole=True)


def group_numbers(data: ChartData) -> Tuple[List[str], List[int]]:
    """Return the names of the groups in the order of their first rows, and the number of each row's group."""
    names = list(dict.fromkeys(data.groups))
    return names, [names.index(group) for group in data.groups] or [0] * len(data.labels)


def plain(value: Optional[Decimal]) -> Any:
    """Return a value as a plain number for JSON."""
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() and abs(value) < 10 ** 15 else float(value)


def shortened(text: str, most: int) -> str:
    """Return a text of at most so many letters, with an ellipsis where it was longer."""
    return text if len(text) <= most else text[:most - 1] + ELLIPSIS


def as_json(data: ChartData) -> Dict[str, Any]:
    """Return the labels and series of a chart for the page's script."""
    return {"labels": [shortened(fit(text), LONGEST_LABEL) for text in data.texts],
            "series": [{"name": shortened(fit(one.name), LONGEST_LABEL), "kind": one.kind,
                        "values": [plain(value) for value in one.values]} for one in data.series]}
