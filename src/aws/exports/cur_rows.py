"""Charges as CUR 2.0, so that whatever reads AWS' reports reads them, and we do with equal answers."""
from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Dict, Iterable, Optional, Sequence, Tuple

from aws.charges import AWS, NET, NET_AMORTIZED, ZERO, Charge
from aws.exports.cur import (
    CATEGORIES,
    COMMITTED,
    FEES,
    NEGATION,
    NET_COST,
    RECURRING,
    SPREAD,
    TAGS,
    UNBLENDED_COST,
    UPFRONT,
    report_key,
)
from aws.exports.services import service_code
from aws.exports.writing import Cells, ChargeWriter
from exporters.focus import midnight, next_month

_NOT_TOLD = "not-told"  # of an id that the bill has, and the charge does not know
_NET_COLUMNS = (NET_COST, *(name for _, net in SPREAD.values() for name in net), *(net for _, net in FEES))


class CurWriter(ChargeWriter):
    """Rows of CUR 2.0; net columns are there where the bill tells net costs, as AWS does it.

    CUR derives the amortized cost of most charges from their own: one that differs from it cannot be said.
    """

    columns = tuple(sorted((
        "bill_billing_period_start_date", "bill_billing_period_end_date", "bill_invoice_id", CATEGORIES,
        "line_item_blended_cost", "line_item_currency_code", "line_item_line_item_type", "line_item_operation",
        "line_item_product_code", "line_item_resource_id", UNBLENDED_COST, "line_item_usage_account_id",
        "line_item_usage_amount", "line_item_usage_end_date", "line_item_usage_start_date", "line_item_usage_type",
        "pricing_unit", "product_instance_type", "product_product_name", "product_region_code", "product_servicecode",
        "reservation_reservation_a_r_n", TAGS, *COMMITTED, *(gross for gross, _ in FEES),
        *(name for gross, _ in SPREAD.values() for name in gross), *_NET_COLUMNS)))

    def names(self, metrics: Sequence[str]) -> Sequence[str]:
        """Return the columns of a file whose charges tell some metrics."""
        has_net = NET in metrics or NET_AMORTIZED in metrics
        return [name for name in self.columns if has_net or name not in _NET_COLUMNS]

    def rows(self, charge: Charge) -> Sequence[Cells]:
        """Return the row of a charge."""
        amounts, month = charge.amounts, charge.start.replace(day=1)
        if charge.provider != AWS:
            self.note("charges are of other providers, whose name CUR 2.0 has no column for: write FOCUS")
        code, name = service_code(charge.service, charge.usage_type)
        return [{
            **_period(charge, month), "bill_invoice_id": "" if charge.estimated else _NOT_TOLD,
            CATEGORIES: _as_map(charge.categories),
            TAGS: _as_map((report_key(name), value) for name, value in charge.tags),
            "line_item_blended_cost": amounts.blended, "line_item_currency_code": charge.currency,
            "line_item_line_item_type": charge.record_type, "line_item_operation": charge.operation,
            "line_item_product_code": code, "product_servicecode": code, "product_product_name": name,
            "line_item_resource_id": charge.resource, UNBLENDED_COST: amounts.unblended, NET_COST: amounts.net,
            "line_item_usage_account_id": charge.account, "line_item_usage_amount": amounts.usage,
            "line_item_usage_type": charge.usage_type, "pricing_unit": charge.unit,
            "product_instance_type": charge.instance_type, "product_region_code": charge.region,
            **self._commitment(charge)}]

    def _commitment(self, charge: Charge) -> Dict[str, object]:
        """Return the cells that say what a charge costs amortized."""
        kind, amortized, after = charge.record_type, charge.amounts.amortized, charge.amounts.net_amortized
        if kind in SPREAD:
            gross, net = SPREAD[kind]
            return {gross[-1]: amortized, net[-1]: after}
        if kind == RECURRING:
            total, used = COMMITTED
            before, discounted = FEES[0]
            return {total: amortized, used: ZERO if amortized is not None else None, before: amortized,
                    discounted: after}
        if kind == "Fee" and amortized == ZERO != charge.amounts.unblended:
            return {"reservation_reservation_a_r_n": charge.resource or _NOT_TOLD}
        if not (_is(amortized, charge, charge.amounts.unblended) and _is(after, charge, charge.amounts.net)):
            self.note("charges have an amortized cost of their own, which CUR 2.0 has no column for: write FOCUS")
        return {}


def _is(amortized: Optional[Decimal], charge: Charge, own: Optional[Decimal]) -> bool:
    """Tell whether an amortized cost is the one that a reader derives."""
    return amortized is None or amortized == (ZERO if charge.record_type in (NEGATION, UPFRONT) else own)


def _period(charge: Charge, month: date) -> Dict[str, str]:
    return {"bill_billing_period_start_date": midnight(month),
            "bill_billing_period_end_date": midnight(next_month(month)),
            "line_item_usage_start_date": midnight(charge.start), "line_item_usage_end_date": midnight(charge.end)}


def _as_map(found: Iterable[Tuple[str, str]]) -> str:
    return json.dumps(dict(found), ensure_ascii=False)
