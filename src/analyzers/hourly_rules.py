"""Rules of misuse and failure that times show: hammering, retry storms, strange regions at night, loops."""
from __future__ import annotations

import math
from operator import add
from typing import Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from analyzers.abuse_rules import HISTORY_DAYS, RATE_LIMIT_HAMMERING, REGION_SWITCH, RETRY_STORM, RUNAWAY_LOOP, Finding
from analyzers.anomalies import binomial_tail, discoveries
from analyzers.common import median
from analyzers.hours import CLOCK, HOURS_TO_1970, Caller, Row, day_text, hour_text, hourly_use
from analyzers.loops import Loop, loops_of
from analyzers.wording import numbered
from rollup.rollup import Rollup

TROUBLE_RATE = 0.2  # of calls: what an ordinary bad session or hour may fail at, so that only more is abnormal
EPISODE_GAP = 2  # hours between failures of one storm at most
LEAST_FAILURES = 3  # in a stretch: fewer cannot be told from chance
MOST_CHANCE = 0.001  # of a stretch of rate limits by itself, however few there are to choose from

HOME_SHARE = 0.2  # of active days: a region used on more of them belongs to the customer's habits
# Of the calls from elsewhere on each day, and on all days together, that must fall into the owner's quiet hours.
QUIET_DAY, QUIET_SHARE = 0.5, 0.8
QUIET_HOURS = range(6)  # local time of the customer's main region
# Days in a row from the same strange region, with calls there against a usual day's: one away session is common,
# the same place twice at night is not, and a single night must be overwhelming.
STRANGE = ((3, 0.3), (2, 0.5), (1, 8.0))
LEAST_STRANGE = 8  # calls of a run
NEAR_DAYS = 14  # around the strange days: what usual is, is judged by them, since traffic grows and shrinks
LONGEST_STRANGE_DAYS = 5  # longer is a move, not a leak


class _Stretch(NamedTuple):
    """Hours of a place or a service: all its calls, those that count against it, and the nano-dollars."""

    first: int
    last: int
    calls: int
    hits: int
    nano: int


