"""The population: customers in organisations, few of them most of the traffic, as in real traces."""
from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from catalog.loader import Archetype, Catalog, Feature
from catalog.prices import Model
from errors import UsageError
from simulator.chance import dealt, pick, stream, total
from simulator.spec import Cohort, StorySpec

CUSTOMERS_PER_ORGANIZATION = 10
MAX_CUSTOMERS = 100_000
SKEW = 3  # inside an archetype's range: most customers near its lower end
JOINING_SHARE, LEAVING_SHARE = 0.12, 0.05
GONE = 0.0  # as the calendar progress at which a customer left: in an earlier chapter of the log
ONE_PROVIDER_SHARE = 0.6  # of a customer's further features that stay with the provider of the first


class Lane(NamedTuple):
    """A customer's use of one feature with one model; `share` is its part of the customer's calls."""

    feature: Feature
    model: Model
    share: float


class Customer(NamedTuple):
    """A customer; `weight` is calls on an active day at scale 1, `joined` and `left` are calendar progress.

    `cohort` is 0 for whoever came with the first chapter of the log, and so on.
    """

    customer_id: str
    organization_id: str
    archetype: str
    tier: str
    tier_price_usd: str
    region: str
    rhythm: str
    weight: float
    active_days: float
    lanes: Tuple[Lane, ...]
    joined: float = 0.0
    left: Optional[float] = None
    cohort: int = 0

    @property
    def mean_calls(self) -> float:
        """Return calls a day at scale 1 over active and quiet days."""
        return self.weight * self.active_days


def check_customers(count: int) -> None:
    """Raise `UsageError` for a number of customers that nobody can have."""
    if not 1 <= count <= MAX_CUSTOMERS:
        raise UsageError(f"--customers {count}: choose 1 to {MAX_CUSTOMERS:,}")


