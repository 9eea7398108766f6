"""Charges as FOCUS 1.2 of the FinOps Foundation, with columns of our own for what FOCUS has none for."""
from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Dict, Optional, Sequence, Tuple

from aws.charges import CREDIT, FEE, REFUND, TAX, USAGE, ZERO, Amounts, Charge
from aws.exports.cur import NEGATION, RECURRING, UPFRONT, USED
from aws.exports.focus import (
    ACCOUNT,
    BLENDED_COST,
    CATEGORIES,
    ESTIMATED,
    INSTANCE_TYPE,
    NET_AMORTIZED_COST,
    NET_COST,
    OPERATION,
    RECORD_TYPE,
    UNIT,
    USAGE_TYPE,
)
from aws.exports.services import service_category
from aws.exports.writing import Cells, ChargeWriter
from aws.resource_ids import kind_of
from exporters.focus import COLUMNS, as_name, midnight, next_month

PURCHASE, ADJUSTMENT = "Purchase", "Adjustment"
_CATEGORIES = {TAX: TAX, CREDIT: CREDIT, REFUND: ADJUSTMENT, NEGATION: ADJUSTMENT, FEE: PURCHASE, "RIFee": PURCHASE,
               RECURRING: PURCHASE, UPFRONT: PURCHASE}
_RECURRING = ("RIFee", RECURRING)
_OURS = (ACCOUNT, BLENDED_COST, CATEGORIES, ESTIMATED, INSTANCE_TYPE, NET_AMORTIZED_COST, NET_COST, OPERATION,
         RECORD_TYPE, UNIT, USAGE_TYPE)
_TIMES = {start: name for name, starts in {
    "Hours": ("hr", "hrs", "hour", "hours"), "Months": ("mo", "month", "months"), "Days": ("day", "days"),
    "Minutes": ("min", "minute", "minutes"), "Seconds": ("sec", "secs", "second", "seconds")}.items()
    for start in starts}


class FocusWriter(ChargeWriter):
    """A row for each charge: BilledCost is unblended, EffectiveCost amortized.

    A bill does not tell public prices, so ListCost and ContractedCost repeat BilledCost and unit prices are empty. The
    EffectiveCost of a purchase is 0: what it cost amortized is a row of its own, of usage that was not billed.
    """

    columns = (*(name for name in COLUMNS if not name.startswith("x_")), *_OURS)

    def rows(self, charge: Charge) -> Sequence[Cells]:
        """Return the row of a charge, or the two of a purchase that costs something amortized."""
        category = _category(charge)
        if charge.amounts.amortized is None:
            self.note("charges have no known amortized cost: their EffectiveCost is empty")
        if category == PURCHASE and charge.amounts.amortized:
            bought, used = _parted(charge.amounts)
            return [_cells(charge, bought, PURCHASE), _cells(charge, used, USAGE)]
        return [_cells(charge, charge.amounts, category)]


def focus_unit(unit: str) -> str:
    """Return a unit as FOCUS spells it: `GB-Months` for GB-Mo, `GB-Seconds` for Lambda-GB-Second."""
    parts = re.findall("[A-Za-z0-9]+", unit)
    time = _TIMES.get(parts[-1].lower()) if parts else None
    return " ".join(parts) if time is None else "-".join([*parts[-2:-1], time])


def _parted(amounts: Amounts) -> Tuple[Amounts, Amounts]:
    """Part what is billed from what it costs amortized; both together are the amounts."""
    nothing = Amounts(*(None if one is None else ZERO for one in amounts))
    spread = nothing._replace(amortized=amounts.amortized, net_amortized=amounts.net_amortized)
    return amounts._replace(amortized=nothing.amortized, net_amortized=nothing.net_amortized), spread


def _cells(charge: Charge, amounts: Amounts, category: str) -> Cells:
    return {
        **_when(charge), **_who(charge), **_what(charge, category),
        **_quantity(charge, amounts.usage, category),
        **dict.fromkeys(("BilledCost", "ListCost", "ContractedCost"), amounts.unblended),
        "EffectiveCost": amounts.amortized, "PricingCurrencyEffectiveCost": amounts.amortized,
        "BillingCurrency": charge.currency, "PricingCurrency": charge.currency,
        NET_COST: amounts.net, NET_AMORTIZED_COST: amounts.net_amortized, BLENDED_COST: amounts.blended,
        ESTIMATED: "true" if charge.estimated else "false", CATEGORIES: _as_map(dict(charge.categories)),
        "Tags": _as_map(dict(charge.tags))}


def _category(charge: Charge) -> str:
    """Return the category that a line type falls into; discounts of all names are credits."""
    kind = charge.record_type
    return _CATEGORIES.get(kind) or (CREDIT if kind.endswith("Discount") else USAGE)


def _when(charge: Charge) -> Dict[str, str]:
    month = charge.start.replace(day=1)
    return {"BillingPeriodStart": midnight(month), "BillingPeriodEnd": midnight(next_month(month)),
            "ChargePeriodStart": midnight(charge.start), "ChargePeriodEnd": midnight(charge.end)}


def _who(charge: Charge) -> Dict[str, str]:
    """Return the cells of account and provider: FOCUS' must not be taken for a number, so our own holds it as it is."""
    account = as_name(charge.account, "account-")
    return {**dict.fromkeys(("BillingAccountId", "BillingAccountName", "SubAccountId", "SubAccountName"), account),
            **dict.fromkeys(("BillingAccountType", "SubAccountType"), "Account"), ACCOUNT: charge.account,
            "ProviderName": charge.provider, "PublisherName": charge.publisher or charge.provider,
            "InvoiceIssuerName": charge.issuer or charge.provider}


def _what(charge: Charge, category: str) -> Dict[str, str]:
    kind, group = charge.record_type, service_category(charge.service)
    found = {
        "ChargeCategory": category, "ChargeDescription": f"{charge.usage_type or kind} of {charge.service}",
        "ChargeFrequency": "Usage-Based" if category == USAGE else "Recurring" if kind in _RECURRING else "One-Time",
        "ServiceName": charge.service, "ServiceCategory": group, "ServiceSubcategory": f"Other ({group})",
        "RegionId": charge.region, "RegionName": charge.region, USAGE_TYPE: charge.usage_type,
        OPERATION: charge.operation, RECORD_TYPE: kind, INSTANCE_TYPE: charge.instance_type}
    if charge.resource:
        found.update(ResourceId=charge.resource, ResourceName=charge.resource,
                     ResourceType=kind_of(charge.resource, charge.service) or "resource")
    if category in (USAGE, PURCHASE):
        sku = as_name(f"{charge.service}/{charge.usage_type or kind}", "sku-")
        found.update(PricingCategory="Committed" if kind in USED[1:] else "Standard", SkuId=sku,
                     SkuMeter=charge.usage_type or kind, SkuPriceId=f"{sku}/{charge.operation}/{charge.instance_type}")
        if charge.instance_type:
            found["SkuPriceDetails"] = _as_map({"InstanceType": charge.instance_type})
    return found


def _quantity(charge: Charge, used: Optional[Decimal], category: str) -> Dict[str, object]:
    """Return what was used, which FOCUS has no columns for in a tax."""
    if category == TAX or (used is None and not charge.unit):
        return {}
    unit = focus_unit(charge.unit)
    found: Dict[str, object] = {"PricingQuantity": used, "PricingUnit": unit, UNIT: charge.unit}
    if category == USAGE:
        found.update(ConsumedQuantity=used, ConsumedUnit=unit)
    return found


def _as_map(found: Dict[str, str]) -> str:
    return json.dumps(found, ensure_ascii=False)
