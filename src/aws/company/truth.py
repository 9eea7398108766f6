"""What was planted in the simulated company, so that insights can be scored: what, where, when, and for how much."""
from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Dict, Iterator, List

from aws.charges import AMORTIZED, UNBLENDED, USAGE, ZERO, exact_sum
from aws.company.assets import COMPUTE, DATABASES, Asset
from aws.company.billing import PLANS, Span
from aws.ledger import Ledger
from aws.queries import DAILY, CostQuery

VERSION = 1
MONTH = 30  # days that dollars a month are measured over: the last complete ones
_HOURS_ONLY = ("oversized_instance", "oversized_database", "old_instance", "old_database")  # not what is stored
_CENT = Decimal("0.01")
_SCOPES = {"nat_traffic": "NatGateway-Bytes", "zone_traffic": "DataTransfer-Regional-Bytes",
           "internet_traffic": "DataTransfer-Out-Bytes"}
_COMMITTABLE = (COMPUTE, DATABASES, "Amazon ElastiCache", "AWS Lambda")  # and mostly, or wholly, on demand


def truth_of(assets: List[Asset], ledger: Ledger, span: Span, seed: int) -> Dict[str, Any]:
    """Return the document: each plant with its kind, scope, days, dollars a month, and what of them can be saved.

    `severity` is `clear`, or `subtle` where what was measured leaves doubt: a scanner's requests, say.
    A spike has `extra_usd` instead, beyond what its days usually cost. Amounts are texts of decimals.
    """
    planted = [*_wastes(assets, ledger, span), *_spikes(assets, ledger, span), *_scopes(assets, ledger, span)]
    return {"version": VERSION, "seed": seed, "first": span.first.isoformat(), "last": span.last.isoformat(),
            "planted": planted}


def _wastes(assets: List[Asset], ledger: Ledger, span: Span) -> Iterator[Dict[str, Any]]:
    for asset in assets:
        if asset.plant:
            kind, share = asset.plant
            usage = tuple(one.usage_type for one in asset.meters if one.unit == "Hrs" or kind not in _HOURS_ONLY)
            cost = _monthly(ledger, span, resource=(asset.id,), account=(asset.account,), usage_type=usage)
            begin = span.last - timedelta(asset.since - 1) if asset.since else span.first
            yield {**_place(asset), "kind": kind, "first": max(begin, span.first).isoformat(),
                   "last": span.last.isoformat(), "monthly_usd": _text(cost),
                   "saving_usd": _text(cost * Decimal(str(share)))}


def _spikes(assets: List[Asset], ledger: Ledger, span: Span) -> Iterator[Dict[str, Any]]:
    for asset in assets:
        if asset.spike:
            what, before_end, days, factor = asset.spike
            first = span.last - timedelta(before_end)
            last = first + timedelta(days - 1)
            cost = _cost(ledger, first, last, service=(asset.service,), resource=(asset.id,), account=(asset.account,),
                         usage_type=tuple(one.usage_type for one in asset.meters))
            yield {**_place(asset), "kind": "spike", "what": what, "first": first.isoformat(),
                   "last": last.isoformat(), "usage_type": asset.meters[0].usage_type,
                   "extra_usd": _text(cost * (1 - 1 / Decimal(str(factor))))}


def _scopes(assets: List[Asset], ledger: Ledger, span: Span) -> Iterator[Dict[str, Any]]:
    """Yield what is wrong with a service or the whole bill, not with one resource."""
    days = {"first": span.first.isoformat(), "last": span.last.isoformat()}
    for asset in assets:
        if asset.scope_plant:
            usage = next(one.usage_type for one in asset.meters if _SCOPES[asset.scope_plant] in one.usage_type)
            yield {**days, "kind": asset.scope_plant, "service": asset.service, "usage_type": usage,
                   "monthly_usd": _text(_monthly(ledger, span, usage_type=(usage,)))}
    for service in _COMMITTABLE:
        yield {**days, "kind": "low_coverage", "service": service, "monthly_usd": _text(
            _monthly(ledger, span, service=(service,), record_type=(USAGE,)))}
    unused = _monthly(ledger, span, AMORTIZED, service=(PLANS,))
    yield {**days, "kind": "unused_commitment", "service": PLANS, "monthly_usd": _text(unused)}
    untagged = _monthly(ledger, span, UNBLENDED, **{"tag:team": ("",), "record_type": (USAGE,)})
    yield {**days, "kind": "untagged", "tag": "team", "monthly_usd": _text(untagged)}


def _place(asset: Asset) -> Dict[str, str]:
    return {"severity": asset.severity, "service": asset.service, "resource": asset.id, "name": asset.name,
            "account": asset.account, "region": asset.region}


def _monthly(ledger: Ledger, span: Span, metric: str = UNBLENDED, **where: Any) -> Decimal:
    last = span.last - timedelta(1)
    return _cost(ledger, last - timedelta(MONTH - 1), last, metric, **where)


def _cost(ledger: Ledger, first: date, last: date, metric: str = UNBLENDED, **where: Any) -> Decimal:
    rows = ledger.costs(CostQuery(first, last, DAILY, (metric,), (), where)).rows
    return exact_sum(row.amounts[0] or ZERO for row in rows)


def _text(cost: Decimal) -> str:
    return str(cost.quantize(_CENT))
