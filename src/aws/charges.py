"""One line of an AWS bill, and exact sums of such lines.

Amounts are `Decimal` as the bill gives them (exports carry more than nine places), added in a context that never
rounds; None where the source does not tell. Days are UTC; `end` is exclusive, as AWS counts.
"""
from __future__ import annotations

from datetime import date
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from typing import Iterable, Mapping, NamedTuple, Optional, Tuple

UNBLENDED, AMORTIZED, NET, NET_AMORTIZED, BLENDED = COST_METRICS = (
    "unblended", "amortized", "net", "net_amortized", "blended")
USAGE_METRIC = "usage"  # in units of their own: only sums of one unit mean something
METRICS = COST_METRICS + (USAGE_METRIC,)

# Record types that Cost Explorer and exports name, each spelled once; others are kept as the source spells them.
USAGE, TAX, FEE, CREDIT, REFUND = "Usage", "Tax", "Fee", "Credit", "Refund"
SUPPORT_SERVICE_WORDS = ("support",)  # in the name of the services that are AWS Support plans
REDUCING = (CREDIT, REFUND)  # what is taken off the gross amount

AWS = "AWS"  # the provider of whatever names no other

EXACT = Context(prec=60, traps=[Inexact, InvalidOperation, Overflow])  # refuses to round rather than be slightly wrong
ZERO = Decimal(0)


class Amounts(NamedTuple):
    """What a line costs by each metric, and how much was used of what; None is unknown."""

    unblended: Optional[Decimal] = None
    amortized: Optional[Decimal] = None
    net: Optional[Decimal] = None
    net_amortized: Optional[Decimal] = None
    blended: Optional[Decimal] = None
    usage: Optional[Decimal] = None


Pairs = Tuple[Tuple[str, str], ...]  # of keys and values, sorted by key


class Charge(NamedTuple):
    """A line of a bill. Texts are empty where the source has none; `account` keeps its leading zeros.

    A charge of many days (tax, a month's fee) stays one line: it is booked on `start`, as Cost Explorer does, and kept
    out of daily trends because `end` says how long it is for. `publisher` made what was sold and `issuer` sends the
    invoice; '' where that is the provider itself.
    """

    start: date
    end: date
    account: str
    service: str
    amounts: Amounts
    region: str = ""
    usage_type: str = ""
    operation: str = ""
    instance_type: str = ""
    record_type: str = USAGE
    resource: str = ""
    unit: str = ""
    currency: str = "USD"
    tags: Pairs = ()
    categories: Pairs = ()
    estimated: bool = False
    provider: str = AWS
    publisher: str = ""
    issuer: str = ""

    @property
    def days(self) -> int:
        """Return how many days the charge is for."""
        return (self.end - self.start).days


def pairs(values: Mapping[str, str]) -> Pairs:
    """Return keys and values as a sorted tuple, which can be a key itself."""
    return tuple(sorted(values.items()))


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """Add up without rounding; `decimal.Inexact` is raised rather than a digit lost."""
    total = ZERO
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total
