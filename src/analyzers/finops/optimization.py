"""Rate Optimization: the same work for less, in steps that never count a dollar twice.

The last whole days (at most 30) are taken, and the steps in `STEPS` are applied in that order to what the ones
before left over: a commitment is only worth making for what is still used when everything else is done.
"""
from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal
from typing import Dict, List, Optional, Sequence, Set, Tuple

from analyzers.base import FINOPS, HIGH, LOW, MEDIUM, Analyzer, Recommendation, Results
from analyzers.common import LONGEST_PERIOD, mean, monthly, quantile, ratio, usd, whole_days
from analyzers.pages import optimization as described
from analyzers.rates import CELL, Cell, Commitment, Ledger, Rates, Saving, together
from analyzers.rhythm import has_no_daily_rhythm
from analyzers.switches import (
    LASTING_DAYS,
    MORE_OUTPUT,
    MOVABLE_ELSEWHERE,
    MOVABLE_NEAR,
    OLDER_DAYS,
    Switch,
    apply_switch,
    find_switches,
)
from analyzers.wording import NO_CALLS, money, numbered, percent
from catalog.loader import load_catalog
from rollup.rollup import Rollup

STEPS = {"model_switch": "Cheaper models", "batch": "Batches", "cache": "Prompt caches", "commitment": "Commitments"}
MOVABLE_BATCH = 0.5  # low end: so much of what looks patient can really wait
REPEATED_LOW, REPEATED_HIGH = 0.2, 0.6  # of a long prompt, that may be the same from call to call
LONG_PROMPT = 1024  # tokens; below, providers do not cache
MANY_CALLS = 10.0  # a customer and day, so that what was cached is read before it is dropped
FLOOR_QUANTILE = 0.1  # of daily cost: nine days in ten use more
LEAST_DAYS = 14  # whole days, before a commitment is talked of
STEADY_TREND = 0.9  # second half over first half of the days; below, use is falling and the floor will not hold
LEAST_MONTHLY = Decimal("1.00")  # dollars; less is not worth a recommendation
MOST_SWITCHES = 10  # recommended one by one, the largest first; all of them stand in the table
LEAST_SHARE = 0.001  # of all cost left, that a customer's calls must make before their hours are looked at
PRODUCTION = frozenset({"production", "prod", "live"})
STEADY_DAYS = 0.8  # of the whole days, on which patient traffic runs


