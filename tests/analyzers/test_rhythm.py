"""Silence against a customer's own rhythm, and hours around the clock."""
from __future__ import annotations

import pytest

from analyzers.rhythm import Rhythm, has_no_daily_rhythm, replay, rhythm_of


def test_the_chance_of_a_silence_is_what_a_flat_prior_makes_of_the_days_seen():
    rhythm = Rhythm(active=2, days=4)
    assert rhythm.silence_chance(0) == pytest.approx(1)
    assert rhythm.silence_chance(1) == pytest.approx(3 / 6)
    assert rhythm.silence_chance(2) == pytest.approx(3 / 6 * 4 / 7)


def test_a_daily_caller_is_missed_sooner_than_a_weekly_one():
    daily, weekly = rhythm_of(list(range(30))), rhythm_of(list(range(0, 60, 7)))
    assert daily.alarm_after(0.005) < 5 < 20 < weekly.alarm_after(0.005)


def test_the_alarm_comes_on_the_first_day_that_is_unlikely_enough():
    rhythm = Rhythm(active=20, days=40)
    day = rhythm.alarm_after(0.01)
    assert rhythm.silence_chance(day) <= 0.01 < rhythm.silence_chance(day - 1)


def test_two_active_days_tell_of_no_rhythm():
    assert rhythm_of([3, 9]) is None
    assert rhythm_of([3, 9, 11]) == Rhythm(2, 8)
    assert Rhythm(2, 8).mean_gap == 4


def test_a_replay_counts_only_customers_who_came_back():
    returned = list(range(20)) + [60]
    gone = list(range(20))
    assert replay([returned, gone], [19, 40], 0.01) == (2, 1)


@pytest.mark.parametrize("hours, flat", [
    (dict.fromkeys(range(24), 30), True),
    (dict.fromkeys(range(24), 1), False),
    (dict.fromkeys(range(9, 18), 30), False),
    ({hour: 40 if 12 <= hour < 24 else 25 for hour in range(24)}, False),
    ({}, False),
])
def test_only_even_hours_on_enough_evidence_have_no_daily_rhythm(hours, flat):
    assert has_no_daily_rhythm(hours) is flat
