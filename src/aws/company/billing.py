"""The bill of the simulated company: use at list prices, what commitments cover, and what comes once a month."""
from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Dict, Iterator, List, NamedTuple, Tuple

from aws.charges import CREDIT, EXACT, FEE, REFUND, TAX, USAGE, ZERO, Amounts, Charge, Pairs, pairs
from aws.company.assets import COMPUTE, DATABASES, HOME, OFFICE, TRAFFIC, Asset, Maker, Meter
from simulator.chance import stream

PLANS, SUPPORT = "Savings Plans for AWS Compute usage", "AWS Support (Business)"
MONTHS = 13  # with the current one
_OLD_BILL_DAYS = 5  # of a month, after which the bill of the one before is final
_WEEK = {TRAFFIC: (0.94, 0.92, 0.95, 1.0, 1.12, 1.1, 0.97), OFFICE: (1.15, 1.25, 1.25, 1.2, 1.05, 0.25, 0.2)}
_NOISE = 0.08  # up to which use that people cause differs from its usual, to either side
_YEARLY_GROWTH = 0.12  # of all that follows traffic
_LATE_SHARE = 0.6  # of yesterday's use that is in the bill already
_MICRO, _CENT = Decimal("0.000001"), Decimal("0.01")
_DISCOUNT = Decimal("0.1")  # off CloudFront, by contract: a line of its own, and within net cost
_DISCOUNTED = "Amazon CloudFront"


class Span(NamedTuple):
    """The days of a bill, both included, and the first whose charges may still change."""

    first: date
    last: date
    open_from: date

    def days(self) -> List[date]:
        """Return every day."""
        return [self.first + timedelta(number) for number in range((self.last - self.first).days + 1)]


def span_of(today: date) -> Span:
    """Return the days of thirteen months that a bill read today holds: until yesterday."""
    last = today - timedelta(1)
    month = today.replace(day=1)
    first = last.replace(day=1)
    for _ in range(MONTHS - 1):
        first = (first - timedelta(1)).replace(day=1)
    final = today.day > _OLD_BILL_DAYS
    return Span(first, last, month if final else (month - timedelta(1)).replace(day=1))


