"""One question to a bill that is loaded, with its answer as data, as CSV rows, and as a page with a form to ask again.

Nothing here reaches AWS: whoever asks gives a service over a bill in memory.
"""
from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import blocks as b
from analyzers.wording import percent
from aws.asking import Choice
from aws.charges import UNBLENDED
from aws.cost_service import NONE, AWSCostService
from aws.parts import added
from aws.queries import DAILY, DIMENSIONS, GRANULARITIES, MONTHLY, TAG
from aws.reports.base import AWS, Results
from aws.sources.base import Source
from aws.utils import format_currency, ratio

MOST_ROWS, DEFAULT_ROWS = 50_000, 10_000
MOST_NAMES = 2  # dimensions in one question
TOP = 7  # groups that are drawn over time; the others are added up
OTHER = "other"
FILTERS = ("service", "account", "region")


class Question(NamedTuple):
    """What is asked: days (None: all that are loaded), granularity, metric, dimensions, and filters."""

    first: Optional[date] = None
    last: Optional[date] = None
    granularity: str = MONTHLY
    metric: str = UNBLENDED
    group_by: Tuple[str, ...] = ("service",)
    where: Mapping[str, Tuple[str, ...]] = {}
    limit: int = DEFAULT_ROWS


def answer(source: Source, question: Question) -> Results:
    """Return the answer; raises `UsageError` for what the bill does not have."""
    first, last = source.period()
    choice = Choice(question.first or first, question.last or last, question.metric, question.where)
    service = AWSCostService(source, choice)
    rows = service.get_costs(question.granularity, question.group_by)
    total, trend = service.total(), service.trend()
    return {
        "source": source.id, "name": source.title, "currency": service.currency,
        "first": service.days[0].isoformat(), "last": service.days[1].isoformat(),
        "complete_last": service.complete_last.isoformat(), "granularity": question.granularity,
        "metric": question.metric, "group_by": list(question.group_by),
        "where": {name: list(values) for name, values in question.where.items()}, "total": total.as_data(),
        "trend": {"days": trend.days, "now": trend.now, "before": trend.before, "change": trend.change,
                  "direction": trend.direction},
        "groups": _groups(rows, question.group_by, total.net), "total_rows": len(rows),
        "truncated": len(rows) > question.limit, "rows": rows[:question.limit], "notes": list(service.notes)}


def choices(source: Source) -> Results:
    """Return what can be asked: the days, metrics, granularities and dimensions there are, and values to filter by."""
    first, last = source.period()
    return {"source": source.id, "name": source.title, "first": first.isoformat(), "last": last.isoformat(),
            "metrics": [one for one in source.metrics() if one != "usage"], "granularities": list(GRANULARITIES),
            "dimensions": list(DIMENSIONS) + [TAG + key for key in source.tag_keys(first, last)],
            "values": {name: source.values(name, first, last) for name in FILTERS}}


class ExplorerPage:
    """The page of an answer, with a form for the next question."""

    id = "aws"
    title = "AWS costs"
    description = "Costs by any dimension, for any days, services, accounts and regions of the loaded bill"
    category = AWS
    forms = "'self'"
    world = "aws"

    def __init__(self, names: Sequence[str], granularity: str) -> None:
        """Take the names of the groups that are drawn over time."""
        values = tuple(b.Column(f"top_{place}", name, b.MONEY) for place, name in enumerate(names, 1))
        chart: b.Block = b.Lines("over_time", "Day by day", label="period", values=values) if granularity == DAILY \
            else b.StackedBars("over_time", "Over time", label="period", values=values, standing=True, most=0)
        self.page = (
            b.Choices("choices"),
            b.Cards(cards=(
                b.Card("total.net", "Net cost", b.MONEY, note="gross less credits and refunds"),
                b.Card("total.gross", "Gross", b.MONEY), b.Card("credits", "Credits and refunds", b.MONEY),
                b.Card("trend.now", "Use, last days", b.MONEY, change="trend.change", rise=b.BAD,
                       note="complete days, against as many before"))),
            b.Section(title="Over time", wide=True, blocks=(chart,)),
            b.Section(title="Groups", blocks=(
                b.Bars("shown_groups", "The dearest", label="group", values=(b.Column("cost", "Cost", b.MONEY),)),
                b.Doughnut("shown_groups", "Shares", label="group", values=(b.Column("cost", "Cost", b.MONEY),)),
                b.Table("shown_groups", "Groups", columns=(
                    b.Column("group", "Group"), b.Column("cost", "Net cost", b.MONEY, bar=True),
                    b.Column("share", "Share", b.SHARE))),
                b.Table("rows", "By period", most=2000),
                b.Notes("notes", "What is missing", empty="Nothing is missing."))))


