"""The page of Rate Optimization: what could be saved, by which step, and on what assumptions."""
from __future__ import annotations

import blocks as b

_RANGE = (b.Column("low_monthly", "Saved at least"), b.Column("high_monthly", "Saved at most", bar=True))
_SAVED = b.Card("summary.low_monthly", "Savings found, a month", low="summary.low_monthly",
                high="summary.high_monthly", note="the low end of the range", rank=4,
                spark=b.Course("steps", "low_monthly", "Savings by step", by="title", columns=True))
_NO_DAY = "The log has no whole day to look for savings in."


def _step(place: int, title: str) -> b.Card:
    path = f"steps.{place}"
    return b.Card(f"{path}.low_monthly", title, low=f"{path}.low_monthly", high=f"{path}.high_monthly")


HIGHLIGHTS = (_SAVED,)

PAGE = (
    b.Cards(cards=(
        _SAVED,
        b.Card("summary.monthly_cost", "Spend a month", note="at the rate of the last whole days"),
        _step(0, "With cheaper models"), _step(1, "Then in batches"), _step(2, "Then with caches"),
        b.Card("steps.3.low_monthly", "Then with commitments"))),
    b.Section(title="Step by step, no dollar twice", wide=True, blocks=(
        b.Bars("steps", "Savings a month by step", label="title", values=(
            b.Column("low_monthly", "At least"), b.Column("high_monthly", "At most")), empty=_NO_DAY),
        b.Table("steps", "What each step leaves for the next, dollars a month",
                about="Each step is applied to what the high ends of the steps before it left over.", columns=(
                    b.Column("title", "Step"), b.Column("cost_before_monthly", "Cost before")) + _RANGE
                + (b.Column("cost_after_monthly", "Cost after"),)))),
    b.Section(title="Cheaper models", wide=True, blocks=(
        b.Bars("chosen_switches", "What switching saves a month", label="model to_model", values=(
            b.Column("low_monthly", "At least"), b.Column("high_monthly", "At most")), most=8,
            about="Today's model, and the cheaper one of its class or the next that saves most.",
            empty="No model has a cheaper one of its class or the next."),
        b.Table("model_switches", "Models that do the same work for less, dollars a month", most=100,
                about="Of the options of one model only the chosen one counts.",
                empty="No model has a cheaper one of its class or the next.", columns=(
                    "model", "provider", b.Column("to_model", "Cheaper model"), b.Column("to_provider", "Of provider"),
                    b.Column("chosen", "Chosen"), b.Column("monthly_cost", "Cost today")) + _RANGE
                + (b.Column("same_class", "Same class"),)))),
    b.Section(title="Batches, for what can wait", wide=True, blocks=(
        b.Table("batchable", "Calls that nobody seems to wait for, dollars a month",
                empty="No calls look as if they could wait.", columns=(
                    b.Column("title", "Which calls"), b.Column("calls", "Calls"),
                    b.Column("monthly_cost_left", "Cost after the steps before")) + _RANGE
                + (b.Column("published_share", "With a published batch price"),),
                about="Which customers call around the clock is in the results as JSON (batchable)."),)),
    b.Section(title="Caches, for prompts that repeat", wide=True, blocks=(
        b.Table("cacheable", "Long prompts that come often, dollars a month", most=100,
                empty="No model has prompts that are long and frequent enough, and a price for cached ones.", columns=(
                    "feature", "provider", "model", b.Column("calls", "Calls"),
                    b.Column("mean_prompt_tokens", "Tokens a prompt"),
                    b.Column("calls_per_customer_day", "Calls a customer and day", b.NUMBER),
                    b.Column("monthly_cost_left", "Cost after the steps before")) + _RANGE),)),
    b.Section(title="Commitments, for what is used every day", wide=True, blocks=(
        b.Bars("commitments", "How much of a commitment would be used, and must be", label="title", values=(
            b.Column("utilization", "Used"), b.Column("break_even_utilization", "Needed to break even")), most=10,
            empty="Too few whole days, or no spend that is there on nine days of ten."),
        b.Table("commitments", "Commitments that the log's days would have paid for",
                about="Of a provider either one commitment over all its models is chosen, or single ones.",
                empty="Too few whole days, or no spend that is there on nine days of ten.", columns=(
                    b.Column("title", "Commitment"), b.Column("chosen", "Chosen"),
                    b.Column("floor_per_day", "List price a day that is always used", b.MONEY),
                    b.Column("committed_monthly", "Committed a month"),
                    b.Column("saved_monthly", "Saved a month", bar=True),
                    b.Column("discount", "Discount", b.SHARE), b.Column("utilization", "Used"),
                    b.Column("break_even_utilization", "Needed to break even"),
                    b.Column("days_below", "Days that use less", b.SHARE),
                    b.Column("trend", "Later half to earlier half of the days", b.NUMBER))))),
    b.Section(title="What is assumed", blocks=(
        b.Notes("assumptions"),
        b.Facts("summary", "What was looked at", names=(
            b.Column("first_day", "First day"), b.Column("last_day", "Last day"), b.Column("days", "Days", b.COUNT),
            b.Column("considered_monthly", "Spend a month at list prices in the catalogue"),
            b.Column("unpriced_calls", "Calls whose cost is unknown, left out"))))),
)
