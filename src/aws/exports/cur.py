"""CUR 2.0: the cost and usage report of AWS Data Exports, in snake_case with maps as JSON."""
from __future__ import annotations

from decimal import Context, Decimal
from typing import Callable, Dict, Iterable, List, Optional, Sequence, Tuple

from aws.charges import EXACT, USAGE, ZERO, Amounts, Pairs, exact_sum
from aws.exports.base import Format, Lines, Place, Sort, without_days
from aws.exports.cells import read_text
from aws.exports.services import service_name
from errors import RecordError

UNBLENDED_COST, NET_COST = "line_item_unblended_cost", "line_item_net_unblended_cost"
USED = (USAGE, "DiscountedUsage", "SavingsPlanCoveredUsage")
NEGATION, UPFRONT, RECURRING = "SavingsPlanNegation", "SavingsPlanUpfrontFee", "SavingsPlanRecurringFee"
NOTHING, OWN_COST = "nothing", "own cost"  # what charges cost amortized, beside the columns below
TAGS, CATEGORIES = "resource_tags", "cost_category"

# Record types that cost amortized what other columns say, and after discounts what others again say.
SPREAD: Dict[str, Tuple[Tuple[str, ...], Tuple[str, ...]]] = {
    "SavingsPlanCoveredUsage": (("savings_plan_savings_plan_effective_cost",),
                                ("savings_plan_net_savings_plan_effective_cost",)),
    "DiscountedUsage": (("reservation_effective_cost",), ("reservation_net_effective_cost",)),
    "RIFee": (("reservation_unused_amortized_upfront_fee_for_billing_period", "reservation_unused_recurring_fee"),
              ("reservation_net_unused_amortized_upfront_fee_for_billing_period",
               "reservation_net_unused_recurring_fee"))}
COMMITTED = ("savings_plan_total_commitment_to_date", "savings_plan_used_commitment")
# A plan's fee before and after discounts, by how it is paid: the part that is unused has the same discount.
FEES = (("savings_plan_recurring_commitment_for_billing_period",
         "savings_plan_net_recurring_commitment_for_billing_period"),
        ("savings_plan_amortized_upfront_commitment_for_billing_period",
         "savings_plan_net_amortized_upfront_commitment_for_billing_period"))
_DIVIDING = Context(prec=40)  # for a share that has no end
_SPLIT_OPERATIONS = frozenset(("EKSPod-EC2", "ECSTask-EC2"))


class Cur(Format):
    """The table COST_AND_USAGE_REPORT, whole or with some of its columns."""

    id = "cur-2.0"
    title = "CUR 2.0"
    description = "cost and usage report of AWS Data Exports, as CSV"
    telling = frozenset((UNBLENDED_COST,))
    needed = (("line_item_usage_start_date", "bill_billing_period_start_date"),
              ("product_servicecode", "line_item_product_code", "product_product_name", "product"))

    def lines(self, header: Sequence[str]) -> Lines:
        """Return what reads the rows under a header."""
        return CurLines(header)