class OptimizationAnalyzer(Analyzer):
    """Cheaper models, batches, caches and commitments, each with a range, its assumptions and its evidence."""

    id = "optimization"
    title = "Rate Optimization"
    description = "Cheaper models, batches, caches and commitments, as honest ranges that never count a dollar twice"
    category = FINOPS
    rank = 4
    page = described.PAGE
    highlights = described.HIGHLIGHTS

    def examine(self, rollup: Rollup) -> Results:
        """Return model_switches, batchable, cacheable, commitments, steps and assumptions."""
        whole = whole_days(rollup)
        self._days = whole[-LONGEST_PERIOD:]
        self._rates = Rates(load_catalog())
        groups = rollup.by(*CELL, where={"day": self._days})
        self._ledger = Ledger(groups)
        total = sum(group.measures.cost_nano for group in groups)
        self._found: List[Recommendation] = []
        self._steps: List[Results] = []
        results: Results = {
            "model_switches": self._switches(), "batchable": self._batchable(rollup, whole),
            "cacheable": self._cacheable(), "commitments": self._commitments()}
        results.update(
            steps=self._steps, assumptions=self._assumptions(), recommendations=self._found,
            chosen_switches=[row for row in results["model_switches"] if row["chosen"]],
            summary=self._summary(total, sum(group.measures.unpriced for group in groups)))
        results["headline"] = _headline(rollup, results["summary"], self._steps)
        return results

    def _summary(self, total: int, unpriced: int) -> Results:
        low, high = (sum(step[name] for step in self._steps) for name in ("low_monthly", "high_monthly"))
        now = self._monthly(total)
        return {"days": len(self._days), "first_day": self._days[0] if self._days else None,
                "last_day": self._days[-1] if self._days else None, "monthly_cost": now,
                "low_monthly": low if self._days else None, "high_monthly": high if self._days else None,
                "low_share": ratio(float(low), float(now or 0)), "high_share": ratio(float(high), float(now or 0)),
                "considered_monthly": self._monthly(sum(cell.cost for cell in self._ledger.cells)),
                "unpriced_calls": unpriced}

    def _monthly(self, nano: int) -> Optional[Decimal]:
        return monthly(nano, len(self._days), self.settings.month_days) if self._days else None

    def _dollars(self, nano: int) -> Decimal:
        return self._monthly(nano) or Decimal(0)

    def _step(self, name: str, before: int, saving: Saving) -> None:
        self._steps.append({
            "step": name, "title": STEPS[name], "cost_before_monthly": self._dollars(before),
            "low_monthly": self._dollars(saving.low), "high_monthly": self._dollars(saving.high),
            "cost_after_monthly": self._dollars(before - saving.high)})

    def _recommend(self, action: str, saving: Saving, evidence: str, confidence: str) -> None:
        low = self._dollars(saving.low)
        if low >= LEAST_MONTHLY:
            text = f"${low:,.2f} to ${self._dollars(saving.high):,.2f} a month: {evidence}"
            self._found.append(Recommendation(action, low, text, confidence))

    # Cheaper models.

    def _switches(self) -> List[Results]:
        before, by_model = self._ledger.left, defaultdict(list)
        for cell in self._ledger.cells:
            by_model[cell.provider, cell.model].append(cell)
        rows, chosen = [], []
        for _, cells in sorted(by_model.items()):
            options = find_switches(self._rates, cells, self._days[-1])
            best = max((one for one in options if one.saving.low > 0), key=lambda one: one.rank, default=None)
            rows += [self._switch_row(one, one is best) for one in options]
            if best:
                chosen.append((best, apply_switch(best, self._rates, self._ledger, cells)))
        chosen.sort(key=lambda item: (-item[1].low, item[0]))
        self._step("model_switch", before, together(saving for _, saving in chosen))
        for switch, saving in chosen[:MOST_SWITCHES]:
            self._recommend_switch(switch, saving)
        return sorted(rows, key=lambda row: (not row["chosen"], -row["low_monthly"], row["provider"], row["model"]))

    def _switch_row(self, one: Switch, chosen: bool) -> Results:
        return {"provider": one.provider, "model": one.model, "to_provider": one.to_provider,
                "to_model": one.to_model, "same_class": one.same_class,
                "same_provider": one.to_provider == one.provider, "monthly_cost": self._dollars(one.cost),
                "low_monthly": self._dollars(one.saving.low), "high_monthly": self._dollars(one.saving.high),
                "high_share": ratio(one.saving.high, one.cost), "chosen": chosen}

    def _recommend_switch(self, one: Switch, saving: Saving) -> None:
        kind = "the same class" if one.same_class else "the next lower class"
        self._recommend(
            f"Try {one.to_model} ({one.to_provider}) where {one.model} ({one.provider}) is used today", saving,
            f"the same tokens cost ${self._dollars(one.cost):,.2f} a month today; the model is of {kind}. The low end "
            f"moves {percent(one.movable, 0)} of the calls and allows for {percent(MORE_OUTPUT, 0)} more output, the "
            "high end moves "
            "all calls. Compare the answers before moving.", MEDIUM if one.is_near else LOW)

    # Batches.

    def _batchable(self, rollup: Rollup, whole: Sequence[str]) -> List[Results]:
        before = self._ledger.left
        patient = self._patient(rollup, whole)
        kinds = (("non_production", [one for one in self._ledger.cells if one.environment not in PRODUCTION]),
                 ("no_daily_rhythm", [one for one in self._ledger.cells
                                      if one.environment in PRODUCTION and one.customer in patient]))
        rows, savings = [], []
        for kind, cells in kinds:
            if cells:
                row, saving = self._batch(kind, cells)
                rows.append(row)
                savings.append(saving)
        self._step("batch", before, together(savings))
        return rows

    def _batch(self, kind: str, cells: Sequence[Cell]) -> Tuple[Results, Saving]:
        otherwise = self.settings.batch_discount
        shares = {id(cell): self._rates.batch_share(cell, otherwise) for cell in cells}
        left = sum(cell.left for cell in cells)
        published = sum(cell.left for cell in cells if shares[id(cell)][1])
        saving = self._ledger.take(cells, lambda cell: MOVABLE_BATCH * shares[id(cell)][0],
                                   lambda cell: shares[id(cell)][0])
        customers = sorted({cell.customer for cell in cells})
        what = {"non_production": "calls outside production", "no_daily_rhythm":
                f"production calls of {numbered(len(customers), 'customer')} calling around the clock"}[kind]
        self._recommend(
            f"Send {what} through the batch interface", saving,
            f"${self._dollars(left):,.2f} a month are left of their cost; {percent(ratio(published, left) or 0, 0)} "
            "of it has "
            f"a published batch price, the rest is taken at {percent(otherwise, 0)} off. The low end lets half of it "
            "wait. "
            "The log does not say who waits for an answer.", MEDIUM if kind == "non_production" else LOW)
        return {"kind": kind, "title": what[:1].upper() + what[1:],
                "customers": customers if kind == "no_daily_rhythm" else len(customers),
                "calls": sum(cell.calls for cell in cells), "monthly_cost_left": self._dollars(left),
                "published_share": ratio(published, left), "low_monthly": self._dollars(saving.low),
                "high_monthly": self._dollars(saving.high)}, saving

    def _patient(self, rollup: Rollup, whole: Sequence[str]) -> Set[str]:
        """Return customers who call on most days and at any hour alike: machines rather than people at work."""
        days: Dict[str, Set[str]] = defaultdict(set)
        spent: Counter[str] = Counter()
        for cell in self._ledger.cells:
            days[cell.customer].add(cell.day)
            spent[cell.customer] += cell.left
        # Hours are many: they are only looked at where there is something to save.
        worth = LEAST_SHARE * self._ledger.left
        steady = {name for name, active in days.items()
                  if len(active) >= STEADY_DAYS * len(self._days) and spent[name] >= worth}
        if not steady:
            return set()
        hours: Dict[str, Counter[int]] = defaultdict(Counter)
        known = set(whole)
        for hour, name in rollup.sums("calls", "hour", "customer", where={"customer": steady}):
            if hour[:10] in known:
                hours[name][int(hour[11:])] += 1
        return {name for name in steady if has_no_daily_rhythm(hours[name])}

    # Caches.

    def _cacheable(self) -> List[Results]:
        before = self._ledger.left
        kinds: Dict[Tuple[str, str, str], List[Cell]] = defaultdict(list)
        for cell in self._ledger.cells:
            kinds[cell.feature, cell.provider, cell.model].append(cell)
        rows = [self._cache(key, cells) for key, cells in sorted(kinds.items()) if _is_cacheable(cells)]
        found = [row for row in rows if row["saving"].high]
        saving = together(row["saving"] for row in found)
        self._step("cache", before, saving)
        for feature in sorted({row["feature"] for row in found}):
            self._recommend_cache(feature, [row for row in found if row["feature"] == feature])
        for row in found:
            del row["saving"]
        return sorted(found, key=lambda row: -row["high_monthly"])

    def _cache(self, key: Tuple[str, str, str], cells: Sequence[Cell]) -> Results:
        calls, left = sum(cell.calls for cell in cells), sum(cell.left for cell in cells)
        daily = _calls_per_customer_day(cells)
        saving = self._ledger.take(cells, lambda cell: self._rates.cache_share(cell, daily, REPEATED_LOW),
                                   lambda cell: self._rates.cache_share(cell, daily, REPEATED_HIGH))
        feature, provider, model = key
        return {"feature": feature, "provider": provider, "model": model, "calls": calls,
                "mean_prompt_tokens": sum(cell.input for cell in cells) / calls,
                "calls_per_customer_day": daily, "monthly_cost_left": self._dollars(left), "saving": saving,
                "low_monthly": self._dollars(saving.low), "high_monthly": self._dollars(saving.high)}

    def _recommend_cache(self, feature: str, rows: Sequence[Results]) -> None:
        saving = together(row["saving"] for row in rows)
        calls = sum(row["calls"] for row in rows)
        prompt = sum(row["mean_prompt_tokens"] * row["calls"] for row in rows) / calls
        self._recommend(
            f"Put what repeats first in the prompts of {feature}, and cache it", saving,
            f"{calls:,} calls had prompts of {prompt:,.0f} tokens on average, and at least {MANY_CALLS:.0f} came from "
            "a customer on an active day, on average. The log does not show what repeats: the range takes "
            f"{percent(REPEATED_LOW, 0)} to {percent(REPEATED_HIGH, 0)} of each prompt, at published prices, writing "
            "included.", LOW)

    # Commitments.

    def _commitments(self) -> List[Results]:
        before = self._ledger.left
        daily: Dict[Tuple[str, Optional[str]], Counter[str]] = defaultdict(Counter)
        for cell in self._ledger.cells:
            # Only what stays where it is, whether or not the switches are made, can be committed to.
            if cell.to_provider is None:
                daily[cell.provider, cell.model][cell.day] += cell.left
            if cell.to_provider in (None, cell.provider):
                daily[cell.provider, None][cell.day] += cell.left
        scopes = {scope: self._commitment(spent) for scope, spent in daily.items()}
        made = {scope: one for scope, one in scopes.items() if one}
        chosen = _chosen(made)
        saved = sum(made[scope].saved for scope in chosen)
        self._step("commitment", before, Saving(saved, saved))
        for scope in chosen:
            self._recommend_commitment(scope, made[scope])
        rows = [self._commitment_row(scope, one, scope in chosen) for scope, one in made.items()]
        return sorted(rows, key=lambda row: (row["provider"], row["model"] is not None, -row["saved_monthly"]))

    def _commitment(self, spent: Dict[str, int]) -> Optional[Commitment]:
        used = [spent.get(day, 0) for day in self._days]
        floor = int(quantile(used, FLOOR_QUANTILE)) if len(used) >= LEAST_DAYS else 0
        return Commitment(floor, Decimal(str(self.settings.committed_discount)), used) if floor else None

    def _commitment_row(self, scope: Tuple[str, Optional[str]], one: Commitment, chosen: bool) -> Results:
        discount = float(one.discount)
        return {"provider": scope[0], "model": scope[1], "title": f"{scope[1] or 'any model'} ({scope[0]})",
                "floor_per_day": usd(one.floor),
                "committed_monthly": self._dollars((one.floor - int(one.floor * one.discount)) * len(self._days)),
                "saved_monthly": self._dollars(one.saved), "discount": discount, "utilization": one.utilization,
                "break_even_utilization": 1 - discount, "break_even_idle_days": discount,
                "days_below": one.days_below, "trend": _trend(one.daily), "chosen": chosen}

    def _recommend_commitment(self, scope: Tuple[str, Optional[str]], one: Commitment) -> None:
        provider, model = scope
        trend = _trend(one.daily)
        falling = trend is not None and trend < STEADY_TREND
        days = len(one.daily)
        self._recommend(
            f"Commit to ${usd(one.floor):,.2f} a day at list price of {model or 'any model'} ({provider})",
            Saving(one.saved, one.saved),
            f"after all other steps, nine of ten of the last {days} days used more. At "
            f"{percent(float(one.discount), 0)} off "
            f"it pays as long as {percent(1 - float(one.discount), 0)} of it is used ({percent(one.utilization, 0)} "
            "would have been): "
            f"use may stop altogether on {percent(float(one.discount), 0)} of days before it loses money."
            + (" Use is falling, so the floor may not hold." if falling else ""),
            LOW if falling else HIGH if days == LONGEST_PERIOD else MEDIUM)

    def _assumptions(self) -> List[str]:
        return [
            "Steps in order: " + ", ".join(STEPS) + "; each is applied to what the high ends before it left over.",
            f"Model switches: the low end moves {percent(MOVABLE_NEAR, 0)} of the calls within a class "
            f"and provider ({percent(MOVABLE_ELSEWHERE, 0)} otherwise) and adds {percent(MORE_OUTPUT, 0)} output "
            "tokens; the high end "
            "moves all calls with the tokens they had. List prices in force on each day; quality is not in the log. "
            f"Left out: models over {OLDER_DAYS} days older, or to be retired within {LASTING_DAYS} days.",
            f"Batches: published batch prices, else {percent(self.settings.batch_discount, 0)} off; the low end lets "
            f"{percent(MOVABLE_BATCH, 0)} wait. After a switch the batch discount of today's model is taken.",
            f"Caches: {percent(REPEATED_LOW, 0)} to {percent(REPEATED_HIGH, 0)} of prompts of at least "
            f"{LONG_PROMPT:,} tokens repeats.",
            f"Commitments: {percent(self.settings.committed_discount, 0)} off the {percent(FLOOR_QUANTILE, 0)} "
            "quantile of daily cost, "
            "without use that a chosen switch would move to another provider.",
        ]


