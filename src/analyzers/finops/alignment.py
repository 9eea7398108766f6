"""Organizational Alignment: who caused the cost, who is charged for it, and how it stands against the budget.

Showback is cost as the log has it, under the name that caused it. Chargeback charges all of it: what is direct to
its owner, and the pools (shared platform, unattributed) to all owners in proportion to their direct cost.
"""
from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any, Dict, List, Mapping, Optional, Sequence

from analyzers.attribution import DIRECT, KINDS, RULE, SHARED, UNATTRIBUTED, charge, in_production, is_named, kind_of
from analyzers.base import FINOPS, HIGH, LOW, MEDIUM, Analyzer, Recommendation, Results
from analyzers.budgets import Budget, Month, budget_of, months_of
from analyzers.common import add, change, monthly, ratio, usd, whole_days
from analyzers.pages import alignment as described
from analyzers.wording import NO_CALLS, money, numbered, percent
from rollup.cubes import Measures
from rollup.rollup import Group, Rollup

OWNERS = ("organization", "product", "feature")
NAMES = OWNERS + ("environment",)
ENVIRONMENT = NAMES.index("environment")
UNFAIR = 1.5  # cost share over call share: an owner beyond it, or below 1 over it, is out of proportion
NOTABLE_SHARED = 0.1  # of cost: a smaller platform share is not worth a talk
NOTABLE_OVERRUN = 0.01  # of all budgets to date: a smaller overrun stays in the table
NAMED = 5  # organisations over budget with a recommendation each; the others share one
FAIR_LEAST_SHARE = 0.01  # of cost: smaller owners are out of proportion by chance


class AlignmentAnalyzer(Analyzer):
    """Chargeback and showback, pools, attribution coverage, fair share, budgets, and months."""

    id = "alignment"
    title = "Organizational Alignment"
    description = "Who caused the cost, who is charged for it, and how it stands against the budget"
    category = FINOPS
    rank = 5
    page = described.PAGE
    highlights = described.HIGHLIGHTS

    def examine(self, rollup: Rollup) -> Results:
        """Return all sections; chargeback and showback of each dimension add up to the log's whole cost."""
        customers = Counter(group.key[0] for group in rollup.by("organization", "customer"))
        groups, days = rollup.by(*NAMES), whole_days(rollup)
        months = months_of(days, _daily(rollup))
        kinds = _kinds(groups)
        budget = budget_of(months, self.settings.monthly_budget_usd)
        results: Results = {
            "summary": _summary(kinds, months, rollup),
            "chargeback": {name: _chargeback(groups, name) for name in OWNERS},
            "showback": {name: _showback(groups, name) for name in OWNERS},
            "coverage": {**_coverage(groups, kinds), "daily": _daily_coverage(rollup, days)},
            "pools": _pools(groups),
            "fair_share": _fair_share(rollup, customers),
            "budget": _budget(budget),
            "months": _months(months),
            "organization_months": _organization_months(months),
        }
        results["headline"] = _headline(rollup, results["summary"], results["budget"])
        results["recommendations"] = self._recommendations(results, kinds, len(days))
        return results

    def _recommendations(self, results: Results, kinds: Mapping[str, Measures], days: int) -> List[Recommendation]:
        """Return what to settle; costs without an owner and overruns of budgets are different dollars' questions."""
        whole = sum(one.cost_nano for one in kinds.values())
        found = []
        for kind, action, least in (
                (UNATTRIBUTED, "Name an owner for unattributed calls where they are made", 0.0),
                (SHARED, "Agree on who pays for environments other than production", NOTABLE_SHARED)):
            cost = kinds[kind].cost_nano
            if cost > least * whole:
                # The log's cost over its whole days; without a single one there is no rate to state.
                amount = monthly(cost, days, self.settings.month_days) if days else None
                found.append(Recommendation(
                    action, amount, f"{kinds[kind].calls:,} calls for ${usd(cost):,.2f}, {100 * cost / whole:.1f} % of "
                    f"cost, have no direct owner. The dollars are to be assigned, not saved.", HIGH))
        return found + _overruns(results["budget"]) + _unfair(results["fair_share"])


