"""The one reader of the catalogue's data files: `load_catalog()`.

Providers are one JSON file each in `providers/`; the market (tiers, archetypes, regions, features) is
`market.json`; shapes of real traffic are `workload.json`. A bad entry is refused with file, entry and reason.
"""
from __future__ import annotations

import contextlib
import functools
import json
import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from catalog.prices import CLASSES, DatedPrice, Model, read_prices
from errors import CatalogError

FOLDER = Path(__file__).resolve().parent
_PRICE = re.compile(r"\d{1,9}(\.\d{1,9})?\Z", re.ASCII)
_SEPARATOR = re.compile(r'[,"\r\n]')
_SNAPSHOT = re.compile(r"-20\d\d(-?)(0[1-9]|1[0-2])\1(0[1-9]|[12]\d|3[01])\Z", re.ASCII)  # -2024-07-18 or -20240718


class Provider(NamedTuple):
    """A vendor: its id in the call log, its name for people, and its weight in the market, in percent."""

    provider: str
    title: str
    market_share_percent: Decimal
    models: Tuple[Model, ...]


class Tier(NamedTuple):
    """A subscription plan: monthly price as decimal text, and its weight among customers."""

    tier: str
    price_usd: str
    weight: int


class Archetype(NamedTuple):
    """A kind of customer: calls on an active day, share of active days, and weights of its daily rhythms."""

    archetype: str
    weight: int
    calls_per_day: Tuple[int, int]
    active_days: float
    rhythms: Mapping[str, int]


class Region(NamedTuple):
    """A place: its clock (whole hours from UTC, no daylight saving) and how much slower calls are from there."""

    region: str
    weight: int
    utc_offset_hours: int
    latency_factor: float
    area: str


class Speed(NamedTuple):
    """How fast a capability class answers, in milliseconds."""

    first_token_ms: float
    ms_per_1k_input: float
    ms_per_output: float


class Feature(NamedTuple):
    """Something customers do with AI: where it is sold, its share of calls, how long and in what sessions."""

    feature: str
    product: str
    share: int
    lengths: str
    calls_per_session: float
    gap_seconds: float
    prompt_growth: float
    classes: Mapping[str, int]


class Rhythm(NamedTuple):
    """A day shape: 24 weights by local hour, the weekend's factor, the spread (log) from day to day."""

    rhythm: str
    hourly: Tuple[float, ...]
    weekend: float
    daily_sigma: float


class Lengths(NamedTuple):
    """Quantile grids of input and output tokens, over `Catalog.probabilities`."""

    input: Tuple[int, ...]
    output: Tuple[int, ...]


@dataclass(frozen=True)
class Catalog:
    """Everything that the data files say, checked."""

    as_of: date
    providers: Tuple[Provider, ...]
    tiers: Tuple[Tier, ...]
    archetypes: Tuple[Archetype, ...]
    regions: Tuple[Region, ...]
    environments: Tuple[Tuple[str, int], ...]
    features: Tuple[Feature, ...]
    speeds: Mapping[str, Speed]
    probabilities: Tuple[float, ...]
    lengths: Mapping[str, Lengths]
    rhythms: Mapping[str, Rhythm]
    names: Mapping[Tuple[str, str], Model]

    @property
    def models(self) -> List[Model]:
        """Return all models of all providers, in the order of the files."""
        return [model for provider in self.providers for model in provider.models]

    def find(self, provider: str, model: str) -> Optional[Model]:
        """Return the model by its id or an alias, or None: an unknown model is unpriced, never free.

        Providers answer with the name of a dated snapshot; one that has no entry of its own is the model it begins
        with, unless the catalogue says that its price was another.
        """
        known = self.names.get((provider, model))
        if known is None and _SNAPSHOT.search(model):
            known = self.names.get((provider, _SNAPSHOT.sub("", model)))
            return None if known and model in known.other_snapshots else known
        return known

    def price_on(self, provider: str, model: str, day: date) -> Optional[DatedPrice]:
        """Return the list price in force on a day, or None where the catalogue knows none."""
        known = self.find(provider, model)
        return known.price_on(day) if known else None

    def on_sale(self, provider: Provider, first: date, last: date) -> List[Model]:
        """Return the provider's models that could be called on every day of a period.

        A model whose release date is unknown is certain to exist only from the catalogue's own date on.
        """
        return [model for model in provider.models
                if (model.released or self.as_of) <= first and (model.retired is None or model.retired > last)]

    def cheaper_models(self, model: Model, day: date) -> List[Model]:
        """Return models on sale that day, of the same or the next lower class, cheaper in input and output.

        Cheapest first, by the sum of both prices. Empty where the model itself has no price that day.
        """
        price = model.price_on(day)
        if price is None:
            return []
        classes = CLASSES[CLASSES.index(model.capability):][:2]
        found = []
        for other in (one for provider in self.providers for one in self.on_sale(provider, day, day)):
            rival = other.price_on(day) if other.capability in classes else None
            if rival and rival.input < price.input and rival.output < price.output:
                found.append((rival.input + rival.output, other.provider, other.model, other))
        return [item[-1] for item in sorted(found, key=lambda item: item[:3])]


