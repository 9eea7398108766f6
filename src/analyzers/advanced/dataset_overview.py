"""Dataset Overview: what the log holds, what was set aside, and what is missing from it."""
from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

from analyzers.base import ADVANCED, HIGH, Analyzer, Recommendation, Results
from analyzers.common import add, ratio, usd, weekday, whole_days
from analyzers.pages import dataset_overview as described
from analyzers.wording import NO_CALLS, numbered
from calls.values import format_timestamp
from catalog.loader import load_catalog
from catalog.prices import PICO_PER_NANO
from rollup.cubes import Measures
from rollup.rollup import Group, Rollup

# Two questions hold every dimension but time; one with all of them would be ten times as wide.
PEOPLE = ("customer", "organization", "tier", "tier_price", "archetype")
SERVICES = ("product", "feature", "provider", "model", "status", "environment", "region")
FEW = 20  # values of a dimension that are listed by name; more are only counted
LONGEST_GAPS = 10  # runs of hours without a call that are listed
REPEATED = "call_id is repeated"  # as the scan counts it
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
NOTABLE_REJECTED = 0.001  # of rows; above, the source of the log is worth a look

Span = Tuple[datetime, datetime]


class DatasetOverviewAnalyzer(Analyzer):
    """The file, its rows, its dimensions, its time range with gaps, and what has no price."""

    id = "dataset_overview"
    title = "Dataset Overview"
    description = "What the log holds, what was set aside, and what is missing"
    category = ADVANCED
    rank = 9
    page = described.PAGE

    def examine(self, rollup: Rollup) -> Results:
        """Return file, rows, rejections, dimensions, time, status mix, unpriced calls and recommendations."""
        people, services = rollup.by(*PEOPLE), rollup.by(*SERVICES)
        hourly = rollup.by("hour")
        hours = [_hour(group.key[0]) for group in hourly]
        rows, unpriced = self._rows(rollup), _unpriced(services, whole_days(rollup))
        dimensions = [_dimension(name, names.index(name), groups)
                      for names, groups in ((PEOPLE, people), (SERVICES, services)) for name in names]
        time = _time(rollup, hours)
        return {
            "headline": _headline(rows, time, unpriced, dimensions[0]["unique"]),
            "summary": {"rows": rows["rows"], "rejected": rows["rejected"], "repeated": rows["repeated"],
                        "unpriced_calls": rollup.total().unpriced, "untimed_calls": rollup.total().untimed,
                        "customers": len({group.key[0] for group in people}), "days_with_calls": _days(hours)},
            "file": self._file(), "rows": rows, "rejected_by_reason": _rejected(rollup, rows["rows"]),
            "unique": {one["dimension"]: one["unique"] for one in dimensions}, "dimensions": dimensions,
            "time": time, "daily": _daily(hourly), "week": _week(hourly),
            "status_mix": _status_mix(services), "unpriced": unpriced,
            "inconsistencies": _inconsistencies(people),
            "recommendations": _price_unknown(unpriced) + self._look_at_rejected(rows)}

    def _file(self) -> Results:
        data = self.dataset
        rejected = data.rejected_path.name if sum(data.rollup.rejected.values()) else None
        # How the file was read (at once, or from a checkpoint on) is no property of the log, so it is not said.
        return {"name": data.path.name, "bytes": data.size, "pending_bytes": data.pending_bytes,
                "rejected_file": rejected}

    def _rows(self, rollup: Rollup) -> Results:
        calls, rejected = rollup.total().calls, sum(rollup.rejected.values())
        size = self.dataset.size - self.dataset.pending_bytes
        return {"rows": calls + rejected, "accepted": calls, "rejected": rejected,
                "accepted_share": ratio(calls, calls + rejected), "repeated": rollup.rejected.get(REPEATED, 0),
                "bytes_per_row": ratio(size, calls + rejected) if size > 0 else None}

    def _look_at_rejected(self, rows: Results) -> List[Recommendation]:
        """Return what to do about rejected rows, and about repeated ones, where there are notably many."""
        found = []
        faulty, path = rows["rejected"] - rows["repeated"], self.dataset.rejected_path.name
        if faulty > NOTABLE_REJECTED * rows["rows"]:
            found.append(Recommendation(
                "Mend what writes faulty rows: they are in no figure", None,
                f"{faulty:,} of {rows['rows']:,} rows were set aside; {path} gives line and reason of each", HIGH))
        if rows["repeated"] > NOTABLE_REJECTED * rows["rows"]:
            found.append(Recommendation(
                "Give every call an id of its own: a repeated one is counted once", None,
                f"{rows['repeated']:,} of {rows['rows']:,} rows repeat the id of an earlier row; were they other "
                "calls, then cost and calls are understated", HIGH))
        return found


