"""Dashboard Overview: what AWS costs, where it is heading, where it goes, and what it is made of."""
from __future__ import annotations

from decimal import Decimal
from typing import Any, Dict, List, Optional, Tuple

import blocks as b
from analyzers.wording import money, percent
from aws.charges import AWS
from aws.reports.base import AwsReport, Results
from aws.utils import ratio

MOST_URGENT = 5  # findings that the overview names
_RUNNING = b.Card("summary.now", "Use, last complete days", b.MONEY, change="summary.change", rise=b.BAD,
                  spark="running.cost",
                  note="against as many before; without tax, support, credits and fees in a lump")
_MONTH = b.Card("summary.month_ahead", "This month, forecast", b.MONEY, low="summary.month_low",
                high="summary.month_high", note="net: what is billed, and what is foretold for the rest")
_MONTH_BY_AWS = b.Card("summary.month_by_aws", "This month, AWS's forecast", b.MONEY,
                       note="net: what is billed until yesterday, and what Cost Explorer foretells from today")
_PARTS = tuple(b.Column(name, title, b.MONEY) for name, title in (
    ("services", "Services"), ("support", "Support"), ("tax", "Tax"), ("credits", "Credits"), ("refunds", "Refunds")))
_MONEY = (b.Column("gross", "Gross", b.MONEY), *_PARTS, b.Column("net", "Net", b.MONEY))
_CHANGE = (b.Column("cost", "Net cost", b.MONEY, bar=True), b.Column("share", "Share", b.SHARE),
           b.Column("now", "Use, last days", b.MONEY), b.Column("before", "Use, as many before", b.MONEY),
           b.Column("difference", "Change, amount", b.MONEY_CHANGE), b.Column("change", "Change", b.CHANGE))
_PROVIDERS = b.Section(title="Providers", blocks=(
    b.Bars("by_provider", "Net cost by provider", label="provider", values=(b.Column("cost", "Cost", b.MONEY),)),
    b.Table("by_provider", "Providers", columns=("provider", *_CHANGE))))
_TOO_SHORT = "There are too few complete days to compare one time with another."

_FIGURES = (
    b.Card("summary.month_to_date", "This month so far", b.MONEY, note="net, until the last complete day"),
    b.Card("summary.last_month", "Last whole month", b.MONEY, note="net"),
    b.Card("summary.net", "All days looked at", b.MONEY, note="net: gross less credits and refunds"),
    b.Card("summary.saving", "Savings found, a month", b.MONEY, report="aws_insights",
           note="each dollar counted once"))

PAGE = (
    b.Cards(cards=(_RUNNING, _MONTH, *_FIGURES)),
    b.Section(title="Month by month", blocks=(
        b.StackedBars("monthly", "The bill by its parts", label="month", values=_PARTS, standing=True, most=0,
                      about="Credits and refunds are below the line; all parts together are what is to pay."),
        b.Doughnut("by_service", "Net cost by service", label="service", values=(b.Column("cost", "Cost", b.MONEY),)),
        b.Table("monthly", "Months", columns=("month", *_MONEY, "state"), about=(
            "Incomplete: days are missing, or not yet wholly told; it is never compared with a whole one. "
            "Estimated: AWS may still change it.")))),
    b.Section(title="Where it is heading", wide=True, blocks=(
        b.Lines("running", "What use costs a day, and the next 30 days", label="day",
                values=(b.Column("cost", "Use", b.MONEY),), then="ahead", low="low", high="high",
                empty="There is no complete day to draw."),
        b.Comparison("summary", "This month", names=("This month", "Budget"), kind=b.MONEY, rise=b.BAD, rows=(
            ("Forecast against budget", "month_ahead", "budget"),)))),
    b.Section(title="What changed", blocks=(
        b.Bars("changes", "What moved use most", label="service",
               values=(b.Column("difference", "Change, amount", b.MONEY_CHANGE),), empty=_TOO_SHORT),
        b.Bars("by_account", "Net cost by account", label="account", values=(b.Column("cost", "Cost", b.MONEY),)),
        b.Table("by_service", "Services", key="service", columns=("service", *_CHANGE)),
        b.Table("by_account", "Accounts", columns=("account", *_CHANGE)),
        b.Table("by_region", "Regions", columns=("region", *_CHANGE)))),
    b.Section(title="What is counted", blocks=(
        b.Facts("bill", names=(b.Column("name", "Source"), b.Column("providers", "Providers"),
                               b.Column("first", "First day", b.DAY), b.Column("last", "Last day", b.DAY),
                               b.Column("complete_last", "Last complete day", b.DAY), b.Column("metric", "Metric"),
                               b.Column("currency", "Currency"), b.Column("asking.paid_requests", "Paid requests"))),
        b.Table("by_metric", "The same bill by other metrics",
                columns=("metric", b.Column("cost", "Net cost", b.MONEY)),
                about="Views of one bill: unblended is what is invoiced, amortized spreads what is paid upfront."),
        b.Table("daily", "Days", most=400, columns=(
            b.Column("day", "Day", b.DAY), b.Column("running", "Use", b.MONEY), b.Column("gross", "Gross", b.MONEY),
            b.Column("credits", "Credits", b.MONEY), b.Column("refunds", "Refunds", b.MONEY),
            b.Column("net", "Net", b.MONEY), "state")),
        b.Notes("notes", "What is missing", empty="Nothing is missing."))),
)


