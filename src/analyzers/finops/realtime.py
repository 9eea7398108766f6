"""Real-Time Decision Making: what to look at now, when budgets are reached, who costs more than they pay."""
from __future__ import annotations

import calendar
import math
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from analyzers.base import FINOPS, HIGH, LOW, MEDIUM, Analyzer, Recommendation, Results
from analyzers.common import monthly, ratio, usd, whole_days
from analyzers.pages import realtime as described
from analyzers.revenue import combined, latest, open_book
from analyzers.watch import SCOPES, Alert, Cause, Watch, alert_row, causes, watch
from analyzers.wording import NO_CALLS, money, numbered
from calls.values import NANO_PER_USD
from rollup.rollup import Rollup

LEVELS = ((0.5, "medium"), (0.8, "high"), (1.0, "critical"))  # shares of the budget, and how serious reaching each is
DERIVED_RAISE = Decimal("1.1")  # of the last whole month, where no budget is set
RATE_DAYS = 7  # the rate is the mean of so many last whole days: one week, so that weekends do not tilt it
CONCENTRATED = (0.25, 0.7)  # Herfindahl index and largest share above which a portfolio depends on one provider
PLAIN_SHOWN = 20  # findings of the plain rule that are listed; the others are counted
SHOWN_AT_RISK = 50  # customers listed


class Budget(NamedTuple):
    """A month's budget: nano-dollars, where it is from, and the month as YYYY-MM."""

    nano: int
    derived: bool
    source: str
    month: str


class RealtimeAnalyzer(Analyzer):
    """Anomalies by two rules, the budget's pace, customers at risk, and dependence on providers."""

    id = "realtime"
    title = "Real-Time Decision Making"
    description = "Cost anomalies with their likely cause, budget pace, customers at risk and provider dependence"
    category = FINOPS
    rank = 3
    shares = "hours"
    page = described.PAGE
    highlights = described.HIGHLIGHTS

    def examine(self, rollup: Rollup) -> Results:
        """Return `anomalies` of both rules, `budget`, `at_risk_customers`, `portfolio` and all `alerts`."""
        found = watch(rollup)
        anomalies = describe_anomalies(rollup, found)
        budget = describe_budget(rollup, self.settings.monthly_budget_usd)
        at_risk = customers_at_risk(rollup, self.settings.month_days)
        portfolio = provider_risk(rollup)
        alerts = _alerts(anomalies["robust_seasonal"]["alerts"], budget, at_risk, portfolio)
        return {
            "headline": _headline(rollup, alerts, budget),
            "summary": {"alerts": len(alerts), "anomalies": len(found.alerts),
                        "by_severity": {name: sum(one["severity"] == name for one in alerts)
                                        for name in ("critical", "high", "medium", "low")},
                        "at_risk_customers": len(at_risk), "budget_used": budget["used"] if budget else None,
                        "herfindahl": portfolio["herfindahl"]},
            "alerts": alerts, "anomalies": anomalies, "budget": budget, "at_risk_customers": at_risk[:SHOWN_AT_RISK],
            "portfolio": portfolio,
            "recommendations": self._recommendations(rollup, found, anomalies, budget, at_risk, portfolio)}

    def _recommendations(self, rollup: Rollup, found: Watch, anomalies: Results, budget: Optional[Results],
                         at_risk: Sequence[Results], portfolio: Results) -> List[Recommendation]:
        days = len(rollup.by("day"))
        made = []
        own = [one for one in found.alerts if one.scope[0] == "customer"]
        if own:
            first = next(row for row in anomalies["robust_seasonal"]["alerts"] if row["scope"] == "customer")
            made.append(Recommendation(
                "Alert on customers' abnormal days the same day, and look into the dearest first",
                monthly(sum(one.excess for one in own), days, self.settings.month_days),
                f"{numbered(len(own), 'abnormal day or hour', 'abnormal days or hours')} of customers in "
                f"{numbered(days, 'day')}; the dearest: {first['value']} {first['time']}, {money(first['excess'])} "
                f"above its level; {first['cause']['text']}", MEDIUM))
        if budget and budget["overrun"] and budget["overrun"] > 0:
            made.append(Recommendation(
                "Slow spending down or raise the month's budget", budget["overrun"].quantize(Decimal("0.01")),
                f"{budget['month']} comes to ${budget['projected']:,.2f} at the last {budget['rate_days']} days' rate, "
                f"against {budget['source']} of ${budget['budget']:,.2f}; part of it may be the abnormal days above",
                LOW if budget["derived"] else MEDIUM))
        if at_risk:
            loss = sum((row["loss_per_month"] for row in at_risk), Decimal(0))
            made.append(Recommendation(
                "Reprice or limit the customers that cost more than they pay", loss,
                f"{len(at_risk)} customers cost more than their prorated price; the largest loss: "
                f"{at_risk[0]['customer']} with ${at_risk[0]['cost']:,.2f} against ${at_risk[0]['revenue']:,.2f}",
                HIGH))
        if portfolio["concentrated"]:
            made.append(Recommendation(
                "Qualify a second provider for the largest features", None,
                f"{portfolio['largest']} has {portfolio['largest_share']:.0%} of cost; Herfindahl index "
                f"{portfolio['herfindahl']:.2f}", MEDIUM))
        return made


