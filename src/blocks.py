"""The vocabulary of pages: what an analyser says of its page, as data.

A block points at a place in the analyser's results by its path (`"summary"`, `"forecast.daily"`), so a page cannot
show a number that the JSON does not hold. `generators/` turns blocks into markup; nothing here knows how.

How a value is written follows from its name (`cost` is money, `error_rate` a share, `p95_ms` milliseconds; see
`generators/formats.py`); `kind` says it where the name does not.
"""
from __future__ import annotations

import contextlib
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Iterator, Sequence, Tuple, Union

# Kinds of values.
MONEY = "money"  # dollars: $1,234.56, and $0.000013 for tiny ones
MONEY_CHANGE = "money_change"  # dollars with their sign
COUNT = "count"  # 1,234
COMPACT = "compact"  # 1.2 M, the full number on hover
SHARE = "share"  # 0.123 is 12.3 %
CHANGE = "change"  # 0.123 is +12.3 %
PERCENT = "percent"  # 12.3 is 12.3 %
NUMBER = "number"  # three significant digits
MILLISECONDS = "milliseconds"  # 843 ms, 12.5 s
BYTES = "bytes"  # 20.0 MB
DAY = "day"  # 2026-01-31
TIME = "time"  # 2026-01-31 14:05 UTC
BADGE = "badge"  # a severity, confidence or class, as a coloured word
YES_NO = "yes_no"
TEXT = "text"

# What stands before amounts: dollars, but for bills in another currency.
SIGN: ContextVar[str] = ContextVar("SIGN", default="$")
_SIGNS = {"USD": "$", "EUR": "\u20ac", "GBP": "\u00a3"}


@contextlib.contextmanager
def in_currency(code: str) -> Iterator[None]:
    """Have all amounts written in a currency for the block, by its sign or else by its code of three letters."""
    before = SIGN.set(_SIGNS.get(code, code + "\u00a0"))
    try:
        yield
    finally:
        SIGN.reset(before)


# What a rise means.
GOOD, BAD, NEUTRAL = "good", "bad", "neutral"


@dataclass(frozen=True)
class Course:
    """How a figure came about, as a small drawing: the values of the rows at a path, along the column `by`.

    `name` says what is drawn ("Spend by day"). Rows in time are a line; others, of which each stands for itself, are
    `columns`. With `tally` the rows are added up on each day of the log, by the day or time in `by`: their values, or
    without `value` their number; a day without a row is 0 then.
    """

    path: str
    value: str = ""
    name: str = ""
    by: str = "day"
    kind: str = ""
    columns: bool = False
    tally: bool = False


@dataclass(frozen=True)
class Card:
    """A figure with its name: a value by its path, its change against the period before, what a rise means.

    `change` is the path of a share (0.1 is +10 %), `low` and `high` those of an interval, `spark` a course, or in short
    the path of rows by day and of the column to draw (`"daily.cost"`). `report` links another report, by its id, that
    explains the figure. The executive summary shows cards by `rank`, the lowest first.
    """

    path: str
    title: str
    kind: str = ""
    change: str = ""
    rise: str = NEUTRAL
    low: str = ""
    high: str = ""
    spark: Union[str, Course] = ""
    note: str = ""
    report: str = ""
    rank: int = 50


@dataclass(frozen=True)
class Column:
    """A column of a table: the name in the rows, its title (default: the name in words), its kind.

    `bar` draws the value's share of the column's largest beside it.
    """

    name: str
    title: str = ""
    kind: str = ""
    bar: bool = False


@dataclass(frozen=True)
class Block:
    """What all blocks have: the path of what they show, a title, a sentence about it, and one for when it is empty."""

    path: str = ""
    title: str = ""
    about: str = ""
    empty: str = ""


@dataclass(frozen=True)
class Section(Block):
    """Blocks under one heading; `wide` gives each the whole width, else charts stand side by side."""

    blocks: Tuple[Block, ...] = ()
    wide: bool = False


@dataclass(frozen=True)
class Cards(Block):
    """A row of figures; their paths begin at the block's own path."""

    cards: Tuple[Card, ...] = ()


@dataclass(frozen=True)
class CardRows(Block):
    """A card for each of the first rows: titled by the column `name`, its places begin at the row.

    Its `low` and `high` may as well be what a figure was and what it is.
    """

    name: str = ""
    card: Card = Card("", "")
    most: int = 3


