"""The page of Pricing Strategy: which plan earns more, who would pay for it, and what today's prices leave."""
from __future__ import annotations

import blocks as b

_MOVED = (b.Column("today_monthly", "Bill today"), b.Column("bill_monthly", "Bill under the plan"))

PAGE = (
    b.Cards(cards=(
        b.Card("plans.0.monthly_revenue", "Revenue a month, today's prices", report="profitability"),
        b.Card("recommended.title", "Recommended plan"),
        b.Card("recommended.change_monthly", "It would add a month", b.MONEY_CHANGE,
               note="if use stays as it was and nobody leaves"),
        b.Card("recommended.paying_more.customers", "Customers who would pay more"),
        b.Card("recommended.shocked_share", "Bills that would rise by over a quarter"),
        b.Card("plans.0.margin_percent", "Margin of revenue today"))),
    b.Section(title="Plans replayed over the months that were", wide=True, blocks=(
        b.Bars("plans", "Revenue and cost of each plan", label="title", values=(
            b.Column("revenue", "Revenue"), b.Column("cost", "Cost"))),
        b.StackedBars("plans", "Who would pay more, less, or the same", label="title", values=(
            b.Column("paying_more.customers", "Pay more"), b.Column("paying_less.customers", "Pay less"),
            b.Column("paying_same.customers", "Pay the same"))),
        b.Table("plans", "Plans", empty="No whole day of calls, so there is nothing to replay.", columns=(
            b.Column("title", "Plan"), b.Column("monthly_revenue", "Revenue a month", bar=True),
            b.Column("change_monthly", "Change a month", b.MONEY_CHANGE), b.Column("margin_percent", "Margin, %"),
            b.Column("unprofitable_customers", "Customers at a loss"), b.Column("lost_monthly", "Lost a month"),
            b.Column("shocked_share", "Bills up by over a quarter"))),
        b.Table("plans", "How each plan is made, and what it would charge for the target margin", columns=(
            b.Column("title", "Plan"), b.Column("how", "How it is made"), b.Column("prices", "Prices, $", b.TEXT),
            b.Column("target.factor", "For the target margin, times", b.NUMBER),
            b.Column("target.prices", "That is, $", b.TEXT))))),
    b.Section(title="Whose bill the recommended plan changes most", wide=True, blocks=(
        b.Bars("recommended.paying_more.largest", "Largest rises, dollars a month", label="customer", values=_MOVED,
               empty="Nobody would pay more."),
        b.Table("recommended.paying_more.largest", "Largest rises", empty="Nobody would pay more.", columns=(
            "customer", *_MOVED, b.Column("change_monthly", "Change a month", b.MONEY_CHANGE, bar=True))),
        b.Table("recommended.paying_less.largest", "Largest falls", empty="Nobody would pay less.", columns=(
            "customer", *_MOVED, b.Column("change_monthly", "Change a month", b.MONEY_CHANGE, bar=True))))),
    b.Section(title="Bills by customer", wide=True, blocks=(
        b.Table("customers", "The whole log's bill under each plan, the dearest customers first", most=150, columns=(
            "customer", b.Column("cost", "Cost", bar=True), b.Column("today", "Today", b.MONEY),
            b.Column("flat", "One price for all", b.MONEY), b.Column("usage_based", "Pay per token", b.MONEY),
            b.Column("tiered", "Bands of use", b.MONEY), b.Column("hybrid", "Tokens included", b.MONEY),
            b.Column("tokens", "Tokens"))),)),
    b.Section(title="How this is counted", blocks=(
        b.Notes("summary.rule"),
        b.Notes("summary.assumption"),
        b.Facts("summary", "What is compared", names=(
            b.Column("target_margin_percent", "Target margin"),
            b.Column("first_day", "First whole day"), b.Column("last_day", "Last whole day"),
            b.Column("days", "Whole days"), b.Column("customers", "Customers"),
            b.Column("left_out.calls", "Calls left out, on a partial first or last day"),
            b.Column("left_out.cost", "Their cost"))))))