def describe_anomalies(rollup: Rollup, found: Watch) -> Results:
    """Return what both rules found; only the robust one raises alerts."""
    days = max(1, len(rollup.by("day")))
    day_nano = rollup.total().cost_nano / days
    explained = list(zip([*found.alerts, *found.large], causes(rollup, [*found.alerts, *found.large])))
    rows = [alert_row(one, cause, found.same[place], day_nano, usd)
            for place, (one, cause) in enumerate(explained[:len(found.alerts)])]
    counts: Dict[str, Dict[str, int]] = {name: {"day": 0, "hour": 0} for name in SCOPES}
    for grain, scope, _ in found.plain:
        counts[scope[0]][grain] += 1
    return {
        "robust_seasonal": {
            "alerts": rows, "large": [_large_row(one, cause) for one, cause in explained[len(found.alerts):]],
            "held_back": len(found.suppressed), "tested": found.tested,
            "held_back_cost": usd(sum(one.excess for one in found.suppressed))},
        "mean_plus_3_sigma": {
            "found": len(found.plain), "by_scope": counts,
            "largest": [{"grain": grain, "scope": scope[0], "value": scope[1] or None,
                         "subject": scope[1] or "all calls", "time": point.time,
                         "cost": usd(round(point.value)), "mean": usd(round(point.expected)), "score": point.score}
                        for grain, scope, point in found.plain[:PLAIN_SHOWN]]}}


def _large_row(one: Alert, cause: Cause) -> Results:
    return {"time": one.point.time, "scope": one.scope[0], "subject": one.scope[1] or "all calls",
            "cost": usd(round(one.point.value)), "expected": usd(round(one.point.expected)),
            "excess": usd(one.excess), "factor": one.point.value / one.point.expected, "hours": list(one.hours),
            "cause": cause.text}


