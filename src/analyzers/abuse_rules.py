"""Rules for patterns of misuse and failure, each on the counts that show it: what fires is a `Finding`.

No rule looks at dollars first: a leaked key is one whatever it cost. Each compares with the scope's own past, and
with the population's where that is needed to know what is rare.
"""
from __future__ import annotations

import math
from bisect import bisect_left
from datetime import date
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from analyzers.anomalies import binomial_tail, discoveries
from analyzers.common import median, quantile, robust_sigma
from calls.record import RATE_LIMIT, SERVER_ERROR, SUCCESS, TIMEOUT
from rollup.rollup import Group

GRAIN = ("day", "customer", "organization", "feature", "provider", "model", "region", "environment", "status")
UNUSUAL_VOLUME, COST_SPIKE, RATE_LIMIT_HAMMERING, REGION_SWITCH, RETRY_STORM, PROMPT_BLOAT, MODEL_SWITCH = KINDS = (
    "unusual_volume", "cost_spike", "rate_limit_hammering", "region_switch", "retry_storm", "prompt_bloat",
    "model_switch")

TROUBLE_RATE = 0.2  # of calls: what an ordinary bad session or hour may fail at, so that only more is abnormal
EPISODE_GAP = 2  # hours between failures of one storm at most
LEAST_FAILURES = 3  # in a cell: fewer cannot be told from chance
HISTORY_DAYS = 8  # active days of a customer or feature before its habits are taken for known

HOME_SHARE = 0.2  # of active days: a region used on more of them belongs to the customer's habits
QUIET_SHARE = 0.9  # of the calls from elsewhere that must fall into the owner's quiet hours
QUIET_HOURS = range(6)  # local time of the customer's main region
# Days in a row from the same strange region, with calls there against a usual day's: one away session is common,
# the same place twice at night is not, and a single night must be overwhelming.
STRANGE = ((3, 0.5), (2, 1.2), (1, 8.0))
NEAR_DAYS = 14  # around the strange days: what usual is, is judged by them, since traffic grows and shrinks
LONGEST_STRANGE_DAYS = 5  # longer is a move, not a leak

BLOAT_RATIO = 1.25  # prompt tokens a call against before: less is drift
BLOAT_STEP = 0.2  # of logarithms, subtracted from each day: where a run of longer prompts begins and ends
BLOAT_DAYS, BLOAT_SPAN = 3, 21  # active days of a run at least, calendar days at most
BLOAT_SCORE = 4.2  # standard errors of the run with the highest score in each series
LARGE_DAY = 20  # calls of a day's mean whose own error hardly matters: they show how days differ

SWITCH_SHARE = 0.75  # of calls between the first and the last use of the new model
SWITCH_PRICE = 1.2  # of what a token cost before: a dearer class
SWITCH_DAYS, SWITCH_HISTORY = 2, 5  # active days with the new model, and before it
ROLL_OUT = 3  # customers' features of one organisation that take up the same model: a decision, not an accident


class Finding(NamedTuple):
    """What a rule found: scope by dimension, first and last day (or hour) as text, how much and how sure.

    `score` is what the rule ranks by, `p_value` None where the rule has none; `calls` and `cost_nano` are what the
    pattern added, as well as the counts can tell.
    """

    kind: str
    scope: Mapping[str, str]
    first: str
    last: str
    score: float
    p_value: Optional[float]
    calls: int
    cost_nano: int
    evidence: str


