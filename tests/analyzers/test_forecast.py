from __future__ import annotations

import math
import random

from analyzers.forecast import LEAST_DAYS, forecast

WEEK = (1.2, 1.2, 1.1, 1.0, 0.9, 0.3, 0.3)


def series(days: int, seed: int = 1, growth: float = 0.0, noise: float = 0.05) -> list:
    chance = random.Random(seed)
    return [100 * (1 + growth * day) * WEEK[day % 7] * math.exp(noise * chance.gauss(0, 1)) for day in range(days)]


def test_weekdays_are_foretold_as_they_come() -> None:
    ahead = forecast(series(84), 14)
    assert ahead
    for step, value in enumerate(ahead.daily):
        assert abs(value - 100 * WEEK[(84 + step) % 7]) < 12


def test_steady_growth_is_carried_on_further_than_the_daily_average_does() -> None:
    values = series(90, growth=0.01)
    truth = math.fsum(100 * (1 + 0.01 * day) * WEEK[day % 7] for day in range(90, 120))
    ahead = forecast(values, 30)
    assert ahead and abs(ahead.total - truth) / truth < 0.12
    assert abs(math.fsum(values) / 90 * 30 - truth) / truth > 0.25
    assert ahead.backtest and ahead.backtest.forecast_error < ahead.backtest.daily_average_error


def test_the_interval_covers_about_four_fifths_of_the_days_to_come() -> None:
    # Forty series of thirty days; a count of 1,200 days that each fall inside with probability 0.8.
    inside = 0
    for seed in range(40):
        values = series(120, seed, noise=0.2)
        ahead = forecast(values[:90], 30)
        assert ahead
        inside += sum(low <= value <= high for low, value, high in zip(ahead.low, values[90:], ahead.high))
    assert 0.7 <= inside / 1200 <= 0.9


def test_a_short_series_gets_its_mean_and_says_that_nothing_was_tried() -> None:
    ahead = forecast([1.0, 3.0], 4)
    assert ahead and ahead.daily == [2.0] * 4 and (ahead.low[0], ahead.high[0]) == (1.0, 3.0)
    assert ahead.backtest is None and forecast([]) is None


def test_zeros_and_a_single_spike_give_finite_figures() -> None:
    for values in ([0.0] * 40, [0.0] * 39 + [5.0], [1e18] * LEAST_DAYS):
        ahead = forecast(values)
        assert ahead and all(math.isfinite(value) and value >= 0 for value in ahead.daily + ahead.low + ahead.high)


def test_a_burst_of_days_is_not_carried_on_as_the_new_level() -> None:
    values = series(84)
    for day in (76, 77, 78):
        values[day] *= 15
    ahead = forecast(values, 28)
    usual = math.fsum(100 * WEEK[day % 7] for day in range(28))
    assert ahead and ahead.total < 1.3 * usual
    assert math.fsum(values[-28:]) > 2 * usual