def _headline(rollup: Rollup, summary: Results, steps: Sequence[Results]) -> str:
    """Return what could be saved of what is spent, and which step saves most."""
    if not rollup.total().calls:
        return NO_CALLS
    if not summary["days"]:
        return "The log has no whole day to look for savings in."
    rate = f"at the rate of the last {str(summary['days']) + ' days' if summary['days'] > 1 else 'day'}"
    if not summary["monthly_cost"]:
        return f"Nothing is known to be spent {rate}, so there is nothing to save."
    if not summary["high_monthly"]:
        return f"No saving was found in the {money(summary['monthly_cost'])} that a month costs {rate}."
    best = max(steps, key=lambda step: step["high_monthly"])
    return (f"{money(summary['low_monthly'])} to {money(summary['high_monthly'])} of the "
            f"{money(summary['monthly_cost'])} spent a month could be saved, {percent(summary['low_share'])} to "
            f"{percent(summary['high_share'])}, first of all with {best['title'].lower()} ({rate}).")


def _calls_per_customer_day(cells: Sequence[Cell]) -> float:
    return sum(cell.calls for cell in cells) / len({(cell.customer, cell.day) for cell in cells})


def _is_cacheable(cells: Sequence[Cell]) -> bool:
    prompt = sum(cell.input for cell in cells) / sum(cell.calls for cell in cells)
    return prompt >= LONG_PROMPT and _calls_per_customer_day(cells) >= MANY_CALLS


def _chosen(made: Dict[Tuple[str, Optional[str]], Commitment]) -> List[Tuple[str, Optional[str]]]:
    """Return for each provider either the commitment to all of its models or those to single ones: what saves more."""
    found: List[Tuple[str, Optional[str]]] = []
    for provider in sorted({provider for provider, _ in made}):
        single = [scope for scope, one in made.items() if scope[0] == provider and scope[1] and one.saved > 0]
        wide = made.get((provider, None))
        if wide and wide.saved > 0 and wide.saved >= sum(made[scope].saved for scope in single):
            found.append((provider, None))
        else:
            found += sorted(single)
    return found


def _trend(daily: Sequence[int]) -> Optional[float]:
    """Return the mean of the later half of the days over that of the earlier half."""
    half = len(daily) // 2
    return ratio(mean(daily[-half:]), mean(daily[:half])) if half else None
