"""The page of Real-Time Decision Making: what to look at now, and where the month's budget will end."""
from __future__ import annotations

import blocks as b

_ALERTS = b.Card("summary.alerts", "Open alerts", b.COUNT, note="anomalies, budget, customers, providers", rank=5,
                 spark=b.Course("alerts", name="Alerts by day", by="time", tally=True))

HIGHLIGHTS = (_ALERTS,)

PAGE = (
    b.Cards(cards=(
        _ALERTS,
        b.Card("summary.by_severity.critical", "Critical alerts", b.COUNT),
        b.Card("summary.anomalies", "Abnormal days and hours", b.COUNT),
        b.Card("budget.used", "Used of the month's budget", b.SHARE, spark="budget.pace.spent"),
        b.Card("budget.projected", "The month comes to", b.MONEY, note="at the rate of its last days"),
        b.Card("summary.at_risk_customers", "Customers that cost more than they pay", b.COUNT,
               report="profitability"))),
    b.Alerts("alerts", "What to look at now", most=20,
             text=("customer", "organization", "feature", "provider", "of", "text", "time"),
             empty="Nothing calls for a look: no alert is open."),
    b.Section(title="Where the month's budget will end", wide=True, blocks=(
        b.Lines("budget.pace", "Spend of the month so far, and at the present rate", label="day", then="budget.ahead",
            values=(b.Column("spent", "Spent", b.MONEY), b.Column("budget", "Budget", b.MONEY)),
            empty="The log has no whole day to hold against a budget."),
        b.Facts("budget", "Budget and pace", empty="The log has no whole day to hold against a budget.", names=(
            b.Column("month", "Month"), b.Column("budget", "Budget", b.MONEY), b.Column("source", "Held against"),
            b.Column("spent", "Spent", b.MONEY), b.Column("through", "Through", b.DAY),
            b.Column("used", "Used", b.SHARE), b.Column("rate_per_day", "Rate a day", b.MONEY),
            b.Column("rate_days", "The rate is the mean of the last days", b.COUNT),
            b.Column("days_left", "Days left", b.COUNT), b.Column("projected", "The month comes to", b.MONEY),
            b.Column("overrun", "Beyond the budget", b.MONEY_CHANGE),
            b.Column("month_partly_unseen", "Some days of the month are not in the log"))),
        b.Table("budget.levels", "When levels of the budget are reached", columns=(
            b.Column("share", "Share of the budget"), b.Column("amount", "Spend"),
            b.Column("reached", "Reached"), b.Column("when", "Day, or expected day"),
            b.Column("severity", "Severity"))))),
    b.Section(title="Abnormal days and hours", wide=True, blocks=(
        b.Table("anomalies.robust_seasonal.alerts", "Costs far above what weekday and hour let expect",
                empty="No cost stands out from its level, weekday and hour.", most=200, columns=(
                    b.Column("severity", "Severity"), b.Column("time", "When"), b.Column("scope", "Of"),
                    b.Column("subject", "Which"), b.Column("cost", "Cost"), b.Column("expected", "Expected", b.MONEY),
                    b.Column("excess", "Above it", b.MONEY, bar=True), b.Column("cause.text", "Likely cause"))),
        b.Table("anomalies.robust_seasonal.large", "The dearest surprises that this log's own swings explain",
                about="So much above what weekday and hour let expect that it is worth knowing, but days and hours of "
                      "the same scope swing as far so often that it raises no alert.",
                empty="No other day or hour costs much more than its level, weekday and hour let expect.", columns=(
                    b.Column("time", "When"), b.Column("scope", "Of"), b.Column("subject", "Which"),
                    b.Column("cost", "Cost"), b.Column("expected", "Expected", b.MONEY),
                    b.Column("factor", "Times the expected", b.NUMBER),
                    b.Column("excess", "Above it", b.MONEY, bar=True), b.Column("cause", "Likely cause"))),
        b.Facts("anomalies", "How much was looked at", names=(
            b.Column("robust_seasonal.tested.days", "Days tested, of all customers and other scopes", b.COUNT),
            b.Column("robust_seasonal.tested.hours", "Hours tested", b.COUNT),
            b.Column("robust_seasonal.held_back", "Findings too small to alert on", b.COUNT),
            b.Column("robust_seasonal.held_back_cost", "Their cost above the expected", b.MONEY),
            b.Column("mean_plus_3_sigma.found", "Findings of the plain rule, mean plus 3 sigma", b.COUNT))),
        b.Table("anomalies.mean_plus_3_sigma.largest", "What the plain rule finds, for comparison",
                about="Cost above the mean plus three standard deviations of its scope; it raises no alert, since "
                      "traffic in bursts passes it every day.",
                empty="No cost is beyond the mean plus three standard deviations.", columns=(
                    b.Column("time", "When"), b.Column("grain", "Day or hour"), b.Column("scope", "Of"),
                    b.Column("subject", "Which"), b.Column("cost", "Cost", bar=True), b.Column("mean", "Mean", b.MONEY),
                    b.Column("score", "Standard deviations above", b.NUMBER))))),
    b.Section(title="Customers that cost more than they pay", wide=True, blocks=(
        b.Bars("at_risk_customers", "What they pay and what they cost", label="customer", values=(
            b.Column("revenue", "Revenue"), b.Column("cost", "Cost")),
            empty="No customer costs more than its prorated price."),
        b.Table("at_risk_customers", "The largest losses",
                empty="No customer costs more than its prorated price.", columns=(
                    "customer", b.Column("tier", "Plan"), b.Column("revenue", "Revenue"), b.Column("cost", "Cost"),
                    b.Column("loss", "Lost", bar=True), b.Column("loss_per_month", "Lost a month"),
                    b.Column("days", "Days", b.COUNT), b.Column("severity", "Severity"))))),
    b.Section(title="Dependence on providers", wide=True, blocks=(
        b.Doughnut("portfolio.providers", "Spend by provider", label="provider", values=(b.Column("cost", "Cost"),)),
        b.Table("portfolio.providers", "Providers", columns=(
            "provider", b.Column("cost", "Cost", bar=True), b.Column("share", "Share of cost"))),
        b.Facts("portfolio", "Concentration", names=(
            b.Column("largest", "Largest provider"), b.Column("largest_share", "Its share of cost"),
            b.Column("herfindahl", "Herfindahl index (1: all with one)", b.NUMBER),
            b.Column("concentrated", "Depends on one provider"))))),
)