class CurLines(Lines):
    """Rows of a cost and usage report."""

    start = ("line_item_usage_start_date", "bill_billing_period_start_date")
    end = ("line_item_usage_end_date", "bill_billing_period_end_date")

    def __init__(self, header: Sequence[str]) -> None:
        """Find the columns of amounts."""
        self._tags, self._categories = _flat_columns(header, TAGS, key_name), _flat_columns(header, CATEGORIES)
        super().__init__(header)
        self._cost, self._net = self.column(UNBLENDED_COST), self.column(NET_COST)
        self._blended, self._usage = self.column("line_item_blended_cost"), self.column("line_item_usage_amount")
        self._has_net, self._has_invoice = self.has(NET_COST), self.has("bill_invoice_id")
        self._spread = {kind: (self._columns(gross), self._columns(net)) for kind, (gross, net) in SPREAD.items()}
        self._committed, self._fees = self._columns(COMMITTED), [self._columns(pair) for pair in FEES]

    def keys(self) -> List[Place]:
        """Return the columns that tell the sort of a row."""
        names = ("line_item_usage_account_id", "bill_payer_account_id", "product_servicecode",
                 "line_item_product_code", "product_product_name", "product", "line_item_usage_type",
                 "line_item_operation", "product_region_code", "product_region", "line_item_line_item_type",
                 "product_instance_type", "line_item_resource_id", "pricing_unit", "line_item_currency_code",
                 "bill_invoice_id", "reservation_reservation_a_r_n", TAGS, CATEGORIES)
        return [(name, self.column(name)[1]) for name in names] + [
            self.column(name) for name in [*self._tags.values(), *self._categories.values()]]

    def sort(self, cells: Dict[str, str]) -> Sort:
        """Return the sort of the rows that have these cells."""
        texts = {name: read_text(cell) for name, cell in cells.items() if name not in (TAGS, CATEGORIES, "product")}
        product = dict(self.map(cells["product"]))
        usage_type, kind = texts["line_item_usage_type"], texts["line_item_line_item_type"] or USAGE
        code = texts["product_servicecode"] or product.get("servicecode") or texts["line_item_product_code"]
        name = texts["product_product_name"] or product.get("product_name") or ""
        charge = without_days(
            texts["line_item_usage_account_id"] or texts["bill_payer_account_id"],
            service_name(code, name, usage_type), usage_type=usage_type, operation=texts["line_item_operation"],
            region=texts["product_region_code"] or texts["product_region"] or product.get("region") or "",
            instance_type=texts["product_instance_type"] or product.get("instance_type") or "", record_type=kind,
            resource=texts["line_item_resource_id"], unit=texts["pricing_unit"],
            currency=texts["line_item_currency_code"] or "USD",
            tags=self._pairs(cells[TAGS], self._tags, texts, key_name),
            categories=self._pairs(cells[CATEGORIES], self._categories, texts),
            estimated=self._has_invoice and not texts["bill_invoice_id"])
        return Sort(charge, _rule(kind, texts["reservation_reservation_a_r_n"]),
                    charge.operation in _SPLIT_OPERATIONS)

    def amounts(self, row: List[str], sort: Sort) -> Amounts:
        """Return what a row costs; raises `RecordError` for one without a cost."""
        cost, net = self.amount(row, self._cost), self.amount(row, self._net)
        if cost is None:
            raise RecordError(UNBLENDED_COST, "is empty")
        used = self.amount(row, self._usage)
        if not sort.charge.unit and sort.charge.record_type not in USED:
            used = None  # reports say 1 of nothing for a tax or a credit
        blended = cost if row[self._blended[1]] == row[self._cost[1]] else self.amount(row, self._blended)
        if sort.rule == OWN_COST:
            return Amounts(cost, cost, net, net, blended, used)
        if sort.rule == NOTHING:
            return Amounts(cost, ZERO, net, ZERO if self._has_net else None, blended, used)
        amortized, after = self._spread_cost(row, sort.rule)
        return Amounts(cost, amortized, net, after if self._has_net else None, blended, used)

    def _spread_cost(self, row: List[str], kind: str) -> Tuple[Optional[Decimal], Optional[Decimal]]:
        """Return the amortized cost of a charge that a commitment pays, before and after discounts."""
        if kind != RECURRING:
            gross, net = self._spread[kind]
            return self._sum(row, gross), self._sum(row, net)
        total, used = (self.amount(row, column) for column in self._committed)
        if total is None or used is None:
            return None, None
        unused = EXACT.subtract(total, used)
        return unused, self._discounted(row, unused)

    def _discounted(self, row: List[str], unused: Decimal) -> Optional[Decimal]:
        for before, after in self._fees:
            fee, net = self.amount(row, before), self.amount(row, after)
            if fee and net is not None:
                return unused if fee == net else net if fee == unused else _DIVIDING.divide(
                    EXACT.multiply(unused, net), fee).quantize(Decimal("1E-12"), context=_DIVIDING)
        return None if unused else ZERO

    def _sum(self, row: List[str], columns: Iterable[Place]) -> Optional[Decimal]:
        known = [one for one in (self.amount(row, column) for column in columns) if one is not None]
        return exact_sum(known) if known else None

    def _columns(self, names: Iterable[str]) -> List[Place]:
        return [self.column(name) for name in names]

    def _pairs(self, cell: str, flat: Dict[str, str], texts: Dict[str, str],
               named: Callable[[str], str] = str) -> Pairs:
        """Return the pairs of a map and of columns of their own, under the names that people gave the keys."""
        found = {named(key): value for key, value in self.map(cell)}
        found.update((key, texts[column]) for key, column in flat.items() if texts[column])
        return tuple(sorted(found.items()))


def key_name(key: str) -> str:
    """Return the name of a tag as Cost Explorer has it: reports put `user_` or `user:` before those of people."""
    if key.startswith(("user:", "user_")):
        return key[5:]
    return "aws:" + key[4:] if key.startswith("aws_") else key


def report_key(name: str) -> str:
    """Return what reports put for the name of a tag: the inverse of `key_name`."""
    return "aws_" + name[4:] if name.startswith("aws:") else "user_" + name


def _flat_columns(header: Sequence[str], prefix: str, named: Callable[[str], str] = str) -> Dict[str, str]:
    """Return the columns that hold one tag or category each, by its name."""
    found: Dict[str, str] = {}
    for name in header:
        if name.startswith((prefix + "/", prefix + "_")):
            found.setdefault(named(name[len(prefix) + 1:]), name)
    return found


def _rule(kind: str, reservation: str) -> str:
    if kind in (NEGATION, UPFRONT) or (kind == "Fee" and reservation):
        return NOTHING
    return kind if kind in SPREAD or kind == RECURRING else OWN_COST
