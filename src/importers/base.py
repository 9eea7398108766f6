"""The contract of an importer, and what all of them share: business fields by option, prices by the catalogue."""
from __future__ import annotations

import contextlib
import os
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Callable, Dict, Iterator, Mapping, NamedTuple, Optional, Sequence, TextIO, Tuple, Type, Union

import importers
from calls.log_writer import SIMULATED_PREFIX
from calls.record import SUCCESS, TIMEOUT, AICall
from calls.values import MAX_DIGITS, parse_nano
from catalog.loader import Catalog
from catalog.prices import DatedPrice
from catalog.usage import Usage, cost_nano
from discovery import discover
from errors import RecordError
from importers.fields import plain
from importers.reading import Read, Row, dig, rows

UNATTRIBUTED = "unattributed"
_MS_PER_DAY = 86_400_000
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_PROVIDERS = {"gemini": "google", "vertex_ai": "google", "vertex": "google", "cohere_chat": "cohere", "aws": "bedrock",
              "bedrock_converse": "bedrock", "azure_openai": "azure"}  # other tools' names for the catalogue's


class Skipped(NamedTuple):
    """A record that is in order and yet no call to take, and why."""

    reason: str


# The line in the source, and its call, what is wrong with it, or why it is none.
Imported = Tuple[int, Union[AICall, RecordError, Skipped]]


class Business(NamedTuple):
    """The fields that a source does not hold, as the person importing gives them."""

    customer_id: str = UNATTRIBUTED
    organization_id: str = UNATTRIBUTED
    product_id: str = UNATTRIBUTED
    feature_id: str = UNATTRIBUTED
    provider: str = UNATTRIBUTED
    model: str = UNATTRIBUTED
    environment: str = "production"
    region: str = UNATTRIBUTED
    subscription_tier: str = UNATTRIBUTED
    tier_price_usd: str = "0"
    customer_archetype: str = UNATTRIBUTED


