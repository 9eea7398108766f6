"""The contract of an importer, and what all of them share: business fields by option, prices by the catalogue."""
from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Dict, Iterator, NamedTuple, Optional, Tuple, Type, Union

import importers
from calls.record import AICall
from calls.values import parse_nano
from catalog.loader import Catalog
from discovery import discover
from errors import RecordError

UNATTRIBUTED = "unattributed"
_MS_PER_DAY = 86_400_000

Imported = Tuple[int, Union[AICall, RecordError]]  # the line in the source, and its call or what is wrong with it


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
    """Base of all importers: a subclass sets `id`, `title`, `description` and overrides both methods."""

    id = ""
    title = ""
    description = ""

    def __init__(self, business: Business, catalog: Catalog) -> None:
        """Hold what every call is filled up with."""
        self.business = business
        self.catalog = catalog

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        """Tell whether a file that begins with these bytes is of this format."""
        raise NotImplementedError

    def calls(self, path: Path) -> Iterator[Imported]:
        """Yield each record of a file; nothing of the file is kept in memory."""
        raise NotImplementedError

    def call(self, call_id: str, timestamp_ms: int, input_tokens: int, output_tokens: int, status: str,
             latency_ms: Optional[int] = None) -> AICall:
        """Return a call with the business fields, priced by the catalogue; a model without a price stays unpriced."""
        known = self.business
        price = self.catalog.price_on(known.provider, known.model, date.fromordinal(
            timestamp_ms // _MS_PER_DAY + date(1970, 1, 1).toordinal()))
        cost = price.cost_nano(input_tokens, output_tokens) if price else None
        return AICall(call_id, timestamp_ms, known.customer_id, known.organization_id, known.product_id,
                      known.feature_id, known.provider, known.model, input_tokens, output_tokens,
                      input_tokens + output_tokens, cost, latency_ms, status, known.environment, known.region,
                      known.subscription_tier, parse_nano(known.tier_price_usd), known.customer_archetype)


def discover_importers() -> Dict[str, Type[Importer]]:
    """Return all importer classes by id: every file in `importers/` is one."""
    return discover(importers, Importer)
