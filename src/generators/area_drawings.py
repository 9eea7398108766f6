"""Shares as areas: rings, pies, cells of a heat map, and the rectangles of a tree map."""
from __future__ import annotations

from decimal import Decimal
from typing import Dict, Iterator, List, NamedTuple, Sequence, Tuple

import blocks as b
from generators.chart_data import ChartData, total
from generators.drawing import NOTHING, PHONE, WIDE, fill, full_text, gutter, path as as_path, piece, sentences
from generators.formats import show
from generators.scales import cut, text_width
from generators.shapes import Box, n, part, percent, sector, squarify
from generators.templates import Markup, join

RADIUS, HOLE = 96.0, 62.0
CELL, HEAD = 24, 20  # pixels of a row of cells, and of the texts over them
LEVELS = 7
TREE = Box(0, 0, 520, 320)
_TILE_MARGIN, _LEAST_NAME = 14, 44
MOST_HEAD = 64.0  # pixels of the name of a column
_SMALL, _BOLD = 11 / 12, 1.12  # how much narrower or wider texts in cells and tiles are than widths are told for


def round_parts(data: ChartData, file: str, label: str) -> Tuple[Markup, Markup]:
    """Return a ring or a pie, and its legend, which says each part's value and share."""
    one = data.series[0]
    values = [value or Decimal(0) for value in one.values]
    whole = total(values) or Decimal(1)
    together = show(whole, one.kind)
    before, sectors, items = Decimal(0), [], []
    for place, value in enumerate(values):
        colour = fill(place, bool(data.rest) and place == len(values) - 1)
        share, shown = show(value / whole, b.SHARE), show(value, one.kind)
        drawn = sector(float(before / whole), float((before + value) / whole), RADIUS,
                       HOLE if file == "doughnut.svg" else 0.0)
        before += value
        sectors.append(piece(file, "sector", colour=colour, path=as_path(drawn),
                             text=sentences([data.texts[place] + ":", f"{shown}, {share}"])))
        items.append(piece("frame.html", "part", colour=colour, text=data.texts[place], value=shown, share=share))
    centre = {"total": together, "long": " long" if text_width(together) > 58 else ""} if file == "doughnut.svg" else {}
    return piece(file, "plot", label=label, sectors=join(sectors), **centre), \
        piece("frame.html", "parts", items=join(items))


def heat_map(data: ChartData, label: str, wide: int = WIDE) -> Markup:
    """Return a row of cells for each label, with a column for each series; an unknown cell is left out.

    `wide` is how many pixels across a wide screen gives at least.
    """
    side, gap = gutter(data.texts)
    scale = cell_scale(data)
    rows: List[Markup] = []
    for place, text in enumerate(data.texts):
        y = HEAD + place * CELL
        shown = cut(text, gap - 10)
        rows.append(piece("heat_map.svg", "row_name", y=n(y + CELL / 2), text=shown, full=full_text(text, shown)))
        rows += _cells(data, place, y, scale)
    return piece("heat_map.svg", "plot", gutter=side, label=label, height=HEAD + len(data.labels) * CELL,
                 heads=_heads(data, gap, wide),
                 rows=join(rows + _values(data, gap, wide)))


def _cells(data: ChartData, place: int, y: float, scale: "CellScale") -> Iterator[Markup]:
    columns = len(data.series)
    for index, one in enumerate(data.series):
        value = one.values[place]
        if value is not None:
            told = [f"{data.texts[place]},", f"{one.name}:", show(value, one.kind)]
            yield piece("heat_map.svg", "cell", colour=scale.level(value), x=percent(index / columns), y=n(y + 1),
                        width=percent(1 / columns), height=CELL - 2, text=sentences(told))


