"""Churn and growth: who comes, who stays, who fell silent, and what revenue hangs on it."""
from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from typing import Dict, List, NamedTuple, Optional, Sequence, Set

from analyzers.base import ADVANCED, HIGH, LOW, MEDIUM, Analyzer, Recommendation, Results
from analyzers.common import add, change, daily_series, median, monthly, ratio, usd, whole_days
from analyzers.pages import churn_growth as described
from analyzers.rhythm import LEAST_ACTIVE_DAYS, Rhythm, replay, rhythm_of
from analyzers.wording import NO_CALLS, money, numbered, percent
from rollup.cubes import Measures
from rollup.rollup import Group, Rollup

LEFT_CHANCE = 0.005  # a silence less likely than this from somebody who is still there: one false alarm in 200
AT_RISK_CHANCE = 0.05  # likewise, for a closer look while something can be done
WEEK = 7
GROWTH_WEEKS = 4  # compared with as many before
CROWD = 20  # customers on a median day, from which on a day without any call is a hole in the log and no silence
SETTLED_WEEKS = 3  # a rule needs some history before it is tried on the past
LISTED_NAMES = 5

LEFT, AT_RISK, ACTIVE, UNKNOWN = "left", "at_risk", "active", "unknown"


class Life(NamedTuple):
    """What a log knows of one customer; `days` are numbers of active days, holes of the log left out."""

    customer: str
    organization: str
    tier: str
    price_nano: int
    days: List[int]
    dates: List[str]
    silent: int
    rhythm: Optional[Rhythm]
    chance: Optional[float]
    cost_nano: int
    calls: int

    @property
    def state(self) -> str:
        """Return left, at_risk, active, or unknown where too few active days tell of no rhythm."""
        if self.chance is None:
            return UNKNOWN
        return LEFT if self.chance <= LEFT_CHANCE else AT_RISK if self.chance <= AT_RISK_CHANCE else ACTIVE


States = Dict[str, List[Life]]


class Clock:
    """Numbers the days of a log: days that it covers get 0, 1, 2 ..., holes get none."""

    def __init__(self, groups: Sequence[Group], whole: Sequence[str]) -> None:
        """`whole` are the log's whole days; calls on the unfinished day behind them still end a silence."""
        callers = Counter(group.key[1] for group in groups)
        counted = sorted(callers)
        crowded = median(list(callers.values())) >= CROWD
        days = counted if crowded else _all_days(counted)
        self.number = {day: number for number, day in enumerate(days)}
        self.end = max((self.number[day] for day in whole if day in self.number), default=-1)


