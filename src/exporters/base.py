"""The contract of an exporter, and what all of them share: which calls are wanted, and calls one by one."""
from __future__ import annotations

import os
from datetime import date, timedelta
from typing import Dict, FrozenSet, Iterable, Iterator, Mapping, NamedTuple, Optional, Set, Type

import exporters
from calls.log_reader import RecordReader, iterate_records, read_layout
from calls.record import AICall
from catalog.loader import Catalog
from discovery import discover
from errors import RecordError, UsageError, listed
from rollup.counts import REPEATED
from rollup.cubes import CALLER, CIRCUMSTANCE
from rollup.dataset import Dataset

_FIELDS: Mapping[str, str] = {
    **{name: name + "_id" for name in ("customer", "organization", "product", "feature")},
    "provider": "provider", "model": "model", "status": "status", "environment": "environment", "region": "region",
    "tier": "subscription_tier", "archetype": "customer_archetype"}
DIMENSIONS = tuple(name for name in CALLER + CIRCUMSTANCE if name in _FIELDS)
_EPOCH = date(1970, 1, 1)
_MS_PER_DAY = 86_400_000


class Choice(NamedTuple):
    """Which calls are wanted: days in UTC, both included, and the texts that each dimension may have."""

    first: Optional[date] = None
    last: Optional[date] = None
    where: Mapping[str, FrozenSet[str]] = {}

    def has_day(self, day: date) -> bool:
        """Tell whether calls of a day are wanted."""
        return (self.first is None or day >= self.first) and (self.last is None or day <= self.last)

    def fits(self, call: AICall) -> bool:
        """Tell whether a call is wanted."""
        return self.has_day(_EPOCH + timedelta(call.timestamp_ms // _MS_PER_DAY)) and all(
            getattr(call, _FIELDS[name]) in texts for name, texts in self.where.items())


class Exporter:
    """Base of all exporters: a subclass sets `id`, `title`, `description` and overrides `lines`.

    `calls` counts the calls written; `notes` holds what the reader of the export should know.
    """

    id = ""
    title = ""
    description = ""

    def __init__(self, catalog: Catalog) -> None:
        """Hold the price list."""
        self.catalog = catalog
        self.calls = 0
        self.notes: Dict[str, int] = {}

    def lines(self, dataset: Dataset, choice: Choice) -> Iterator[str]:
        """Yield the export in pieces of whole lines, each ending with a newline."""
        raise NotImplementedError

    def wanted_calls(self, dataset: Dataset, choice: Choice) -> Iterator[AICall]:
        """Yield the calls of a log that are wanted, in its order; rejected rows and repeated ids are left out.

        Memory holds the ids only where some are repeated.
        """
        layout = read_layout(dataset.path)
        reader = RecordReader(layout)
        repeated = REPEATED.category in dataset.rollup.rejected
        seen: Set[str] = set()
        for record in iterate_records(dataset.path, layout, min(dataset.size, os.path.getsize(dataset.path))):
            try:
                call = reader.call(record.raw)
            except RecordError:
                continue
            if repeated:
                if call.call_id in seen:
                    continue
                seen.add(call.call_id)
            if choice.fits(call):
                self.calls += 1
                yield call


def read_where(conditions: Iterable[str]) -> Dict[str, FrozenSet[str]]:
    """Read conditions such as `provider=openai,azure`; raises `UsageError` naming what there is."""
    where: Dict[str, FrozenSet[str]] = {}
    for condition in conditions:
        name, equals, texts = condition.partition("=")
        if not equals or name not in DIMENSIONS:
            raise UsageError(f"--where {condition!r} is no condition like provider=openai,azure; "
                             f"there are: {listed(DIMENSIONS)}")
        where[name] = where.get(name, frozenset()) | frozenset(texts.split(","))
    return where


def discover_exporters() -> Dict[str, Type[Exporter]]:
    """Return all exporter classes by id: every file in `exporters/` is one."""
    return discover(exporters, Exporter)
