"""The page of Feature Economics: what each feature costs and carries, who uses it, and what to do with it."""
from __future__ import annotations

import blocks as b

PAGE = (
    b.Cards(cards=(
        b.Card("features.0.feature", "Dearest feature"),
        b.Card("features.0.trend.cost", "Its cost, last period", b.MONEY, change="features.0.trend.cost_change",
               rise=b.BAD),
        b.Card("features.0.margin_percent", "Its margin of revenue, whole log"),
        b.Card("features.0.adoption_percent", "Customers who use it"),
        b.Card("summary.features", "Features"),
        b.Card("summary.compared.margin_percent", "Margin of all revenue", report="profitability"))),
    b.Section(title="Where each feature stands", wide=True, blocks=(
        b.Scatter("features", "Adoption and margin", label="feature", group="quadrant", values=(
            b.Column("adoption_percent", "Customers who use it"), b.Column("margin_percent", "Margin of revenue"))),
        b.Table("features", "Features, the dearest first", key="feature", empty="No whole day of calls.", columns=(
            b.Column("feature", "Feature"), b.Column("product", "Product"), b.Column("quadrant", "What to do"),
            b.Column("cost", "Cost", bar=True), b.Column("revenue", "Revenue it carries"),
            b.Column("margin_percent", "Margin, %"), b.Column("customers", "Customers"),
            b.Column("adoption_percent", "Of all customers"), b.Column("cost_per_customer", "Cost a customer"),
            b.Column("calls", "Calls"))))),
    b.Section(title="Cost and revenue", blocks=(
        b.Doughnut("features", "Cost by feature", label="feature", values=(b.Column("cost", "Cost"),)),
        b.Bars("features", "Revenue that rests on each feature", label="feature", values=(
            b.Column("revenue", "Revenue"),)))),
    b.Section(title="What changed against the period before", wide=True, blocks=(
        b.Bars("features", "Cost of each feature, this period and the one before", label="feature", values=(
            b.Column("trend.cost", "This period", b.MONEY), b.Column("trend.cost_before", "The one before", b.MONEY))),
        b.Table("features", "Use and cost of this period against the one before", columns=(
            b.Column("feature", "Feature"), b.Column("trend.calls", "Calls", b.COUNT),
            b.Column("trend.calls_change", "Change of calls", b.CHANGE),
            b.Column("trend.cost", "Cost", b.MONEY, bar=True),
            b.Column("trend.cost_change", "Change of cost", b.CHANGE),
            b.Column("trend.cost_per_call", "Cost a call", b.MONEY),
            b.Column("trend.cost_per_call_before", "Cost a call before", b.MONEY),
            b.Column("trend.is_new", "New"))),
        b.Facts("summary.periods", names=(
            b.Column("current_first", "This period from", b.DAY), b.Column("current_last", "to", b.DAY),
            b.Column("previous_first", "The one before from", b.DAY), b.Column("previous_last", "to", b.DAY)),
                empty="The log is too short to compare two periods."))),
    b.Section(title="How revenue is shared and features are judged", blocks=(
        b.Table("features", "What sharing revenue by calls would say instead", columns=(
            b.Column("feature", "Feature"), b.Column("revenue", "Revenue by cost"),
            b.Column("revenue_by_calls", "Revenue by calls", b.MONEY), b.Column("margin_percent", "Margin by cost, %"),
            b.Column("margin_percent_by_calls", "Margin by calls, %", b.PERCENT),
            b.Column("quadrant", "By cost"), b.Column("quadrant_by_calls", "By calls", b.BADGE))),
        b.Notes("summary.quadrant_rule"),
        b.Notes("summary.attribution_rule"),
        b.Notes("summary.rule"),
        b.Facts("summary", "What is compared", names=(
            b.Column("target_margin_percent", "Target margin"), b.Column("first_day", "First whole day"),
            b.Column("last_day", "Last whole day"), b.Column("days", "Whole days"),
            b.Column("customers", "Customers"), b.Column("left_out.calls", "Calls left out, on partial days"),
            b.Column("left_out.cost", "Their cost"))))))