def _summary(kinds: Mapping[str, Measures], months: Sequence[Month], rollup: Rollup) -> Results:
    whole = sum(one.cost_nano for one in kinds.values())
    coverage = ratio(kinds[DIRECT].cost_nano, whole)
    return {**{f"{kind}_cost": usd(kinds[kind].cost_nano) for kind in KINDS},
            "coverage_percent": None if coverage is None else 100 * coverage,
            "organizations": len([name for name in rollup.values("organization") if is_named(name)]),
            "unpriced_calls": sum(one.unpriced for one in kinds.values()),
            "whole_months": [one.month for one in months if one.whole], "attribution_rule": RULE}


def _headline(rollup: Rollup, summary: Results, budget: Optional[Results]) -> str:
    """Return how much of the cost has an owner, where the rest is, and how the month stands against its budget."""
    whole = rollup.total()
    if not whole.calls:
        return NO_CALLS
    if summary["coverage_percent"] is None:
        return f"No cost is known for the {numbered(whole.calls, 'call')}, so there is nothing to charge."
    part = {usd(whole.cost_nano): "All", Decimal(0): "None"}.get(
        summary["direct_cost"], percent(summary["coverage_percent"] / 100))
    text = f"{part} of {money(usd(whole.cost_nano))} has a direct owner"
    rest = [f"{money(summary[name])} {what}" for name, what in (
        ("shared_cost", "is shared platform cost"), ("unattributed_cost", "has no owner")) if summary[name]]
    text += f", {' and '.join(rest)}" if rest else ""
    if budget and budget["used"] is not None:
        over = sum(row["standing"] == "over" for row in budget["organizations"])
        text += (f"; {budget['month']} used {percent(budget['used'])} of its {'derived ' if budget['derived'] else ''}"
                 f"budget{'' if budget['days'] == budget['calendar_days'] else ' to date'}")
        text += f", and {numbered(over, 'organisation is', 'organisations are')} over theirs" if over else ""
    return text + "."


def _kinds(groups: Sequence[Group]) -> Dict[str, Measures]:
    """Return the measures of each kind, where a cost is direct only when all its owners are named."""
    parts: Dict[str, List[Measures]] = {kind: [] for kind in KINDS}
    for key, measures in groups:
        parts[kind_of(key[:ENVIRONMENT], key[ENVIRONMENT])].append(measures)
    return {kind: add(ones) for kind, ones in parts.items()}


def _chargeback(groups: Sequence[Group], name: str) -> Results:
    """Return the bills of one dimension; what nobody can be charged for is shown as `uncharged`."""
    back = charge(groups, OWNERS.index(name), ENVIRONMENT)
    whole = sum(group.measures.cost_nano for group in groups)
    charged = sum(one.charged_nano for one in back.charges)
    return {
        "charges": [{name: one.owner, "direct": usd(one.direct.cost_nano), "shared": usd(one.shared_nano),
                     "unattributed": usd(one.unattributed_nano), "charged": usd(one.charged_nano),
                     "share_of_cost": ratio(one.charged_nano, whole), "calls": one.direct.calls,
                     "unpriced": one.direct.unpriced} for one in back.charges],
        "pools": {kind: _measured(pool, whole) for kind, pool in back.pools.items()},
        "charged": usd(charged), "uncharged": usd(whole - charged), "total_cost": usd(whole)}


def _showback(groups: Sequence[Group], name: str) -> List[Dict[str, Any]]:
    """Return cost as the log has it, the dearest first, names that name nobody among them."""
    place, whole = OWNERS.index(name), sum(group.measures.cost_nano for group in groups)
    parts: Dict[str, List[Group]] = {}
    for group in groups:
        parts.setdefault(group.key[place], []).append(group)
    rows = []
    for owner, ones in parts.items():
        caused = add(group.measures for group in ones)
        production = sum(group.measures.cost_nano for group in ones if in_production(group.key[ENVIRONMENT]))
        rows.append({name: owner, "attributed": is_named(owner), **_measured(caused, whole),
                     "production": usd(production), "other_environments": usd(caused.cost_nano - production)})
    return sorted(rows, key=lambda row: (-row["cost"], row[name]))


