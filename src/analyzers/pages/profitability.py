"""The page of Customer Profitability: is the margin sound, who eats it, and what would end that."""
from __future__ import annotations

import blocks as b

_TIER_COLUMNS = (
    b.Column("customers", "Customers"), b.Column("revenue", "Revenue"), b.Column("cost", "Cost", bar=True),
    b.Column("margin", "Margin"), b.Column("margin_percent", "Margin, %"), b.Column("calls", "Calls"),
    b.Column("tokens", "Tokens"))

_MARGIN = b.Card("trend.current.margin", "Margin, last period", change="trend.margin_change", rise=b.GOOD,
                 note="revenue less cost of calls, against the period before", rank=3,
                 spark=b.Course("rolling", "margin", "Rolling margin"))

HIGHLIGHTS = (_MARGIN,)

PAGE = (
    b.Cards(cards=(
        _MARGIN,
        b.Card("summary.compared.margin_percent", "Margin of revenue, whole log"),
        b.Card("trend.current.revenue", "Revenue, last period", change="trend.revenue_change", rise=b.GOOD),
        b.Card("trend.current.cost", "Cost, last period", change="trend.cost_change", rise=b.BAD,
               report="understanding"),
        b.Card("summary.unprofitable_customers", "Customers served at a loss"),
        b.Card("summary.lost_monthly", "Lost on them a month"))),
    b.Section(title="Who is served at a loss", wide=True, blocks=(
        b.Bars("unprofitable", "What they pay and what they cost", label="customer", values=(
            b.Column("revenue", "Revenue"), b.Column("cost", "Cost"))),
        b.Table("unprofitable", "Prices and caps that would end each loss", empty="No customer is served at a loss.",
                most=200, columns=(
                    "customer", b.Column("tier", "Plan"), b.Column("tier_price", "Price a month"),
                    b.Column("lost_monthly", "Lost a month", bar=True),
                    b.Column("months_lost", "Months at a loss"),
                    b.Column("break_even_price", "Price that covers it"),
                    b.Column("covering_tier_price", "Plan that covers it"),
                    b.Column("cap_calls_monthly", "Or cap, calls a month", b.COUNT),
                    b.Column("already_repriced", "Repriced"))))),
    b.Section(title="Revenue, cost and margin over time", wide=True, blocks=(
        b.Comparison("trend", "The last period against the one before", empty="The log is too short for two periods.",
                     rows=(("First day", "current.first", "previous.first"),
                           ("Last day", "current.last", "previous.last"),
                           ("Revenue", "current.revenue", "previous.revenue"),
                           ("Cost", "current.cost", "previous.cost"),
                           ("Margin", "current.margin", "previous.margin"))),
        b.Lines("rolling", "Rolling margin", label="day", values=(b.Column("margin", "Margin"),),
                about="Each point is a period as long as the last one, ending there and taken by itself, so that all "
                      "compare.", empty="The log is too short for two periods."),
        b.Table("months", "By month", columns=("month",) + _TIER_COLUMNS,
                about="The log's first and last month count with the days that the log holds of them; towards its ends "
                      "less revenue is seen, since a customer's first call is still to come or its next one is not "
                      "in the log yet."))),
    b.Section(title="Every customer", wide=True, blocks=(
        b.Scatter("customers", "Revenue and cost of each customer", label="customer", values=(
            b.Column("revenue", "Revenue"), b.Column("cost", "Cost")), group="tier", logarithmic=True),
        b.Table("customers", "Customers, the dearest first", key="customer", most=1000, columns=(
            "customer", b.Column("tier", "Plan"), b.Column("archetype", "Kind of use"),
            b.Column("active_days", "Active days"), b.Column("revenue", "Revenue"),
            b.Column("cost", "Cost", bar=True), b.Column("margin", "Margin"),
            b.Column("margin_percent", "Margin, %"), b.Column("class", "Margin is")),
                about="Each customer by calendar month is in the results as JSON (customer_months)."))),
    b.Section(title="Plans and kinds of use", blocks=(
        b.Doughnut("by_tier", "Revenue by plan", label="tier", values=(b.Column("revenue", "Revenue"),)),
        b.Doughnut("by_tier", "Cost by plan", label="tier", values=(b.Column("cost", "Cost"),)),
        b.Table("by_tier", "By plan", columns=(b.Column("tier", "Plan"),) + _TIER_COLUMNS),
        b.Table("by_archetype", "By kind of use", columns=(b.Column("archetype", "Kind of use"),) + _TIER_COLUMNS),
        b.Table("classes", "By class of margin", columns=(b.Column("class", "Margin is"),) + _TIER_COLUMNS[:5]),
        b.Table("typical_customers", "The median customer of each plan, a month", columns=(
            b.Column("tier", "Plan"), "customers", b.Column("median_monthly_revenue", "Revenue"),
            b.Column("median_monthly_cost", "Cost", bar=True), b.Column("median_monthly_calls", "Calls"),
            b.Column("median_monthly_tokens", "Tokens", b.COMPACT))),
        b.Table("break_even", "Use at which a plan's price is eaten up", columns=(
            b.Column("tier", "Plan"), b.Column("tier_price", "Price a month"),
            b.Column("cost_per_call", "Cost a call"), b.Column("tokens_per_call", "Tokens a call"),
            b.Column("break_even_calls", "Calls a month at which cost is the price", bar=True),
            b.Column("break_even_tokens", "Tokens a month likewise", b.COMPACT))))),
    b.Section(title="How this is counted", blocks=(
        b.Notes("summary.rule"),
        b.Notes("trend.rule"),
        b.Facts("summary", "What is compared", names=(
            b.Column("first_day", "First whole day"), b.Column("last_day", "Last whole day"),
            b.Column("days", "Whole days"), b.Column("customers", "Customers"),
            b.Column("unknown_customers", "Customers whose cost is unknown"),
            b.Column("left_out.calls", "Calls left out, on a partial first or last day"),
            b.Column("left_out.cost", "Their cost"),
            b.Column("thresholds_percent.high", "High margin from", b.PERCENT),
            b.Column("thresholds_percent.medium", "Medium margin from", b.PERCENT))))))