def page_of(source: Source, question: Question) -> Tuple[ExplorerPage, Results]:
    """Return the page of an answer and its results."""
    found = answer(source, question)
    shown = [dict({"group": _named(row, question.group_by)}, **row) for row in found["groups"]]
    top = [row["group"] for row in shown[:TOP]]
    over_time, has_more = _over_time(found["rows"], question.group_by, top)
    names = top + [OTHER] * has_more
    results = dict(found, headline=_headline(found, shown), shown_groups=shown, over_time=over_time,
                   credits=added((found["total"]["credits"], found["total"]["refunds"])),
                   choices=_form(source, question, found),
                   bill={"source": source.id, "name": source.title, "first": found["first"], "last": found["last"],
                         "complete_last": found["complete_last"], "metric": question.metric,
                         "currency": found["currency"], "filters": found["where"], "asking": {}})
    return ExplorerPage(names, question.granularity), results


def _groups(rows: Sequence[Dict[str, Any]], names: Sequence[str], whole: Optional[Decimal]) -> List[Dict[str, Any]]:
    """Return the cost of each group over all periods, the dearest first."""
    found: Dict[Tuple[str, ...], List[Optional[Decimal]]] = {}
    for row in rows:
        found.setdefault(tuple(row[name] for name in names), []).append(row["cost"])
    groups: List[Dict[str, Any]] = [
        {**dict(zip(names, keys)), "cost": cost, "share": ratio(cost, whole)}
        for keys, ones in found.items() for cost in [added(ones)]]
    return sorted(groups, key=lambda row: (row["cost"] is None, -(row["cost"] or 0), _named(row, names)))


def _named(row: Mapping[str, Any], names: Sequence[str]) -> str:
    return " \u00b7 ".join(str(row[name]) for name in names) or "all"


def _over_time(rows: Sequence[Dict[str, Any]], names: Sequence[str], top: List[str]) -> Tuple[List[Results], bool]:
    """Return a row for each period with the cost of the dearest groups, and whether there are others."""
    places = {name: f"top_{place}" for place, name in enumerate(top, 1)}
    rest = f"top_{len(top) + 1}"
    periods: Dict[str, Dict[str, List[Optional[Decimal]]]] = {}
    for row in rows:
        place = places.get(_named(row, names), rest)
        periods.setdefault(row["first"], {}).setdefault(place, []).append(row["cost"])
    has_more = any(rest in one for one in periods.values())
    columns = list(places.values()) + [rest] * has_more
    return [dict({"period": first}, **{place: added(one.get(place, [])) for place in columns})
            for first, one in sorted(periods.items())], has_more


def _form(source: Source, question: Question, found: Results) -> Results:
    """Return the fields of the form: what is chosen, and what else could be."""
    held = choices(source)
    fields: List[Results] = [
        {"name": "first", "title": "From", "kind": "date", "value": found["first"], "least": held["first"],
         "most": held["last"]},
        {"name": "last", "title": "To, included", "kind": "date", "value": found["last"], "least": held["first"],
         "most": held["last"]}]
    for name in FILTERS:
        chosen = [value or NONE for value in question.where.get(name, ())]
        known = [value or NONE for value in held["values"][name]]
        fields.append({"name": name, "title": name.capitalize(), "kind": "several", "value": chosen,
                       "shown": _in_short(chosen, known),
                       "options": [[value, value] for value in known + [one for one in chosen if one not in known]]})
    for name, title, value, options in (
            ("granularity", "Granularity", question.granularity, held["granularities"]),
            ("group_by", "Group by", ",".join(question.group_by), held["dimensions"]),
            ("metric", "Metric", question.metric, held["metrics"])):
        pairs = [[one, one.replace("_", " ")] for one in options]
        fields.append({"name": name, "title": title, "value": value,
                       "options": pairs if value in options else [[value, value]] + pairs})
    return {"action": f"{ExplorerPage.id}.html", "button": "Show", "fields": fields}


def _in_short(chosen: Sequence[str], known: Sequence[str]) -> str:
    return ("all" if not chosen else chosen[0]) if len(chosen) < 2 else f"{len(chosen)} of {len(known)}"


def _headline(found: Results, shown: Sequence[Results]) -> str:
    net = found["total"]["net"]
    if net is None:
        return "What these days cost is unknown for a part of them."
    text = f"{format_currency(net, found['currency'])} net from {found['first']} to {found['last']}"
    first = shown[0] if shown else None
    if first and first["cost"] and first["share"] is not None and len(shown) > 1:
        text += f"; most of it, {percent(first['share'])}, is {first['group']}" if first["share"] > 0.5 else \
            f"; the largest part, {percent(first['share'])}, is {first['group']}"
    return text + "."


def columns_of(question: Question) -> List[str]:
    """Return the columns of the rows of an answer."""
    return ["first", "last", *question.group_by, "cost", "complete", "estimated"]

