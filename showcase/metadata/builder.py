#!/usr/bin/env python3
"""Build what is said of a call's owner, word by word, and see what the endpoint and OpenTelemetry call it.

python3 showcase/metadata/builder.py
"""
from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path
from typing import Any, Dict, NamedTuple, Sequence

if __name__ == "__main__":  # a script finds only the modules beside it: begin again with the toolkit in reach
    runpy.run_path(str(Path(__file__).resolve().parents[2] / "viewer" / "bootstrap.py"))["find_sources"](__file__)

from console import run_command
from metadata.validator import check


class Metadata(NamedTuple):
    """Whose call it was and what for; what nobody says is an empty text. `tier_price_usd` is a price a month."""

    customer_id: str = ""
    organization_id: str = ""
    product_id: str = ""
    feature_id: str = ""
    environment: str = ""
    region: str = ""
    subscription_tier: str = ""
    tier_price_usd: str = ""
    customer_archetype: str = ""
    email: str = ""

    def wire(self) -> Dict[str, Any]:
        """Return the fields of a completion that say the same, as Revenium's metering names them."""
        subscriber = {"id": self.customer_id, "email": self.email}
        names = {"subscriber": {name: text for name, text in subscriber.items() if text},
                 "organizationName": self.organization_id, "productName": self.product_id, "taskType": self.feature_id,
                 "environment": self.environment, "region": self.region, "subscriptionTier": self.subscription_tier,
                 "tierPriceUsd": self.tier_price_usd, "customerArchetype": self.customer_archetype}
        return {name: value for name, value in names.items() if value}

    def attributes(self) -> Dict[str, str]:
        """Return the attributes of a span that say the same; an address stays out of traces."""
        return {f"finops.{name}": text for name, text in self._asdict().items() if text and name != "email"}


class ReveniumMetadataBuilder:
    """Says one thing after the other; every step is a new builder, so that a common beginning can be shared."""

    def __init__(self, said: Metadata = Metadata()) -> None:  # noqa: B008 (a value)
        """Begin with what is said already."""
        self._said = said

    def customer(self, customer_id: str, email: str = "", archetype: str = "") -> ReveniumMetadataBuilder:
        """Say who asked."""
        return self._with(customer_id=customer_id, email=email, customer_archetype=archetype)

    def organization(self, name: str) -> ReveniumMetadataBuilder:
        """Say which organisation is charged."""
        return self._with(organization_id=name)

    def product(self, name: str) -> ReveniumMetadataBuilder:
        """Say in which product."""
        return self._with(product_id=name)

    def feature(self, name: str) -> ReveniumMetadataBuilder:
        """Say for which feature."""
        return self._with(feature_id=name)

    def tier(self, name: str, price_usd: str = "") -> ReveniumMetadataBuilder:
        """Say what plan the customer has, and what it pays a month: margins need the price."""
        return self._with(subscription_tier=name, tier_price_usd=price_usd)

    def environment(self, name: str) -> ReveniumMetadataBuilder:
        """Say where it ran; only `production` is charged to its owner alone."""
        return self._with(environment=name)

    def region(self, name: str) -> ReveniumMetadataBuilder:
        """Say in which region."""
        return self._with(region=name)

    def build(self) -> Metadata:
        """Return what was said; raises `InvalidMetadata` with a reason for each fault."""
        check(self._said._asdict())
        return self._said

    def _with(self, **more: str) -> ReveniumMetadataBuilder:
        return ReveniumMetadataBuilder(self._said._replace(**more))


def main(arguments: Sequence[str]) -> int:
    """Build the metadata of one call and print both forms."""
    support = ReveniumMetadataBuilder().organization("Acme, Inc.").product("helpdesk").environment("production")
    said = support.customer("cust_0042", archetype="power").tier("pro", "99").feature("summary").build()
    print("a completion says:")
    print(json.dumps(said.wire(), indent=2))
    print("a span says:")
    print(json.dumps(said.attributes(), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
