"""Performance Tracking: how fast calls are answered, how many fail, and what speed costs."""
from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from analyzers.base import FINOPS, HIGH, MEDIUM, Analyzer, Recommendation, Results
from analyzers.common import add, change, daily_series, monthly, per_million, periods, ratio, usd, whole_days
from analyzers.latency import (
    LIMIT_PRECISION,
    PRECISION,
    mean_ms,
    median_interval,
    percentiles_row,
    regroup,
    tokens_per_second,
)
from analyzers.pages import performance as described
from analyzers.wording import NO_CALLS, duration, numbered, percent
from calls.record import STATUSES, SUCCESS
from catalog.loader import load_catalog
from catalog.prices import CLASSES, PICO_PER_NANO
from rollup.cubes import Measures
from rollup.histogram import Histogram
from rollup.rollup import Group, Key, Rollup

GRAIN = ("feature", "provider", "model", "status")  # the one question that all tables are made from
SCOPES: Dict[str, Tuple[str, ...]] = {
    "by_model": ("provider", "model"), "by_provider": ("provider",), "by_feature": ("feature",)}
MIN_RANKED_CALLS = 100  # successful, timed calls; below, a model's median is too uncertain to rank
MIN_SWITCH_CALLS = 1000  # on both sides of a recommended switch
MIN_ERROR_CALLS = 1000  # of a provider, and of all others, before their error rates are compared
ERROR_GAP = 0.01  # of calls: a smaller difference between providers is not worth acting on
SIGNIFICANT = 3.0  # standard errors: one chance in 700 for each provider compared
LEAST_MONTHLY = Decimal("1.00")  # dollars; less is not worth a recommendation
TOP = 10  # rows in lists of the worst; also the most switches recommended


class Ranked(NamedTuple):
    """A model as the ranking sees it: dollars per million tokens, median milliseconds, tokens a second."""

    key: Key
    cost_per_million: Decimal
    p50_ms: float
    speed: float

    def beats(self, other: Ranked) -> bool:
        """Tell whether this one is nowhere worse and somewhere better."""
        no_worse = (self.cost_per_million <= other.cost_per_million and self.p50_ms <= other.p50_ms
                    and self.speed >= other.speed)
        return no_worse and self[1:] != other[1:]


class Timing(NamedTuple):
    """How many calls, their median in milliseconds, and its 95 % interval."""

    calls: int
    p50_ms: float
    least_ms: float
    most_ms: float


class PerformanceAnalyzer(Analyzer):
    """Latency, speed, service level and errors by model, provider and feature; models ranked on cost and speed."""

    id = "performance"
    title = "Performance Tracking"
    description = "How fast calls are answered, which fail, and what speed costs"
    category = FINOPS
    rank = 2
    shares = "latency"
    page = described.PAGE

    def examine(self, rollup: Rollup) -> Results:
        """Return latency tables, service level, errors, rankings and recommendations."""
        groups = rollup.by(*GRAIN)
        sla_ms = self.settings.sla_ms
        results: Results = {name: _rows(groups, rollup, scope, sla_ms) for name, scope in SCOPES.items()}
        overall = _row({}, groups, rollup.latency().get((), Histogram({})), sla_ms)
        results.update(
            headline=_headline(overall, sla_ms),
            summary={name: value for name, value in overall.items() if name not in ("calls", "cost")},
            trend=_trend(rollup),
            daily=_daily(rollup),
            overall=overall,
            sla=_service_level(rollup, overall, sla_ms),
            errors=_errors(groups),
            ranking=ranking(groups, rollup, ()),
            ranking_by_feature=ranking(groups, rollup, ("feature",)),
            notes=_notes(),
            recommendations=_switches(rollup, self.settings.month_days) + _failing_providers(groups))
        return results


def _headline(overall: Results, sla_ms: int) -> str:
    """Return how long answers take, how many take too long, and how many calls fail."""
    if not overall["calls"]:
        return NO_CALLS
    failed = (f"{percent(overall['error_rate'])} of {numbered(overall['calls'], 'call')} failed."
              if overall["failed"] else "no call failed.")
    if not overall["timed_calls"]:
        return f"How long answers took is unknown; {failed}"
    slow = percent(1 - overall["sla_compliance"]) if overall["sla_breaches"] else "none"
    return (f"Half of the answers took at most {duration(overall['p50_ms'])} and 95 % at most "
            f"{duration(overall['p95_ms'])}; {slow} took longer than the limit of {duration(sla_ms)}, and {failed}")