class ChurnGrowthAnalyzer(Analyzer):
    """Weekly actives, joins and leavers, retention by cohort, growth, and the revenue at risk."""

    id = "churn_growth"
    title = "Churn & Growth"
    description = "Who joins, stays and falls silent, retention by cohort, growth, and the revenue at risk"
    category = ADVANCED
    rank = 12
    page = described.PAGE
    highlights = described.HIGHLIGHTS

    def examine(self, rollup: Rollup) -> Results:
        """Return weekly, cohorts, growth, leavers, at_risk, revenue_at_risk and the rule with its false alarms."""
        # The widest question first: what else is asked is answered from it.
        groups = rollup.by("customer", "day", "organization", "tier", "tier_price")
        whole = whole_days(rollup)
        lives = _lives(groups, whole)
        weeks = _weeks(whole)
        states = {state: [one for one in lives if one.state == state] for state in (LEFT, AT_RISK, ACTIVE, UNKNOWN)}
        joined = [one for one in lives if has_joined(one)]
        growth = _growth(rollup, weeks, lives)
        summary = _summary(lives, states, joined, weeks, growth)
        return {
            "headline": _headline(summary), "summary": summary,
            "weekly": _weekly(rollup, weeks, lives, joined),
            "growth": growth,
            "cohorts": _cohorts(weeks, lives),
            "leavers": [self._row(one) for one in _dearest(states[LEFT])],
            "at_risk": [self._row(one) for one in _dearest(states[AT_RISK])],
            "revenue_at_risk": _revenue(states),
            "rule": _rule(lives, states),
            "recommendations": self._recommendations(states),
        }

    def _row(self, one: Life) -> Results:
        assert one.rhythm is not None
        days = max(1, _days_between(one.dates[0], one.dates[-1]))
        return {
            "customer": one.customer, "organization": one.organization, "tier": one.tier,
            "monthly_revenue": usd(one.price_nano),
            "monthly_cost_when_active": monthly(one.cost_nano, days, self.settings.month_days),
            "first_active": one.dates[0], "last_active": one.dates[-1], "active_days": len(one.days),
            "silent_days": one.silent, "mean_gap_days": round(one.rhythm.mean_gap, 2),
            "called_left_after_days": one.rhythm.alarm_after(LEFT_CHANCE),
            "chance_if_still_there": one.chance, "calls": one.calls, "cost": usd(one.cost_nano),
        }

    def _recommendations(self, states: States) -> List[Recommendation]:
        found = []
        month = self.settings.month_days
        if states[LEFT]:
            gone, false = states[LEFT], _expected_false(states)
            sure = HIGH if false <= len(gone) / 10 else MEDIUM if false <= len(gone) / 3 else LOW
            found.append(Recommendation(
                f"Ask the {len(gone)} customers who fell silent why they left, the dearest first: {_names(gone)}",
                _price(gone) * Decimal(month) / 30,
                f"${_price(gone):,.2f} a month of subscriptions belong to customers who are silent longer than their "
                f"own rhythm explains (chance at most {percent(LEFT_CHANCE)} each; about {false:.1f} of them are "
                "expected "
                "to be false alarms). The log does not say whether they cancelled.", sure))
        if states[AT_RISK]:
            risky = states[AT_RISK]
            found.append(Recommendation(
                f"Call the {len(risky)} customers who are unusually silent before they are gone: {_names(risky)}",
                _price(risky) * Decimal(month) / 30,
                f"${_price(risky):,.2f} a month of subscriptions belong to customers whose silence had a chance of "
                f"{percent(LEFT_CHANCE)} to {percent(AT_RISK_CHANCE, 0)}; none of them is counted among those who "
                "left.", LOW))
        return found


def _headline(summary: Results) -> str:
    """Return who has gone, who may go, and who came, with what they pay a month."""
    left, risky, people = summary["left"], summary["at_risk"], numbered(summary["customers"], "customer")
    if not summary["customers"]:
        return NO_CALLS
    if summary["unknown"] == summary["customers"]:
        return f"Of {people} none has called on enough days to tell who stays."
    gone = (f"Of {people} {left:,} {_verb(left, 'seems', 'seem')} to have left, with "
            f"{money(summary['revenue_lost'])} a month" if left else f"Of {people} none seems to have left")
    risk = (f"{risky:,} {_verb(risky, 'is', 'are')} unusually silent, with {money(summary['revenue_at_risk'])} a month "
            "at risk" if risky else "none is unusually silent")
    return f"{gone}; {risk}; {summary['joined']:,} joined."


def _verb(count: int, one: str, several: str) -> str:
    return one if count == 1 else several


def has_joined(one: Life) -> bool:
    """Tell whether somebody came during the log: seen first so late that being there before would be a surprise.

    It is the leavers' rule read backwards. Who is first seen in the log's first days may have been there all along.
    """
    return one.rhythm is not None and one.rhythm.silence_chance(one.days[0]) <= LEFT_CHANCE


def _lives(groups: Sequence[Group], whole: Sequence[str]) -> List[Life]:
    """Return all customers, with the organisation and tier of their last call's day."""
    clock = Clock(groups, whole)
    found: Dict[str, List[Group]] = {}
    for group in groups:
        found.setdefault(group.key[0], []).append(group)
    return [_life(customer, rows, clock) for customer, rows in found.items()]