def _coverage(groups: Sequence[Group], kinds: Mapping[str, Measures]) -> Results:
    """Return how much of cost and calls is direct, by all owners together and by each alone."""
    whole = add(kinds.values())
    rows = []
    for place, name in enumerate(OWNERS):
        named = add(group.measures for group in groups if is_named(group.key[place]))
        rows.append({"dimension": name, "attributed_cost": usd(named.cost_nano),
                     "share_of_cost": ratio(named.cost_nano, whole.cost_nano),
                     "share_of_calls": ratio(named.calls, whole.calls)})
    return {"by_kind": [{"kind": kind, **_measured(one, whole.cost_nano)} for kind, one in kinds.items()],
            "by_dimension": rows}


def _daily_coverage(rollup: Rollup, days: Sequence[str]) -> List[Dict[str, Any]]:
    """Return how much of each whole day's cost is direct; the share of a day without a cost is unknown."""
    whole, direct = dict.fromkeys(days, 0), dict.fromkeys(days, 0)
    for (day, *names), nano in rollup.rows(["cost_nano"], "day", *NAMES):
        if day in whole:
            whole[day] += nano
            if kind_of(names[:ENVIRONMENT], names[ENVIRONMENT]) == DIRECT:
                direct[day] += nano
    return [{"day": day, "cost": usd(whole[day]), "direct_cost": usd(direct[day]),
             "share_of_cost": ratio(direct[day], whole[day])} for day in days]


def _pools(groups: Sequence[Group]) -> Results:
    """Return what the pools consist of: environments of the shared one, missing owners of the unattributed one."""
    shared: Dict[str, List[Measures]] = {}
    nameless: Dict[str, List[Measures]] = {}
    for key, measures in groups:
        missing = [name for name, text in zip(OWNERS, key) if not is_named(text)]
        if missing:
            nameless.setdefault(", ".join(missing), []).append(measures)
        elif not in_production(key[ENVIRONMENT]):
            shared.setdefault(key[ENVIRONMENT], []).append(measures)
    whole = sum(group.measures.cost_nano for group in groups)
    return {SHARED: [{"environment": name, **_measured(add(ones), whole)} for name, ones in sorted(shared.items())],
            UNATTRIBUTED: [{"missing": name, **_measured(add(ones), whole)} for name, ones in sorted(nameless.items())]}


def _fair_share(rollup: Rollup, customers: Mapping[str, int]) -> List[Dict[str, Any]]:
    """Return each organisation's share of cost against its shares of calls and customers."""
    whole, members = rollup.total(), sum(customers.values())
    rows = []
    for (name,), one in rollup.by("organization"):
        of_cost, of_calls = ratio(one.cost_nano, whole.cost_nano), ratio(one.calls, whole.calls)
        index = None if of_cost is None or not of_calls else of_cost / of_calls
        rows.append({"organization": name, **_measured(one, whole.cost_nano), "customers": customers[name],
                     "share_of_calls": of_calls, "share_of_customers": ratio(customers[name], members),
                     "cost_to_calls": index, "standing": _standing(index)})
    return sorted(rows, key=lambda row: (-row["cost"], row["organization"]))


def _standing(index: Optional[float]) -> Optional[str]:
    if index is None:
        return None
    return "above" if index > UNFAIR else "below" if index < 1 / UNFAIR else "fair"


def _budget(budget: Optional[Budget]) -> Optional[Results]:
    """Return the last month's budget and cost for the same days; None where there is nothing to compare with."""
    if budget is None:
        return None
    month, owners = budget.month, budget.owners_nano
    rows = []
    for name in sorted(set(month.cost_nano) | set(owners or ())):
        given = None if owners is None else owners.get(name, 0)
        rows.append({"organization": name, **_held(budget, given, month.cost_nano.get(name, 0))})
    return {"month": month.month, "days": month.days, "calendar_days": month.calendar_days, "derived": budget.derived,
            "split_by": budget.basis.month if budget.basis else None,
            "how": ("cost of the whole month before, plus a tenth" if budget.derived else "as set")
            + (f"; split by organisations' cost in {budget.basis.month}" if budget.basis else "")
            + "; held against the same days of the month",
            **_held(budget, budget.total_nano, month.total_nano),
            "organizations": sorted(rows, key=lambda row: (-row["actual"], row["organization"]))}


