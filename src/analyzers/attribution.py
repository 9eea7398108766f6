"""Who owns a cost: direct, shared platform, or unattributed; and how pools are charged to the owners."""
from __future__ import annotations

from typing import Dict, Iterable, List, NamedTuple, Sequence

from analyzers.common import add, split
from rollup.cubes import Measures
from rollup.rollup import Group

DIRECT, SHARED, UNATTRIBUTED = KINDS = ("direct", "shared", "unattributed")
NAMELESS = frozenset({"unattributed", "unknown", "shared"})  # texts that name nobody
PRODUCTION = "production"
RULE = (f"a call is unattributed where its name is {', '.join(sorted(NAMELESS))}; of the others it is shared platform "
        f"cost where its environment is not {PRODUCTION}; else it is direct")


class Charge(NamedTuple):
    """One owner's bill: its own direct calls, what the pools add to it, and what it caused in all environments."""

    owner: str
    direct: Measures
    caused: Measures
    shared_nano: int
    unattributed_nano: int

    @property
    def charged_nano(self) -> int:
        """Return direct cost plus the parts of both pools."""
        return self.direct.cost_nano + self.shared_nano + self.unattributed_nano


class Chargeback(NamedTuple):
    """All bills of one dimension, and the pools; with no owner to charge, pools stay where they are."""

    charges: List[Charge]
    pools: Dict[str, Measures]


def is_named(name: str) -> bool:
    """Tell whether a text names an owner."""
    return name.strip().lower() not in NAMELESS


def in_production(environment: str) -> bool:
    """Tell whether an environment serves customers."""
    return environment.strip().lower() == PRODUCTION


def kind_of(names: Iterable[str], environment: str) -> str:
    """Return the kind of a cost with these names (see `RULE`)."""
    if not all(map(is_named, names)):
        return UNATTRIBUTED
    return DIRECT if in_production(environment) else SHARED


def charge(groups: Sequence[Group], name: int, environment: int) -> Chargeback:
    """Return the bills by the name at one place of the groups' keys; they and nothing else add up to all cost.

    A pool is shared out by direct cost; where nobody has any, by direct calls, and by equal parts where nobody has
    those either. Only what was caused without a single name stays in the pool.
    """
    parts: Dict[str, Dict[str, List[Measures]]] = {}
    pools: Dict[str, List[Measures]] = {SHARED: [], UNATTRIBUTED: []}
    for key, measures in groups:
        kind = kind_of((key[name],), key[environment])
        if kind != UNATTRIBUTED:
            parts.setdefault(key[name], {DIRECT: [], SHARED: []})[kind].append(measures)
        if kind != DIRECT:
            pools[kind].append(measures)
    direct = {owner: add(kinds[DIRECT]) for owner, kinds in sorted(parts.items())}
    summed = {kind: add(ones) for kind, ones in pools.items()}
    weights = [one.cost_nano for one in direct.values()]
    weights = weights if any(weights) else [one.calls for one in direct.values()]
    shares = [split(summed[kind].cost_nano, weights) for kind in (SHARED, UNATTRIBUTED)]
    charges = [Charge(owner, direct[owner], add(kinds[DIRECT] + kinds[SHARED]), shared, unattributed)
               for (owner, kinds), shared, unattributed in zip(sorted(parts.items()), *shares)]
    return Chargeback(sorted(charges, key=lambda one: (-one.charged_nano, one.owner)), summed)