def find_hammering(groups: Sequence[Group]) -> List[Finding]:
    """Return customers' days on which far more calls than their own and the population's rate hit the rate limit."""
    cells: Dict[Tuple[str, ...], List[int]] = {}
    own: Dict[str, List[int]] = {}
    for (day, customer, organization, feature, _, model, region, environment, status), counted in groups:
        cell = cells.setdefault((customer, day, feature, model, region, environment, organization), [0, 0, 0])
        hits = counted.calls if status == RATE_LIMIT else 0
        mine = own.setdefault(customer, [0, 0])
        for sums, value in ((cell, counted.calls), (mine, counted.calls)):
            sums[0] += value
            sums[1] += hits
        cell[2] += counted.cost_nano
    tried = [(key, cell) for key, cell in cells.items() if cell[1] >= LEAST_FAILURES]
    p_values = [binomial_tail(cell[1], cell[0], max(TROUBLE_RATE, _rate_elsewhere(own[key[0]], cell)))
                for key, cell in tried]
    chances = {key: p_value for (key, _), p_value in zip(tried, p_values)}
    merged: Dict[Tuple[str, str, str, str], List[Tuple[float, List[int]]]] = {}
    for key, cell in discoveries(tried, p_values, len(tried)):
        merged.setdefault((key[0], key[6], key[2], key[1]), []).append((chances[key], cell))
    return [_hammering(key, found, own[key[0]]) for key, found in sorted(merged.items())]


def _rate_elsewhere(own: Sequence[int], cell: Sequence[int]) -> float:
    calls = own[0] - cell[0]
    return (own[1] - cell[1]) / calls if calls else 0.0


def _hammering(key: Tuple[str, str, str, str], found: Sequence[Tuple[float, List[int]]],
               own: Sequence[int]) -> Finding:
    customer, organization, feature, day = key
    p_value = min(chance for chance, _ in found)
    calls, hits, nano = (sum(cell[place] for _, cell in found) for place in range(3))
    usual = _rate_elsewhere(own, (calls, hits))
    return Finding(
        RATE_LIMIT_HAMMERING, {"customer": customer, "organization": organization, "feature": feature}, day, day,
        -math.log10(max(p_value, 1e-300)), p_value, calls, nano,
        f"{hits:,} of {calls:,} calls hit the rate limit ({hits / calls:.0%}; this customer's usual rate is "
        f"{usual:.1%})")


def find_storms(groups: Sequence[Group]) -> List[Finding]:
    """Return provider and region hours in which far more calls failed than a bad hour has; groups are by hour.

    The groups' key is hour, feature, provider, region, status; neighbouring hours make one finding.
    """
    cells: Dict[Tuple[str, str, str], List[int]] = {}
    for (hour, _, provider, region, status), counted in groups:
        cell = cells.setdefault((provider, region, hour), [0, 0, 0])
        cell[0] += counted.calls
        if status in (SERVER_ERROR, TIMEOUT):
            cell[1] += counted.calls
            cell[2] += counted.cost_nano
    tried = [(key, cell) for key, cell in cells.items() if cell[1] >= LEAST_FAILURES]
    p_values = [binomial_tail(cell[1], cell[0], TROUBLE_RATE) for _, cell in tried]
    chances = {key: p_value for (key, _), p_value in zip(tried, p_values)}
    found = sorted(discoveries(tried, p_values, len(tried)))
    episodes: List[List[Tuple[Tuple[str, str, str], List[int]]]] = []
    for item in found:
        before = episodes[-1][-1][0] if episodes else ("", "", "")
        if before[:2] == item[0][:2] and _hours_apart(before[2], item[0][2]) <= EPISODE_GAP:
            episodes[-1].append(item)
        else:
            episodes.append([item])
    return [_storm(episode, min(chances[key] for key, _ in episode)) for episode in episodes]


def _hours_apart(one: str, other: str) -> int:
    return 24 * (ordinal(other) - ordinal(one)) + int(other[11:13]) - int(one[11:13])


def ordinal(time: str) -> int:
    """Return the number of an ISO day, or of the day of an hour."""
    return date(int(time[:4]), int(time[5:7]), int(time[8:10])).toordinal()


def _storm(episode: Sequence[Tuple[Tuple[str, str, str], List[int]]], p_value: float) -> Finding:
    (provider, region, first), last = episode[0][0], episode[-1][0][2]
    calls, failed, nano = (sum(cell[place] for _, cell in episode) for place in range(3))
    return Finding(
        RETRY_STORM, {"provider": provider, "region": region}, first, last, -math.log10(max(p_value, 1e-300)), p_value,
        failed, nano, f"{failed:,} of {calls:,} calls to {provider} from {region} ended in server errors or timeouts "
                      f"({failed / calls:.0%}) within {_hours_apart(first, last) + 1} hour(s)")


