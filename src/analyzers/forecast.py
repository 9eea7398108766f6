"""Forecasting a daily series: weekday season, damped trend, an 80 % interval, and its error on the past.

Days far above those around them are cut first: a burst is not carried on. Then several levels and trends are mixed
(as a geometric mean: factors are what series differ by), those that would have worked before with more weight: from
several days of the past the following days are foretold and compared with what came. The same backtest gives the
interval, and the figures by which the forecast is judged beside the plain daily average.
"""
from __future__ import annotations

import math
from typing import List, NamedTuple, Optional, Sequence

from analyzers.common import MAD_TO_SIGMA, deviation, mean, median, quantile, robust_sigma

HORIZON = 30  # days
LEAST_DAYS = 14  # of history for a season and a backtest
WEEK = 7
COVERAGE = 0.8
ORIGINS = 8  # days of the past from which a forecast is tried
RECENT = 42  # days of the recent level
TREND_WEEKS = 8  # that a trend is learnt from
FADE = 0.95  # of what a trend has a day, so much is left the next day
CUT = 2.0  # standard deviations of logarithms above the days around: more is cut
AROUND = 7  # days before and behind
DOUBT = 0.05  # relative error that every way is taken to have beside its own in the past
MEDIAN_ERROR = 1.2533  # a median's standard error against a mean's, of a normal distribution
TINY = 1e-9


class Backtest(NamedTuple):
    """How well the past was foretold: mean absolute percentage errors (1.0 is 100 %), and the interval's coverage."""

    forecast_error: float
    daily_average_error: float
    coverage: float
    trials: int


class Forecast(NamedTuple):
    """The expected values of the days ahead, the bounds of each and of their sum, and the backtest.

    `backtest` is None, and the bounds are as wide as the values differ, where the history is too short for one.
    """

    daily: List[float]
    low: List[float]
    high: List[float]
    total: float
    total_low: float
    total_high: float
    backtest: Optional[Backtest]


class _Trial(NamedTuple):
    """One look from the past: what was foretold, what came, and what the plain average said, for some days."""

    foretold: List[float]
    came: List[float]
    average: float


class _Past(NamedTuple):
    """One look from the past by all ways."""

    ways: List[List[float]]
    came: List[float]
    average: float

    def way(self, number: int) -> _Trial:
        """Return the look by one way."""
        return _Trial(self.ways[number], self.came, self.average)

    def mixed(self, weights: Sequence[float]) -> _Trial:
        """Return the look by the mixture."""
        return _Trial(_mixed(self.ways, weights), self.came, self.average)


def forecast(values: Sequence[float], horizon: int = HORIZON) -> Optional[Forecast]:
    """Return the forecast of a daily series (days without holes, oldest first), or None of nothing."""
    if not values:
        return None
    if len(values) < LEAST_DAYS:
        return _plain(values, horizon)
    # The season starts on the weekday of the first value; only its rhythm of seven matters.
    past = _trials(values)
    # What erred little in the past counts more; a mixture errs less than the choice of one.
    ahead = _ways(values, horizon)
    weights = [1 / (_error([trial.way(way) for trial in past]) ** 2 + DOUBT ** 2) for way in range(len(ahead))]
    trials = [trial.mixed(weights) for trial in past]
    daily = _mixed(ahead, weights)
    spread, whole = _spread(trials), _total_spread(trials, horizon)
    total = math.fsum(daily)
    return Forecast(daily, [max(0.0, day * (1 - spread)) for day in daily], [day * (1 + spread) for day in daily],
                    total, max(0.0, total * (1 - whole)), total * (1 + whole), _judge(trials))


def _mixed(ways: Sequence[Sequence[float]], weights: Sequence[float]) -> List[float]:
    whole = math.fsum(weights)
    return [_rounded(math.exp(math.fsum([math.log(max(value, TINY)) * weight for value, weight in zip(day, weights)])
                              / whole)) for day in zip(*ways)]


def _rounded(value: float) -> float:
    """Round to twelve digits: what logarithms and powers leave behind them differs between machines."""
    return float(f"{value:.12g}") if value > TINY else 0.0


def _plain(values: Sequence[float], horizon: int) -> Forecast:
    middle, low, high = mean(values), min(values), max(values)
    return Forecast([middle] * horizon, [low] * horizon, [high] * horizon, middle * horizon, low * horizon,
                    high * horizon, None)