def describe_budget(rollup: Rollup, monthly_budget_usd: float) -> Optional[Results]:
    """Return how the last month of the log stands against its budget; None without a whole day in it."""
    spent_on = {group.key[0]: group.measures.cost_nano for group in rollup.by("day")}
    days = whole_days(rollup)
    if not days:
        return None
    budget = _budget(days, spent_on, monthly_budget_usd)
    year, month = int(budget.month[:4]), int(budget.month[5:])
    last = date(year, month, calendar.monthrange(year, month)[1])
    running = sorted(day for day in spent_on if day[:7] == budget.month and day <= days[-1])
    spent = sum(spent_on[day] for day in running)
    recent = days[-RATE_DAYS:]
    rate = sum(spent_on.get(day, 0) for day in recent) // len(recent)
    today = _date(days[-1])
    left = (last - today).days
    projected = spent + rate * left
    partial = days[0][:7] == budget.month and days[0][8:] != "01"
    return {
        "month": budget.month, "budget": usd(budget.nano), "derived": budget.derived, "source": budget.source,
        "spent": usd(spent), "used": ratio(spent, budget.nano), "through": days[-1], "rate_per_day": usd(rate),
        "rate_days": len(recent), "days_left": left, "month_partly_unseen": partial, "projected": usd(projected),
        "overrun": usd(projected - budget.nano),
        "levels": [_level(share, level, budget, running, spent_on, spent, rate, today, last)
                   for share, level in LEVELS],
        **_pace(budget, spent_on, rate, today, last)}


def _pace(budget: Budget, spent_on: Dict[str, int], rate: int, today: date, last: date) -> Results:
    """Return by day what the month had cost (`pace`), and what it will have cost at this rate (`ahead`)."""
    rows: List[Results] = []
    so_far, first = 0, _date(min(spent_on))
    for number in range(1, last.day + 1):
        day = last.replace(day=number)
        so_far += spent_on.get(day.isoformat(), 0) if day <= today else rate
        if first <= day:
            rows.append({"day": day.isoformat(), "spent": usd(so_far), "budget": usd(budget.nano)})
    seen = len([row for row in rows if row["day"] <= today.isoformat()])
    return {"pace": rows[:seen], "ahead": rows[seen:]}


def _date(day: str) -> date:
    return date(int(day[:4]), int(day[5:7]), int(day[8:10]))


def _budget(days: Sequence[str], spent_on: Dict[str, int], monthly_budget_usd: float) -> Budget:
    """Return the budget that was set, or the last whole month's cost plus a tenth, or a month of mean days so."""
    month = days[-1][:7]
    if monthly_budget_usd > 0:
        return Budget(int(Decimal(str(monthly_budget_usd)) * NANO_PER_USD), False, "the budget", month)
    seen = set(days)
    before = _date(month + "-01") - timedelta(days=1)
    whole = [before.replace(day=number).isoformat() for number in range(1, before.day + 1)]
    if all(day in seen for day in whole):
        nano = sum(spent_on.get(day, 0) for day in whole)
        source = f"a derived budget ({whole[0][:7]} plus a tenth)"
    else:
        length = calendar.monthrange(int(month[:4]), int(month[5:]))[1]
        nano = sum(spent_on.get(day, 0) for day in days) * length // len(days)
        source = "a derived budget (a month of the log's mean day plus a tenth)"
    return Budget(int(nano * DERIVED_RAISE), True, source, month)


def _level(share: float, severity: str, budget: Budget, running: Sequence[str], spent_on: Dict[str, int], spent: int,
           rate: int, today: date, last: date) -> Results:
    """Return on which day a share of the budget was reached, or will be at this rate; None: not in this month."""
    mark = int(budget.nano * Decimal(str(share)))
    reached: Optional[str] = None
    so_far = 0
    for day in running:
        so_far += spent_on[day]
        if so_far >= mark and mark:
            reached = day
            break
    expected = reached
    if reached is None and rate:
        ahead = today + timedelta(days=math.ceil((mark - spent) / rate))
        expected = ahead.isoformat() if ahead <= last else None
    return {"share": share, "amount": usd(mark), "reached": reached is not None, "day": expected,
            "when": expected or "not in this month",
            "severity": severity if reached else "low"}


