"""The page of Dataset Overview: what the log holds, how whole it is, and what is in no figure."""
from __future__ import annotations

import blocks as b

PAGE = (
    b.Cards(cards=(
        b.Card("summary.total_calls", "Calls", spark="daily.calls"),
        b.Card("summary.customers", "Customers"),
        b.Card("time.whole_days", "Whole days", b.COUNT),
        b.Card("rows.rejected", "Rows set aside", b.COUNT),
        b.Card("summary.unpriced_calls", "Calls without a known cost"),
        b.Card("time.hours_without_calls", "Hours without a call", b.COUNT))),
    b.Section(title="When calls are made", wide=True, blocks=(
        b.Lines("daily", "Calls a day", label="day", values=(b.Column("calls", "Calls"),)),
        b.HeatMap("week", "Calls by weekday and hour of the day, UTC", label="weekday",
                  values=(b.Column("calls", "Calls"),)),
        b.Facts("time", names=(
            b.Column("first", "First call"), b.Column("last", "Last call"), b.Column("days", "Days", b.COUNT),
            b.Column("days_with_calls", "Days with calls", b.COUNT), b.Column("hours", "Hours", b.COUNT),
            b.Column("hours_with_calls", "Hours with calls", b.COUNT),
            b.Column("hours_without_calls", "Hours without a call", b.COUNT))),
        b.Table("time.longest_gaps", "Longest silences", empty="No hour is without a call.", columns=(
            b.Column("from", "From"), b.Column("to", "To"), b.Column("hours", "Hours", b.COUNT, bar=True))),
        b.Table("time.days_without_calls", "Days without a call", empty="No day is without a call.", most=100, columns=(
            b.Column("from", "From", b.DAY), b.Column("to", "To", b.DAY),
            b.Column("days", "Days", b.COUNT, bar=True))))),
    b.Section(title="What the calls are", wide=True, blocks=(
        b.Table("status_mix", "Status of calls", columns=(
            "status", b.Column("calls", "Calls", bar=True), b.Column("share", "Share of calls"),
            b.Column("cost", "Cost"), b.Column("tokens", "Tokens"))),
        b.Table("dimensions", "How many there are of each", columns=(
            b.Column("dimension", "What"), b.Column("unique", "Different values", b.COUNT),
            b.Column("largest", "The one with most calls"),
            b.Column("largest_share", "Its share of calls", bar=True))))),
    b.Section(title="What is in no figure", blocks=(
        b.Table("rejected_by_reason", "Rows set aside", empty="No row was set aside.", columns=(
            b.Column("reason", "Reason"), b.Column("rows", "Rows", b.COUNT, bar=True),
            b.Column("share", "Share of rows"))),
        b.Table("unpriced.by_model", "Calls without a known cost", empty="Every call has a known cost.", most=100,
                columns=("provider", "model", b.Column("unpriced", "Calls without a cost", bar=True),
                         b.Column("in_catalog", "In the catalogue"), b.Column("tokens", "Tokens"),
                         b.Column("list_cost", "Cost at list price"))),
        b.Table("inconsistencies", "Customers with several values of what they should have one of",
                empty="Every customer has one organisation, plan, price and kind of use.", columns=(
                    b.Column("dimension", "What"), b.Column("customers", "Customers", bar=True),
                    b.Column("examples", "Examples", b.TEXT))))),
    b.Section(title="The file", blocks=(
        b.Facts("file", names=(
            b.Column("name", "Name"), b.Column("bytes", "Size"), b.Column("pending_bytes", "Not counted yet"),
            b.Column("rejected_file", "Rows set aside are in"))),
        b.Facts("rows", names=(
            b.Column("rows", "Rows", b.COUNT), b.Column("accepted", "Counted", b.COUNT),
            b.Column("accepted_share", "Share counted"), b.Column("repeated", "With a repeated id", b.COUNT),
            b.Column("bytes_per_row", "Bytes a row", b.NUMBER))))))