def _season(values: Sequence[float]) -> List[float]:
    """Return the factor of each day of the week, by place in the series modulo seven; their mean is 1."""
    ratios: List[List[float]] = [[] for _ in range(WEEK)]
    for place in range(3, len(values) - 3):
        around = mean(values[place - 3:place + 4])
        if around > TINY:
            ratios[place % WEEK].append(values[place] / around)
    raw = [median(found) if found else 1.0 for found in ratios]
    # Days differ by chance too: what the weekdays' medians may differ by chance is taken off their differences.
    chance = mean([(MEDIAN_ERROR * robust_sigma(found)) ** 2 / max(1, len(found)) for found in ratios])
    between = deviation(raw) ** 2
    kept = max(0.0, 1 - chance / between) if between > TINY else 0.0
    pulled = [1 + kept * (one - mean(raw)) for one in raw]
    middle = mean(pulled)
    return [max(one, 0.0) / middle for one in pulled] if middle > TINY else [1.0] * WEEK


def _ways(values: Sequence[float], horizon: int) -> List[List[float]]:
    """Return the days ahead as each way tells them: the mean, without bursts, of late, and a trend that fades."""
    season = _season(values)
    flat = [value / max(season[place % WEEK], TINY) for place, value in enumerate(values)]
    calm = _cut(flat)
    levels = [[level] * horizon for level in (mean(flat), mean(calm), mean(calm[-RECENT:]))]
    levels.append(_trend(calm, horizon))
    factors = [season[(len(values) + step) % WEEK] for step in range(horizon)]
    return [[level * factor for level, factor in zip(way, factors)] for way in levels]


def _cut(values: Sequence[float]) -> List[float]:
    """Return the values, those far above the days around them cut."""
    logs = [math.log(max(value, TINY)) for value in values]
    around = [median(logs[max(0, place - AROUND):place + AROUND + 1]) for place in range(len(logs))]
    most = CUT * MAD_TO_SIGMA * median([abs(log - usual) for log, usual in zip(logs, around)])
    return [min(value, math.exp(usual + most)) for value, usual in zip(values, around)]


def _trend(flat: Sequence[float], horizon: int) -> List[float]:
    """Return the days ahead by the median slope between weeks (Theil and Sen), of logarithms."""
    first = max(len(flat) % WEEK, len(flat) - WEEK * TREND_WEEKS)
    weeks = [math.log(max(mean(flat[at:at + WEEK]), TINY)) for at in range(first, len(flat), WEEK)]
    count = len(weeks)
    slope = median([(weeks[late] - weeks[early]) / (late - early) for late in range(count) for early in range(late)])
    level = median([week + slope * (count - 1 - place) for place, week in enumerate(weeks)])
    ahead, reach = [], 0.0
    for step in range(1, horizon + 1):
        reach += FADE ** step
        ahead.append(math.exp(level + slope / WEEK * reach))
    return ahead


def _trials(values: Sequence[float]) -> List[_Past]:
    """Return forecasts made at several days of the past, with what came."""
    days = min(HORIZON, max(WEEK, len(values) // 3))
    first, last = max(WEEK, len(values) // 3), len(values) - WEEK
    step = max(1, (last - first) // ORIGINS)
    trials = []
    for origin in range(last, first, -step):
        came = list(values[origin:origin + days])
        trials.append(_Past(_ways(values[:origin], len(came)), came, mean(values[:origin])))
    return trials


def _error(trials: Sequence[_Trial]) -> float:
    """Return the mean relative error of the sums over the days of each trial."""
    return mean([abs(math.fsum(trial.foretold) - math.fsum(trial.came)) / max(math.fsum(trial.came), TINY)
                 for trial in trials])


def _spread(trials: Sequence[_Trial]) -> float:
    """Return by how much a day may miss its forecast, relatively, with the probability of the interval."""
    misses = [abs(came - told) / told for trial in trials for told, came in zip(trial.foretold, trial.came)
              if told > TINY]
    return quantile(misses, COVERAGE)


def _total_spread(trials: Sequence[_Trial], horizon: int) -> float:
    """Return the same for the sum of all days; a shorter trial is stretched as a random walk would be."""
    misses = []
    for trial in trials:
        told, came = math.fsum(trial.foretold), math.fsum(trial.came)
        if told > TINY:
            misses.append(abs(came - told) / told * math.sqrt(horizon / max(len(trial.came), 1)) ** 0.5)
    return quantile(misses, COVERAGE)


def _judge(trials: Sequence[_Trial]) -> Backtest:
    """Return the errors of the sums, beside the plain daily average's, and the interval's honest coverage.

    The coverage leaves out the trial that it is asked of, so that an interval is not praised for its own data.
    """
    averages = [_Trial([trial.average] * len(trial.came), trial.came, trial.average) for trial in trials]
    inside = days = 0
    for number, trial in enumerate(trials):
        spread = _spread(list(trials[:number]) + list(trials[number + 1:]))
        for told, came in zip(trial.foretold, trial.came):
            inside += told * (1 - spread) <= came <= told * (1 + spread)
            days += 1
    return Backtest(_error(trials), _error(averages), inside / max(1, days), len(trials))