class DashboardReport(AwsReport):
    """The overview."""

    id = "aws_dashboard"
    title = "Dashboard Overview"
    description = "What AWS costs by month, service, account and region, and where it is heading"
    rank = 1
    page = PAGE
    highlights = (b.Card("summary.month_ahead", "AWS, this month, forecast", b.MONEY, low="summary.month_low",
                         high="summary.month_high", note="net of credits", rank=60,
                         spark=b.Course("daily", "net", "Net cost by day")),
                  b.Card("summary.saving", "AWS savings found, a month", b.MONEY, report="aws_insights", rank=60,
                         spark=b.Course("recommendations", "monthly_usd", "Largest findings", by="action",
                                        columns=True)))

    @staticmethod
    def described(results: Results) -> Tuple[b.Block, ...]:
        """Return the page, with AWS's own forecast where there is one, and providers where there are several."""
        first, months, *others = PAGE
        if results["summary"].get("month_by_aws") is not None:
            first = b.Cards(cards=(_RUNNING, _MONTH, _MONTH_BY_AWS, *_FIGURES))
        return (first, months, *((_PROVIDERS,) if results.get("by_provider") else ()), *others)

    def examine(self) -> Results:
        """Return months, days, breakdowns, forecast and what changed."""
        service = self.service
        by_service = service.get_costs_by_service()
        summary = self._summary()
        has_others = self.study.bill()["providers"] != [AWS]
        return {
            **({"by_provider": service.get_costs_by_service("provider")} if has_others else {}),
            "headline": _headline(summary, by_service), "summary": summary,
            "monthly": [_stated("month", row["first"][:7], row) for row in service.get_monthly_costs()],
            "daily": [_stated("day", row["first"], row) for row in service.get_daily_costs()],
            "running": [{"day": day.isoformat(), "cost": cost} for day, cost in zip(*service.running())],
            "ahead": self.study.ahead.days, "by_service": by_service,
            "by_account": service.get_costs_by_service("account"), "by_region": service.get_costs_by_service("region"),
            "changes": _changes(by_service), "by_metric": service.by_metric(),
            "recommendations": self.study.examined.findings[:MOST_URGENT]}

    def _summary(self) -> Results:
        trend, ahead, total = self.service.trend(), self.study.ahead, self.service.total()
        return dict(total.as_data(), now=trend.now, before=trend.before, change=trend.change,
                    direction=trend.direction, window_days=trend.days, slope=trend.slope,
                    month=ahead.month_first.isoformat()[:7], month_is_over=ahead.first.month != ahead.month_first.month,
                    month_to_date=ahead.to_date, month_ahead=ahead.month,
                    month_low=ahead.low, month_high=ahead.high, month_by_aws=self.study.month_by_aws,
                    last_month=ahead.last_month, budget=self.study.budget,
                    is_budget_set=self.study.set_budget is not None,
                    budget_share=ratio(ahead.month, self.study.budget), saving=self.study.saving,
                    forecast_error=ahead.forecast.backtest.forecast_error
                    if ahead.forecast and ahead.forecast.backtest else None)


def _stated(name: str, value: str, row: Results) -> Results:
    """Return a period's row with its name in front and its state in a word."""
    state = "incomplete" if not row["complete"] else "estimated" if row["estimated"] else "final"
    return dict({name: value}, **row, state=state)


def _changes(rows: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    found = [row for row in rows if row["difference"]]
    return sorted(found, key=lambda row: -abs(row["difference"]))[:10]


def _headline(summary: Results, services: List[Dict[str, Any]]) -> str:
    """Return what the month comes to, how use changed, and by what."""
    texts = []
    if summary["month_ahead"] is not None:
        word = "cost" if summary["month_is_over"] else "is heading for"
        texts.append(f"{summary['month']} {word} {money(summary['month_ahead'])}"
                     + _against(summary["month_ahead"], summary["budget"], summary["is_budget_set"]) + ".")
    elif summary["net"] is not None:
        texts.append(f"AWS cost {money(summary['net'])} net in the days looked at.")
    if summary["change"] is not None:
        moved = _changes(services)
        most = f", most of all {moved[0]['service']} ({'+' if moved[0]['difference'] > 0 else ''}" \
               f"{money(moved[0]['difference'])})" if moved else ""
        word = "about as much as" if abs(summary["change"]) < 0.01 else (
            f"{percent(abs(summary['change']))} {'more' if summary['change'] > 0 else 'less'} than")
        texts.append(f"Use cost {money(summary['now'])} in the last {summary['window_days']} complete days, {word} in "
                     f"as many before{most}.")
    return " ".join(texts) or "What AWS cost in these days is unknown."


def _against(month: Decimal, budget: Optional[Decimal], is_set: bool) -> str:
    if budget is None:
        return ""
    name = "its budget" if is_set else "last month plus a tenth"
    return f", {money(abs(month - budget))} {'above' if month > budget else 'below'} {name}"


