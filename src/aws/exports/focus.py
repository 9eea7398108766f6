"""FOCUS, the FinOps Foundation's format: from 1.0 to 1.2 and with the names of later versions, of any provider."""
from __future__ import annotations

from typing import Dict, List, Sequence

from aws.charges import AWS, CREDIT, FEE, TAX, USAGE, Amounts
from aws.exports.base import Format, Lines, Place, Sort, without_days
from aws.exports.cells import read_text
from aws.exports.cur import RECURRING, UPFRONT
from errors import RecordError

# Columns beside FOCUS': AWS adds the first three to its exports, the others are those of our own.
USAGE_TYPE, OPERATION, CATEGORIES = "x_UsageType", "x_Operation", "x_CostCategories"
ACCOUNT, INSTANCE_TYPE, RECORD_TYPE, ESTIMATED = "x_AccountId", "x_InstanceType", "x_RecordType", "x_Estimated"
UNIT, NET_COST, NET_AMORTIZED_COST, BLENDED_COST = "x_UsageUnit", "x_NetCost", "x_NetAmortizedCost", "x_BlendedCost"
_PROVIDERS = ("ServiceProviderName", "ProviderName")  # its name from FOCUS 1.3 on, and before
_MAPS = ("Tags", CATEGORIES, "SkuPriceDetails")


class Focus(Format):
    """Cost and usage in the columns of FOCUS; charges of other providers are kept beside those of AWS."""

    id = "focus"
    title = "FOCUS"
    description = "cost and usage of the FinOps Foundation, 1.0 to 1.2 and newer, as CSV"
    telling = frozenset(("BilledCost", "ChargePeriodStart"))
    needed = (("ServiceName",),)

    def lines(self, header: Sequence[str]) -> Lines:
        """Return what reads the rows under a header."""
        return FocusLines(header)


class FocusLines(Lines):
    """Rows of a FOCUS file."""

    start = ("ChargePeriodStart",)
    end = ("ChargePeriodEnd",)

    def __init__(self, header: Sequence[str]) -> None:
        """Find the columns of amounts."""
        super().__init__(header)
        self._billed = self.column("BilledCost")
        self._others = [self.column(name) for name in ("EffectiveCost", NET_COST, NET_AMORTIZED_COST, BLENDED_COST)]
        self._consumed, self._priced = self.column("ConsumedQuantity"), self.column("PricingQuantity")

    def keys(self) -> List[Place]:
        """Return the columns that tell the sort of a row."""
        names = (
            ACCOUNT, "SubAccountId", "BillingAccountId", "ServiceName", "RegionId", "RegionName", USAGE_TYPE,
            "SkuMeter", OPERATION, "SkuPriceDetails", INSTANCE_TYPE, "ResourceId", UNIT, "ConsumedUnit", "PricingUnit",
            "BillingCurrency", RECORD_TYPE, "ChargeCategory", "ChargeFrequency", "CommitmentDiscountStatus",
            "CommitmentDiscountCategory", "CommitmentDiscountType", "CommitmentDiscountId", ESTIMATED, "Tags",
            CATEGORIES, *_PROVIDERS, "PublisherName", "InvoiceIssuerName")
        return [(name, self.column(name)[1]) for name in names]

    def sort(self, cells: Dict[str, str]) -> Sort:
        """Return the sort of the rows that have these cells."""
        texts = {name: read_text(cell) for name, cell in cells.items() if name not in _MAPS}
        details = dict(self.map(cells["SkuPriceDetails"]))
        provider = next((texts[name] for name in _PROVIDERS if texts[name]), AWS)
        publisher, issuer = (texts[name] if texts[name] != provider else "" for name in (
            "PublisherName", "InvoiceIssuerName"))
        return Sort(without_days(
            texts[ACCOUNT] if self.has(ACCOUNT) else texts["SubAccountId"] or texts["BillingAccountId"],
            texts["ServiceName"],
            region=texts["RegionId"] or texts["RegionName"],
            usage_type=texts[USAGE_TYPE] if self.has(USAGE_TYPE) else texts["SkuMeter"], operation=texts[OPERATION],
            instance_type=texts[INSTANCE_TYPE] or details.get("InstanceType") or "",
            record_type=texts[RECORD_TYPE] or record_type(texts), resource=texts["ResourceId"],
            unit=texts[UNIT] or texts["ConsumedUnit"] or texts["PricingUnit"],
            currency=texts["BillingCurrency"] or "USD", tags=self.map(cells["Tags"]),
            categories=self.map(cells[CATEGORIES]), estimated=texts[ESTIMATED] == "true",
            provider=provider, publisher=publisher, issuer=issuer))

    def amounts(self, row: List[str], sort: Sort) -> Amounts:
        """Return what a row costs; raises `RecordError` for one without a cost."""
        billed = self.amount(row, self._billed)
        if billed is None:
            raise RecordError("BilledCost", "is empty")
        same = row[self._billed[1]]
        amortized, net, net_amortized, blended = (
            billed if row[column[1]] == same else self.amount(row, column) for column in self._others)
        used = self.amount(row, self._consumed)  # absent from purchases, which have a priced quantity alone
        return Amounts(billed, amortized, net, net_amortized, blended,
                       self.amount(row, self._priced) if used is None else used)


def record_type(texts: Dict[str, str]) -> str:
    """Return the line type of AWS' reports that a row of FOCUS stands for; those of adjustments keep their category."""
    category, status = texts["ChargeCategory"] or USAGE, texts["CommitmentDiscountStatus"]
    plan = texts["CommitmentDiscountCategory"] == "Spend" or texts["CommitmentDiscountType"] == "Savings Plan"
    if category == USAGE and status == "Used":
        return "SavingsPlanCoveredUsage" if plan else "DiscountedUsage"
    if category == USAGE and status == "Unused":
        return RECURRING if plan else "RIFee"
    if category == "Purchase":
        if not texts["CommitmentDiscountId"]:
            return FEE
        if texts["ChargeFrequency"].lower() == "recurring":
            return RECURRING if plan else "RIFee"
        return UPFRONT if plan else FEE
    return {"Tax": TAX, "Credit": CREDIT}.get(category, category)
