"""The page of Churn & Growth: what revenue is at risk, who fell silent, and whether more come than go."""
from __future__ import annotations

import blocks as b

_RISK = b.Card("summary.revenue_at_risk", "Revenue at risk a month", note="of customers who are unusually silent",
               spark=b.Course("at_risk", "monthly_revenue", "By last call", by="last_active", tally=True), rank=7)
_PERSON = (
    "customer", "organization", b.Column("tier", "Plan"), b.Column("monthly_revenue", "Pays a month", bar=True),
    b.Column("last_active", "Last call"), b.Column("silent_days", "Silent days", b.COUNT),
    b.Column("mean_gap_days", "Usual gap, days", b.NUMBER),
    b.Column("called_left_after_days", "Left after, days", b.COUNT),
    b.Column("chance_if_still_there", "Chance if still there", b.SHARE))
_MEANS = (("Active customers", "weekly_active.current", "weekly_active.previous"),
          ("Calls", "calls.current", "calls.previous"), ("Tokens", "tokens.current", "tokens.previous"),
          ("Cost", "cost.current", "cost.previous"))

HIGHLIGHTS = (_RISK,)

PAGE = (
    b.Cards(cards=(
        _RISK,
        b.Card("summary.revenue_lost", "Revenue of those who left, a month"),
        b.Card("summary.active_last_week", "Active in the last week", b.COUNT, change="summary.weekly_active_growth",
               rise=b.GOOD, spark="weekly.active"),
        b.Card("summary.joined", "Joined", b.COUNT),
        b.Card("summary.left", "Left", b.COUNT),
        b.Card("summary.at_risk", "Unusually silent", b.COUNT))),
    b.Section(title="Revenue at risk", wide=True, blocks=(
        b.Doughnut("revenue_at_risk", "Subscriptions a month by state of the customer", label="state",
                   values=(b.Column("monthly_revenue", "Subscriptions a month"),)),
        b.Table("revenue_at_risk", "Customers by state", columns=(
            b.Column("state", "State"), b.Column("customers", "Customers"),
            b.Column("monthly_revenue", "Subscriptions a month", bar=True),
            b.Column("share", "Share of subscriptions"))),
        b.Table("at_risk", "Unusually silent, the dearest subscriptions first", columns=_PERSON, most=200,
                empty="Nobody is unusually silent."),
        b.Table("leavers", "Left, the dearest subscriptions first", columns=_PERSON[:-1], most=200,
                empty="Nobody has fallen silent longer than its rhythm explains."))),
    b.Section(title="Comings and goings", wide=True, blocks=(
        b.Lines("weekly", "Active customers a week", label="first_day", values=(
            b.Column("active", "Active", b.COUNT), b.Column("retained", "Of them active the week before", b.COUNT))),
        b.StackedBars("weekly", "Joined and left by week", label="first_day", standing=True, most=0,
                      about="Who joined in the first weeks cannot be told from who was there before, nor who fell "
                            "silent in the last weeks from who only pauses: both are counted later or not at all.",
                      values=(
            b.Column("joined", "Joined", b.COUNT), b.Column("left", "Left", b.COUNT))),
        b.Table("weekly", "Week by week", empty="The log holds no whole week.", columns=(
            b.Column("first_day", "Week from"), b.Column("active", "Active", b.COUNT, bar=True),
            b.Column("active_change", "Change"), b.Column("retention", "Of the week before, still active"),
            b.Column("first_seen", "Seen first", b.COUNT), b.Column("joined", "Joined", b.COUNT),
            b.Column("left", "Left", b.COUNT), b.Column("calls", "Calls"), b.Column("cost", "Cost"))))),
    b.Section(title="Retention and growth", wide=True, blocks=(
        b.HeatMap("cohorts", "Share still active, by week of the first call and weeks since", label="first_day",
                  values=(b.Column("retention", "Still active", b.SHARE),),
                  about="The first row holds all who were there from the log's first whole week."),
        b.Comparison("growth", "A mean week of the last weeks against as many before", rows=_MEANS, rise=b.NEUTRAL,
                     names=("Last weeks", "Weeks before"), empty="The log is too short to compare weeks."))),
    b.Section(title="How this is counted", blocks=(
        b.Notes("rule.words"),
        b.Facts(title="How far to trust it", names=(
            b.Column("rule.judged", "Customers judged", b.COUNT),
            b.Column("rule.expected_false_alarms", "False alarms to expect among them, at most", b.NUMBER),
            b.Column("rule.past_looks", "Looks at the log's own past", b.COUNT),
            b.Column("rule.past_false_alarms", "Of them false alarms", b.COUNT),
            b.Column("rule.past_false_alarm_rate", "Rate of false alarms in the past", b.SHARE),
            b.Column("rule.least_active_days", "Active days before anybody is judged", b.COUNT),
            b.Column("growth.weeks_compared", "Weeks compared with as many before", b.COUNT))))))