@dataclass(frozen=True)
class Table(Block):
    """Rows as a table that can be sorted, filtered and downloaded; without columns, all that the rows have.

    `key` names the column (`"customer"`) whose values other pages' mentions link to: the row of that id lives here.
    `most` bounds the rows that the page carries (0: all); the JSON holds all, and the page says so.
    """

    columns: Tuple[Union[Column, str], ...] = ()
    key: str = ""
    most: int = 0


@dataclass(frozen=True)
class Facts(Block):
    """Named values as a list of terms; without names, all that are single values."""

    names: Tuple[Union[Column, str], ...] = ()


@dataclass(frozen=True)
class Notes(Block):
    """A text, or a list of texts, in the words of the results: rules, limits, what was left out."""


@dataclass(frozen=True)
class Alerts(Block):
    """Rows that each carry a severity: a coloured list, the worst first; `text` names the columns that are read out."""

    severity: str = "severity"
    text: Tuple[str, ...] = ("text",)
    value: str = "cost"
    most: int = 12


@dataclass(frozen=True)
class Recommendations(Block):
    """What to do, with its dollars a month, its evidence and how sure it is; every page ends its head with it."""

    path: str = "recommendations"


@dataclass(frozen=True)
class Comparison(Block):
    """Now against before: rows of (title, path now, path before), each with their difference."""

    rows: Tuple[Tuple[str, str, str], ...] = ()
    kind: str = ""
    names: Tuple[str, str] = ("This period", "The one before")
    rise: str = NEUTRAL


@dataclass(frozen=True)
class Choices(Block):
    """A form that asks the server for this page again; what stands at the path describes it.

    `action` is the address, `button` its word, `fields` rows of `name`, `title`, `value`, and either `options` (pairs
    of value and text) or `kind` "date" with `least` and `most`; of `kind` "several", `value` is a list, of which any
    options may be, and `shown` says it in short. A report with one sets `forms`, the form-action of its policy.
    """


@dataclass(frozen=True)
class Chart(Block):
    """What all charts have: rows at the path, the column of labels, the columns of values, a bound on the labels.

    `label` may name several columns, with spaces between; a single mapping of names to numbers needs none, and is a row
    for each name. Rows beyond `most` (0: no bound) are added up as "other" where adding makes sense, so that the whole
    stays whole.
    """

    label: str = ""
    values: Tuple[Union[Column, str], ...] = ()
    most: int = 0


@dataclass(frozen=True)
class Bars(Chart):
    """A bar a row, lying down, so that long names can be read; several values stand side by side."""

    most: int = 12


@dataclass(frozen=True)
class StackedBars(Chart):
    """A bar a row with its values stacked; `standing` draws columns (time on the axis)."""

    most: int = 12
    standing: bool = False


@dataclass(frozen=True)
class Lines(Chart):
    """A line a value along the labels (days, hours); `low` and `high` name the columns of an interval band.

    `then` is the path of rows that go on where these end (a forecast), with the same label column.
    """

    low: str = ""
    high: str = ""
    then: str = ""


@dataclass(frozen=True)
class Doughnut(Chart):
    """Shares of a whole, as a ring."""

    most: int = 7


@dataclass(frozen=True)
class Pie(Chart):
    """Shares of a whole, as a pie."""

    most: int = 7


@dataclass(frozen=True)
class Scatter(Chart):
    """A point a row: the first value across, the second upwards, the label at the point; `group` colours by a column.

    `logarithmic` gives both axes powers of ten (values of 0 and less are left out, and counted under the chart).
    """

    group: str = ""
    logarithmic: bool = False


@dataclass(frozen=True)
class HeatMap(Chart):
    """A cell for each pair of label and `across`, shaded by the value; several rows of one pair are not added up.

    A column that holds a list of values gives a cell each (`across` empty: numbered from 0).
    """

    across: str = ""


@dataclass(frozen=True)
class TreeMap(Chart):
    """A rectangle a row, as large as its share; `group` puts rows of one group together."""

    group: str = ""
    most: int = 40


def walk(drawn: Sequence[Block]) -> Iterator[Block]:
    """Yield blocks and those inside their sections."""
    for block in drawn:
        yield block
        if isinstance(block, Section):
            yield from walk(block.blocks)
