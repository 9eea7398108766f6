"""FOCUS 1.2 of the FinOps Foundation: cost and usage, one row a day, caller, circumstances and class of tokens."""
from __future__ import annotations

import json
import re
from datetime import date, timedelta
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from calls.values import guarded_cell
from catalog.prices import DatedPrice
from exporters.base import Choice, Exporter
from exporters.call_rows import csv_text
from rollup.cubes import Measures
from rollup.dataset import Dataset

COLUMNS = (
    "AvailabilityZone", "BilledCost", "BillingAccountId", "BillingAccountName", "BillingAccountType",
    "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription",
    "ChargeFrequency", "ChargePeriodEnd", "ChargePeriodStart", "CommitmentDiscountStatus", "ConsumedQuantity",
    "ConsumedUnit", "ContractedCost", "ContractedUnitPrice", "EffectiveCost", "InvoiceId", "InvoiceIssuerName",
    "ListCost", "ListUnitPrice", "PricingCategory", "PricingCurrency", "PricingCurrencyContractedUnitPrice",
    "PricingCurrencyEffectiveCost", "PricingCurrencyListUnitPrice", "PricingQuantity", "PricingUnit", "ProviderName",
    "PublisherName", "RegionId", "RegionName", "ResourceId", "ResourceName", "ResourceType", "ServiceCategory",
    "ServiceName", "ServiceSubcategory", "SkuId", "SkuMeter", "SkuPriceDetails", "SkuPriceId", "SubAccountId",
    "SubAccountName", "SubAccountType", "Tags", "x_CallCount", "x_FailedCallCount", "x_UnpricedCallCount")
_GRAIN = ("day", "organization", "customer", "product", "feature", "environment", "region", "provider", "model",
          "tier", "archetype")
_CONSTANT = {
    "BillingAccountType": "Organization", "BillingCurrency": "USD", "ChargeCategory": "Usage",
    "ChargeFrequency": "Usage-Based", "ConsumedUnit": "Tokens", "PricingCategory": "Standard",
    "PricingCurrency": "USD", "PricingUnit": "1000000 Tokens", "ResourceType": "Model",
    "ServiceCategory": "AI and Machine Learning", "ServiceSubcategory": "Generative AI", "SubAccountType": "Customer"}
_UNIT_PRICES = ("ListUnitPrice", "ContractedUnitPrice", "PricingCurrencyContractedUnitPrice",
                "PricingCurrencyListUnitPrice")
_BILLED = ("BilledCost", "EffectiveCost", "PricingCurrencyEffectiveCost")
_NANO_PLACES, _PICO_PLACES, _MILLION_PLACES = 9, 12, 6
_NAME = re.compile(r"[A-Za-z][\w.:@/+ -]*\Z")
_NO_NAMES = frozenset({"nan", "inf", "infinity", "true", "false", "null", "none", "t", "f", "yes", "no"})
_NOBODY = frozenset({"unattributed", "unknown"})
_ROWS = 1000  # in one piece


class _Part(NamedTuple):
    """One class of tokens of a cell: its amounts in nano-dollars, its price in pico-dollars a token if one is known."""

    name: str
    tokens: int
    billed: int
    price: Optional[int]


class FocusExporter(Exporter):
    """Rows of the grain above; the sum of BilledCost is the log's cost to the last digit.

    The log does not tell cached tokens from others, so input is one class: where tokens were cached, BilledCost is
    below ListCost by what that saved. The list price is that of a short prompt.
    """

    id = "focus-1.2"
    title = "FOCUS 1.2"
    description = "cost and usage of the FinOps Foundation as CSV: token quantities, SKUs, list and billed cost, tags"

    def lines(self, dataset: Dataset, choice: Choice) -> Iterator[str]:
        """Yield header and rows, in the order of days."""
        rows: List[List[str]] = [list(COLUMNS)]
        where: Dict[str, Sequence[str]] = {name: tuple(texts) for name, texts in choice.where.items()}
        for group in dataset.rollup.by(*_GRAIN, where=where):
            if choice.has_day(date.fromisoformat(group.key[0])):
                rows += self._rows(dict(zip(_GRAIN, group.key)), group.measures)
            if len(rows) >= _ROWS:
                yield csv_text(rows)
                rows = []
        yield csv_text(rows)

    def _rows(self, cell: Dict[str, str], counted: Measures) -> List[List[str]]:
        self.calls += counted.calls
        if counted.unpriced:
            what = "calls have no known cost, and add nothing to BilledCost: see x_UnpricedCallCount"
            self.notes[what] = self.notes.get(what, 0) + counted.unpriced
        price = self.catalog.price_on(cell["provider"], cell["model"], date.fromisoformat(cell["day"]))
        same = _shared(cell)
        found = []
        for part in _parts(counted, price):
            row = {**same, **_amounts(part), **_sku(cell, part.name, price)}
            if part.name == "Input":  # or the counts would be summed twice
                row.update(zip(COLUMNS[-3:], map(str, (counted.calls, counted.failed, counted.unpriced))))
            found.append([guarded_cell(row.get(name, "")) for name in COLUMNS])
        return found


