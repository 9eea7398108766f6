"""AI Insights & Reports: what to do, by rules first; a model's summary when one was asked for."""
from __future__ import annotations

from decimal import Decimal
from typing import Any, Dict, List, Tuple

import blocks as b
from analyzers.wording import money, numbered, percent
from aws.insights.ahead import share_of_budget
from aws.insights.commitments import covered_costs, utilization
from aws.insights.findings import Examined, Finding, Scene, discover_insights, kinds_of_findings
from aws.insights.untagged import coverage
from aws.parts import added
from aws.reports.base import AwsReport, Results
from aws.utils import ratio

MOST_TOLD = 12
_ABOUT = (b.Column("service", "Service"), b.Column("account", "Account"))
_SAVING = b.Column("monthly_usd", "Saving a month", b.MONEY, bar=True)
_STAKE = b.Column("at_stake", "At stake a month", b.MONEY)
_NOTHING = "Nothing of that kind was found."


def _page(has_summary: bool = False) -> Tuple[b.Block, ...]:
    """Return the page, with a place for a model's summary where there is one."""
    written = (b.Section(title="In short", wide=True, blocks=(
        b.Notes("written.paragraphs", "Written by a model from the findings below", about=(
            "Every figure was compared with those of the findings; what differs is marked.")),
        b.Notes("written.notes", "What to mind"))),) if has_summary else ()
    return (
        b.Cards(cards=(
            b.Card("summary.saving", "Savings found, a month", b.MONEY,
                   note="each dollar counted once, at list prices"),
            b.Card("summary.saving_share", "Of what services cost", b.SHARE),
            b.Card("summary.findings", "Findings", b.COUNT),
            b.Card("summary.sure_saving", "Of these, sure", b.MONEY, note="findings of high confidence"),
            b.Card("summary.budget_share", "Of the month's budget", b.SHARE, note="what the month is heading for"),
            b.Card("summary.untagged_share", "Cost without an owner's tag", b.SHARE))),
        *written,
        b.Recommendations(),
        b.Section(title="Where savings are", blocks=(
            b.Bars("by_kind", "Savings by kind", label="title", values=(b.Column("monthly_usd", "A month", b.MONEY),),
                   empty="No finding saves money."),
            b.Bars("by_service", "Savings by service", label="service",
                   values=(b.Column("monthly_usd", "A month", b.MONEY),), empty="No finding saves money."),
            b.Table("by_kind", "Kinds of findings", columns=(
                b.Column("title", "Kind"), b.Column("findings", "Findings", b.COUNT), _SAVING, _STAKE)))),
        b.Section(title="All findings", wide=True, blocks=(
            b.Table("findings", "Findings", empty="No rule found anything.", columns=(
                b.Column("action", "What to do"), b.Column("evidence", "Evidence"), _SAVING, _STAKE,
                b.Column("confidence", "Confidence"), *_ABOUT)),
            b.Table("overlapping", "Counted elsewhere already", empty="No finding was left out for another.", columns=(
                b.Column("action", "What to do"), b.Column("overlap", "Why it is not counted"), *_ABOUT)))),
        b.Section(title="Spikes", wide=True, blocks=(
            b.Table("spikes", "Days that cost more than usual", empty=_NOTHING, columns=(
                b.Column("name", "From", b.DAY), b.Column("service", "Service"),
                b.Column("at_stake", "More than usual", b.MONEY, bar=True), b.Column("evidence", "Evidence"))),)),
        b.Section(title="Whose cost it is", blocks=(
            b.StackedBars("tags", "Cost with and without a tag", label="tag", empty="No charge carries a tag.", values=(
                b.Column("tagged", "With the tag", b.MONEY), b.Column("untagged", "Without", b.MONEY))),
            b.Table("untagged", "What lacks a tag", most=60, empty="No charge carries a tag.", columns=(
                b.Column("tag", "Tag"), b.Column("service", "Service"),
                b.Column("cost", "Cost without it", b.MONEY))))),
        b.Section(title="Commitments and budget", blocks=(
            b.Facts("commitments", "Savings Plans and reservations", names=(
                b.Column("covered", "Use that they cover, recent days", b.MONEY),
                b.Column("cost", "What they cost, amortized", b.MONEY), b.Column("unused", "Of it unused", b.MONEY),
                b.Column("used_share", "Used", b.SHARE))),
            b.Facts("budget", "The month against its budget", names=(
                b.Column("budget", "Budget", b.MONEY), b.Column("month", "Heading for", b.MONEY),
                b.Column("low", "At least", b.MONEY), b.Column("high", "At most", b.MONEY),
                b.Column("share", "Of the budget", b.SHARE), b.Column("basis", "Where the budget is from"))))),
        b.Section(title="How it was found", blocks=(
            b.Table("rules", "Rules", columns=(b.Column("title", "Rule"), b.Column("description", "What it looks for"),
                                               b.Column("findings", "Findings", b.COUNT))),
            b.Facts("discounts", "Prices that savings are estimated at", about=(
                "AWS's list prices, as shares off what the bill says; discounts by contract are not in them. A file "
                "of your own changes them: FINOPS_AWS_DISCOUNTS_PATH."), names=(
                    b.Column("as_of", "Listed in"), b.Column("source", "Source"),
                    b.Column("own", "Changed by the file"))),
            b.Notes("notes", "What could not be looked at", empty="Nothing was left out."))),
    )