def _headline(rows: Results, time: Results, unpriced: Results, customers: int) -> str:
    """Return what the log holds, and what of it is missing from the figures."""
    if not rows["accepted"]:
        aside = rows["rejected"]
        return f"No call could be counted: {numbered(aside, 'row')} set aside." if aside else NO_CALLS
    silent = time["hours_without_calls"]
    faults = [f"{rows['rejected']:,} of {numbered(rows['rows'], 'row')} set aside" if rows["rejected"] else "",
              f"{numbered(unpriced['calls'], 'call')} without a known cost" if unpriced["calls"] else "",
              f"{numbered(silent, 'hour')} without any call" if silent else ""]
    found = ", ".join(filter(None, faults)) or "no row was set aside, no cost is unknown, and no hour is silent"
    first, last = time["first"][:10], time["last"][:10]
    when = f"on {first}" if first == last else f"from {first} to {last}"
    return f"{numbered(rows['accepted'], 'call')} of {numbered(customers, 'customer')} {when}: {found}."


def _daily(hourly: Sequence[Group]) -> List[Results]:
    """Return the calls of each day that has any: a log may have holes of years."""
    return [{"day": day, "calls": calls} for day, calls in _summed((group.key[0][:10], group) for group in hourly)]


def _week(hourly: Sequence[Group]) -> List[Results]:
    """Return the calls of each weekday by hour of the day, in UTC."""
    held = dict(_summed((f"{weekday(group.key[0][:10])} {group.key[0][11:13]}", group) for group in hourly))
    return [{"weekday": name, "calls": [held.get(f"{place} {hour:02d}", 0) for hour in range(24)]}
            for place, name in enumerate(WEEKDAYS)] if held else []


def _summed(groups: Iterable[Tuple[str, Group]]) -> List[Tuple[str, int]]:
    sums: Dict[str, int] = {}
    for key, group in groups:
        sums[key] = sums.get(key, 0) + group.measures.calls
    return sorted(sums.items())


def _hour(text: str) -> datetime:
    # Years before 1000 have four digits in the texts, so the fixed places hold.
    return datetime(int(text[:4]), int(text[5:7]), int(text[8:10]), int(text[11:13]))


def _days(hours: Iterable[datetime]) -> int:
    return len({hour.date() for hour in hours})


def _rejected(rollup: Rollup, rows: int) -> List[Results]:
    """Return rejected rows by reason, the most frequent first."""
    reasons = sorted(rollup.rejected.items(), key=lambda item: (-item[1], item[0]))
    return [{"reason": reason, "rows": count, "share": ratio(count, rows)} for reason, count in reasons]


def _sums(groups: Sequence[Group], place: int) -> Dict[str, int]:
    """Return the calls of each value at a place of the key."""
    sums: Dict[str, int] = {}
    for group in groups:
        sums[group.key[place]] = sums.get(group.key[place], 0) + group.measures.calls
    return sums


def _dimension(name: str, place: int, groups: Sequence[Group]) -> Results:
    """Return how many values a dimension has, the largest, and all of them where they are few."""
    sums = sorted(_sums(groups, place).items(), key=lambda item: (-item[1], item[0]))
    if name == "tier_price":
        sums = [(str(usd(int(value))), calls) for value, calls in sums]
    calls = sum(count for _, count in sums)
    return {"dimension": name, "unique": len(sums), "largest": sums[0][0] if sums else None,
            "largest_share": ratio(sums[0][1], calls) if sums else None,
            "values": [{"value": value, "calls": count, "share": ratio(count, calls)} for value, count in sums]
            if len(sums) <= FEW else None}


def _time(rollup: Rollup, hours: Sequence[datetime]) -> Results:
    """Return the range of times and what lies silent within it: days, and runs of hours, without any call."""
    if rollup.first_ms is None or rollup.last_ms is None:
        return {"first": None, "last": None, "days": 0, "days_with_calls": 0, "days_without_calls": [], "hours": 0,
                "hours_with_calls": 0, "hours_without_calls": 0, "longest_gaps": [], "whole_days": 0}
    first, last = hours[0], hours[-1]
    days = (last.date() - first.date()).days + 1
    span = int((last - first) / timedelta(hours=1)) + 1
    gaps = sorted(_gaps(hours), key=lambda gap: (gap[0] - gap[1], gap[0]))
    return {"first": format_timestamp(rollup.first_ms), "last": format_timestamp(rollup.last_ms), "days": days,
            "whole_days": len(whole_days(rollup)), "days_with_calls": _days(hours),
            "days_without_calls": _silent_days(hours), "hours": span, "hours_with_calls": len(hours),
            "hours_without_calls": span - len(hours),
            "longest_gaps": [{"from": _text(begin), "to": _text(end), "hours": int((end - begin) / timedelta(hours=1))}
                             for begin, end in gaps[:LONGEST_GAPS]]}