def _life(customer: str, rows: Sequence[Group], clock: Clock) -> Life:
    texts = sorted({row.key[1] for row in rows})
    days = [clock.number[day] for day in texts]
    organization, tier, price = rows[-1].key[2:]
    counted = add(row.measures for row in rows)
    silent, rhythm = max(0, clock.end - days[-1]), rhythm_of(days)
    chance = rhythm.silence_chance(silent) if rhythm else None
    return Life(customer, organization, tier, int(price), days, texts, silent, rhythm, chance,
                counted.cost_nano, counted.calls)


def _all_days(counted: Sequence[str]) -> List[str]:
    """Return every day from the first to the last."""
    if not counted:
        return []
    first = date(*map(int, counted[0].split("-")))
    return [(first + timedelta(days=number)).isoformat()
            for number in range(_days_between(counted[0], counted[-1]))]


def _days_between(first: str, last: str) -> int:
    """Return the days from the first to the last, both included."""
    begin, end = (date(*map(int, day.split("-"))) for day in (first, last))
    return (end - begin).days + 1


def _weeks(whole: Sequence[str]) -> List[Sequence[str]]:
    """Return weeks of seven whole days, the last one ending with the last whole day; what is left over is dropped."""
    begin = len(whole) % WEEK
    return [whole[at:at + WEEK] for at in range(begin, len(whole), WEEK)]


def _week_of(weeks: Sequence[Sequence[str]]) -> Dict[str, int]:
    return {day: number for number, week in enumerate(weeks) for day in week}


def _actives(weeks: Sequence[Sequence[str]], lives: Sequence[Life]) -> List[Set[str]]:
    """Return who was active in each week."""
    place = _week_of(weeks)
    active: List[Set[str]] = [set() for _ in weeks]
    for one in lives:
        for day in one.dates:
            if day in place:
                active[place[day]].add(one.customer)
    return active


def _measures(rollup: Rollup, weeks: Sequence[Sequence[str]]) -> List[Measures]:
    daily = daily_series(rollup, [day for week in weeks for day in week])
    return [add(daily[at:at + WEEK]) for at in range(0, len(daily), WEEK)]


def _weekly(rollup: Rollup, weeks: Sequence[Sequence[str]], lives: Sequence[Life],
            joined: Sequence[Life]) -> List[Results]:
    """Return one row a whole week; a leaver is counted in the week of the last active day."""
    rows: List[Results] = []
    before: Set[str] = set()
    place = _week_of(weeks)
    first_seen, came = (Counter(place.get(one.dates[0]) for one in some) for some in (lives, joined))
    left = Counter(place.get(one.dates[-1]) for one in lives if one.state == LEFT)
    for number, (week, active, counted) in enumerate(zip(weeks, _actives(weeks, lives), _measures(rollup, weeks))):
        rows.append({
            "first_day": week[0], "last_day": week[-1], "active": len(active), "first_seen": first_seen[number],
            "joined": came[number], "left": left[number],
            "retained": len(active & before) if rows else None,
            "retention": ratio(len(active & before), len(before)) if rows else None,
            "active_change": change(len(active), len(before)) if rows else None,
            "calls": counted.calls, "cost": usd(counted.cost_nano),
        })
        before = active
    return rows


