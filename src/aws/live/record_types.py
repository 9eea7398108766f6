"""Record types, which Cost Explorer and exports spell differently, each under the spelling of exports."""
from __future__ import annotations

from typing import Dict, Tuple

# The export's spelling, then those that Cost Explorer and its console are known to use.
_SPELLINGS: Tuple[Tuple[str, ...], ...] = (
    ("Usage",), ("Tax",), ("Fee", "Upfront reservation fee", "Upfront"), ("Credit",), ("Refund",),
    ("RIFee", "Recurring reservation fee", "Recurring"),
    ("DiscountedUsage", "Discounted Usage", "Reservation applied usage"),
    ("SavingsPlanCoveredUsage", "Savings Plan Covered Usage", "Savings Plans Covered Usage"),
    ("SavingsPlanNegation", "Savings Plan Negation", "Savings Plans Negation"),
    ("SavingsPlanRecurringFee", "Savings Plan Recurring Fee", "Savings Plans Recurring Fee"),
    ("SavingsPlanUpfrontFee", "Savings Plan Upfront Fee", "Savings Plans Upfront Fee"),
    ("BundledDiscount", "Bundled Discount"), ("Discount",),
    ("PrivateRateDiscount", "Private Rate Discount", "Private Rate Card Discount"),
    ("EdpDiscount", "EDP Discount", "Enterprise Discount Program Discount"))


def _folded(text: str) -> str:
    return "".join(text.split()).lower()


_BY_SPELLING: Dict[str, Tuple[str, ...]] = {_folded(one): ones for ones in _SPELLINGS for one in ones}


def spellings(record_type: str) -> Tuple[str, ...]:
    """Return all spellings of a record type, the export's first; an unknown one only has its own."""
    return _BY_SPELLING.get(_folded(record_type), (record_type,))
