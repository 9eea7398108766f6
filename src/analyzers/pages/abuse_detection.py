"""The page of Abuse Detection: what stands out, how serious it is, who is concerned, and what it cost."""
from __future__ import annotations

import blocks as b

_FOUND = b.Card("summary.findings", "Abuse findings", b.COUNT, rise=b.BAD, rank=8,
                spark=b.Course("findings", name="By first day", by="first", tally=True))
_NOTHING = "Nothing unusual was found."

HIGHLIGHTS = (_FOUND,)

PAGE = (
    b.Cards(cards=(
        _FOUND,
        b.Card("summary.by_severity.critical", "Critical", b.COUNT),
        b.Card("summary.by_severity.high", "High", b.COUNT),
        b.Card("summary.customers_concerned", "Customers concerned", b.COUNT),
        b.Card("summary.extra_cost", "Cost above what is usual"))),
    b.Alerts("findings", "The most serious findings", text=("kind", "customer", "evidence"), value="extra_cost",
             most=8, empty=_NOTHING),
    b.Section(title="What it is and what it cost", blocks=(
        b.Bars("by_kind", "Findings by kind", label="kind", values=(b.Column("findings", "Findings", b.COUNT),),
               empty=_NOTHING),
        b.Bars("customers", "Cost above what is usual, by customer", label="customer",
               values=(b.Column("extra_cost", "Cost above usual"),), empty=_NOTHING),
        b.Table("by_kind", "Kinds of findings, and what to do", columns=(
            b.Column("kind", "Kind", b.BADGE), b.Column("findings", "Findings", b.COUNT, bar=True),
            b.Column("extra_calls", "Calls above usual", b.COUNT), b.Column("extra_cost", "Cost above usual"),
            b.Column("action", "What to do"))))),
    b.Section(title="Who is concerned", wide=True, blocks=(
        b.Table("customers", "Customers, the most serious first", most=200, empty=_NOTHING, columns=(
            "customer", "organization", b.Column("severity", "Severity"),
            b.Column("findings", "Findings", b.COUNT), b.Column("kinds", "Kinds", b.TEXT),
            b.Column("extra_cost", "Cost above usual", bar=True))),
        b.Table("findings", "All findings, the most serious first", most=200, empty=_NOTHING, columns=(
            b.Column("severity", "Severity"), b.Column("kind", "Kind", b.BADGE), "customer",
            b.Column("evidence", "Evidence"), b.Column("subject", "Where"), b.Column("first", "From"),
            b.Column("last", "To"), b.Column("extra_cost", "Cost above usual", bar=True),
            b.Column("extra_calls", "Calls above usual", b.COUNT))))))