def _held(budget: Budget, given: Optional[int], actual: int) -> Dict[str, Any]:
    """Return a budget and an actual cost side by side; `over` is negative within budget."""
    if given is None:
        return {"budget": None, "budget_to_date": None, "actual": usd(actual), "over": None, "used": None,
                "standing": None}
    due = budget.to_date(given)
    return {"budget": usd(given), "budget_to_date": usd(due), "actual": usd(actual), "over": usd(actual - due),
            "used": ratio(actual, due),
            "standing": "unbudgeted" if not given and actual else "over" if actual > due else "within"}


def _months(months: Sequence[Month]) -> List[Dict[str, Any]]:
    """Return the months; a change only where a whole month follows a whole month."""
    rows = []
    for place, one in enumerate(months):
        before = months[place - 1] if place else None
        rows.append({"month": one.month, "days": one.days, "whole": one.whole, "cost": usd(one.total_nano),
                     "change": change(one.total_nano, before.total_nano)
                     if before and before.whole and one.whole else None})
    return rows


def _organization_months(months: Sequence[Month]) -> Optional[Results]:
    """Return the last two whole months by organisation; None where the log has no two in a row."""
    pairs = [(before, now) for before, now in zip(months, months[1:]) if before.whole and now.whole]
    if not pairs:
        return None
    before, now = pairs[-1]
    rows = []
    for name in set(before.cost_nano) | set(now.cost_nano):
        old, new = before.cost_nano.get(name, 0), now.cost_nano.get(name, 0)
        rows.append({"organization": name, "previous": usd(old), "current": usd(new), "difference": usd(new - old),
                     "change": change(new, old)})
    return {"previous_month": before.month, "current_month": now.month,
            "organizations": sorted(rows, key=lambda row: (-abs(row["difference"]), row["organization"]))}


def _overruns(budget: Optional[Results]) -> List[Recommendation]:
    """Return one recommendation for each of the largest overruns, at the month's rate, and one for the others."""
    if not budget:
        return []
    least = budget["budget_to_date"] * Decimal(str(NOTABLE_OVERRUN))
    rows = [row for row in budget["organizations"] if row["over"] is not None and row["over"] > least]
    rows.sort(key=lambda row: (-row["over"], row["organization"]))
    sure = LOW if budget["derived"] else MEDIUM
    found = [Recommendation(
        f"Bring {row['organization']} back to its budget, or raise the budget", _full_month(row["over"], budget),
        f"${row['actual']:,.2f} spent in {budget['days']} days of {budget['month']}, for which the budget is "
        f"${row['budget_to_date']:,.2f}{' (derived, not set)' if budget['derived'] else ''}.", sure)
        for row in rows[:NAMED]]
    rest = sum(row["over"] for row in rows[NAMED:])
    if rest:
        found.append(Recommendation(
            f"Look at the other {len(rows) - NAMED} organisations over budget", _full_month(rest, budget),
            f"Together they are ${rest:,.2f} over for {budget['days']} days of {budget['month']}.", sure))
    return found


def _full_month(amount: Any, budget: Results) -> Any:
    return (amount * budget["calendar_days"] / budget["days"]).quantize(usd(10_000_000))


def _unfair(rows: Sequence[Dict[str, Any]]) -> List[Recommendation]:
    """Return one recommendation on the dearest organisation out of proportion; it claims no dollars of its own."""
    for row in rows:
        if row["standing"] == "above" and row["share_of_cost"] >= FAIR_LEAST_SHARE:
            return [Recommendation(
                f"Ask why calls of {row['organization']} cost more than those of others", None,
                f"It has {100 * row['share_of_cost']:.1f} % of cost with {100 * row['share_of_calls']:.1f} % of calls "
                f"and {100 * row['share_of_customers']:.1f} % of customers.", MEDIUM)]
    return []


def _measured(one: Measures, whole_nano: int) -> Dict[str, Any]:
    return {"cost": usd(one.cost_nano), "calls": one.calls, "unpriced": one.unpriced,
            "share_of_cost": ratio(one.cost_nano, whole_nano)}


def _daily(rollup: Rollup) -> Dict[str, Dict[str, int]]:
    """Return each organisation's nano-dollars by day."""
    days: Dict[str, Dict[str, int]] = {}
    for (day, name), measures in rollup.by("day", "organization"):
        days.setdefault(day, {})[name] = measures.cost_nano
    return days
