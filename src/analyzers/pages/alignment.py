"""The page of Organizational Alignment: who caused the cost, who is charged, and how that stands against budgets."""
from __future__ import annotations

import blocks as b

_CHARGES = (
    b.Column("charged", "Charged", bar=True), b.Column("share_of_cost", "Share of cost"),
    b.Column("direct", "Own cost"), b.Column("shared", "Share of shared cost"),
    b.Column("unattributed", "Share of cost without owner"), b.Column("calls", "Own calls"),
    b.Column("unpriced", "Calls without a price"))
_POOLED = (b.Column("cost", "Cost", bar=True), b.Column("share_of_cost", "Share of cost"), b.Column("calls", "Calls"))
_SHOWN = (b.Column("cost", "Cost", bar=True), b.Column("share_of_cost", "Share of cost"),
          b.Column("production", "In production", b.MONEY),
          b.Column("other_environments", "In other environments", b.MONEY), b.Column("calls", "Calls"),
          b.Column("attributed", "A name that can be charged"))
_COVERAGE = b.Card("summary.coverage_percent", "Attribution coverage", rise=b.GOOD, rank=6,
                   note="of cost has a direct owner", spark=b.Course("coverage.daily", "share_of_cost", "Share by day"))
_NO_BUDGET = "No budget is set, and the log has no whole month before the last one to derive one from."
_ORGANISATION = b.Column("organization", "Organisation")
_NO_CHARGE = "No name in the log can be charged."

HIGHLIGHTS = (_COVERAGE,)

PAGE = (
    b.Cards(cards=(
        _COVERAGE,
        b.Card("summary.direct_cost", "Own cost of owners"),
        b.Card("summary.shared_cost", "Shared platform cost"),
        b.Card("summary.unattributed_cost", "Cost without an owner"),
        b.Card("budget.used", "Used of the budget to date", note="the month's budget for the days so far"),
        b.Card("budget.over", "Beyond the budget", note="negative: within it"))),
    b.Section(title="Who is charged", wide=True, blocks=(
        b.StackedBars("chargeback.organization.charges", "What organisations are charged, and for what",
                      label="organization", values=(
                          b.Column("direct", "Own cost"), b.Column("shared", "Shared cost"),
                          b.Column("unattributed", "Cost without owner")), most=15, empty=_NO_CHARGE),
        b.Table("chargeback.organization.charges", "Chargeback by organisation", key="organization", most=200,
                columns=(_ORGANISATION,) + _CHARGES, empty=_NO_CHARGE),
        b.Table("chargeback.product.charges", "Chargeback by product", columns=("product",) + _CHARGES,
                empty=_NO_CHARGE),
        b.Table("chargeback.feature.charges", "Chargeback by feature", columns=("feature",) + _CHARGES,
                empty=_NO_CHARGE))),
    b.Section(title="How much has an owner", wide=True, blocks=(
        b.Doughnut("coverage.by_kind", "Cost by kind of owner", label="kind", values=(b.Column("cost", "Cost"),)),
        b.Table("coverage.by_kind", "Cost by kind of owner", columns=(b.Column("kind", "Kind"),) + _POOLED),
        b.Table("coverage.by_dimension", "Cost that each kind of name alone covers", columns=(
            b.Column("dimension", "Name"), b.Column("attributed_cost", "Cost with a name", bar=True),
            b.Column("share_of_cost", "Share of cost"), b.Column("share_of_calls", "Share of calls"))),
        b.Table("pools.shared", "What the shared cost is made of", columns=("environment",) + _POOLED,
                empty="No cost is shared: all calls with owners are in production."),
        b.Table("pools.unattributed", "What has no owner", columns=(b.Column("missing", "Names that are missing"),)
                + _POOLED, empty="Every call names its organisation, product and feature."))),
    b.Section(title="Against the budget", wide=True, blocks=(
        b.Bars("budget.organizations", "Budget of the month's days so far, and what was spent", label="organization",
               values=(b.Column("budget_to_date", "Budget to date", b.MONEY), b.Column("actual", "Spent", b.MONEY)),
               most=10, empty=_NO_BUDGET),
        b.Table("budget.organizations", "Budget by organisation", most=100, empty=_NO_BUDGET, columns=(
            _ORGANISATION, b.Column("actual", "Spent", b.MONEY, bar=True),
            b.Column("budget_to_date", "Budget to date", b.MONEY), b.Column("over", "Beyond it", b.MONEY_CHANGE),
            b.Column("used", "Used", b.SHARE), b.Column("budget", "Budget of the month", b.MONEY),
            b.Column("standing", "Standing"))),
        b.Facts("budget", "How budgets are held", empty=_NO_BUDGET, names=(
            b.Column("month", "Month"), b.Column("days", "Days of it in the log", b.COUNT),
            b.Column("budget", "Budget of the month", b.MONEY), b.Column("budget_to_date", "For these days", b.MONEY),
            b.Column("actual", "Spent", b.MONEY), b.Column("derived", "Derived, not set"),
            b.Column("how", "How"))))),
    b.Section(title="Fair share", wide=True, blocks=(
        b.Scatter("fair_share", "Share of calls and share of cost of each organisation", label="organization", values=(
            b.Column("share_of_calls", "Share of calls"), b.Column("share_of_cost", "Share of cost")),
            group="standing", most=150, about="Far above the others: calls that cost more than usual."),
        b.Table("fair_share", "Cost against calls and customers", most=100, columns=(
            _ORGANISATION, b.Column("cost", "Cost", bar=True), b.Column("share_of_cost", "Share of cost"),
            b.Column("share_of_calls", "Share of calls"), b.Column("share_of_customers", "Share of customers"),
            b.Column("cost_to_calls", "Cost share to call share", b.NUMBER), b.Column("customers", "Customers"),
            b.Column("standing", "Standing"))))),
    b.Section(title="Month by month", blocks=(
        b.StackedBars("months", "Cost by month", label="month", values=(b.Column("cost", "Cost"),), standing=True),
        b.Bars("organization_months.organizations", "What changed between the last two whole months",
               label="organization", values=(b.Column("difference", "Change, $", b.MONEY_CHANGE),), most=10,
               empty="The log has no two whole months in a row."),
        b.Table("months", "Months", about="Only whole months are compared with each other.", columns=(
            "month", b.Column("cost", "Cost", bar=True), b.Column("change", "Change"),
            b.Column("days", "Days in the log", b.COUNT), b.Column("whole", "Whole month"))),
        b.Table("organization_months.organizations", "Organisations, the last two whole months", most=50,
                empty="The log has no two whole months in a row.", columns=(
                    _ORGANISATION, b.Column("difference", "Change, $", bar=True),
                    b.Column("change", "Change, %"), b.Column("previous", "Month before", b.MONEY),
                    b.Column("current", "Last whole month", b.MONEY))))),
    b.Section(title="Showback: cost as the log names it", wide=True, blocks=(
        b.Table("showback.organization", "Showback by organisation", most=50, columns=(_ORGANISATION,) + _SHOWN),
        b.Table("showback.product", "Showback by product", columns=("product",) + _SHOWN),
        b.Table("showback.feature", "Showback by feature", columns=("feature",) + _SHOWN))),
    b.Section(title="How cost is attributed", blocks=(b.Notes("summary.attribution_rule"),)),
)
