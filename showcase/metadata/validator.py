#!/usr/bin/env python3
"""Check what is said of a call's owner before it is sent: every fault by its field, with what to do about it.

python3 showcase/metadata/validator.py
"""
from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Dict, Mapping, Sequence

if __name__ == "__main__":  # a script finds only the modules beside it: begin again with the toolkit in reach
    runpy.run_path(str(Path(__file__).resolve().parents[2] / "viewer" / "bootstrap.py"))["find_sources"](__file__)

from analyzers.attribution import in_production, is_named
from console import run_command
from metering.fields import Fields, InvalidCall

NEEDED = ("customer_id", "organization_id", "product_id", "feature_id")
OPTIONAL = ("environment", "region", "subscription_tier", "tier_price_usd", "customer_archetype", "email")
LIKE_PRODUCTION = frozenset({"prod", "prd", "live"})


class InvalidMetadata(InvalidCall):
    """What is said of a call's owner cannot be used: `fields` has a reason for each fault."""


def faults_of(said: Mapping[str, str]) -> Dict[str, str]:
    """Return by field what is wrong with it; nothing when all can be used."""
    given = Fields(said)  # the reader of the viewer's own endpoint: what it refuses is refused here
    texts = {name: given.text(name) or "" for name in NEEDED + OPTIONAL if name != "tier_price_usd"}
    if said.get("tier_price_usd"):
        given.amount("tier_price_usd")
    faults = {name: f"{reason}: correct it, or leave it out" for name, reason in given.faults.items()}
    for name, reason in _misleading(texts, said).items():
        faults.setdefault(name, reason)
    unknown = sorted(set(said) - set(NEEDED + OPTIONAL))
    faults.update({name: f"is no field: there are {', '.join(NEEDED + OPTIONAL)}" for name in unknown})
    return faults


def check(said: Mapping[str, str]) -> None:
    """Raise `InvalidMetadata` when anything is wrong."""
    faults = faults_of(said)
    if faults:
        raise InvalidMetadata(faults)


def _misleading(texts: Mapping[str, str], said: Mapping[str, str]) -> Dict[str, str]:
    """Return the faults that an endpoint would take, and that reports would suffer from."""
    faults = {name: "is missing: without it the cost has no owner" for name in NEEDED if not texts[name]}
    faults.update({name: f"is {texts[name]!r}, which names nobody: give the real one"
                   for name in NEEDED if texts[name] and not is_named(texts[name])})
    if "@" in texts["customer_id"]:
        faults["customer_id"] = "is an e-mail address: give an id that stays the same, and the address as email"
    if texts["email"] and "@" not in texts["email"]:
        faults["email"] = "is no e-mail address: leave it out, or give one"
    environment = texts["environment"].lower()
    if environment in LIKE_PRODUCTION and not in_production(environment):
        faults["environment"] = f"is {texts['environment']!r}, which is charged to all: write production"
    if said.get("tier_price_usd") and not texts["subscription_tier"]:
        faults["subscription_tier"] = "is missing, though there is a price: name the plan that has it"
    return faults


def main(arguments: Sequence[str]) -> int:
    """Show what is said of three owners: one as it should be, two with faults."""
    good = {"customer_id": "cust_0042", "organization_id": "Acme, Inc.", "product_id": "helpdesk",
            "feature_id": "summary", "environment": "production", "subscription_tier": "pro", "tier_price_usd": "99"}
    careless = dict(good, customer_id="ada@example.org", organization_id="unknown", environment="prod")
    broken = {"customer_id": "cust\n0042", "organization_id": "Acme", "product_id": "x" * 201, "tier_price_usd": "-1"}
    for title, said in (("as it should be", good), ("careless", careless), ("broken", broken)):
        faults = faults_of(said)
        print(f"{title}: {len(faults)} faults")
        for name, reason in faults.items():
            print(f"  {name} {reason}")
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
