"""The page of Token Economics: what tokens cost, where, and which need not have been paid for."""
from __future__ import annotations

import blocks as b

_PRICE = b.Column("usd_per_million_tokens", "$ per million tokens", b.MONEY, bar=True)
_USE = (
    _PRICE, b.Column("tokens_per_dollar", "Tokens a dollar"), b.Column("cost", "Cost"), b.Column("calls", "Calls"),
    b.Column("tokens", "Tokens"), b.Column("input_tokens_per_call", "Input a call", b.COMPACT),
    b.Column("output_tokens_per_call", "Output a call", b.COMPACT),
    b.Column("output_input_ratio", "Output per input", b.NUMBER), b.Column("unpriced_calls", "Without a cost"))
_SPREAD = (
    b.Column("mean", "Mean", b.COMPACT), b.Column("p10", "10th percentile", b.COMPACT),
    b.Column("p50", "Median", b.COMPACT), b.Column("p90", "90th percentile", b.COMPACT),
    b.Column("p99", "99th percentile", b.COMPACT), b.Column("max", "Largest", b.COMPACT),
    b.Column("max_over_median", "Largest, times the median", b.NUMBER))
_SPREAD_USD = tuple(b.Column(one.name, one.title, b.MONEY) for one in _SPREAD[:-1]) + _SPREAD[-1:]

PAGE = (
    b.Cards(cards=(
        b.Card("trend.usd_per_million_tokens", "$ per million tokens, last period", b.MONEY,
               change="trend.usd_per_million_tokens_change", rise=b.BAD, spark="daily.usd_per_million_tokens"),
        b.Card("summary.usd_per_million_tokens", "$ per million tokens, whole log", b.MONEY),
        b.Card("trend.tokens", "Tokens, last period", b.COMPACT, change="trend.tokens_change", spark="daily.tokens"),
        b.Card("summary.output_input_ratio", "Output for each input token", b.NUMBER),
        b.Card("overall.tokens_per_call", "Tokens a call", b.COMPACT),
        b.Card("failed_calls.cost", "Cost of failed calls", b.MONEY))),
    b.Section(title="What a token costs", wide=True, blocks=(
        b.Scatter("by_model", "Size of prompts and price of tokens by model", label="model", group="provider",
                  values=(b.Column("input_tokens_per_call", "Input tokens a call", b.COMPACT), _PRICE),
                  logarithmic=True),
        b.Table("by_model", "By model", columns=("model", "provider") + _USE[:-1]))),
    b.Section(title="Where tokens go", blocks=(
        b.Doughnut("by_feature", "Tokens by feature", label="feature", values=(b.Column("tokens", "Tokens"),)),
        b.Bars("by_feature", "Price of tokens by feature", label="feature", values=(_PRICE,)),
        b.Table("by_feature", "By feature", columns=("feature",) + _USE),
        b.Table("by_provider", "By provider", columns=("provider",) + _USE))),
    b.Section(title="Tokens that need not have been paid for", wide=True, blocks=(
        b.Table("wasteful.long_prompts_tiny_answers", "Long prompts with tiny answers",
                about="The dearest such uses: what the prompts cost, and what exceeds other customers'.",
                empty="No use has prompts that long with answers that short.", columns=(
                    "customer", "feature", "provider", "model", b.Column("calls", "Calls"),
                    b.Column("input_tokens_per_call", "Input tokens a call", b.COMPACT),
                    b.Column("output_tokens_per_call", "Output tokens a call", b.COMPACT),
                    b.Column("peers_median_input", "Other customers' input", b.COMPACT),
                    b.Column("input_cost", "Cost of the prompts", bar=True),
                    b.Column("excess_cost", "Of it in excess"))),
        b.Table("wasteful.premium_on_small_calls", "Premium models on small calls",
                empty="No premium model answers notably many small calls.", columns=(
                    "feature", "provider", "model", b.Column("calls", "Calls"), b.Column("cost", "Cost"),
                    b.Column("alternative", "Smaller model"),
                    b.Column("saving_low", "Saving, low"), b.Column("saving_high", "Saving, high", bar=True),
                    b.Column("input_tokens_per_call", "Input tokens a call", b.COMPACT),
                    b.Column("output_tokens_per_call", "Output tokens a call", b.COMPACT))))),
    b.Section(title="Prompts that grew", wide=True, blocks=(
        b.Bars("prompt_growth.by_feature", "Growth of prompts by feature, models held still", label="feature",
               values=(b.Column("change", "Change of input tokens a call", b.CHANGE),),
               empty="The log is too short to compare two periods, or too few calls are alike."),
        b.Table("prompt_growth.by_customer", "By customer and feature", empty="Too few calls are alike to compare.",
                columns=("customer", "feature", b.Column("calls", "Calls"),
                         b.Column("input_tokens_per_call_before", "Input tokens a call before", b.COMPACT),
                         b.Column("input_tokens_per_call_now", "Now", b.COMPACT), b.Column("change", "Change"),
                         b.Column("extra_cost_in_last_period", "Extra cost, last period", bar=True))),
        b.Facts("prompt_growth", "Periods compared", names=(
            b.Column("first_period.from", "First period from"), b.Column("first_period.to", "to"),
            b.Column("last_period.from", "Last period from"), b.Column("last_period.to", "to"),
            b.Column("min_calls", "Calls in each, at least", b.COUNT))))),
    b.Section(title="How use spreads over customers and days", blocks=(
        b.Facts("customer_days.usd", "Cost of a customer-day", names=_SPREAD_USD),
        b.Facts("customer_days.tokens", "Tokens of a customer-day", names=_SPREAD),
        b.Table("customer_days.tokens_per_call_by_feature", "Tokens a call, by feature", columns=(
            ("feature", b.Column("customer_days", "Customer-days", b.COUNT)) + _SPREAD)))),
    b.Section(title="How this is counted", blocks=(
        b.Notes("notes"),
        b.Facts("failed_calls", "Failed calls", names=(
            b.Column("calls", "Calls"), b.Column("input_tokens", "Input tokens"),
            b.Column("output_tokens", "Output tokens"), b.Column("cost", "Cost"),
            b.Column("unpriced_calls", "Without a known cost"))),
        b.Facts("wasteful.thresholds", "Thresholds", names=(
            b.Column("long_prompt_tokens", "A prompt is long from, tokens", b.COUNT),
            b.Column("tiny_answer_share", "An answer is tiny up to, of the prompt", b.SHARE),
            b.Column("small_input_tokens", "A call is small up to, input tokens", b.COUNT),
            b.Column("small_output_tokens", "And output tokens", b.COUNT),
            b.Column("excess_over_peers", "Excess begins at, times other customers'", b.NUMBER),
            b.Column("min_calls", "Calls of a use, at least", b.COUNT))))))