class Biller:
    """Bills the assets of a company, day by day."""

    def __init__(self, maker: Maker, span: Span) -> None:
        """Remember whom to bill, and for which days."""
        self._maker, self._company, self._span = maker, maker.company, span
        self._sums: Dict[Tuple[date, str], Decimal] = {}  # of use, by month and account
        self._covered: Dict[date, List[Tuple[Asset, Meter, Decimal]]] = {}

    def charges(self, assets: List[Asset]) -> Iterator[Charge]:
        """Yield all lines: use by asset, then the savings plan by day, then what comes once a month."""
        for number, asset in enumerate(assets):
            yield from self._asset(asset, number)
        for day in self._span.days():
            yield from self._plan(day)
        for month in sorted({day.replace(day=1) for day in self._span.days()}):
            yield from self._month(month)
        yield from self._reductions()

    def _asset(self, asset: Asset, number: int) -> Iterator[Charge]:
        for place, meter in enumerate(asset.meters):
            chance = stream(self._maker.seed, "use", number, place)
            known: Dict[Decimal, Amounts] = {}
            for day in self._span.days():
                noise = chance.random()  # drawn for every day, so that no day depends on how many are asked
                before_end = (self._span.last - day).days
                if asset.since and before_end >= asset.since:
                    continue
                used = self._used(asset, meter, day, noise)
                if not used:
                    continue
                cost = EXACT.multiply(used, meter.price)
                self._count(day, asset.account, cost)
                if asset.plan:
                    self._covered.setdefault(day, []).append((asset, meter, used))
                    continue
                if used not in known:
                    known[used] = self._amounts(asset, cost, used)
                yield self._line(day, asset, meter, known[used], "DiscountedUsage" if asset.reserved and
                                 meter.unit == "Hrs" else USAGE)
                if asset.service == _DISCOUNTED:
                    off = EXACT.multiply(-cost, _DISCOUNT)
                    yield self._line(day, asset, meter, Amounts(off, off, ZERO, ZERO, off, ZERO), "BundledDiscount")

    def _amounts(self, asset: Asset, cost: Decimal, used: Decimal) -> Amounts:
        if asset.reserved and asset.meters[0].price * used == cost:  # its hours are paid for by the month
            rate = EXACT.multiply(used, Decimal(self._company["reserved_database"]["hourly"]))
            return Amounts(ZERO, rate, ZERO, rate, ZERO, used)
        net = EXACT.multiply(cost, 1 - _DISCOUNT) if asset.service == _DISCOUNTED else cost
        return Amounts(cost, cost, net, net, cost, used)

    def _used(self, asset: Asset, meter: Meter, day: date, noise: float) -> Decimal:
        """Return a day's use: what there is at the end, less what grew since, by weekday, by chance, and in a spike."""
        before_end = (self._span.last - day).days
        share = before_end / 365
        factor = 1.0 / (1.0 + asset.growth * share)
        if meter.pattern in _WEEK:
            factor *= _WEEK[meter.pattern][day.weekday()] / (1.0 + _YEARLY_GROWTH * share)
            factor *= 1.0 + _NOISE * (2 * noise - 1)
        if asset.spike and 0 <= asset.spike[1] - before_end < asset.spike[2]:
            factor *= asset.spike[3]
        if not before_end:
            factor *= _LATE_SHARE
        return Decimal(round(meter.daily * factor * 1_000_000)) * _MICRO

    def _line(self, day: date, asset: Asset, meter: Meter, amounts: Amounts, record_type: str) -> Charge:
        return Charge(day, day + timedelta(1), asset.account, asset.service, amounts, asset.region, meter.usage_type,
                      meter.operation, asset.facts.get("instance_type", "") if meter.unit == "Hrs" else "",
                      record_type, asset.id, meter.unit, tags=pairs(asset.tags), categories=self._categories(asset),
                      estimated=day >= self._span.open_from)

    def _categories(self, asset: Asset) -> Pairs:
        found = self._company["categories"].get(asset.tags.get("team", ""))
        return (("Division", found),) if found else ()

    def _count(self, day: date, account: str, cost: Decimal) -> None:
        key = (day.replace(day=1), account)
        self._sums[key] = EXACT.add(self._sums.get(key, ZERO), cost)

    def _plan(self, day: date) -> Iterator[Charge]:
        """Yield what the savings plan covers, which costs its rate amortized, and the commitment, used or not."""
        terms = self._company["savings_plan"]
        left = committed = EXACT.multiply(Decimal(terms["hourly"]), Decimal(24))
        negated: Dict[Tuple[str, str, str], Decimal] = {}
        for asset, meter, used in self._covered.get(day, ()):
            cost = EXACT.multiply(used, meter.price)
            rate = EXACT.multiply(cost, Decimal(terms["ratio"]))
            if rate > left:  # the plan is used up: the rest is on demand
                yield self._line(day, asset, meter, Amounts(cost, cost, cost, cost, cost, used), USAGE)
                continue
            left = EXACT.subtract(left, rate)
            key = (asset.account, asset.region, meter.usage_type)
            negated[key] = EXACT.subtract(negated.get(key, ZERO), cost)
            yield self._line(day, asset, meter, Amounts(cost, rate, cost, rate, cost, used), "SavingsPlanCoveredUsage")
        for (account, region, usage_type), cost in negated.items():
            yield self._bare(day, 1, account, COMPUTE, Amounts(cost, ZERO, cost, ZERO, cost),
                             "SavingsPlanNegation", region, usage_type, operation="RunInstances")
        yield self._bare(day, 1, self._maker.account("management"), PLANS,
                         Amounts(committed, left, committed, left, committed, Decimal(24)),
                         "SavingsPlanRecurringFee", "", "ComputeSP:1yrNoUpfront", unit="Hrs")

    def _month(self, month: date) -> Iterator[Charge]:
        """Yield reservation, marketplace, tax and support of a month, which are booked on its first day."""
        behind = (month + timedelta(31)).replace(day=1)
        length, payer = (behind - month).days, self._maker.account("management")
        reserved = Decimal(self._company["reserved_database"]["hourly"]) * 24 * length
        yield self._bare(month, length, self._maker.account("production"), DATABASES,
                         Amounts(reserved, ZERO, reserved, ZERO, reserved, Decimal(24 * length)), "RIFee", HOME,
                         "HeavyUsage:db.r6g.xlarge", unit="Hrs")
        market, whole = self._company["market"], ZERO
        yield self._fee(month, length, payer, market["service"], Decimal(market["monthly"]), FEE)
        for name, percent in self._company["tax_percent"].items():
            account = self._maker.account(name)
            cost = self._sums.get((month, account), ZERO)
            whole = EXACT.add(whole, cost)
            if cost:
                yield self._fee(month, length, account, "Tax", _percent(cost, percent), TAX)
        yield self._fee(month, length, payer, SUPPORT, _percent(whole, self._company["support_percent"]), FEE)

    def _reductions(self) -> Iterator[Charge]:
        """Yield credits month by month, and refunds."""
        for service, first, last, amount in self._company["credits"]:
            for number in range(first, last + 1):
                yield self._fee(self._month_of(number), 1, self._maker.account("management"), service,
                                -Decimal(amount), CREDIT)
        for service, number, day, amount in self._company["refunds"]:
            yield self._fee(self._month_of(number).replace(day=day), 1, self._maker.account("data"), service,
                            -Decimal(amount), REFUND)

    def _month_of(self, number: int) -> date:
        month = self._span.first
        for _ in range(number):
            month = (month + timedelta(31)).replace(day=1)
        return month

    def _fee(self, day: date, length: int, account: str, service: str, cost: Decimal, record_type: str) -> Charge:
        return self._bare(day, length, account, service, Amounts(cost, cost, cost, cost, cost), record_type)

    def _bare(self, day: date, length: int, account: str, service: str, amounts: Amounts, record_type: str,
              region: str = "", usage_type: str = "", operation: str = "", unit: str = "") -> Charge:
        """Return a line that belongs to no resource."""
        return Charge(day, day + timedelta(length), account, service, amounts, region, usage_type, operation,
                      record_type=record_type, unit=unit, estimated=day >= self._span.open_from)


def _percent(cost: Decimal, percent: int) -> Decimal:
    return (cost * percent / 100).quantize(_CENT)