@functools.lru_cache(maxsize=None)
def load_catalog(folder: Path = FOLDER) -> Catalog:
    """Read and check all data files below a folder; raises `CatalogError` with file, entry and reason."""
    market, workload = _read(folder / "market.json"), _read(folder / "workload.json")
    providers = sorted(_providers(folder / "providers"), key=lambda one: (-one.market_share_percent, one.provider))
    entries = functools.partial(_entries, folder / "market.json", market)
    with _naming("workload.json"):
        as_of, lengths = date.fromisoformat(workload["as_of"]), _shapes(workload)
        probabilities = tuple(float(one) for one in workload["probabilities"])
        rhythms = {name: _rhythm(name, one) for name, one in workload["rhythms"].items()}
    return Catalog(
        as_of=as_of,
        providers=tuple(providers),
        tiers=entries("tiers", _tier),
        archetypes=entries("archetypes", functools.partial(_archetype, rhythms)),
        regions=entries("regions", _region),
        environments=entries("environments", lambda one: (_word(one["environment"]), int(one["weight"]))),
        features=entries("features", functools.partial(_feature, lengths)),
        speeds=_speeds(dict(entries("classes", _speed))),
        probabilities=probabilities,
        lengths=lengths,
        rhythms=rhythms,
        names={(model.provider, name): model for provider in providers for model in provider.models
               for name in (model.model,) + model.aliases})