class Importer:
    """Base of all importers: a subclass sets `id`, `title`, `description` and overrides `recognises` and `calls`.

    `columns` are those that a CSV must have, `own` the names under which the source holds business fields.
    `notes` counts what the person importing should know: where a price or a provider is told from.
    """

    id = ""
    title = ""
    description = ""
    columns: Sequence[str] = ()
    own: Mapping[str, str] = {}

    def __init__(self, business: Business, catalog: Catalog, taken_from: Optional[Mapping[str, str]] = None,
                 start: Optional[date] = None, reprice: bool = False) -> None:
        """Hold what every call is filled up with, names that replace those in `own`, and how to price.

        `start` is the day that times without a date count from; `reprice` leaves a source's own costs aside.
        """
        self.business = business
        self.catalog = catalog
        self.start = start
        self.reprice = reprice
        self.notes: Dict[str, int] = Counter()
        self.unseen = set(taken_from or ())
        self._sources = {**self.own, **(taken_from or {})}
        self._names: Dict[Tuple[str, str], Tuple[str, str]] = {}
        self._handle: Optional[TextIO] = None

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        """Tell whether a file that begins with these bytes is of this format."""
        raise NotImplementedError

    def calls(self, path: Path) -> Iterator[Imported]:
        """Yield each record of a file; nothing of the file is kept in memory."""
        for line, row in self.rows(path):
            try:
                yield line, row if isinstance(row, RecordError) else self.read(row)
            except RecordError as error:
                yield line, error

    def read(self, row: Row) -> Union[AICall, Skipped]:
        """Return the call of a record, or why it is none; raises `RecordError`."""
        raise NotImplementedError

    def rows(self, path: Path) -> Iterator[Read]:
        """Yield the records of a CSV or JSON file."""
        with self.opened(path) as handle:
            yield from rows(handle, path, self.title, self.columns)

    @contextlib.contextmanager
    def opened(self, path: Path) -> Iterator[TextIO]:
        """Open a text file so that `bytes_read` follows it."""
        with open(path, newline="", encoding="utf-8-sig") as handle:
            self._handle = handle
            try:
                yield handle
            finally:
                self._handle = None

    def bytes_read(self) -> int:
        """Return how far the file is read, in bytes; 0 where none is open."""
        return os.lseek(self._handle.fileno(), 0, os.SEEK_CUR) if self._handle else 0

    def call(self, call_id: str, timestamp_ms: int, input_tokens: int, output_tokens: int, status: str,
             latency_ms: Optional[int] = None) -> AICall:
        """Return a call with the business fields, priced by the catalogue; a model without a price stays unpriced."""
        return self.filled({}, call_id, timestamp_ms, Usage(fresh=input_tokens, output=output_tokens), status,
                           latency_ms, given=None)

    def filled(self, row: Row, call_id: str, timestamp_ms: int, usage: Usage, status: str,
               latency_ms: Optional[int] = None, *, given: Optional[int], free: bool = False,
               priced: Callable[[DatedPrice, Usage], Optional[int]] = cost_nano) -> AICall:
        """Return a call with business fields from the row, else from the options.

        `given` is the source's own cost in nano-dollars, which is kept unless `reprice`; a cost of 0 for a call with
        tokens is none, unless it was `free`. `priced` prices a usage that is not an ordinary call's.
        """
        if usage.prompt + usage.output >= 10 ** MAX_DIGITS:
            raise RecordError("row", "has more tokens than a log can count")
        provider, model = self._named(self.text(row, "provider"), self.text(row, "model"))
        cost = None if self.reprice and not free else given
        if cost == 0 and status == SUCCESS and usage.prompt + usage.output and not free:
            self.notes["calls have tokens and a recorded cost of 0, which is taken as not recorded"] += 1
            cost = None
        if cost is None:
            cost = self._list_cost(provider, model, timestamp_ms, usage, status, priced)
        if cost is None:
            self.notes["calls have no known price, so their cost is empty: unknown, not zero"] += 1
        known, text = self.business, self.text
        if call_id.startswith(SIMULATED_PREFIX):  # rows so named may be replaced by a simulation
            call_id = f"{self.id}-{call_id}"
        return AICall(call_id, timestamp_ms, text(row, "customer_id"), text(row, "organization_id"),
                      text(row, "product_id"), text(row, "feature_id"), provider, model, usage.prompt, usage.output,
                      usage.prompt + usage.output, cost, latency_ms, status, text(row, "environment"),
                      text(row, "region"), text(row, "subscription_tier"), parse_nano(known.tier_price_usd),
                      text(row, "customer_archetype"))

    def text(self, row: Row, field: str) -> str:
        """Return a business field's text: what the row holds under the field's name in the source, else the option."""
        source = self._sources.get(field)
        value = dig(row, source) if source else None
        if isinstance(value, (dict, list)):
            raise RecordError(str(source), "is no text")
        found = plain(value)
        if found:
            self.unseen.discard(field)
        return found or str(getattr(self.business, field))

    def _named(self, provider: str, model: str) -> Tuple[str, str]:
        """Return provider and model as the catalogue names them, where it knows them."""
        found = self._names.get((provider, model))
        if found is None:
            found = self._names[provider, model] = self._looked_up(provider, model)
        if provider == UNATTRIBUTED != found[0]:
            self.notes[f"calls of {model} are taken as {found[0]}'s, whose name it bears or which alone sells it"] += 1
        return found

    def _looked_up(self, provider: str, model: str) -> Tuple[str, str]:
        name = provider.lower().replace(" ", "_")
        known = {one.provider for one in self.catalog.providers}
        name = _PROVIDERS.get(name, name)
        provider = name if name in known else provider
        head, _, tail = model.partition("/")
        if provider == UNATTRIBUTED and tail and _PROVIDERS.get(head, head) in known:
            provider = _PROVIDERS.get(head, head)
        if tail and not self.catalog.find(provider, model) and self.catalog.find(provider, tail):
            model = tail
        sellers = [one for one in known if provider == UNATTRIBUTED and self.catalog.find(one, model)]
        return sellers[0] if len(sellers) == 1 else provider, model

    def _list_cost(self, provider: str, model: str, timestamp_ms: int, usage: Usage, status: str,
                   priced: Callable[[DatedPrice, Usage], Optional[int]]) -> Optional[int]:
        if status not in (SUCCESS, TIMEOUT) and not usage.output:
            return 0  # nobody charges for a call that was refused or failed
        price = self.catalog.price_on(provider, model, date.fromordinal(timestamp_ms // _MS_PER_DAY + _EPOCH_DAY))
        return priced(price, usage) if price else None


def discover_importers() -> Dict[str, Type[Importer]]:
    """Return all importer classes by id: every file in `importers/` is one."""
    return discover(importers, Importer)
