"""Seeded chance that is the same on every Python: only `random()` and `getrandbits()` are drawn from.

The other methods of `random.Random`, and `sum()` of floats, changed between Python versions; a log must not.
"""
from __future__ import annotations

import math
from random import Random
from typing import Callable, List, Sequence, Tuple, TypeVar

Item = TypeVar("Item")


def stream(*names: object) -> Random:
    """Return the generator of one named purpose: equal names, equal draws."""
    return Random(":".join(map(str, names)))


def total(values: Sequence[float]) -> float:
    """Add floats exactly rounded, so that no Python version adds them differently."""
    return math.fsum(values)


def pick(chance: Random, items: Sequence[Item], weights: Sequence[float]) -> Item:
    """Draw one item by weight; all weights zero means all alike."""
    mark = chance.random() * total(weights)
    for item, weight in zip(items, weights):
        mark -= weight
        if mark < 0:
            return item
    return items[int(chance.random() * len(items))]


def shuffled(chance: Random, items: Sequence[Item]) -> List[Item]:
    """Return the items in random order."""
    keyed = [(chance.random(), index) for index in range(len(items))]
    return [items[index] for _, index in sorted(keyed)]


def shuffled_by_weight(chance: Random, items: Sequence[Item], weights: Sequence[float]) -> List[Item]:
    """Return the items in random order, the heavy ones likelier to come early."""
    keyed = [(math.log(1 - chance.random()) / weight, index) for index, weight in enumerate(weights)]
    return [items[index] for _, index in sorted(keyed, reverse=True)]


def dealt(chance: Random, count: int, items: Sequence[Item], weights: Sequence[float]) -> List[Item]:
    """Return `count` items in random order, each as often as its weight asks for, rounded fairly."""
    whole, result, reached = total(weights), [], 0.0
    for item, weight in zip(items, weights):
        before, reached = reached, reached + weight * count / whole
        result += [item] * (round(reached) - round(before))
    return shuffled(chance, result)


def lognormal_grid(sigma: float, points: int) -> List[float]:
    """Return an inverse-CDF table of a log-normal spread with mean 1."""
    raw = [math.exp(sigma * _normal_quantile((index + 0.5) / points)) for index in range(points)]
    mean = total(raw) / points
    return [value / mean for value in raw]


def interpolated(probabilities: Sequence[float], quantiles: Sequence[float], points: int,
                 finish: Callable[[float], Item]) -> List[Item]:
    """Return an inverse-CDF table of `points` values read off a quantile grid, each passed through `finish`."""
    table, spot = [], 0
    for index in range(points):
        probability = (index + 0.5) / points
        while spot < len(probabilities) - 2 and probabilities[spot + 1] < probability:
            spot += 1
        low, high = probabilities[spot], probabilities[spot + 1]
        share = min(1.0, (probability - low) / (high - low))
        table.append(finish(quantiles[spot] + share * (quantiles[spot + 1] - quantiles[spot])))
    return table


_TAIL = 0.02425
_A = (-39.6968302866538, 220.946098424521, -275.928510446969, 138.357751867269, -30.6647980661472, 2.50662827745924)
_B = (-54.4760987982241, 161.585836858041, -155.698979859887, 66.8013118877197, -13.2806815528857, 1.0)
_C = (-0.00778489400243029, -0.322396458041136, -2.40075827716184, -2.54973253934373, 4.37466414146497,
      2.93816398269878)
_D = (0.00778469570904146, 0.32246712907004, 2.445134137143, 3.75440866190742, 1.0)


def _normal_quantile(probability: float) -> float:
    """Return the standard normal quantile (Acklam's rational approximation; Python 3.7 has no NormalDist)."""
    if probability > 0.5:
        return -_normal_quantile(1 - probability)
    if probability < _TAIL:
        root = math.sqrt(-2 * math.log(probability))
        return _polynomial(_C, root) / _polynomial(_D, root)
    centred = probability - 0.5
    square = centred * centred
    return _polynomial(_A, square) * centred / _polynomial(_B, square)


def _polynomial(coefficients: Tuple[float, ...], at: float) -> float:
    value = 0.0
    for coefficient in coefficients:
        value = value * at + coefficient
    return value