@contextlib.contextmanager
def _naming(where: str) -> Iterator[None]:
    """Turn what a bad entry raises into a `CatalogError` that says where it stands."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise CatalogError(f"{where}: {_reason(error)}") from error


def _read(path: Path) -> Dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as handle:
            document = json.load(handle, parse_float=Decimal)
    except OSError as error:
        raise CatalogError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise CatalogError(f"{path.name}: not valid JSON: {error}") from error
    if not isinstance(document, dict):
        raise CatalogError(f"{path.name}: holds no JSON object")
    return document


def _providers(folder: Path) -> List[Provider]:
    found: Dict[str, Path] = {}
    providers = []
    for path in sorted(folder.glob("*.json")):
        provider = _provider(path)
        if found.setdefault(provider.provider, path) != path:
            raise CatalogError(f"{path.name}: the provider {provider.provider!r} stands in "
                               f"{found[provider.provider].name} too")
        _check_names(path, provider.models)
        providers.append(provider)
    return providers


def _provider(path: Path) -> Provider:
    document = _read(path)
    try:
        provider, share = _word(document["provider"]), Decimal(document["market_share_percent"])
        models = tuple(_model(path, provider, entry) for entry in document["models"])
        if not 0 <= share <= 100:
            raise CatalogError(f"{path.name}: market_share_percent {share} is not between 0 and 100")
        return Provider(provider, str(document["title"]), share, models)
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise CatalogError(f"{path.name}: {_reason(error)}") from error


def _model(path: Path, provider: str, entry: Mapping[str, Any]) -> Model:
    name = entry.get("model") if isinstance(entry, dict) else None
    try:
        return Model(
            provider=provider, model=_word(entry["model"]), capability=_one_of(CLASSES, entry["class"]),
            popularity=float(entry["popularity"]), released=_day(entry["released"]), retired=_day(entry["retired"]),
            aliases=_texts("aliases", entry.get("aliases", [])), prices=read_prices(entry["prices"]),
            sources=_texts("sources", entry["sources"]), note=str(entry.get("note", "")),
            other_snapshots=_texts("other_snapshots", entry.get("other_snapshots", [])))
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise CatalogError(f"{path.name}: model {name!r}: {_reason(error)}") from error


def _entries(path: Path, document: Mapping[str, Any], section: str, read: Callable[[Any], Any]) -> Tuple[Any, ...]:
    try:
        rows: Sequence[Any] = list(document[section])
    except (KeyError, TypeError) as error:
        raise CatalogError(f"{path.name}: {_reason(error)}") from error
    result = []
    for number, row in enumerate(rows, 1):
        try:
            result.append(read(row))
        except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            raise CatalogError(f"{path.name}: {section} entry {number}: {_reason(error)}") from error
    return tuple(result)


def _tier(one: Mapping[str, Any]) -> Tier:
    price = one["price_usd"]
    # The text goes into every line of a log as it stands.
    if not isinstance(price, str) or not _PRICE.match(price):
        raise ValueError(f"price_usd {price!r} is not a price in dollars as text, like \"29\" or \"29.50\"")
    return Tier(_word(one["tier"]), price, int(one["weight"]))


def _archetype(known_rhythms: Mapping[str, Rhythm], one: Mapping[str, Any]) -> Archetype:
    low, high = one["calls_per_day"]
    rhythms = {_one_of(known_rhythms, name): int(weight) for name, weight in one["rhythms"].items()}
    return Archetype(_word(one["archetype"]), int(one["weight"]), (int(low), int(high)), float(one["active_days"]),
                     rhythms)


def _region(one: Mapping[str, Any]) -> Region:
    return Region(_word(one["region"]), int(one["weight"]), int(one["utc_offset_hours"]), float(one["latency_factor"]),
                  one["area"])


def _feature(lengths: Mapping[str, Lengths], one: Mapping[str, Any]) -> Feature:
    return Feature(
        _word(one["feature"]), _word(one["product"]), int(one["share"]), _one_of(lengths, one["lengths"]),
        float(one["calls_per_session"]), float(one["gap_seconds"]), float(one["prompt_growth"]),
        {_one_of(CLASSES, name): int(weight) for name, weight in one["classes"].items()})


def _speed(one: Mapping[str, Any]) -> Tuple[str, Speed]:
    return _one_of(CLASSES, one["class"]), Speed(*(float(one[name]) for name in Speed._fields))


def _speeds(found: Dict[str, Speed]) -> Dict[str, Speed]:
    missing = [name for name in CLASSES if name not in found]
    if missing:
        raise CatalogError(f"market.json: classes has no entry for {', '.join(missing)}")
    return found


def _rhythm(name: str, one: Mapping[str, Any]) -> Rhythm:
    with _naming(f"workload.json: rhythm {name!r}"):
        hourly = [float(weight) for weight in one["hourly"]]
        if len(hourly) != 24 or min(hourly) < 0 or not sum(hourly):
            raise ValueError("24 hourly weights of at least 0, not all 0, are needed")
        mean = sum(hourly) / 24
        return Rhythm(name, tuple(weight / mean for weight in hourly), float(one["weekend"]),
                      float(one["daily_sigma"]))


def _shapes(document: Mapping[str, Any]) -> Dict[str, Lengths]:
    points = len(document["probabilities"])
    result = {}
    for name, one in document["lengths"].items():
        with _naming(f"workload.json: lengths {name!r}"):
            result[name] = Lengths(tuple(one["input"]), tuple(one["output"]))
            if any(len(grid) != points or list(grid) != sorted(grid) for grid in result[name]):
                raise ValueError(f"{points} ascending values are needed")
    return result


def _check_names(path: Path, models: Sequence[Model]) -> None:
    names: Dict[str, Model] = {}
    for model in models:
        for name in (model.model,) + model.aliases:
            known = names.setdefault(name, model)
            if known is not model:
                raise CatalogError(f"{path.name}: the name {name!r} stands for both {known.model} and {model.model}")


def _day(text: Optional[str]) -> Optional[date]:
    return date.fromisoformat(text) if text else None


def _texts(name: str, value: Any) -> Tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError(f"{name} must be a list of texts, not {value!r}")
    return tuple(value)


def _word(value: Any) -> str:
    """Check a name that stands in lines of a log, which know no quotes."""
    if not isinstance(value, str) or not value.strip() or _SEPARATOR.search(value):
        raise ValueError(f"{value!r} is no name: a text without commas, quotes and line ends is needed")
    return value


def _one_of(known: Any, name: str) -> str:
    if name not in known:
        raise ValueError(f"{name!r} is none of {', '.join(known)}")
    return name


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    return "a value is no number" if isinstance(error, ArithmeticError) else str(error)
