#!/usr/bin/env python3
"""Tag calls from the top down, organisation, product, customer, feature, without handing names through every function.

    python3 showcase/metadata/tagger.py

Each layer of a program knows one level: the gateway its organisation and product, the session its customer, a function
its feature. Whoever meters a call asks `current()`. Tags follow threads' and asyncio tasks' own contexts.
"""
from __future__ import annotations

import contextlib
import runpy
import sys
from contextvars import ContextVar
from pathlib import Path
from typing import Iterator, Sequence

if __name__ == "__main__":  # a script finds only the modules beside it: begin again with the toolkit in reach
    runpy.run_path(str(Path(__file__).resolve().parents[2] / "viewer" / "bootstrap.py"))["find_sources"](__file__)

from console import run_command
from errors import FinOpsError
from metadata.builder import Metadata, ReveniumMetadataBuilder

LEVELS = ("organization", "product", "customer", "feature")  # from the top down
_tags: "ContextVar[Metadata]" = ContextVar("tags", default=Metadata())  # noqa: B039 (a value that nothing changes)


class TagError(FinOpsError):
    """A tag does not fit below those that are set."""


@contextlib.contextmanager
def tagged(**tags: str) -> Iterator[None]:
    """Set tags by level until the block ends; raises `TagError` where a level is unknown, set, or above one that is."""
    held = _tags.get()
    for level, name in tags.items():
        _check(held, level, name)
    reset = _tags.set(held._replace(**{f"{level}_id": name for level, name in tags.items()}))
    try:
        yield
    finally:
        _tags.reset(reset)


def current() -> Metadata:
    """Return the tags that are set here, checked; raises `InvalidMetadata` where a level is missing."""
    return ReveniumMetadataBuilder(_tags.get()).build()


def _check(held: Metadata, level: str, name: str) -> None:
    if level not in LEVELS:
        raise TagError(f"there is no level {level!r}: there are {', '.join(LEVELS)}")
    taken = [one for one in LEVELS[LEVELS.index(level):] if getattr(held, f"{one}_id")]
    if taken:
        raise TagError(f"{level} {name!r} cannot be set within {taken[0]} {getattr(held, taken[0] + '_id')!r}: "
                       "open its block outside that one")


def main(arguments: Sequence[str]) -> int:
    """Walk down a small program whose layers each set what they know."""
    with tagged(organization="Acme, Inc.", product="helpdesk"):
        for customer, features in (("cust_0042", ("chat", "summary")), ("cust_0043", ("chat",))):
            with tagged(customer=customer):
                for feature in features:
                    with tagged(feature=feature):
                        print(" > ".join(getattr(current(), f"{level}_id") for level in LEVELS))
        try:
            with tagged(customer="cust_0042"), tagged(organization="Other Ltd."):
                pass
        except TagError as error:
            print(f"refused: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
