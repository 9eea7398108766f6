"""The page of Performance Tracking: how fast answers come, which calls fail, and what speed costs."""
from __future__ import annotations

import blocks as b

_MODEL = ("provider", "model")
_SPEED = (
    b.Column("calls", "Calls"), b.Column("p50_ms", "Median (P50)"), b.Column("p95_ms", "P95", bar=True),
    b.Column("p99_ms", "P99"), b.Column("max_ms", "Longest"),
    b.Column("tokens_per_second", "Output tokens a second", b.NUMBER),
    b.Column("sla_compliance", "Within the limit", b.SHARE), b.Column("error_rate", "Failed"),
    b.Column("cost", "Cost"))
_RANKED = _MODEL + (
    b.Column("front", "Rank", b.COUNT), b.Column("pareto_front", "None is better in all three"),
    b.Column("usd_per_million_tokens", "Cost of a million tokens"), b.Column("p50_ms", "Median", bar=True),
    b.Column("tokens_per_second", "Output tokens a second", b.NUMBER), b.Column("calls", "Timed calls"))
_KINDS = (
    b.Column("by_kind.rate_limit", "Rate limit", b.COUNT), b.Column("by_kind.timeout", "Timeout", b.COUNT),
    b.Column("by_kind.server_error", "Server error", b.COUNT),
    b.Column("by_kind.auth_error", "Not authorised", b.COUNT))
_FAILED = (b.Column("error_rate", "Failed", bar=True), b.Column("failed", "Failed calls", b.COUNT),
           b.Column("calls", "Calls"))

PAGE = (
    b.Cards(cards=(
        b.Card("summary.p50_ms", "Median time to answer"),
        b.Card("summary.p95_ms", "P95", note="95 % of answers came within"),
        b.Card("summary.sla_compliance", "Within the limit", b.SHARE, note="of answered calls"),
        b.Card("trend.current.mean_ms", "Mean time, last period", change="trend.mean_change", rise=b.BAD,
               spark="daily.mean_ms"),
        b.Card("trend.current.error_rate", "Failed calls, last period", change="trend.error_rate_change", rise=b.BAD,
               spark="daily.error_rate"),
        b.Card("summary.tokens_per_second", "Output tokens a second", b.NUMBER))),
    b.Section(title="What speed costs", wide=True, blocks=(
        b.Scatter("ranking", "Cost and median time of each model", label="model", values=(
            b.Column("usd_per_million_tokens", "Cost of a million tokens"), b.Column("p50_ms", "Median time")),
            group="provider", logarithmic=True,
            about="Down and to the left is better: cheaper and quicker. What a model is used for moves it too.",
            empty="No model has enough timed calls with a known cost to be ranked."),
        b.Table("ranking", "Models ranked by cost, median time and speed", most=100, columns=_RANKED,
                empty="No model has enough timed calls with a known cost to be ranked."),
        b.Table("ranking_by_feature", "The same within each feature, where the work is alike", most=75,
                columns=("feature",) + _RANKED,
                empty="No model has enough timed calls of one feature to be ranked."))),
    b.Section(title="How fast answers come", blocks=(
        b.Bars("by_feature", "Time to answer by feature", label="feature", values=(
            b.Column("p50_ms", "Median"), b.Column("p95_ms", "P95"))),
        b.Bars("by_provider", "Time to answer by provider", label="provider", values=(
            b.Column("p50_ms", "Median"), b.Column("p95_ms", "P95"))),
        b.Table("by_model", "Speed and errors by model", most=100, columns=_MODEL + _SPEED),
        b.Table("by_provider", "Speed and errors by provider", columns=("provider",) + _SPEED),
        b.Table("by_feature", "Speed and errors by feature", columns=("feature",) + _SPEED))),
    b.Section(title="Where the limit is broken", wide=True, blocks=(
        b.Facts("sla", "Service level", names=(
            b.Column("sla_ms", "Limit"), b.Column("calls", "Answered calls with a known time"),
            b.Column("breaches", "Longer than the limit", b.COUNT), b.Column("compliance", "Within the limit", b.SHARE),
            b.Column("failed", "Failed calls", b.COUNT),
            b.Column("compliance_of_all_calls", "Within the limit, failed calls as breaches", b.SHARE))),
        b.Table("sla.worst", "Where most answers take too long", empty="Every answer came within the limit.", columns=(
            "feature", "provider", "model", b.Column("breaches", "Too long", b.COUNT, bar=True),
            b.Column("calls", "Timed calls"), b.Column("compliance", "Within the limit", b.SHARE),
            b.Column("share_of_breaches", "Share of all that took too long"))))),
    b.Section(title="Which calls fail", blocks=(
        b.Doughnut("errors.by_kind", "Failed calls by kind", label="status", values=(b.Column("calls", "Calls"),),
                   empty="No call failed."),
        b.Lines("daily", "Failed calls, share of all by day", label="day", values=(b.Column("error_rate", "Failed"),),
                empty="The log has no whole day to draw."),
        b.Table("errors.by_kind", "Failed calls by kind", empty="No call failed.", columns=(
            b.Column("status", "Kind"), b.Column("calls", "Calls", bar=True),
            b.Column("share_of_failed", "Share of failed calls"), b.Column("share_of_calls", "Share of all calls"),
            b.Column("cost", "Paid for them"))),
        b.Table("errors.by_provider", "Failed calls by provider", columns=("provider",) + _FAILED + _KINDS),
        b.Table("errors.by_model", "Failed calls by model", most=50, columns=_MODEL + _FAILED + _KINDS))),
    b.Section(title="How this is measured", blocks=(b.Notes("notes"),)),
)
