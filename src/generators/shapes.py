"""Geometry without markup: places in percent, paths, arcs, and rectangles as large as their values."""
from __future__ import annotations

import math
from decimal import Decimal
from typing import List, NamedTuple, Optional, Sequence, Tuple

Point = Tuple[float, float]


class Box(NamedTuple):
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float


def n(value: float) -> str:
    """Return a coordinate with at most two places."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def percent(value: float) -> str:
    """Return a share as percent, with as many places as a wide screen needs."""
    return n(value * 100) + "%"


def part(value: Decimal, low: Decimal, high: Decimal) -> float:
    """Return where a value stands between low (0) and high (1); computed exactly, so that no size is too large."""
    return float((value - low) / (high - low)) if high > low else 0.0


def runs(points: Sequence[Optional[Point]]) -> List[List[Point]]:
    """Return the points between gaps."""
    found: List[List[Point]] = [[]]
    for point in points:
        if point is not None:
            found[-1].append(point)
        elif found[-1]:
            found.append([])
    return [run for run in found if run]


def line(points: Sequence[Optional[Point]]) -> str:
    """Return the path of a line that stops at gaps; a point alone is a line of no length (a round cap shows it)."""
    return "".join("M" + "L".join(f"{n(x)} {n(y)}" for x, y in (run if len(run) > 1 else run * 2))
                   for run in runs(points))


def area(points: Sequence[Optional[Point]], base: Sequence[Optional[Point]]) -> str:
    """Return the path of the area between two lines, which have their gaps at the same places."""
    both = [(one, other) if one is not None and other is not None else None for one, other in zip(points, base)]
    path = ""
    start = 0
    for end in range(len(both) + 1):
        if end == len(both) or both[end] is None:
            run = [pair for pair in both[start:end] if pair is not None]
            if run:
                around = [pair[0] for pair in run] + [pair[1] for pair in reversed(run)]
                path += "M" + "L".join(f"{n(x)} {n(y)}" for x, y in around) + "Z"
            start = end + 1
    return path


def sector(begin: float, end: float, radius: float, hole: float = 0.0, middle: float = 100.0) -> str:
    """Return the path of a sector (or a piece of a ring) from one share of the turn to another, from the top."""
    if end - begin > 0.99999:  # an arc cannot end where it begins, and a whole ring has no seam
        return _circle(radius, middle, 1) + (_circle(hole, middle, 0) if hole else "")
    large = 1 if end - begin > 0.5 else 0
    outer = f"M{_on(begin, radius, middle)}A{n(radius)} {n(radius)} 0 {large} 1 {_on(end, radius, middle)}"
    if not hole:
        return f"{outer}L{n(middle)} {n(middle)}Z"
    return f"{outer}L{_on(end, hole, middle)}A{n(hole)} {n(hole)} 0 {large} 0 {_on(begin, hole, middle)}Z"


def _circle(radius: float, middle: float, turn: int) -> str:
    """Return a circle; `turn` 0 goes the other way round, which makes a hole."""
    half = f"A{n(radius)} {n(radius)} 0 1 {turn} "
    return f"M{_on(0, radius, middle)}{half}{_on(0.5, radius, middle)}{half}{_on(0, radius, middle)}Z"


def _on(share: float, radius: float, middle: float) -> str:
    angle = share * 2 * math.pi
    return f"{n(middle + radius * math.sin(angle))} {n(middle - radius * math.cos(angle))}"


def squarify(sizes: Sequence[float], box: Box) -> List[Box]:
    """Return a rectangle for each size (above 0, the largest first) that fill the box, as square as they can be.

    The rule is that of Bruls, Huizing and van Wijk: a row takes rectangles as long as its worst shape gets better.
    """
    whole = sum(sizes)
    areas = [size / whole * box.width * box.height for size in sizes] if whole else []
    done: List[Box] = []
    while len(done) < len(areas):
        row = _row(areas[len(done):], min(box.width, box.height))
        placed, box = _place(row, box)
        done += placed
    return done


def _row(areas: Sequence[float], side: float) -> List[float]:
    """Return the areas that make the next row along a side."""
    row = [areas[0]]
    for one in areas[1:]:
        if _worst(row + [one], side) > _worst(row, side):
            break
        row.append(one)
    return row


def _worst(row: Sequence[float], side: float) -> float:
    whole = sum(row)
    if not whole or not min(row) or not side:
        return math.inf
    return max(side * side * max(row) / whole ** 2, whole ** 2 / (side * side * min(row)))


def _place(row: Sequence[float], box: Box) -> Tuple[List[Box], Box]:
    """Return the rectangles of a row along the shorter side, and what is left of the box."""
    whole, placed = sum(row), []
    upright = box.width >= box.height
    side = box.height if upright else box.width
    thick = whole / side if side else 0.0
    before = 0.0
    for one in row:
        long = one / whole * side if whole else 0.0
        placed.append(Box(box.x, box.y + before, thick, long) if upright else
                      Box(box.x + before, box.y, long, thick))
        before += long
    rest = Box(box.x + thick, box.y, box.width - thick, box.height) if upright else \
        Box(box.x, box.y + thick, box.width, box.height - thick)
    return placed, rest