class InsightsReport(AwsReport):
    """What to do."""

    id = "aws_insights"
    title = "AI Insights & Reports"
    description = "What to switch off, resize, move, commit to and tag, with dollars, evidence and confidence"
    rank = 4
    page = _page()

    @staticmethod
    def described(results: Results) -> Tuple[b.Block, ...]:
        """Return the page, with a model's summary where there is one."""
        return _page("written" in results)

    def examine(self) -> Results:
        """Return the findings, by kind and service, tags, commitments, budget, and a model's summary."""
        examined, written = self.study.examined, self.study.written
        titles = kinds_of_findings()
        rows = [_row(one, titles) for one in examined.findings]
        tags = coverage(examined.scene)
        results: Results = {
            "headline": _headline(examined, self.study.saving), "findings": rows,
            "overlapping": [_row(one, titles) for one in examined.overlapping],
            "spikes": [row for row in rows if row["kind"] == "spike"], "by_kind": _grouped(rows, "title"),
            "by_service": [row for row in _grouped(rows, "service") if row["monthly_usd"]],
            "tags": [{"tag": one.key, "tagged": one.tagged, "untagged": one.untagged, "untagged_share": one.share}
                     for one in tags],
            "untagged": [{"tag": one.key, "service": row.keys[1], "cost": row.amounts[0]} for one in tags
                         for row in sorted(one.by_service, key=lambda row: -(row.amounts[0] or Decimal(0)))[:10]],
            "commitments": _commitments(examined.scene), "budget": self._budget(), "rules": _rules(rows),
            "discounts": self.study.discounts.as_data(),
            "recommendations": examined.findings[:MOST_TOLD]}
        if written:
            results["written"] = written
        results["summary"] = _summary(self, rows, examined, results["tags"])
        return results

    def _budget(self) -> Results:
        ahead, budget = self.study.ahead, self.study.budget
        basis = None if budget is None else "set" if self.study.set_budget else "last month's cost and a tenth"
        return {"month_first": ahead.month_first.isoformat(), "budget": budget, "month": ahead.month, "low": ahead.low,
                "high": ahead.high, "share": share_of_budget(ahead, budget), "basis": basis}


def _row(one: Finding, titles: Dict[str, str]) -> Dict[str, Any]:
    return dict({"title": titles.get(one.kind, one.kind)}, **one.as_data())


def _summary(report: InsightsReport, rows: List[Dict[str, Any]], examined: Examined, tags: List[Results]) -> Results:
    saving = report.study.saving
    sure = sum((one.saving for one in examined.findings if one.saving and one.confidence == "high"), Decimal(0))
    return {"saving": saving, "saving_share": ratio(saving, examined.monthly_cost), "sure_saving": sure,
            "monthly_cost": examined.monthly_cost, "findings": len(rows), "days": examined.scene.days,
            "budget_share": share_of_budget(report.study.ahead, report.study.budget),
            "untagged_share": tags[0]["untagged_share"] if tags else None}


def _grouped(rows: List[Dict[str, Any]], name: str) -> List[Dict[str, Any]]:
    found: Dict[str, List[Dict[str, Any]]] = {}
    for row in rows:
        if row[name]:
            found.setdefault(row[name], []).append(row)
    grouped = [{name: value, "findings": len(ones),
                "monthly_usd": added(one["monthly_usd"] or Decimal(0) for one in ones),
                "at_stake": added(one["at_stake"] or Decimal(0) for one in ones)} for value, ones in found.items()]
    return sorted(grouped, key=lambda row: (-row["monthly_usd"], row[name]))


def _commitments(scene: Scene) -> Results:
    covered, used = covered_costs(scene), utilization(scene)
    return {"covered": sum(covered.values(), Decimal(0)), "cost": used and used[0], "unused": used and used[1],
            "used_share": None if used is None else float(1 - used[1] / used[0])}


def _rules(rows: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    return [{"id": rule.id, "title": rule.title, "description": rule.description,
             "findings": sum(1 for row in rows if row["rule"] == rule.id)} for rule in discover_insights().values()]


def _headline(examined: Examined, saving: Decimal) -> str:
    if not examined.findings:
        return "The rules found nothing to do on this evidence."
    share = ratio(saving, examined.monthly_cost)
    if not saving:
        return f"{numbered(len(examined.findings), 'finding')} worth a look; none of them saves money by itself."
    first = examined.findings[0]
    return (f"{money(saving)} a month could be saved" + (f", {percent(share)} of what services cost" if share else "")
            + f", in {numbered(sum(1 for one in examined.findings if one.saving), 'finding')}. First: {first.action}.")