def _parts(counted: Measures, price: Optional[DatedPrice]) -> Tuple[_Part, ...]:
    """Split a cell's cost over its tokens by their list cost, or by their number where no price is known."""
    given, taken = counted.output_tokens, counted.input_tokens
    weights = (taken * price.input, given * price.output) if price else (taken, given)
    whole = sum(weights)
    for_output = counted.cost_nano * weights[1] // whole if whole else 0
    into = _Part("Input", taken, counted.cost_nano - for_output, price.input if price else None)
    out = _Part("Output", given, for_output, price.output if price else None)
    return (into, out) if given or for_output else (into,)


def _amounts(part: _Part) -> Dict[str, str]:
    billed = plain_decimal(part.billed, _NANO_PLACES)
    listed = billed if part.price is None else plain_decimal(part.price * part.tokens, _PICO_PLACES)
    unit = "" if part.price is None else plain_decimal(part.price, _MILLION_PLACES)
    found = dict.fromkeys(_UNIT_PRICES, unit)
    found.update(dict.fromkeys(_BILLED, billed))
    found.update(ListCost=listed, ContractedCost=listed, ConsumedQuantity=plain_decimal(part.tokens, 0),
                 PricingQuantity=plain_decimal(part.tokens, _MILLION_PLACES))
    return found


def _shared(cell: Dict[str, str]) -> Dict[str, str]:
    """Return what all rows of a cell share."""
    day = date.fromisoformat(cell["day"])
    month = day.replace(day=1)
    provider, customer, organization = cell["provider"], cell["customer"], cell["organization"]
    region = "" if cell["region"] in _NOBODY else cell["region"]
    tags = {"product_id": cell["product"], "feature_id": cell["feature"], "environment": cell["environment"],
            "subscription_tier": cell["tier"], "customer_archetype": cell["archetype"]}
    return {
        **_CONSTANT, "BillingAccountId": as_name(organization, "org-"), "BillingAccountName": organization,
        "SubAccountId": as_name(customer, "customer-"), "SubAccountName": customer,
        "BillingPeriodStart": midnight(month), "BillingPeriodEnd": midnight(next_month(month)),
        "ChargePeriodStart": midnight(day), "ChargePeriodEnd": midnight(day + timedelta(1)),
        "ProviderName": provider, "PublisherName": provider, "InvoiceIssuerName": provider,
        "ServiceName": f"{provider} API", "RegionId": region, "RegionName": region,
        "ResourceId": as_name(f"{provider}/{cell['model']}", "model-"), "ResourceName": cell["model"],
        "Tags": json.dumps(tags, ensure_ascii=False), "x_CallCount": "0", "x_FailedCallCount": "0",
        "x_UnpricedCallCount": "0"}


def _sku(cell: Dict[str, str], tokens: str, price: Optional[DatedPrice]) -> Dict[str, str]:
    sku = as_name(f"{cell['provider']}/{cell['model']}-{tokens.lower()}", "sku-")
    since = (price.since.isoformat() if price.since else "first") if price else ""
    details = json.dumps({"x_ModelId": cell["model"], "x_TokenType": tokens}, ensure_ascii=False)
    return {"ChargeDescription": f"{tokens} tokens for {cell['model']}", "SkuId": sku, "SkuMeter": f"{tokens} Tokens",
            "SkuPriceId": f"{sku}@{since}" if since else "", "SkuPriceDetails": details if since else ""}


def plain_decimal(whole: int, places: int) -> str:
    """Return a whole number of 10 ** -places as a decimal with a point and no exponent, zeros at the end cut."""
    units, rest = divmod(whole, 10 ** places)
    return f"{units}.{str(rest).zfill(places).rstrip('0') or '0' if places else '0'}"


def as_name(text: str, prefix: str) -> str:
    """Return an id that no reader takes for a number, a date or a truth value: one that could be is prefixed."""
    return text if _NAME.match(text) and text.lower() not in _NO_NAMES else prefix + text


def midnight(day: date) -> str:
    """Return the first moment of a day in UTC."""
    return f"{day.isoformat()}T00:00:00Z"


def next_month(month: date) -> date:
    """Return the first day of the month after one that is given by its first day."""
    return (month + timedelta(31)).replace(day=1)
