"""Presence is registration: find the classes that a package's modules define.

A unit (scenario, analyser, importer) is one module holding one class with a non-empty `id`, `title` and
`description`. Dropping the file into the folder is all it takes; two units with one id fail loudly.
"""
from __future__ import annotations

import importlib
import inspect
import pkgutil
from types import ModuleType
from typing import Dict, Iterator, Type, TypeVar

from errors import RegistryError, UsageError, listed

Unit = TypeVar("Unit")
REQUIRED = ("id", "title", "description")


def discover(package: ModuleType, base: Type[Unit]) -> Dict[str, Type[Unit]]:
    """Return the subclasses of `base` defined in the package's modules, by id, in the order of `rank` and id.

    Raises `RegistryError` for a missing id, title or description, and for an id used twice.
    """
    found: Dict[str, Type[Unit]] = {}
    for unit in _classes(package, base):
        missing = [name for name in REQUIRED if not getattr(unit, name, "")]
        if missing:
            raise RegistryError(f"{unit.__module__}.{unit.__name__} has no {missing[0]}: give it one")
        identity: str = unit.id  # type: ignore[attr-defined]
        if identity in found:
            raise RegistryError(f"{unit.__module__} and {found[identity].__module__} both have the id "
                                f"{identity!r}: rename one")
        found[identity] = unit
    return dict(sorted(found.items(), key=lambda item: (getattr(item[1], "rank", 100), item[0])))


def choose(found: Dict[str, Type[Unit]], wanted: str, kind: str) -> Dict[str, Type[Unit]]:
    """Return the units named in a comma-separated list, in the order found; an unknown name is a `UsageError`."""
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    unknown = [name for name in names if name not in found]
    if unknown or not names:
        what = repr(unknown[0]) if unknown else "an empty list"
        raise UsageError(f"{what} is no {kind}; there are: {listed(found)}")
    return {name: unit for name, unit in found.items() if name in names}


def _classes(package: ModuleType, base: Type[Unit]) -> Iterator[Type[Unit]]:
    for entry in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if entry.ispkg:
            continue
        module = importlib.import_module(entry.name)
        for _, member in inspect.getmembers(module, inspect.isclass):
            own = member.__module__ == module.__name__
            if own and issubclass(member, base) and member is not base and not inspect.isabstract(member):
                yield member
