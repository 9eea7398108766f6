#!/usr/bin/env python3
"""Meter calls that can be charged, compared and priced: with their organisation, product, customer, feature and plan.

    python3 showcase/instrumentation/revenium_metadata.py

What is said here is what reports can tell later: who is charged, which feature pays, who is served at a loss.
"""
from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Iterator, NamedTuple, Sequence

if __name__ == "__main__":  # a script finds only the modules beside it: begin again with the toolkit in reach
    runpy.run_path(str(Path(__file__).resolve().parents[2] / "viewer" / "bootstrap.py"))["find_sources"](__file__)

from console import run_command
from instrumentation.revenium_basic import completion_of
from metadata.builder import Metadata, ReveniumMetadataBuilder
from metadata.tagger import current, tagged
from metadata.validator import InvalidMetadata
from support.assistant import Assistant
from support.practice import metered


class Subscriber(NamedTuple):
    """A customer as the program's own database knows it."""

    customer: str
    organization: str
    plan: str
    price_usd: str


SUBSCRIBERS = (Subscriber("cust_0042", "Acme, Inc.", "pro", "99"),
               Subscriber("cust_0077", "Umbra GmbH", "starter", "29"))
FEATURES = ("chat", "summary")


def owners() -> Iterator[Metadata]:
    """Yield what is said of each call: tags from the layers of the program, the plan from its database."""
    for one in SUBSCRIBERS:
        with tagged(organization=one.organization, product="helpdesk", customer=one.customer):
            for feature in FEATURES:
                with tagged(feature=feature):
                    yield (ReveniumMetadataBuilder(current()).tier(one.plan, one.price_usd)
                           .environment("production").region("eu-west-1").build())


def main(arguments: Sequence[str]) -> int:
    """Meter a call of each feature for each subscriber, and show that a wrong one is refused before it is sent."""
    assistant = Assistant("anthropic", "claude-haiku-4-5")
    with metered(arguments, __doc__) as where:
        for owner in owners():
            answer = assistant.ask("Please tell me what this contract says about notice periods.")
            where.sender.send(completion_of(answer, owner))
            print(f"taken: {owner.organization_id} > {owner.product_id} > {owner.customer_id} > {owner.feature_id} "
                  f"({owner.subscription_tier} at ${owner.tier_price_usd} a month)")
        try:
            ReveniumMetadataBuilder().customer("ada@example.org").feature("chat").build()
        except InvalidMetadata as error:
            print(f"not sent: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