def _growth(rollup: Rollup, weeks: Sequence[Sequence[str]], lives: Sequence[Life]) -> Results:
    """Return the last whole weeks against as many before: a week's mean actives, calls, cost, and cost a caller."""
    size = min(GROWTH_WEEKS, len(weeks) // 2)
    result: Results = {"weeks_compared": size}
    if not size:
        return result
    active = [len(one) for one in _actives(weeks, lives)]
    counted = _measures(rollup, weeks)
    series = {"weekly_active": active, "calls": [one.calls for one in counted],
              "cost_nano": [one.cost_nano for one in counted], "tokens": [one.tokens for one in counted]}
    for name, values in series.items():
        now, then = sum(values[-size:]), sum(values[-2 * size:-size])
        is_money = name == "cost_nano"
        current, previous = (usd(one) / size if is_money else one / size for one in (now, then))
        result["cost" if is_money else name] = {
            "current": current, "previous": previous, "change": change(now, then),
            "weekly_growth": _compound(now, then, size)}
    return result


def _compound(now: int, then: int, weeks: int) -> Optional[float]:
    """Return the steady growth a week that leads from one mean to the other, the middles being so far apart."""
    return (now / then) ** (1 / weeks) - 1 if now and then else None


def _cohorts(weeks: Sequence[Sequence[str]], lives: Sequence[Life]) -> List[Results]:
    """Return for each week in which customers were first seen what share of them was active in each week after.

    The first cohort is whoever was seen until the first whole week's end. Who came after the last has none.
    """
    if not weeks:
        return []
    place, active = _week_of(weeks), _actives(weeks, lives)
    cohorts: List[Set[str]] = [set() for _ in weeks]
    for one in lives:
        number = 0 if one.dates[0] < weeks[0][0] else place.get(one.dates[0])
        if number is not None:
            cohorts[number].add(one.customer)
    return [{"first_day": week[0], "customers": len(members), "from_the_beginning": number == 0,
             "retention": [ratio(len(members & later), len(members)) for later in active[number:]]}
            for number, (week, members) in enumerate(zip(weeks, cohorts)) if members]


def _summary(lives: Sequence[Life], states: States, joined: Sequence[Life], weeks: Sequence[Sequence[str]],
             growth: Results) -> Results:
    actives = _actives(weeks[-1:], lives)
    return {
        "customers": len(lives), "active_last_week": len(actives[0]) if actives else None, "joined": len(joined),
        "left": len(states[LEFT]), "at_risk": len(states[AT_RISK]), "unknown": len(states[UNKNOWN]),
        "whole_weeks": len(weeks),
        "weekly_active_growth": growth.get("weekly_active", {}).get("change"),
        "revenue_lost": _price(states[LEFT]), "revenue_at_risk": _price(states[AT_RISK]),
    }


def _revenue(states: States) -> List[Results]:
    """Return customers and the month's subscriptions by state; the unknown are shown as that."""
    whole = sum(one.price_nano for lives in states.values() for one in lives)
    rows = []
    for state, lives in states.items():
        price = sum(one.price_nano for one in lives)
        rows.append({"state": state, "customers": len(lives), "monthly_revenue": usd(price),
                     "share": ratio(price, whole)})
    return rows


def _rule(lives: Sequence[Life], states: States) -> Results:
    """Return the rule in words and numbers, and how often it would have been wrong in the log's own past."""
    end = max((one.days[-1] for one in lives), default=0)
    tried = replay([one.days for one in lives], range(end - WEEK, SETTLED_WEEKS * WEEK - 1, -WEEK), LEFT_CHANCE)
    judged = len(lives) - len(states[UNKNOWN])
    return {
        "left_chance": LEFT_CHANCE, "at_risk_chance": AT_RISK_CHANCE, "least_active_days": LEAST_ACTIVE_DAYS,
        "judged": judged, "expected_false_alarms": _expected_false(states),
        "past_looks": tried.looks, "past_false_alarms": tried.false_alarms,
        "past_false_alarm_rate": ratio(tried.false_alarms, tried.looks),
        "words": "Left: silent so long that somebody who goes on at the customer's own share of active days would be "
                 f"with a chance of at most {percent(LEFT_CHANCE)}; at risk: {percent(AT_RISK_CHANCE, 0)}; fewer than "
                 f"{LEAST_ACTIVE_DAYS} active days: unknown.",
    }


def _expected_false(states: States) -> float:
    """Return how many of the living the rule calls left by chance, at most."""
    return LEFT_CHANCE * sum(len(states[one]) for one in (ACTIVE, AT_RISK, LEFT))


def _price(lives: Sequence[Life]) -> Decimal:
    return usd(sum(one.price_nano for one in lives))


def _dearest(lives: Sequence[Life]) -> List[Life]:
    return sorted(lives, key=lambda one: (-one.price_nano, -one.cost_nano, one.customer))


def _names(lives: Sequence[Life]) -> str:
    names = [one.customer for one in _dearest(lives)[:LISTED_NAMES]]
    more = len(lives) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")
