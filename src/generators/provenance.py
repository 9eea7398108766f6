"""Where a page's figures come from: the line below its title and the one at its foot, of a log or of a bill.

Results tell of calls by `log` (see `analyzers.base.describe_log`) and of AWS cost by `bill` (see `aws.reports.base`).
"""
from __future__ import annotations

from typing import Any, Mapping, Sequence

import blocks as b
from generators.formats import UNKNOWN, show, words
from generators.templates import Markup, parts
from generators.text_blocks import figure

INDEX = "index"
_MOST_NAMED = 3  # values of a filter below a title


def meta(results: Mapping[str, Any]) -> Markup:
    """Return the line below the title."""
    bill, log = results.get("bill"), results.get("log") or {}
    if bill and not log:
        return parts("page.html")["bill_meta"].fill(name=bill.get("name", UNKNOWN), period=_days(bill),
                                                    metric=_metric(bill), filters=_filters(bill))
    return parts("page.html")["meta"].fill(log=log.get("name", UNKNOWN), period=_period(log),
                                           calls=figure(log.get("calls"), b.COUNT),
                                           rejected=figure(log.get("rejected"), b.COUNT))


def foot(report: str, results: Mapping[str, Any], made: str) -> Markup:
    """Return the line at the foot, with where the same results are as JSON."""
    bill, log = results.get("bill"), results.get("log") or {}
    here = "manifest.json" if report == INDEX else f"../json/{report}.json"
    common = {"made": made, "made_text": show(made, b.TIME) if made else UNKNOWN,
              "source": (bill or {}).get("results") or here}
    if bill and not log:
        return parts("page.html")["bill_foot"].fill(
            name=bill.get("name", UNKNOWN), period=_days(bill), metric=_metric(bill), filters=_filters(bill),
            complete=show(bill.get("complete_last"), b.DAY), **common)
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in (log.get("rejected_by_reason") or {}).items())
    return parts("page.html")["foot"].fill(
        log=log.get("name", UNKNOWN), bytes=figure(log.get("bytes"), b.BYTES), period=_period(log),
        calls=figure(log.get("calls"), b.COUNT), rejected=figure(log.get("rejected"), b.COUNT),
        reasons=f" ({reasons})" if reasons else "", **common)


def _period(log: Mapping[str, Any]) -> str:
    first, last = log.get("first"), log.get("last")
    return f"{show(first, b.TIME)[:-len(' UTC')]} to {show(last, b.TIME)}" if first and last else "without a call"


def _days(bill: Mapping[str, Any]) -> str:
    return f"{show(bill.get('first'), b.DAY)} to {show(bill.get('last'), b.DAY)}"


def _metric(bill: Mapping[str, Any]) -> str:
    return f"{words(str(bill.get('metric'))).lower()} cost in {bill.get('currency', UNKNOWN)}"


def _filters(bill: Mapping[str, Any]) -> str:
    chosen = [f"{words(str(name)).lower()} {_in_short(values)}" for name, values in (bill.get("filters") or {}).items()]
    return "only " + "; ".join(chosen) if chosen else "all charges"


def _in_short(values: Sequence[Any]) -> str:
    more = len(values) - _MOST_NAMED
    return ", ".join(str(one) or "(none)" for one in values[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