def _daily(rollup: Rollup) -> List[Results]:
    """Return errors and mean latency of each whole day."""
    days = whole_days(rollup)
    pairs = zip(daily_series(rollup, days), daily_series(rollup, days, {"status": SUCCESS}))
    return [dict(day=day, calls=every.calls, failed=every.failed, **_quality(every, good))
            for day, (every, good) in zip(days, pairs)]


def _quality(every: Measures, good: Measures) -> Dict[str, Optional[float]]:
    return {"error_rate": ratio(every.failed, every.calls), "mean_ms": mean_ms(good)}


def _trend(rollup: Rollup) -> Optional[Results]:
    """Return the last period beside the one before it; None where the log is too short for two."""
    pair = periods(rollup)
    if pair is None:
        return None
    found: Results = {name: {"first": days[0], "last": days[-1], **_quality(
        add(daily_series(rollup, days)), add(daily_series(rollup, days, {"status": SUCCESS})))}
        for name, days in (("current", pair.current.days), ("previous", pair.previous.days))}
    for name, key in (("error_rate_change", "error_rate"), ("mean_change", "mean_ms")):
        now, before = found["current"][key], found["previous"][key]
        found[name] = None if now is None or before is None else change(now, before)
    return found


def _notes() -> List[str]:
    return ["Latency, tokens a second and the service level are those of successful calls whose latency is known; "
            "sla_compliance_of_all_calls counts every failed call as a breach.",
            f"Percentiles are nearest-rank, {PRECISION}; a call up to {LIMIT_PRECISION} above the limit of the "
            "service level may count as within it.",
            f"Ranked are models with at least {MIN_RANKED_CALLS} timed calls and a known cost; the ranking within a "
            "feature compares like work, the one over all features also shows what each model is used for."]


def _row(named: Dict[str, str], groups: Sequence[Group], histogram: Optional[Histogram], sla_ms: int) -> Results:
    """Return one row of a latency table from groups of GRAIN."""
    whole = add(group.measures for group in groups)
    successes = [group.measures for group in groups if group.key[-1] == SUCCESS]
    timed = histogram.calls if histogram else 0
    within = round(histogram.share_within(sla_ms) * timed) if histogram else 0
    row: Results = dict(named)
    row.update(calls=whole.calls, cost=usd(whole.cost_nano), failed=whole.failed,
               error_rate=ratio(whole.failed, whole.calls), timed_calls=timed, mean_ms=mean_ms(add(successes)))
    row.update(percentiles_row(histogram))
    row.update(tokens_per_second=tokens_per_second(successes), sla_compliance=ratio(within, timed),
               sla_compliance_of_all_calls=ratio(within, timed + whole.failed), sla_breaches=timed - within)
    return row


def _gathered(groups: Sequence[Group], scope: Sequence[str]) -> Dict[Key, List[Group]]:
    places = [GRAIN.index(name) for name in scope]
    found: Dict[Key, List[Group]] = {}
    for group in groups:
        found.setdefault(tuple(group.key[place] for place in places), []).append(group)
    return found


def _rows(groups: Sequence[Group], rollup: Rollup, scope: Sequence[str], sla_ms: int) -> List[Results]:
    """Return a row for each value of the scope, the one with most calls first."""
    histograms = rollup.latency(*scope)
    rows = [_row(dict(zip(scope, key)), held, histograms.get(key), sla_ms)
            for key, held in _gathered(groups, scope).items()]
    return sorted(rows, key=lambda row: (-row["calls"], [row[name] for name in scope]))


