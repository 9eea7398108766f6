from __future__ import annotations

import math

import pytest

from analyzers.anomalies import (
    Rests,
    binomial_tail,
    calibration,
    discoveries,
    mean_plus_3_sigma,
    robust_days,
    robust_hours,
    severity,
    standing_out,
    upper_tail,
)


def days(number):
    return [f"2026-{1 + index // 28:02d}-{1 + index % 28:02d}" for index in range(number)]


def swinging(number, level=100.0):
    """Return a series that swings by a fifth around a level."""
    return {day: level * (1.2 if index % 2 else 1 / 1.2) for index, day in enumerate(days(number))}


def test_the_upper_tail_is_that_of_the_normal_distribution():
    assert upper_tail(0.0) == 0.5
    assert upper_tail(1.6448536) == pytest.approx(0.05, rel=1e-5)


@pytest.mark.parametrize("hits, trials, rate, expected", [
    (2, 3, 0.5, 0.5), (3, 3, 0.5, 0.125), (0, 5, 0.2, 1.0), (1, 2, 0.1, 0.19), (1, 5, 0.0, 0.0), (5, 5, 1.0, 1.0)])
def test_the_binomial_tail_is_the_chance_of_at_least_so_many_hits(hits, trials, rate, expected):
    assert binomial_tail(hits, trials, rate) == pytest.approx(expected)


def test_benjamini_hochberg_accepts_up_to_the_last_rank_that_holds():
    # 5 tests at 0.05: the bounds are 0.01, 0.02, 0.03, 0.04, 0.05; rank 2 misses its own, but rank 3 holds.
    assert discoveries("abcde", [0.005, 0.025, 0.028, 0.9, 0.8], 5, 0.05) == ["a", "b", "c"]


def test_more_tests_than_items_make_acceptance_harder():
    assert discoveries("a", [0.005], 10, 0.05) == ["a"]
    assert discoveries("a", [0.005], 11, 0.05) == []


def test_the_plain_rule_is_the_mean_plus_three_standard_deviations():
    # 19 days of 1 and one of 21: mean 2, variance (19 * 1 + 361) / 20 = 19, so the bound is 2 + 3 * 4.359 = 15.08.
    series = dict(zip(days(20), [1.0] * 19 + [21.0]))
    (point,) = mean_plus_3_sigma(series)
    assert (point.time, point.value, point.expected) == (days(20)[-1], 21.0, 2.0)
    assert point.score == pytest.approx(19 / math.sqrt(19))
    assert mean_plus_3_sigma(dict(zip(days(20), [1.0] * 20))) == []


def test_a_day_of_ten_times_the_level_rests_by_the_logarithm_of_ten():
    series = dict.fromkeys(days(40), 100.0)
    series[days(40)[30]] = 1000.0
    found = robust_days(series)
    assert found.rests[30] == pytest.approx(math.log(10))
    assert found.rests[29] == pytest.approx(0.0)


def test_a_weekend_is_compared_with_weekends():
    # 2026-01-03 is a Saturday. Weekends have a quarter; without the factor they would rest at log(1/4).
    series = {day: 25.0 if index % 7 in (2, 3) else 100.0 for index, day in enumerate(days(28))}
    found = robust_days(series)
    assert abs(found.rests[23]) < abs(math.log(0.25)) / 1.9


def test_an_hour_is_compared_with_the_same_hour_of_its_class_of_day():
    # Every working day has 10 at 09 and 1000 at 14: 1000 is nothing special at 14, but it is at 09.
    series = {f"{day}T{hour}": value for day in days(28) for hour, value in (("09", 10.0), ("14", 1000.0))}
    odd = days(28)[20] + "T09"
    series[odd] = 1000.0
    found = robust_hours(series)
    assert found.times[found.rests.index(max(found.rests))] == odd


def test_a_scope_with_a_short_history_is_left_alone():
    assert robust_days(dict(zip(days(7), [1.0] * 6 + [1e6]))) is None
    assert robust_hours({"2026-01-01T00": 1.0}) is None
    assert robust_days({}) is None


def test_only_points_above_the_least_extra_stand_out_and_all_are_counted_as_tests():
    series = swinging(40)
    series[days(40)[30]] = 5000.0
    scopes = [("a", robust_days(series)), ("b", robust_days(swinging(40)))]
    high, tests = standing_out(scopes, 1000.0)
    assert [(item, point.time) for item, point in high] == [("a", days(40)[30])]
    assert tests == 80
    assert standing_out(scopes, 6000.0)[0] == []
    assert standing_out([], 0.0) == ([], 0)


def test_a_small_spread_is_shrunk_towards_the_typical_one():
    calm = Rests(["2026-01-01"] * 8, [math.e] * 8, [1.0] * 8, 0.1)
    wild = [(str(place), Rests(["2026-01-01"] * 8, [math.e] * 8, [1.0] * 8, 1.0)) for place in range(2)]
    scores = {item: point.score for item, point in standing_out([("calm", calm), *wild], 0.0)[0]}
    assert scores == {}  # with its own spread the calm one would score 10; shrunk: 1 / sqrt((8 * .01 + 15) / 23) = 1.2


def test_scores_are_divided_by_what_their_upper_hundredth_shows():
    assert calibration([0.0] * 980 + [4.652] * 20) == pytest.approx(2.0)
    assert calibration([0.0] * 1000) == 0.5  # never below half
    assert calibration([9.0] * 999) == 1.0  # too few to learn from


@pytest.mark.parametrize("share, name", [(0.3, "critical"), (0.05, "high"), (0.02, "medium"), (0.0, "low")])
def test_severity_goes_by_the_share_of_a_mean_day(share, name):
    assert severity(share) == name