def find_region_switches(groups: Sequence[Group], hourly: Sequence[Group],
                         offsets: Mapping[str, int]) -> List[Finding]:
    """Return days on which a customer calls at night from a region that it does not belong to.

    `hourly` is by hour and customer; `offsets` gives each region's hours from UTC. Where the offset of the main
    region is unknown, the hours cannot be judged and only three days in a row count.
    """
    places: Dict[str, Dict[str, Dict[str, List[int]]]] = {}
    names: Dict[str, str] = {}
    for (day, customer, organization, _, _, _, region, _, _), counted in groups:
        cell = places.setdefault(customer, {}).setdefault(region, {}).setdefault(day, [0, 0])
        cell[0] += counted.calls
        cell[1] += counted.cost_nano
        names[customer] = organization
    suspects = [(customer, home, region, run) for customer, regions in places.items()
                for home, region, run in _strange_runs(regions)]
    wanted = {(customer, day) for customer, _, _, run in suspects for day in run}
    clocks: Dict[Tuple[str, str], Dict[int, int]] = {}
    for key, counted in hourly:
        hour, customer = key[0], key[1]
        if (customer, hour[:10]) in wanted:
            clocks.setdefault((customer, hour[:10]), {})[int(hour[11:])] = counted.calls
    found = []
    for customer, home, region, run in suspects:
        cells = [places[customer][region][day] for day in run]
        quiet = _quiet_share(cells, [clocks.get((customer, day), {}) for day in run], offsets.get(home))
        if quiet is None and len(run) < STRANGE[0][0] or quiet is not None and quiet < QUIET_SHARE:
            continue
        calls = sum(cell[0] for cell in cells)
        when = "" if quiet is None else f", {quiet:.0%} of them between 0 and 6 o'clock local time"
        found.append(Finding(
            REGION_SWITCH, {"customer": customer, "organization": names[customer], "region": region}, run[0], run[-1],
            float(len(run)), None, calls, sum(cell[1] for cell in cells),
            f"{calls:,} calls from {region} on {len(run)} day(s) in a row{when}; the customer calls from {home}"))
    return found


def _strange_runs(regions: Mapping[str, Mapping[str, Sequence[int]]]) -> List[Tuple[str, str, List[str]]]:
    """Return home, strange region and days in a row, where the calls from there are many enough."""
    daily: Dict[str, int] = {}
    for days in regions.values():
        for day, cell in days.items():
            daily[day] = daily.get(day, 0) + cell[0]
    if len(daily) < HISTORY_DAYS or len(regions) < 2:
        return []
    home = max(sorted(regions), key=lambda region: len(regions[region]))
    found = []
    for region, days in regions.items():
        if region == home or len(days) > HOME_SHARE * len(daily):
            continue
        for run in _runs(sorted(days)):
            calls = sum(days[day][0] for day in run)
            usual = _usual_near(daily, run)
            if any(len(run) >= least and calls >= share * usual for least, share in STRANGE):
                found.append((home, region, run))
    return found


def _usual_near(daily: Mapping[str, int], run: Sequence[str]) -> float:
    """Return the median calls of the days around a run."""
    first, last = ordinal(run[0]) - NEAR_DAYS, ordinal(run[-1]) + NEAR_DAYS
    near = [calls for day, calls in daily.items() if day not in run and first <= ordinal(day) <= last]
    return median(near or list(daily.values()))


def _runs(days: Sequence[str]) -> List[List[str]]:
    """Return stretches of days without a gap, none longer than a leak lasts."""
    runs: List[List[str]] = []
    for day in days:
        if runs and ordinal(day) - ordinal(runs[-1][-1]) == 1 and len(runs[-1]) < LONGEST_STRANGE_DAYS:
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs


def _quiet_share(cells: Sequence[Sequence[int]], clocks: Sequence[Mapping[int, int]],
                 offset: Optional[int]) -> Optional[float]:
    """Return what part of the strange calls the day's quiet hours have room for; None without an offset."""
    if offset is None:
        return None
    room = 0
    for cell, clock in zip(cells, clocks):
        room += min(cell[0], sum(calls for hour, calls in clock.items() if (hour + offset) % 24 in QUIET_HOURS))
    return room / sum(cell[0] for cell in cells)


def find_model_switches(groups: Sequence[Group]) -> List[Finding]:
    """Return customers' features that moved from one day to the next to a dearer model, and stayed a while."""
    series: Dict[Tuple[str, str, str], Dict[str, Dict[str, List[int]]]] = {}
    prices: Dict[str, List[int]] = {}
    for (day, customer, organization, feature, _, model, _, _, _), counted in groups:
        cell = series.setdefault((customer, organization, feature), {}).setdefault(model, {}).setdefault(day, [0, 0])
        price = prices.setdefault(model, [0, 0])
        for sums in (cell, price):
            sums[0] += counted.tokens
            sums[1] += counted.cost_nano
    rates = {model: nano / tokens for model, (tokens, nano) in prices.items() if tokens}
    found, takers = [], {}  # type: ignore[var-annotated]
    for key, models in series.items():
        if len(models) < 2:
            continue
        for model, days in models.items():
            one = _switch(key, model, days, models, rates)
            if one is not None:
                found.append(one)
            if min(days) > min(min(each) for each in models.values()):
                takers.setdefault((key[1], model), set()).add(key)
    return [one for one in found if len(takers[one.scope["organization"], one.scope["model"]]) < ROLL_OUT]


def _switch(key: Tuple[str, str, str], model: str, days: Mapping[str, Sequence[int]],
            models: Mapping[str, Mapping[str, Sequence[int]]], rates: Mapping[str, float]) -> Optional[Finding]:
    first, last = min(days), max(days)
    before: Dict[str, int] = {}
    seen: Set[str] = set()
    inside = 0
    for other, others in models.items():
        for day, (tokens, _) in others.items():
            if day < first:
                seen.add(day)
                before[other] = before.get(other, 0) + tokens
            elif day <= last:
                inside += tokens
    tokens, nano = (sum(cell[place] for cell in days.values()) for place in (0, 1))
    if len(seen) < SWITCH_HISTORY or len(days) < SWITCH_DAYS or not tokens or not sum(before.values()):
        return None
    usual = sum(rates[other] * used for other, used in before.items() if used) / sum(before.values())
    dearer = rates[model] / usual if usual else 0.0
    if tokens < SWITCH_SHARE * inside or dearer < SWITCH_PRICE:
        return None
    main = max(sorted(before), key=lambda name: before[name])
    customer, organization, feature = key
    return Finding(
        MODEL_SWITCH, {"customer": customer, "organization": organization, "feature": feature, "model": model}, first,
        last, dearer, None, 0, max(0, nano - round(usual * tokens)),
        f"{feature} went from {main} to {model} at {dearer:.1f} times the cost of a token, on {len(days)} day(s) with "
        f"{tokens / inside:.0%} of the tokens, while the rest of the organisation did not")


class _Level(NamedTuple):
    """Prompt tokens a call of a customer's feature: each day's calls, prompt tokens and cost; the usual logarithm."""

    days: List[Tuple[str, int, int, int]]
    usual: float


def find_prompt_bloat(groups: Sequence[Group]) -> List[Finding]:
    """Return runs of days on which a customer's feature sent longer prompts than it does, at equal calls."""
    series: Dict[Tuple[str, str, str], Dict[str, List[int]]] = {}
    for (day, customer, organization, feature, _, _, _, _, status), counted in groups:
        if status == SUCCESS and counted.input_tokens:
            cell = series.setdefault((customer, organization, feature), {}).setdefault(day, [0, 0, 0])
            for place, value in enumerate((counted.calls, counted.input_tokens, counted.cost_nano)):
                cell[place] += value
    levels = {key: _level(days) for key, days in series.items() if len(days) >= HISTORY_DAYS}
    spreads = _spreads(levels)
    found = (_bloat(key, level, *spreads[key[2]]) for key, level in levels.items())
    return [one for one in found if one is not None]