def _service_level(rollup: Rollup, overall: Results, sla_ms: int) -> Results:
    """Return the service level, and where most calls break it."""
    names = ("feature", "provider", "model")
    worst: List[Results] = []
    for key, histogram in rollup.latency(*names).items():
        share = histogram.share_within(sla_ms)
        breaches = histogram.calls - round(share * histogram.calls)
        if breaches:
            worst.append(dict(zip(names, key), calls=histogram.calls, breaches=breaches, compliance=share,
                              share_of_breaches=ratio(breaches, overall["sla_breaches"])))
    worst.sort(key=lambda row: (-row["breaches"], [row[name] for name in names]))
    return {"sla_ms": sla_ms, "calls": overall["timed_calls"], "breaches": overall["sla_breaches"],
            "compliance": overall["sla_compliance"], "failed": overall["failed"],
            "compliance_of_all_calls": overall["sla_compliance_of_all_calls"], "worst": worst[:TOP]}


def _errors(groups: Sequence[Group]) -> Results:
    """Return failed calls by kind: over all, by provider and by model."""
    whole = add(group.measures for group in groups)
    kinds = {key[0]: add(cells) for key, cells in regroup(groups, -1).items() if key[0] != SUCCESS}
    by_kind = [{"status": status, "calls": one.calls, "share_of_calls": ratio(one.calls, whole.calls),
                "share_of_failed": ratio(one.calls, whole.failed), "cost": usd(one.cost_nano)}
               for status, one in kinds.items()]
    return {"calls": whole.calls, "failed": whole.failed, "error_rate": ratio(whole.failed, whole.calls),
            "by_kind": sorted(by_kind, key=lambda row: -row["calls"]),
            "by_provider": _error_rows(groups, ("provider",)), "by_model": _error_rows(groups, ("provider", "model"))}


def _error_rows(groups: Sequence[Group], scope: Sequence[str]) -> List[Results]:
    rows = []
    for key, held in _gathered(groups, scope).items():
        whole = add(group.measures for group in held)
        kinds = {status: 0 for status in sorted(STATUSES) if status != SUCCESS}
        for group in held:
            if group.key[-1] != SUCCESS:  # other tools' logs have kinds of failure that ours do not
                kinds[group.key[-1]] = kinds.get(group.key[-1], 0) + group.measures.calls
        rows.append(dict(zip(scope, key), calls=whole.calls, failed=whole.failed,
                         error_rate=ratio(whole.failed, whole.calls), by_kind=kinds))
    return sorted(rows, key=lambda row: (-(row["error_rate"] or 0), [row[name] for name in scope]))


def ranking(groups: Sequence[Group], rollup: Rollup, scope: Tuple[str, ...]) -> List[Results]:
    """Return models by Pareto front (1: nothing is cheaper, quicker and faster at once), cheapest first in each.

    `scope` is () or ("feature",): models are compared only within the same values of it.
    """
    names = scope + ("provider", "model")
    histograms = rollup.latency(*names)
    contestants: Dict[Key, List[Ranked]] = {}
    for key, held in _gathered(groups, names).items():
        ranked = _ranked(key, held, histograms.get(key))
        if ranked:
            contestants.setdefault(key[:len(scope)], []).append(ranked)
    rows = []
    for _, models in sorted(contestants.items()):
        for front, one in _fronts(models):
            rows.append(dict(zip(names, one.key), front=front, pareto_front=front == 1, calls=histograms[one.key].calls,
                             usd_per_million_tokens=one.cost_per_million, p50_ms=one.p50_ms,
                             tokens_per_second=one.speed))
    return rows


def _ranked(key: Key, groups: Sequence[Group], histogram: Optional[Histogram]) -> Optional[Ranked]:
    """Return what the ranking needs of a model, or None with too few calls or an unknown cost or speed."""
    successes = [group.measures for group in groups if group.key[-1] == SUCCESS]
    priced = add(one for one in successes if not one.unpriced)
    cost, speed = per_million(priced.cost_nano, priced.tokens), tokens_per_second(successes)
    if histogram is None or histogram.calls < MIN_RANKED_CALLS or cost is None or speed is None:
        return None
    return Ranked(key, cost, histogram.percentile(50), speed)


def _fronts(models: Sequence[Ranked]) -> List[Tuple[int, Ranked]]:
    left, front, found = sorted(models, key=lambda one: (one.cost_per_million, one.key)), 0, []
    while left:
        front += 1
        best = [one for one in left if not any(other.beats(one) for other in left)]
        found += [(front, one) for one in best]
        left = [one for one in left if one not in best]
    return found