def cohort_of(count: int, first: date, days: int, least_organizations: int = 1, first_customer: int = 1,
              first_organization: int = 1) -> Cohort:
    """Return a cohort with as many organisations as its customers fill."""
    organizations = min(count, max(least_organizations, count // CUSTOMERS_PER_ORGANIZATION, 1))
    return Cohort(count, organizations, first_customer, first_organization, first, days)


def build_population(catalog: Catalog, seed: int, cohort: Cohort) -> List[Customer]:
    """Return a cohort's customers, whose models are on sale from the first to the last day of its calendar.

    Equal arguments give equal customers. Raises `UsageError` when the catalogue has no model on sale over the
    whole calendar.
    """
    menus, count = _menus(catalog, cohort.start, cohort.last_day), cohort.customers
    chance = stream(seed, "population", *cohort.names)
    people = [_person(catalog, chance, number, archetype)
              for number, archetype in enumerate(dealt(chance, count, catalog.archetypes,
                                                       [one.weight for one in catalog.archetypes]),
                                                 cohort.first_customer)]
    tiers = dealt(chance, count, catalog.tiers, [one.weight for one in catalog.tiers])
    regions = dealt(chance, count, catalog.regions, [one.weight for one in catalog.regions])
    organizations = _organizations(chance, cohort)
    people = [one._replace(tier=tier.tier, tier_price_usd=tier.price_usd, region=region.region,
                           organization_id=organization)
              for one, tier, region, organization in zip(people, tiers, regions, organizations)]
    lanes = _Dealer(catalog, menus, stream(seed, "lanes", *cohort.names)).deal(people)
    return [one._replace(lanes=lanes[one.customer_id]) for one in people]


def populate(catalog: Catalog, spec: StorySpec) -> List[List[Customer]]:
    """Return a story's customers by cohort; all but the last cohort were there before it begins.

    Raises `UsageError` when the catalogue has no model on sale over the whole calendar.
    """
    cohorts = []
    for number, cohort in enumerate(spec.cohorts):
        people = [one._replace(cohort=number) for one in build_population(catalog, spec.seed, cohort)]
        if number < len(spec.cohorts) - 1:
            people = _settled(catalog, people, number, spec)
        elif number:
            chance = stream(spec.seed, "joining", *spec.chapter)
            people = [one._replace(joined=_joining(chance), left=None) for one in people]
        cohorts.append(people)
    return cohorts


def _settled(catalog: Catalog, people: Sequence[Customer], number: int, spec: StorySpec) -> List[Customer]:
    """Return customers as they begin a later chapter: there from its start, or gone, on models still on sale."""
    chance, gone = stream(spec.seed, "leaving", number, *spec.chapter), set(spec.gone)
    last = spec.start + timedelta(days=spec.days - 1)
    on_sale = {model for provider in catalog.providers for model in catalog.on_sale(provider, spec.start, last)}
    menus = _menus(catalog, spec.start, last)
    return [one._replace(joined=0.0, left=GONE if one.customer_id in gone else left, lanes=tuple(
        lane if lane.model in on_sale else lane._replace(model=_successor(lane, menus, chance)) for lane in one.lanes))
        for one, left in [(one, _leaving(chance)) for one in people]]


def _successor(lane: Lane, menus: Mapping[str, Sequence[Model]], chance: Random) -> Model:
    """Return what a customer takes for a model that is not on sale: of the same provider, where it has one."""
    menu = menus.get(lane.model.provider) or next(iter(menus.values()))
    return pick(chance, menu, [lane.feature.classes.get(one.capability, 0) * one.popularity for one in menu])


def _joining(chance: Random) -> float:
    return 0.02 + 0.88 * chance.random()


def _leaving(chance: Random) -> Optional[float]:
    return 0.1 + 0.85 * chance.random() if chance.random() < LEAVING_SHARE else None


def _menus(catalog: Catalog, first: date, last: date) -> Dict[str, List[Model]]:
    """Return each provider's models on sale; those without popularity only where there is no other."""
    menus = {}
    for provider in catalog.providers:
        models = catalog.on_sale(provider, first, last)
        menu = [model for model in models if model.popularity] or models
        if menu:
            menus[provider.provider] = menu
    if not menus:
        raise UsageError(f"no model of the catalogue was on sale from {first} to {last}: choose a later --start")
    return menus


def _person(catalog: Catalog, chance: Random, number: int, archetype: Archetype) -> Customer:
    low, high = archetype.calls_per_day
    weight = low + (high - low) * chance.random() ** SKEW
    rhythm = pick(chance, list(archetype.rhythms), list(archetype.rhythms.values()))
    steady = archetype.active_days + (1 - archetype.active_days) * 0.5 * (chance.random() - 0.5)
    joined = _joining(chance) if chance.random() < JOINING_SHARE else 0.0
    left = _leaving(chance)
    if left is not None and left <= joined:
        left = None
    return Customer(f"cust_{number:04d}", "", archetype.archetype, "", "", "", rhythm, weight, steady, (),
                    joined, left)


def _organizations(chance: Random, cohort: Cohort) -> List[str]:
    """Return the organisation of each customer: sizes differ as 1, 1/2, 1/3 ... to the power of one half."""
    count, number = cohort.customers, cohort.organizations
    names = [f"org_{index:03d}" for index in range(cohort.first_organization, cohort.first_organization + number)]
    weights = [(index + 1) ** -0.5 for index in range(number)]
    return dealt(chance, count - number, names, weights) + names if count > number else names


class _Dealer:
    """Hands out features, providers and models so that shares of calls come out as the catalogue has them."""

    def __init__(self, catalog: Catalog, menus: Dict[str, List[Model]], chance: Random) -> None:
        self._menus = menus
        self._chance = chance
        self._features = {one.feature: one for one in catalog.features}
        self._feature_quota = _Quota({one.feature: one.share for one in catalog.features if one.share})
        self._provider_quota = _Quota({one.provider: float(one.market_share_percent) for one in catalog.providers
                                       if one.provider in menus})

    def deal(self, people: Sequence[Customer]) -> Dict[str, Tuple[Lane, ...]]:
        """Return each customer's lanes; the biggest choose first, so that small ones can even out the shares."""
        order = sorted(people, key=lambda one: (-one.mean_calls, one.customer_id))
        return {one.customer_id: self._lanes(one) for one in order}

    def _lanes(self, person: Customer) -> Tuple[Lane, ...]:
        draw = self._chance.random
        wanted = 1 + (draw() < 0.6) + (draw() < 0.3)
        sizes = [0.5 + draw() for _ in range(min(wanted, len(self._feature_quota.names)))]
        lanes: List[Lane] = []
        for size in sizes:
            share = size / total(sizes)
            calls = person.mean_calls * share
            name = self._feature_quota.take(calls, self._chance, [lane.feature.feature for lane in lanes])
            feature = self._features[name]
            lanes.append(Lane(feature, self._model(calls, feature, lanes), share))
        return tuple(lanes)

    def _model(self, calls: float, feature: Feature, lanes: Sequence[Lane]) -> Model:
        if lanes and self._chance.random() < ONE_PROVIDER_SHARE:
            provider = lanes[0].model.provider
            self._provider_quota.note(provider, calls)
        else:
            provider = self._provider_quota.take(calls, self._chance)
        menu = self._menus[provider]
        weights = [feature.classes.get(one.capability, 0) * one.popularity for one in menu]
        return pick(self._chance, menu, weights)


class _Quota:
    """Shares to be met: whoever is furthest behind is the likeliest next."""

    def __init__(self, shares: Mapping[str, float]) -> None:
        whole = total(list(shares.values()))
        self.names = list(shares)
        self._shares = {name: share / whole for name, share in shares.items()}
        self._given = dict.fromkeys(shares, 0.0)

    def take(self, size: float, chance: Random, taken: Sequence[str] = ()) -> str:
        """Choose a name that is not taken yet for a piece of this size."""
        free = [name for name in self.names if name not in taken]
        reached = total(list(self._given.values())) + size
        behind = [max(0.0, self._shares[name] * reached - self._given[name]) for name in free]
        name = pick(chance, free, [one * one for one in behind])
        self.note(name, size)
        return name

    def note(self, name: str, size: float) -> None:
        """Count a piece for a name that was chosen otherwise."""
        self._given[name] += size