def _level(days: Mapping[str, Sequence[int]]) -> _Level:
    """Return the level of prompts: the median over calls, of which no day counts for more than a large one."""
    rows = [(day, days[day][0], days[day][1], days[day][2]) for day in sorted(days)]
    logs = sorted((math.log(tokens / calls), min(calls, LARGE_DAY)) for _, calls, tokens, _ in rows)
    reached, marks = 0, []
    for _, weight in logs:
        reached += weight
        marks.append(reached)
    return _Level(rows, logs[bisect_left(marks, reached / 2)][0])


def _spreads(levels: Mapping[Tuple[str, str, str], _Level]) -> Dict[str, Tuple[float, float]]:
    """Return by feature the variance of a day's logarithm: what days differ by, and what one call adds."""
    small: Dict[str, List[float]] = {}
    large: Dict[str, List[float]] = {}
    for key, level in levels.items():
        for _, calls, tokens, _ in level.days:
            rest = math.log(tokens / calls) - level.usual
            if calls >= LARGE_DAY:
                large.setdefault(key[2], []).append(rest)
            elif calls >= 3:
                small.setdefault(key[2], []).append(rest * math.sqrt(calls))
    result = {}
    for feature in {key[2] for key in levels}:
        call = _robust_variance(small.get(feature, [])) or 1.0
        between = _robust_variance(large.get(feature, [])) - call / (2 * LARGE_DAY)
        result[feature] = (max(0.0, between), call)
    return result


def _robust_variance(values: Sequence[float]) -> float:
    return max(quantile(values, 0.95) / 1.645, robust_sigma(values)) ** 2


def _bloat(key: Tuple[str, str, str], level: _Level, between: float, call: float) -> Optional[Finding]:
    """Return the run with the highest score of a series, found in one pass, if it is high and long enough."""
    best: Tuple[float, Any] = (BLOAT_SCORE, None)
    run, begin, weight, sums = 0.0, 0, 0.0, 0.0
    for index, (day, calls, tokens, _) in enumerate(level.days):
        rest, variance = math.log(tokens / calls) - level.usual, between + call / calls
        if run <= 0 or ordinal(day) - ordinal(level.days[begin][0]) > BLOAT_SPAN:
            run, begin, weight, sums = 0.0, index, 0.0, 0.0
        run += (rest - BLOAT_STEP) / variance
        weight += 1 / variance
        sums += rest / variance
        score = sums / math.sqrt(weight)
        if (score > best[0] and index - begin + 1 >= BLOAT_DAYS and sums / weight >= math.log(BLOAT_RATIO)
                and _typical_rest(level, begin, index) >= math.log(BLOAT_RATIO)):
            best = (score, (begin, index, math.exp(sums / weight)))
    if best[1] is None:
        return None
    begin, end, ratio = best[1]
    rows = level.days[begin:end + 1]
    nano = sum(row[3] for row in rows)
    calls = sum(row[1] for row in rows)
    return Finding(
        PROMPT_BLOAT, dict(zip(("customer", "organization", "feature"), key)), rows[0][0], rows[-1][0], best[0], None,
        0, round(nano * (1 - 1 / ratio)),
        f"{ratio:.1f} times the prompt tokens a call ({math.exp(level.usual):,.0f} before) over {calls:,} calls on "
        f"{len(rows)} days")


def _typical_rest(level: _Level, begin: int, end: int) -> float:
    """Return the median day's logarithm above the usual: one day of very long prompts makes no run."""
    return median([math.log(row[2] / row[1]) - level.usual for row in level.days[begin:end + 1]])