def _switches(rollup: Rollup, month_days: float) -> List[Recommendation]:
    """Return switches to a model of the same class or a better one that is both cheaper and surely quicker.

    Each feature's use of a model is in at most one of them, so their dollars add up.
    """
    days = whole_days(rollup)
    if not days:
        return []
    groups = rollup.by("feature", "provider", "model", where={"status": SUCCESS, "day": days})
    timings = {key: Timing(one.calls, one.percentile(50), *median_interval(one))
               for key, one in rollup.latency("feature", "provider", "model").items() if one.calls >= MIN_SWITCH_CALLS}
    found = []
    for group in (one for one in groups if one.key in timings):
        rivals = [key for key in timings if key[0] == group.key[0] and key != group.key]
        options = [_switch(group, rival, timings, days, month_days) for rival in rivals]
        better = [option for option in options if option and (option.monthly_usd or 0) >= LEAST_MONTHLY]
        if better:
            found.append(max(better, key=lambda one: (one.monthly_usd or 0, one.action)))
    return sorted(found, key=lambda one: (-(one.monthly_usd or 0), one.action))[:TOP]


def _switch(group: Group, rival: Key, timings: Dict[Key, Timing], days: Sequence[str],
            month_days: float) -> Optional[Recommendation]:
    """Return the recommendation to move a feature's calls of one model to a rival, or None if it is not better."""
    mine, theirs = timings[group.key], timings[rival]
    if mine.least_ms <= theirs.most_ms:
        return None
    saved = _saved_nano(group, rival, date.fromisoformat(days[-1]))
    if saved is None or saved <= 0:
        return None
    feature, provider, model = group.key
    evidence = (f"median {mine.p50_ms:,.0f} ms over {mine.calls:,} calls against {theirs.p50_ms:,.0f} "
                f"ms over {theirs.calls:,} of the same feature; the same tokens at the other's list price of "
                f"{days[-1]} cost ${usd(group.measures.cost_nano - saved):,.2f} instead of "
                f"${usd(group.measures.cost_nano):,.2f} in {len(days)} days; "
                "how good its answers are was not measured")
    return Recommendation(f"{feature}: move calls of {provider}/{model} to {rival[1]}/{rival[2]}, cheaper and quicker",
                          monthly(saved, len(days), month_days), evidence, MEDIUM)


def _saved_nano(group: Group, rival: Key, day: date) -> Optional[int]:
    """Return what the rival's list price would save on the same tokens; None if unknown or of a lower class."""
    catalog, measures = load_catalog(), group.measures
    mine, theirs = catalog.find(*group.key[1:]), catalog.find(*rival[1:])
    price = theirs.price_on(day) if theirs else None
    if mine is None or theirs is None or price is None or measures.unpriced:
        return None
    retired = theirs.retired is not None and theirs.retired <= day
    if retired or CLASSES.index(theirs.capability) > CLASSES.index(mine.capability):
        return None
    rate = price.rate_for(measures.input_tokens // measures.calls)  # long prompts may be dearer
    return measures.cost_nano - (measures.input_tokens * rate.input
                                 + measures.output_tokens * rate.output) // PICO_PER_NANO


def _failing_providers(groups: Sequence[Group]) -> List[Recommendation]:
    """Return providers that fail more often than all the others together, beyond chance."""
    sums = {key[0]: add(cells) for key, cells in regroup(groups, 1).items()}
    whole, found = add(sums.values()), []
    for provider, one in sums.items():
        others = whole.calls - one.calls
        if min(one.calls, others) < MIN_ERROR_CALLS:
            continue
        rate, usual = one.failed / one.calls, (whole.failed - one.failed) / others
        overall = whole.failed / whole.calls
        error = math.sqrt(overall * (1 - overall) * (1 / one.calls + 1 / others))
        if rate - usual >= ERROR_GAP and rate - usual > SIGNIFICANT * error:
            evidence = (f"{percent(rate, 2)} of its {one.calls:,} calls failed against {percent(usual, 2)} of "
                        f"{others:,} at the other "
                        f"providers: {round((rate - usual) * one.calls):,} failures more than usual")
            found.append(Recommendation(f"Let calls fall over from {provider} to another provider", None, evidence,
                                        HIGH))
    return found
