from __future__ import annotations

import random
from datetime import date

from analyzers.bursts import find_bursts
from analyzers.hours import CLOCK, hour_class, hour_text

MONDAY = CLOCK * date(2026, 3, 2).toordinal()
CHAT = ("cust_1", "org_1", "chat")


def office(days=42, calls=6, seed=1):
    """Return a caller's hours: some calls in most hours from 8 to 17, on working days."""
    chance = random.Random(seed)
    return {MONDAY + CLOCK * day + hour: 1 + int(chance.random() * calls)
            for day in range(days) if day % 7 < 5 for hour in range(8, 18) if chance.random() < 0.7}


def loaded(hours, day, at, calls):
    hours = dict(hours)
    for hour in at:
        place = MONDAY + CLOCK * day + hour
        hours[place] = hours.get(place, 0) + calls
    return hours


def test_hours_are_numbers_that_count_on_over_midnight_and_know_the_weekend():
    assert [hour_text(MONDAY + hour) for hour in (23, 24)] == ["2026-03-02T23", "2026-03-03T00"]
    assert hour_text(CLOCK * date(2024, 2, 29).toordinal() + 23) == "2024-02-29T23"
    assert [hour_class(MONDAY + CLOCK * day + 5) for day in range(7)] == [5, 5, 5, 5, 5, 29, 29]


def test_ordinary_hours_hold_no_run():
    assert find_bursts({CHAT: office()}) == []
    assert find_bursts({}) == []


def test_a_run_at_night_is_found_with_its_hours_and_calls():
    (one,) = find_bursts({CHAT: loaded(office(), 30, (2, 3), 60)})
    assert (one.caller, hour_text(one.first), hour_text(one.last)) == (CHAT, "2026-04-01T02", "2026-04-01T03")
    assert one.calls == 120
    assert one.expected < 10


def test_the_same_calls_in_the_busiest_hours_speak_less():
    night = find_bursts({CHAT: loaded(office(), 30, (2, 3), 200)})
    noon = find_bursts({CHAT: loaded(office(), 30, (12, 13), 200)})
    assert night[0].evidence > noon[0].evidence + 2


def test_a_day_with_as_much_more_in_every_hour_is_a_busy_day():
    hours = {hour: calls * (20 if (hour - MONDAY) // CLOCK == 30 else 1) for hour, calls in office().items()}
    assert find_bursts({CHAT: hours}) == []


def test_what_the_whole_organisation_does_is_nobodys_run():
    alone = {(f"cust_{number}", "org_1", "chat"): office(seed=number) for number in range(1, 13)}
    together = {caller: loaded(hours, 30, (12, 13), 150) for caller, hours in alone.items()}
    assert find_bursts(together) == []
    assert len(find_bursts({**alone, CHAT: loaded(alone[CHAT], 30, (12, 13), 150)})) == 1


def test_the_order_of_callers_and_hours_does_not_matter():
    callers = {(f"cust_{number}", "org_1", "chat"): office(seed=number) for number in range(1, 6)}
    for number in (1, 3, 4):
        caller = (f"cust_{number}", "org_1", "chat")
        callers[caller] = loaded(callers[caller], 28 + number % 3, (2, 3), 60)
    assert len(find_bursts(callers)) == 3
    turned = {caller: dict(reversed(list(hours.items()))) for caller, hours in reversed(list(callers.items()))}
    assert find_bursts(turned) == find_bursts(callers)


def test_a_few_calls_and_a_short_history_are_left_alone():
    assert find_bursts({CHAT: loaded(office(), 30, (2,), 15)}) == []
    assert find_bursts({CHAT: loaded(office(days=7), 5, (2,), 500)}) == []