def _heads(data: ChartData, gap: int, wide: int) -> Markup:
    """Return the names of the columns, of so many as have room on a phone, and more or longer ones on wider screens."""
    count = len(data.series)
    longest = max((text_width(one.name) for one in data.series), default=0.0)
    room = max(MOST_HEAD, (wide - gap) / max(count, 1) - 6)
    drawn = []
    for screen, width, most in ((" narrow", PHONE, MOST_HEAD), (" roomy", wide, room)):
        every = max(int(-(-(min(longest, most) + 6) * count // (width - gap))), 1)
        drawn.append([(screen, index, cut(one.name, most)) for index, one in enumerate(data.series)
                      if index % every == 0])
    same = {pair[1:] for pair in drawn[0]} & {pair[1:] for pair in drawn[1]}
    return join(piece("heat_map.svg", "head", roomy="" if (index, text) in same else screen, y=12,
                      x=percent((index + 0.5) / count), text=text)
                for place, heads in enumerate(drawn) for screen, index, text in heads
                if not place or (index, text) not in same)


def _values(data: ChartData, gap: int, wide: int) -> List[Markup]:
    """Return the values in the cells where all of them have room."""
    texts = [[show(value, one.kind) if value is not None else "" for value in one.values] for one in data.series]
    need = max((text_width(text) * _SMALL for column in texts for text in column), default=0.0) + 6
    count = max(len(texts), 1)
    roomy = "" if need <= (PHONE - gap) / count else " roomy"
    if need > (wide - gap) / count:
        return []
    return [piece("heat_map.svg", "value", roomy=roomy, x=percent((index + 0.5) / count),
                  y=n(HEAD + place * CELL + CELL / 2), text=text)
            for index, column in enumerate(texts) for place, text in enumerate(column) if text]


class CellScale(NamedTuple):
    """What the shades of cells mean: from the lowest value to the highest, or away from 0 to both sides."""

    low: Decimal
    high: Decimal

    def level(self, value: Decimal) -> str:
        """Return the classes of a value's shade: `v0` to `v6` of the first colour, or of the second below 0."""
        if self.low < 0:
            furthest = max(-self.low, self.high)
            level = round(float(abs(value) / furthest) * (LEVELS - 1))
            return f"{'s1' if value < 0 else 's0'} v{level}"
        return f"s0 v{round(part(value, self.low, self.high) * (LEVELS - 1))}"

    def legend(self, kind: str) -> Markup:
        """Return the shades with the values at both ends."""
        if self.low == self.high:
            return NOTHING
        furthest = max(-self.low, self.high)
        ends = (-furthest, furthest) if self.low < 0 else (self.low, self.high)
        names = [f"s0 v{level}" for level in range(LEVELS)]
        if self.low < 0:
            names = [f"s1 v{level}" for level in range(LEVELS - 1, 0, -2)] + names[::2]
        return piece("frame.html", "scale", low=show(ends[0], kind), high=show(ends[1], kind), width=12 * len(names),
                     steps=join(piece("frame.html", "step", colour=name, x=12 * place)
                                for place, name in enumerate(names)))


def cell_scale(data: ChartData) -> CellScale:
    """Return the scale of a heat map's cells (at least one is known)."""
    return CellScale(min(data.known), max(data.known))


class Tile(NamedTuple):
    """A rectangle of the tree map: where its row stands in the data, the index of its group, its place."""

    row: int
    group: int
    box: Box


def tiles(sizes: Sequence[float], groups: Sequence[int]) -> List[Tile]:
    """Return the rectangles of rows (the largest first), those of one group in a rectangle of its own."""
    members: Dict[int, List[int]] = {}
    for row, group in enumerate(groups):
        members.setdefault(group, []).append(row)
    weights = {group: sum(sizes[row] for row in rows) for group, rows in members.items()}
    order = sorted(members, key=lambda group: -weights[group])
    homes = squarify([weights[group] for group in order], TREE)
    return [Tile(row, group, box) for group, home in zip(order, homes)
            for row, box in zip(members[group], squarify([sizes[row] for row in members[group]], home))]


def tree_map(data: ChartData, groups: Sequence[int], label: str) -> Markup:
    """Return a rectangle for each row, coloured by its group; texts stand only where they have room."""
    one = data.series[0]
    largest = max(value or Decimal(0) for value in one.values)
    placed = tiles([float((value or 0) / largest) for value in one.values], groups)
    return piece("tree_map.svg", "plot", label=label, height=n(TREE.height),
                 cells=join(_tile(data, tile) for tile in placed))


def _tile(data: ChartData, tile: Tile) -> Markup:
    box, one = tile.box, data.series[0]
    name, value = data.texts[tile.row], show(one.values[tile.row], one.kind)
    colour = fill(tile.group, bool(data.rest) and tile.row == len(data.labels) - 1)
    return piece("tree_map.svg", "cell", x=percent(box.x / TREE.width), y=n(box.y + 1), colour=colour,
                 width=percent(box.width / TREE.width), height=n(max(box.height - 2, 0)),
                 text=sentences([name + ":", value]), texts=_tile_texts(name, value, box))


def _tile_texts(name: str, value: str, box: Box) -> Markup:
    """Return the texts of a tile: cut to its width on a phone, or whole on wider screens only, or none."""
    phone, wide = (box.width / TREE.width * width - _TILE_MARGIN for width in (PHONE, WIDE))
    if box.height < 26:
        return NOTHING
    drawn = _tile_name(name, phone, wide)
    if box.height >= 42 and drawn and text_width(value) * _SMALL <= wide:
        named = phone >= min(_LEAST_NAME, text_width(name) * _BOLD)
        drawn.append(piece("tree_map.svg", "value", text=value,
                           screen="" if named and text_width(value) * _SMALL <= phone else " roomy"))
    return join(drawn) if drawn else NOTHING


def _tile_name(name: str, phone: float, wide: float) -> List[Markup]:
    """Return a name that is whole on phones and wide screens, or cut differently for the two, or nothing."""
    if text_width(name) * _BOLD <= phone:
        return [piece("tree_map.svg", "name", screen="", text=name)]
    return [piece("tree_map.svg", "name", screen=screen, text=cut(name, width / _BOLD))
            for screen, width in ((" narrow", phone), (" roomy", wide)) if width >= _LEAST_NAME]