def find_hammering(rollup: Rollup) -> List[Finding]:
    """Return customers' days on which far more calls than their own and the population's rate hit the rate limit."""
    use = hourly_use(rollup)
    own = {customer: [calls, 0] for (customer,), calls in rollup.sums("calls", "customer").items()}
    for (caller, _), hours in use.limited.items():
        own[caller[0]][1] += sum(one.hits for one in hours.values())
    tried, chances = [], []
    for (caller, _), hours in sorted(use.limited.items()):
        for one in _stretches({hour: cell[:3] for hour, cell in hours.items()}):
            if one.hits >= LEAST_FAILURES:
                tried.append((caller, one))
                rate = max(TROUBLE_RATE, _rate_elsewhere(own[caller[0]], [one]))
                chances.append(binomial_tail(one.hits, one.calls, rate))
    p_values = dict(zip(tried, chances))
    days: Dict[Tuple[Caller, int], List[_Stretch]] = {}
    for caller, one in discoveries(tried, chances, len(tried)):
        if p_values[caller, one] <= MOST_CHANCE:
            days.setdefault((caller, one.first // CLOCK), []).append(one)
    return [_hammering(caller, found, min(p_values[caller, one] for one in found), own[caller[0]])
            for (caller, _), found in sorted(days.items())]


def _stretches(cells: Mapping[int, Sequence[int]], gap: int = 1) -> List[_Stretch]:
    """Return the stretches of hours, as long as the next is no further than the gap; cells: calls, hits, nano."""
    found: List[_Stretch] = []
    for hour in sorted(cells):
        if found and hour - found[-1].last <= gap:
            before = found[-1]
            found[-1] = _Stretch(before.first, hour, *map(add, before[2:], cells[hour]))
        else:
            found.append(_Stretch(hour, hour, *cells[hour]))
    return found


def _rate_elsewhere(own: Sequence[int], found: Iterable[_Stretch]) -> float:
    calls, hits = own
    for one in found:
        calls, hits = calls - one.calls, hits - one.hits
    return hits / calls if calls else 0.0


def _hammering(caller: Caller, found: Sequence[_Stretch], p_value: float, own: Sequence[int]) -> Finding:
    calls, hits, nano = (sum(one[place] for one in found) for place in (2, 3, 4))
    first, last = (day_text(hour // CLOCK) for hour in (found[0].first, max(one.last for one in found)))
    return Finding(
        RATE_LIMIT_HAMMERING, dict(zip(("customer", "organization", "feature"), caller)), first, last, _score(p_value),
        p_value, calls, nano, f"{hits:,} of {calls:,} calls hit the rate limit ({hits / calls:.0%}; this customer's "
                              f"usual rate is {_rate_elsewhere(own, found):.1%})")


def _score(p_value: float) -> float:
    return -math.log10(max(p_value, 1e-300))


def find_storms(rollup: Rollup) -> List[Finding]:
    """Return provider and region hours in which far more calls failed than a bad hour has, neighbours as one."""
    use = hourly_use(rollup)
    tried = [(service, hour, cell) for service, hours in sorted(use.services.items())
             for hour, cell in sorted(hours.items()) if cell.hits >= LEAST_FAILURES]
    chances = [binomial_tail(cell.hits, cell.calls, TROUBLE_RATE) for _, _, cell in tried]
    p_values = {(service, hour): chance for (service, hour, _), chance in zip(tried, chances)}
    services: Dict[Tuple[str, str], List[int]] = {}
    for service, hour, _ in discoveries(tried, chances, len(tried)):
        services.setdefault(service, []).append(hour)
    found = []
    for service, hours in sorted(services.items()):
        cells = {hour: use.services[service][hour] for hour in hours}
        for one in _stretches({hour: (cell.calls, cell.hits, cell.hit_nano) for hour, cell in cells.items()},
                              EPISODE_GAP):
            inside = [hour for hour in hours if one.first <= hour <= one.last]
            found.append(_storm(service, one, min(p_values[service, hour] for hour in inside)))
    return found


def _storm(service: Tuple[str, str], one: _Stretch, p_value: float) -> Finding:
    provider, region = service
    return Finding(
        RETRY_STORM, {"provider": provider, "region": region}, hour_text(one.first), hour_text(one.last),
        _score(p_value), p_value, one.hits, one.nano,
        f"{one.hits:,} of {one.calls:,} calls to {provider} from {region} ended in server errors or timeouts "
        f"({one.hits / one.calls:.0%}) within {numbered(one.last - one.first + 1, 'hour')}")


class _Visit(NamedTuple):
    """A day's calls of a customer from one region: how many, how many of them in quiet hours, nano-dollars."""

    calls: int
    quiet: int
    nano: int


def find_region_switches(rollup: Rollup, offsets: Mapping[str, int]) -> List[Finding]:
    """Return days on which a customer calls at night from a region that it does not belong to.

    `offsets` gives each region's hours from UTC. Where the offset of the main region is unknown, the hours cannot be
    judged and only three days in a row count.
    """
    found = []
    places = _places(rollup)
    elsewhere = {(*customer, region) for customer, one in places.items() for region in one.elsewhere}
    strange: Dict[Tuple[str, str], Dict[str, List[Row]]] = {}
    for caller, row in hourly_use(rollup).rows(lambda one, region: (one[0], one[1], region) in elsewhere):
        strange.setdefault((caller[0], caller[1]), {}).setdefault(row[1], []).append(row)
    for (customer, organization), regions in sorted(strange.items()):
        home, daily, _ = places[customer, organization]
        offset = offsets.get(home)
        for region in sorted(regions):
            visits = _visits(regions[region], offset)
            for run in _strange_runs(visits, offset is not None):
                calls, quiet, nano = (sum(visits[day][place] for day in run) for place in range(3))
                if not _is_much(run, calls, _usual_near(daily, run), offset is not None):
                    continue
                when = "" if offset is None else f", {quiet / calls:.0%} of them between 0 and 6 o'clock local time"
                found.append(Finding(
                    REGION_SWITCH, {"customer": customer, "organization": organization, "region": region},
                    day_text(run[0]), day_text(run[-1]), float(len(run)), None, calls, nano,
                    f"{calls:,} calls from {region} on {_days(run)}{when}; the customer calls from "
                    f"{home}"))
    return found


def _days(run: Sequence[int]) -> str:
    return "one day" if len(run) == 1 else f"{len(run)} days in a row"


class _Places(NamedTuple):
    """Where a customer calls from: its main region, its calls by day, and the regions that it does not belong to."""

    home: str
    daily: Dict[int, int]
    elsewhere: Set[str]


def _places(rollup: Rollup) -> Dict[Tuple[str, str], _Places]:
    """Return by customer and organisation where they call from; no region is strange where too little is known."""
    cells = rollup.coded(("calls",), "day", "customer", "organization", "region")
    regions = [texts[-1] for texts in cells.circumstance_texts]
    days: Dict[int, Tuple[Dict[str, Set[int]], Dict[int, int]]] = {}
    for day, caller, circumstance, calls in zip(cells.times, cells.callers, cells.circumstances, *cells.measures):
        active, daily = days.setdefault(caller, ({}, {}))
        active.setdefault(regions[circumstance], set()).add(day)
        daily[day] = daily.get(day, 0) + calls
    places = {}
    for number, (active, daily) in days.items():
        home = max(sorted(active), key=lambda region: len(active[region]))
        elsewhere = {region for region, seen in active.items() if region != home
                     and len(daily) >= HISTORY_DAYS and len(seen) <= HOME_SHARE * len(daily)}
        customer, organization = cells.caller_texts[number][:2]
        by_day = {day + HOURS_TO_1970 // CLOCK: calls for day, calls in daily.items()}
        places[customer, organization] = _Places(home, by_day, elsewhere)
    return places


def _visits(rows: Iterable[Row], offset: Optional[int]) -> Dict[int, _Visit]:
    days: Dict[int, List[int]] = {}
    for hour, _, calls, nano in rows:
        cell = days.setdefault(hour // CLOCK, [0, 0, 0])
        cell[0] += calls
        cell[2] += nano
        if offset is not None and (hour + offset) % CLOCK in QUIET_HOURS:
            cell[1] += calls
    return {day: _Visit(*cell) for day, cell in days.items()}


def _strange_runs(visits: Mapping[int, _Visit], is_judged: bool) -> List[List[int]]:
    """Return the days in a row on which a region's calls came at night, as far as that can be judged."""
    wanted = [day for day, visit in visits.items() if not is_judged or visit.quiet >= QUIET_DAY * visit.calls]
    return [run for run in _runs(sorted(wanted))
            if not is_judged or sum(visits[day].quiet for day in run) >= QUIET_SHARE * sum(
                visits[day].calls for day in run)]


def _is_much(run: Sequence[int], calls: int, usual: float, is_judged: bool) -> bool:
    """Tell whether strange days have calls enough against a usual day."""
    return calls >= LEAST_STRANGE and any(len(run) >= number and calls >= share * usual
                                          for number, share in (STRANGE if is_judged else STRANGE[:1]))


def _usual_near(daily: Mapping[int, int], run: Sequence[int]) -> float:
    """Return the median calls of the days around a run."""
    near = [calls for day, calls in daily.items()
            if day not in run and run[0] - NEAR_DAYS <= day <= run[-1] + NEAR_DAYS]
    return median(near or list(daily.values()))


def _runs(days: Sequence[int]) -> List[List[int]]:
    """Return stretches of days without a gap, none longer than a leak lasts."""
    runs: List[List[int]] = []
    for day in days:
        if runs and day - runs[-1][-1] == 1 and len(runs[-1]) < LONGEST_STRANGE_DAYS:
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs


def find_loops(rollup: Rollup) -> List[Finding]:
    """Return the stretches in which a customer's feature made the same request again and again."""
    return list(map(_loop, loops_of(rollup)))


def _loop(one: Loop) -> Finding:
    minutes = 10 * (one.last - one.first + 1)
    return Finding(
        RUNAWAY_LOOP, dict(zip(("customer", "organization", "feature"), one.caller)),
        hour_text(one.first // 6 + HOURS_TO_1970), hour_text(one.last // 6 + HOURS_TO_1970), one.evidence,
        math.exp(-one.evidence), round(one.extra), one.extra_nano,
        f"{one.calls:,} calls of {one.caller[2]} within {minutes} minutes had nearly the same prompt: their lengths "
        f"differ by {one.spread:.0%}, usually by {one.usual:.0%}")
