"""The page of Understanding Usage & Cost: what is spent, where it heads, why it changed, and where it goes."""
from __future__ import annotations

import blocks as b

_USE = (
    b.Column("cost", "Cost", bar=True), b.Column("share", "Share of cost"), b.Column("calls", "Calls"),
    b.Column("unpriced", "Calls without a price"),
    b.Column("input_tokens", "Input tokens"), b.Column("output_tokens", "Output tokens"))
_SHORT_USE = _USE[:3] + (b.Column("tokens", "Tokens"),)
_PARTS = (
    b.Column("volume", "Number of calls", b.MONEY_CHANGE), b.Column("model_mix", "Mix of models", b.MONEY_CHANGE),
    b.Column("failed_calls", "Calls that fail", b.MONEY_CHANGE),
    b.Column("tokens_per_call", "Tokens a call", b.MONEY_CHANGE), b.Column("price", "Prices", b.MONEY_CHANGE))
_CHANGE = b.Column("change", "Change, $", b.MONEY_CHANGE)
_ORGANISATION = b.Column("organization", "Organisation")
_SPEND = b.Card("summary.current_cost", "Spend, last period", change="summary.cost_change", rise=b.BAD,
                spark=b.Course("daily", "cost", "Spend by day"), note="against the period before, of the same length",
                rank=1)
_AHEAD = b.Card("forecast.total", "Forecast, next 30 days", b.MONEY, low="forecast.low", high="forecast.high",
                spark=b.Course("forecast.daily", "cost", "Forecast by day"), note="in 8 of 10 cases within the range",
                rank=2)

HIGHLIGHTS = (
    _SPEND, _AHEAD,
    b.CardRows("what_changed.drivers", "What moved spend most", name="organization",
               about="The organisations whose spend changed most: from the period before to the last one.",
               card=b.Card("change", "", b.MONEY_CHANGE, change="cost_change", rise=b.BAD, low="previous_cost",
                           high="current_cost", spark=b.Course("daily", "cost", "Spend by day")),
               empty="The log is too short to compare one period with another."))

PAGE = (
    b.Cards(cards=(
        _SPEND, _AHEAD,
        b.Card("summary.total_cost", "Spend, whole log", note="all calls, partial days too"),
        b.Card("summary.current_calls", "Calls, last period", change="summary.calls_change", spark="daily.calls"),
        b.Card("summary.cost_per_thousand_calls", "Cost of a thousand calls", b.MONEY, note="in the whole log"),
        b.Card("concentration.top_10_percent_share", "Cost of the top 10 % of customers", b.SHARE))),
    b.Section(title="Where spend is heading", wide=True, blocks=(
        b.Lines("daily", "Spend a day, and the next 30 days", label="day", values=(b.Column("cost", "Spend"),),
                then="forecast.daily", low="low", high="high",
                empty="The log has no whole day to draw."),
        b.Facts("forecast", "How far to trust the forecast", empty="The log is too short for a forecast.", names=(
            b.Column("total", "Next 30 days", b.MONEY), b.Column("low", "Low end of the range", b.MONEY),
            b.Column("high", "High end of the range", b.MONEY),
            b.Column("interval", "Share of cases within the range", b.SHARE),
            b.Column("backtest.forecast_error", "Mean error, forecasting the log's own past", b.SHARE),
            b.Column("backtest.daily_average_error", "Mean error of a plain daily average", b.SHARE),
            b.Column("backtest.coverage", "Days that fell within the range", b.SHARE),
            b.Column("backtest.trials", "Forecasts tried", b.COUNT))))),
    b.Section(title="Why spend changed", blocks=(
        b.Bars("what_changed.by_cause", "The change by cause", label="title", values=(_CHANGE,),
               about="Each cause alone, the others held; together they are the whole change.",
               empty="The log is too short to compare one period with another."),
        b.StackedBars("what_changed.by_organization", "The largest changes by organisation", label="organization",
                      values=_PARTS, most=8),
        b.Table("what_changed.by_organization", "Change of spend by organisation", most=100,
                columns=(_ORGANISATION, b.Column("change", "Change, $", b.MONEY_CHANGE, bar=True)) + _PARTS),
        b.Table("what_changed.by_feature", "Change of spend by feature",
                columns=("feature", b.Column("change", "Change, $", b.MONEY_CHANGE, bar=True)) + _PARTS),
        b.Table("what_changed.by_model", "Change of spend by model", most=25,
                columns=("model", b.Column("change", "Change, $", b.MONEY_CHANGE, bar=True)) + _PARTS))),
    b.Section(title="Where the money goes", blocks=(
        b.Doughnut("by_provider", "Spend by provider", label="provider", values=(b.Column("cost", "Cost"),)),
        b.TreeMap("token_efficiency", "Spend by feature and model", label="model", values=(b.Column("cost", "Cost"),),
                  group="feature", most=30),
        b.Table("by_provider", "Providers", key="provider", columns=("provider",) + _USE),
        b.Table("by_model", "Models", key="model", most=200, columns=("model",) + _USE),
        b.Table("by_organization", "Organisations", most=50, columns=(_ORGANISATION,) + _SHORT_USE),
        b.Table("by_product", "Products", key="product", columns=("product",) + _SHORT_USE),
        b.Table("by_environment", "Environments", columns=("environment",) + _SHORT_USE,
                about="Plans, regions, features and customers have reports of their own; the JSON holds them too."))),
    b.Section(title="Who spends most", wide=True, blocks=(
        b.Bars("concentration.pareto", "How few customers make most of the cost", label="customers_share",
               values=(b.Column("cost_share", "Share of cost"),),
               about="The cost of the dearest 1, 5, 10, 20 and 50 % of customers."),
        b.Table("top_spenders", "The ten customers that cost most", columns=("customer",) + _SHORT_USE,
                about="All customers are in the results as JSON (by_customer)."))),
    b.Section(title="What tokens cost", wide=True, blocks=(
        b.Table("token_efficiency", "Cost of tokens by feature and model", most=50, columns=(
            "feature", "model", b.Column("cost", "Cost", bar=True), b.Column("calls", "Calls"),
            b.Column("usd_per_million_tokens", "Cost of a million tokens"),
            b.Column("tokens_per_call", "Tokens a call"),
            b.Column("output_per_input", "Output tokens per input token", b.NUMBER))),)),
    b.Section(title="What is counted", blocks=(
        b.Facts("summary", names=(
            b.Column("whole_days", "Whole days in the log", b.COUNT),
            b.Column("current_period.first", "Last period, first day", b.DAY),
            b.Column("current_period.last", "Last period, last day", b.DAY),
            b.Column("previous_period.first", "Period before, first day", b.DAY),
            b.Column("previous_period.last", "Period before, last day", b.DAY),
            b.Column("previous_cost", "Spend in the period before"),
            b.Column("total_calls", "Calls"), b.Column("failed_calls", "Failed calls"),
            b.Column("unpriced_calls", "Calls whose cost is unknown, in no total"),
            b.Column("customers", "Customers"), b.Column("total_tokens", "Tokens"))),)),
)