def customers_at_risk(rollup: Rollup, month_days: float) -> List[Results]:
    """Return customers whose cost exceeds their prorated price over the same days, the largest loss first."""
    book = open_book(rollup)
    names = latest(book.accounts)
    kept: Dict[str, List[Any]] = {}
    for account in book.accounts:
        kept.setdefault(account.customer, []).append(account.economics)
    rows = []
    for customer, parts in kept.items():
        whole = combined(parts)
        if whole.cost_nano > whole.revenue_nano:
            loss = whole.cost_nano - whole.revenue_nano
            rows.append({
                "customer": customer, "tier": names[customer].tier, "cost": usd(whole.cost_nano),
                "revenue": usd(whole.revenue_nano), "loss": usd(loss), "days": whole.days,
                "loss_per_month": monthly(loss, whole.days, month_days),
                "severity": "high" if whole.revenue_nano else "medium"})
    return sorted(rows, key=lambda row: (-row["loss"], row["customer"]))


def provider_risk(rollup: Rollup) -> Results:
    """Return each provider's share of cost, the largest, and the Herfindahl index (1: all with one)."""
    costs = {group.key[0]: group.measures.cost_nano for group in rollup.by("provider")}
    whole = sum(costs.values())
    shares: List[Tuple[float, str]] = sorted(((cost / whole, name) for name, cost in costs.items()), reverse=True) \
        if whole else []
    index = math.fsum(share * share for share, _ in shares) if shares else None
    largest = shares[0] if shares else None
    return {"herfindahl": index, "largest": largest[1] if largest else None,
            "largest_share": largest[0] if largest else None,
            "concentrated": bool(index is not None and largest
                                 and (index > CONCENTRATED[0] and largest[0] > CONCENTRATED[1])),
            "providers": [{"provider": name, "share": share, "cost": usd(costs[name])} for share, name in shares]}


def _alerts(anomalies: Sequence[Results], budget: Optional[Results], at_risk: Sequence[Results],
            portfolio: Results) -> List[Results]:
    """Return everything that calls for a look, the most serious first; `subject` stands under its own name too."""
    found = [{"kind": "anomaly", "severity": row["severity"], "subject": row["value"] or "all calls",
              "time": row["time"], "cost": row["excess"], "text": row["cause"]["text"],
              row["scope"] if row["value"] else "of": row["value"] or "all calls"} for row in anomalies]
    for level in (budget or {}).get("levels", []):
        if level["reached"]:
            found.append({"kind": "budget", "severity": level["severity"], "subject": budget["month"] if budget else "",
                          "time": level["day"], "cost": level["amount"], "of": budget["month"] if budget else "",
                          "text": f"reached {level['share']:.0%} of its budget"})
    found += [{"kind": "at_risk_customer", "severity": row["severity"], "subject": row["customer"], "time": None,
               "cost": row["loss"], "text": f"costs more than the prorated price of tier {row['tier']}",
               "customer": row["customer"]}
              for row in at_risk[:SHOWN_AT_RISK]]
    if portfolio["concentrated"]:
        found.append({"kind": "portfolio", "severity": "medium", "subject": portfolio["largest"], "time": None,
                      "cost": None, "text": f"has {portfolio['largest_share']:.0%} of all cost",
                      "provider": portfolio["largest"]})
    order = ("critical", "high", "medium", "low")
    return sorted(found, key=lambda one: (order.index(one["severity"]), -(one["cost"] or 0)))


def _headline(rollup: Rollup, alerts: Sequence[Results], budget: Optional[Results]) -> str:
    """Return how many alerts are open, and what the month comes to; a budget made of its own days tells nothing."""
    if not rollup.total().calls:
        return NO_CALLS
    serious = sum(one["severity"] in ("critical", "high") for one in alerts)
    text = "No alert is open" if not alerts else numbered(len(alerts), "alert is open", "alerts are open") + (
        f", {serious} of them critical or high" if serious else ", none critical or high")
    if budget and (not budget["derived"] or whole_days(rollup)[0][:7] < budget["month"]):
        verb = "heads for" if budget["days_left"] else "came to"
        text += (f"; {budget['month']} {verb} {money(budget['projected'])} against {budget['source']} of "
                 f"{money(budget['budget'])}")
    return text + "."