def _text(hour: datetime) -> str:
    return hour.isoformat(timespec="minutes") + "Z"


def _gaps(hours: Sequence[datetime]) -> List[Span]:
    """Return the runs of whole hours without a call, from the first silent hour to the next with calls."""
    step = timedelta(hours=1)
    return [(before + step, after) for before, after in zip(hours, hours[1:]) if after - before > step]


def _silent_days(hours: Sequence[datetime]) -> List[Results]:
    """Return the runs of days without a call, first and last included: a run stays one row however long it is."""
    days = sorted({hour.date() for hour in hours})
    one = timedelta(days=1)
    return [{"from": (before + one).isoformat(), "to": (after - one).isoformat(), "days": (after - before).days - 1}
            for before, after in zip(days, days[1:]) if after - before > one]


def _status_mix(services: Sequence[Group]) -> List[Results]:
    place = SERVICES.index("status")
    held: Dict[str, List[Measures]] = {}
    for group in services:
        held.setdefault(group.key[place], []).append(group.measures)
    sums = {status: add(measures) for status, measures in held.items()}
    calls = sum(one.calls for one in sums.values())
    return [{"status": status, "calls": one.calls, "share": ratio(one.calls, calls), "cost": usd(one.cost_nano),
             "tokens": one.tokens}
            for status, one in sorted(sums.items(), key=lambda item: (-item[1].calls, item[0]))]


def _unpriced(services: Sequence[Group], days: Sequence[str]) -> Results:
    """Return the calls whose cost is unknown, by model, the one with most tokens first.

    `tokens` are those of its successful calls, as others are rarely charged; `list_cost` is what they come to at the
    catalogue's price of the last day. Both are None where priced calls in the same circumstances blur them.
    """
    place = SERVICES.index("provider")
    held: Dict[Tuple[str, ...], List[Measures]] = {}
    for group in services:
        if group.measures.unpriced:
            held.setdefault(group.key[place:place + 2], []).append(group.measures)
    rows = [_unpriced_row(key, cells, days) for key, cells in held.items()]
    rows.sort(key=lambda row: (-row["unpriced"], row["provider"], row["model"]))
    calls = sum(group.measures.calls for group in services)
    unpriced = sum(row["unpriced"] for row in rows)
    return {"calls": unpriced, "share": ratio(unpriced, calls), "by_model": rows}


def _unpriced_row(key: Tuple[str, ...], cells: Sequence[Measures], days: Sequence[str]) -> Results:
    charged = [one for one in cells if not one.failed]  # a cell has one status
    blurred, whole = any(one.unpriced < one.calls for one in charged), add(charged)
    return {"provider": key[0], "model": key[1], "unpriced": sum(one.unpriced for one in cells),
            "in_catalog": load_catalog().find(*key) is not None, "tokens": None if blurred else whole.tokens,
            "list_cost": None if blurred or not days else _list_cost(key, whole, date.fromisoformat(days[-1]))}


def _list_cost(key: Tuple[str, ...], whole: Measures, day: date) -> Optional[Decimal]:
    price = load_catalog().price_on(key[0], key[1], day)
    if price is None:
        return None
    return usd((whole.input_tokens * price.input + whole.output_tokens * price.output) // PICO_PER_NANO)


def _inconsistencies(people: Sequence[Group]) -> List[Results]:
    """Return how many customers appear with more than one value of what a customer should have one of."""
    found = []
    for name in PEOPLE[1:]:
        values: Dict[str, Any] = {}
        for group in people:
            values.setdefault(group.key[0], set()).add(group.key[PEOPLE.index(name)])
        several = sorted(customer for customer, held in values.items() if len(held) > 1)
        if several:
            found.append({"dimension": name, "customers": len(several), "examples": several[:FEW]})
    return found


def _price_unknown(unpriced: Results) -> List[Recommendation]:
    """Return one recommendation for each model that the catalogue does not know, or that the log gives no cost."""
    found = []
    for row in unpriced["by_model"][:FEW]:
        name = f"{row['provider']}/{row['model']}"
        worth = "" if row["list_cost"] is None else f"; at list price about ${row['list_cost']:,.2f}"
        action = (f"Have the log carry the cost of {name}, which the catalogue has a price for" if row["in_catalog"]
                  else f"Add {name} to the catalogue with its price")
        tokens = "" if row["tokens"] is None else f" with {row['tokens']:,} tokens"
        found.append(Recommendation(action, None, f"{row['unpriced']:,} calls{tokens} have no cost and are in no "
                                                  f"sum of dollars{worth}", HIGH))
    return found
