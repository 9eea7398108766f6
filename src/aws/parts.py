"""A bill in parts that add up to it: services, support, tax, and what credits and refunds take off."""
from __future__ import annotations

from decimal import Decimal
from typing import Dict, Iterable, List, NamedTuple, Optional, Tuple

from aws.charges import CREDIT, EXACT, FEE, REFUND, SUPPORT_SERVICE_WORDS, TAX

SERVICES, SUPPORT, TAXES, CREDITS, REFUNDS = PARTS = ("services", "support", "tax", "credits", "refunds")
_BY_TYPE = {CREDIT: CREDITS, REFUND: REFUNDS, TAX: TAXES, "Support": SUPPORT}
NO_SERVICES = tuple(_BY_TYPE)  # record types that are no cost of a service
# Booked on one day for many: a day's rise by them says nothing about use.
LUMPS = (FEE, "RIFee", "SavingsPlanUpfrontFee")

Known = Optional[Decimal]


class Parts(NamedTuple):
    """A period's cost by part; credits and refunds are negative, and what is unknown makes its sums unknown.

    `lumps` are those fees within `services` that are booked on one day for many.
    """

    services: Known
    support: Known
    tax: Known
    credits: Known
    refunds: Known
    lumps: Known

    @property
    def gross(self) -> Known:
        """Return the cost before credits and refunds."""
        return added((self.services, self.support, self.tax))

    @property
    def net(self) -> Known:
        """Return what is left to pay: gross, credits and refunds."""
        return added((self.gross, self.credits, self.refunds))

    @property
    def running(self) -> Known:
        """Return what use costs day by day: services without fees in a lump; support, tax and credits are no use."""
        return less(self.services, self.lumps)

    def as_data(self) -> Dict[str, Known]:
        """Return the parts with gross and net, as a part of a row."""
        return {"gross": self.gross, "services": self.services, "support": self.support, "tax": self.tax,
                "credits": self.credits, "refunds": self.refunds, "net": self.net}


def is_support(service: str) -> bool:
    """Tell whether a service is one of AWS' support plans."""
    return any(word in service.lower() for word in SUPPORT_SERVICE_WORDS)


def part_of(service: str, record_type: str) -> str:
    """Return the part that a charge belongs to."""
    return _BY_TYPE.get(record_type) or (SUPPORT if is_support(service) else SERVICES)


def added(amounts: Iterable[Known]) -> Known:
    """Return the exact sum; None where any amount is unknown."""
    whole = Decimal(0)
    for amount in amounts:
        if amount is None:
            return None
        whole = EXACT.add(whole, amount)
    return whole


def less(whole: Known, part: Known) -> Known:
    """Return the exact difference; None where either is unknown."""
    return None if whole is None or part is None else EXACT.subtract(whole, part)


def parts_of(amounts: Iterable[Tuple[str, str, Known]]) -> Parts:
    """Return the parts of (service, record type, amount)."""
    found: Dict[str, List[Known]] = {part: [] for part in PARTS}
    lumps: List[Known] = []
    for service, record_type, amount in amounts:
        part = part_of(service, record_type)
        found[part].append(amount)
        if part == SERVICES and record_type in LUMPS:
            lumps.append(amount)
    return Parts(*(added(ones) for ones in (*found.values(), lumps)))
