"""The page of Geographic Latency: which region is slow for the same work, and which route would be quicker."""
from __future__ import annotations

import blocks as b

_TIMES = (b.Column("p50_ms", "Median"), b.Column("p95_ms", "95th percentile", bar=True),
          b.Column("p99_ms", "99th percentile"))
_CALLS = (b.Column("calls", "Calls"), b.Column("failed", "Failed calls", b.COUNT), b.Column("error_rate", "Error rate"))

PAGE = (
    b.Cards(cards=(
        b.Card("summary.slowest_region", "Slowest region for the same work"),
        b.Card("summary.slowest_index", "Slowest, times what is usual", b.NUMBER),
        b.Card("summary.fastest_region", "Quickest region for the same work"),
        b.Card("summary.fastest_index", "Quickest, times what is usual", b.NUMBER),
        b.Card("summary.routes", "Routes that would be quicker", b.COUNT),
        b.Card("summary.regions", "Regions", b.COUNT))),
    b.Section(title="Regions compared", wide=True, blocks=(
        b.Bars("by_region", "Time for the same work, 1 being usual", label="region",
               values=(b.Column("latency_index", "Times what is usual", b.NUMBER),)),
        b.Table("by_region", "Regions", key="region", columns=(
            "region", b.Column("latency_index", "Times what is usual", b.NUMBER), *_CALLS, *_TIMES,
            b.Column("max_ms", "Longest"), b.Column("cost", "Cost"))))),
    b.Section(title="Providers in each region", wide=True, blocks=(
        b.HeatMap("by_provider_and_region", "Time for the same work, 1 being usual for the provider", label="provider",
                  across="region", values=(b.Column("latency_index", "Times what is usual", b.NUMBER),)),
        b.HeatMap("by_provider_and_region", "95th percentile of latency", label="provider", across="region",
                  values=(b.Column("p95_ms", "95th percentile"),)),
        b.HeatMap("by_provider_and_region", "Error rate", label="provider", across="region",
                  values=(b.Column("error_rate", "Error rate"),)),
        b.Table("by_provider_and_region", "Providers by region", most=200, columns=(
            "provider", "region", b.Column("latency_index", "Times what is usual", b.NUMBER), *_CALLS, *_TIMES)))),
    b.Section(title="Routes that would be quicker", wide=True, blocks=(
        b.Bars("routes", "Median now and on the better route", label="feature from_model from_region",
               values=(b.Column("p50_now_ms", "Now"), b.Column("p50_then_ms", "On the route")), most=10,
               empty="No route is surely quicker on enough calls."),
        b.Table("routes", "Routes, the most time saved first", empty="No route is surely quicker on enough calls.",
                columns=("feature", b.Column("from_provider", "From provider"), b.Column("from_model", "From model"),
                         b.Column("from_region", "From region"), b.Column("to_provider", "To provider"),
                         b.Column("to_model", "To model"), b.Column("to_region", "To region"),
                         b.Column("gain_ms", "Gain at the median", bar=True),
                         b.Column("sure_gain_ms", "At least, 95 % sure"), b.Column("calls", "Calls"),
                         b.Column("target_calls", "Calls it is judged by"),
                         b.Column("error_rate_now", "Error rate now"),
                         b.Column("error_rate_then", "On the route"))))),
    b.Section(title="How this is counted", blocks=(
        b.Notes("notes"),
        b.Facts("thresholds", "Thresholds", names=(
            b.Column("min_calls_on_both_sides", "Timed calls on both sides of a route, at least", b.COUNT),
            b.Column("min_gain_ms", "Gain at the median, at least"),
            b.Column("min_gain_share", "And of the median now", b.SHARE),
            b.Column("max_error_rise", "Rise of the error rate, at most", b.SHARE),
            b.Column("slow_ratio", "A region is slow from, times the quickest", b.NUMBER),
            b.Column("min_calls_in_index", "Timed calls of the same work in a region, at least", b.COUNT))))))
