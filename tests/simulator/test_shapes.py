"""Each scenario does to its traffic what it promises: exactly in its hooks, and within noise in the calls it writes.

Calls come in sessions, and a tenth of the customers makes two thirds of them, so that a day's count strays by about
10 % from what is expected of it, and a sum over nine days by about 5 %. The tolerances follow from that.
"""
from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta

import pytest
from simulator_logs import DAYS, START, by_day, correlation, mean, moments, played, settled, volumes

from catalog.loader import load_catalog
from simulator.calendar import MS_PER_HOUR
from simulator.core import AICallSimulator
from simulator.scenarios.base_traffic import BaseTrafficSimulator
from simulator.scenarios.burst_traffic import BurstTrafficSimulator
from simulator.scenarios.cost_optimization import CostOptimizationSimulator
from simulator.scenarios.feature_launch import FeatureLaunchSimulator
from simulator.scenarios.gradual_decline import GradualDeclineSimulator
from simulator.scenarios.model_migration import ModelMigrationSimulator
from simulator.scenarios.multi_tenant import MultiTenantSimulator
from simulator.scenarios.seasonal_pattern import SeasonalPatternSimulator
from simulator.scenarios.steady_growth import SteadyGrowthSimulator
from simulator.scenarios.timezone_pattern import TimezonePatternSimulator
from simulator.scenarios.viral_spike import ViralSpikeSimulator
from simulator.scenarios.weekend_effect import WeekendEffectSimulator

SEEDS = range(1, 6)  # for what costs next to nothing: hooks and customers, without generating calls
SAME_SHAPE = 0.9  # correlation of counted with promised shapes; what is missing to 1 is the noise of sessions
STRAYS = 0.15  # how far counts over a tenth of the calendar may be off: about three times their noise
TENTH = DAYS // 10


# base_traffic

def test_base_traffic_has_one_volume_at_all_hours():
    assert set(volumes(settled(BaseTrafficSimulator))) == {1.0}


def test_base_traffic_follows_the_hours_and_weekends_of_its_customers_rhythms():
    play = played(BaseTrafficSimulator)
    promised, counted, days = [0.0] * 48, [0.0] * 48, (set(), set())  # a mean weekday, then a mean weekend day
    for one in play.scenario.customers:
        rhythm = load_catalog().rhythms[one.rhythm]
        for hour in range(24):
            promised[hour] += one.mean_calls * rhythm.hourly[hour]
            promised[24 + hour] += one.mean_calls * rhythm.hourly[hour] * rhythm.weekend
    for line in play.lines:
        counted[24 * line.on_weekend + line.local_hour] += 1
        days[line.on_weekend].add(line.local_day)
    counted = [count / len(days[place // 24]) for place, count in enumerate(counted)]
    assert correlation(counted, promised) > SAME_SHAPE
    weekends = [sum(shape[24:]) / sum(shape[:24]) for shape in (counted, promised)]
    assert weekends[0] == pytest.approx(weekends[1], rel=STRAYS)


# seasonal_pattern

def test_a_seasonal_volume_peaks_at_the_end_of_months_and_quarters_and_on_mondays():
    scenario = settled(SeasonalPatternSimulator)
    volume = {moment.date: scenario.volume(moment) for moment in moments(scenario)}
    ends = []
    for first, last in ((date(2026, 1, 1), 31), (date(2026, 2, 1), 28), (date(2026, 3, 1), 31)):
        # Seven days hold each weekday once, so that the week's cycle does not show in their mean.
        weeks = [mean([volume[first + timedelta(day - 1)] for day in range(begin, begin + 7)])
                 for begin in (11, last - 6)]
        assert weeks[1] > 1.3 * weeks[0]
        ends.append(weeks[1])
    assert ends[2] == max(ends) > 1.3 * min(ends)
    mondays = [day for day in volume if day.weekday() == 0 and 8 <= day.day <= 14]
    assert len(mondays) == 3 and all(volume[day] > 1.2 * volume[day + timedelta(4)] for day in mondays)


def test_a_season_shows_in_the_calls():
    play = played(SeasonalPatternSimulator)
    days = [START + timedelta(number) for number in range(DAYS)]
    assert correlation(play.per_day, by_day(volumes(play.scenario))) > 0.7  # day by day: two thirds of a day is noise
    monday, friday = (mean([count for count, day in zip(play.per_day, days) if day.weekday() == number])
                      for number in (0, 4))
    assert monday > 1.1 * friday
    month_end = mean([count for count, day in zip(play.per_day, days) if day.day > 24])
    mid_month = mean([count for count, day in zip(play.per_day, days) if 11 <= day.day <= 17])
    assert month_end > 1.3 * mid_month


# burst_traffic

@pytest.mark.parametrize("seed", SEEDS)
def test_burst_hours_have_five_to_twenty_times_the_volume_and_come_without_a_rhythm(seed):
    scenario = settled(BurstTrafficSimulator, seed)
    volume = volumes(scenario)
    bursts = [value for value in volume if value != 1.0]
    assert bursts and all(5 <= value <= 20 for value in bursts)
    assert max(bursts) / min(bursts) > 2
    assert len(bursts) / len(volume) < 0.08  # rare: one to four hours every two or three days
    starts = [event.start_ms // MS_PER_HOUR for event in scenario.events]
    gaps = {later - earlier for earlier, later in zip(starts, starts[1:])}
    assert len(gaps) > len(starts) / 2
    for event in scenario.events:
        first = (event.start_ms - scenario.calendar.start_ms) // MS_PER_HOUR
        last = (event.end_ms - scenario.calendar.start_ms) // MS_PER_HOUR
        assert all(value == pytest.approx(event.size, abs=0.005) for value in volume[first:last])


def test_calls_in_burst_hours_are_five_to_twenty_times_those_of_that_hour_on_other_days():
    play = played(BurstTrafficSimulator, calls_per_day=1000)
    volume, usual = volumes(play.scenario), defaultdict(list)
    for hour, count in enumerate(play.per_hour):
        if volume[hour] == 1.0:
            usual[hour % 24].append(count)
    ratios = []
    for event in play.scenario.events:
        first = (event.start_ms - play.scenario.calendar.start_ms) // MS_PER_HOUR
        hours = range(first, min(first + (event.end_ms - event.start_ms) // MS_PER_HOUR, len(volume)))
        ratios.append(sum(play.per_hour[hour] for hour in hours) / sum(mean(usual[hour % 24]) for hour in hours))
    assert len(ratios) > 20
    # The count of one burst strays by up to two fifths, at night by more: the middle nine tenths must keep within that.
    ratios.sort()
    cut = len(ratios) // 20
    assert ratios[cut] >= 5 / 1.4 and ratios[-1 - cut] <= 20 * 1.4
    assert mean(ratios) == pytest.approx(mean([event.size for event in play.scenario.events]), rel=STRAYS)


# multi_tenant

@pytest.mark.parametrize("seed", SEEDS)
def test_the_busiest_organisation_has_three_to_ten_times_the_volume_of_the_calmest(seed):
    scenario = settled(MultiTenantSimulator, seed)
    moment, factors = scenario.calendar.moment(scenario.calendar.start_ms), defaultdict(set)
    for one in scenario.customers:
        factors[one.organization_id].add(scenario.customer_volume(one, moment))
    assert len(factors) == 50 and all(len(values) == 1 for values in factors.values())
    found = [values.pop() for values in factors.values()]
    assert 3 <= max(found) / min(found) <= 10
    assert len(set(found)) == len(found)


def test_the_calls_of_organisations_differ_as_their_factors_do():
    """Against base traffic of the same customers, whose days are the same."""
    play, plain = played(MultiTenantSimulator), played(BaseTrafficSimulator)
    counts, usual = (Counter(line.organization for line in one.lines) for one in (play, plain))
    moment = play.scenario.calendar.moment(play.scenario.calendar.start_ms)
    factors = {one.organization_id: play.scenario.customer_volume(one, moment) for one in play.scenario.customers}
    order = sorted(factors, key=lambda name: factors[name])
    calm, busy = (sum(counts[name] for name in names) / sum(usual[name] for name in names)
                  for names in (order[:12], order[-12:]))
    promised = mean([factors[name] for name in order[-12:]]) / mean([factors[name] for name in order[:12]])
    assert busy / calm == pytest.approx(promised, rel=0.35)  # a dozen organisations hold two or three big customers


# model_migration

def test_all_sessions_begin_on_the_gpt_4_class_and_end_on_claude_sonnet():
    scenario = settled(ModelMigrationSimulator)
    hours = moments(scenario)
    lanes = [lane for one in scenario.customers[:50] for lane in one.lanes]
    for moment in hours[:240]:
        assert {scenario.choose_model(lane, moment, 0.0).model[:5] for lane in lanes} == {"gpt-4"}
    for moment in hours[-240:]:
        assert all(scenario.choose_model(lane, moment, 0.999).model.startswith("claude-sonnet") for lane in lanes)
    middle = hours[len(hours) // 2]
    moved = [scenario.choose_model(lanes[0], middle, draw / 100).model.startswith("claude-sonnet")
             for draw in range(100)]
    assert moved == sorted(moved, reverse=True) and sum(moved) in (50, 51)


def test_the_share_of_claude_sonnet_grows_from_week_to_week():
    play = played(ModelMigrationSimulator)
    weeks = defaultdict(list)
    for line in play.lines:
        weeks[play.day(line) // 7].append(line.model.startswith("claude-sonnet"))
    shares = [mean(weeks[week]) for week in sorted(weeks)]
    assert shares[0] == 0 and shares[-1] == 1
    # A week's share strays by 0.03: a hundred long sessions make half of its calls.
    assert all(later > earlier - 0.03 for earlier, later in zip(shares, shares[1:]))
    assert 0.4 < shares[len(shares) // 2] < 0.6


# weekend_effect

def test_weekends_and_holidays_have_a_third_of_a_working_day():
    scenario = settled(WeekendEffectSimulator)
    rhythms = load_catalog().rhythms.values()
    for rhythm in rhythms:
        factors = {day: scenario.quiet_factor(rhythm, day.weekday(), day)
                   for day in (date(2026, 1, 1) + timedelta(number) for number in range(365))}
        quiet = {day for day, factor in factors.items() if factor == pytest.approx(1 / 3)}
        assert {day for day in factors if day.weekday() >= 5} <= quiet
        assert {date(2026, 1, 1), date(2026, 12, 25)} <= quiet
        assert {factors[day] for day in set(factors) - quiet} == {1.0} and len(quiet) < 115


def test_the_calls_of_a_weekend_day_are_about_a_third_of_a_working_days():
    calls, days = [0, 0], (set(), set())
    for seed in (1, 2):  # 26 weekend days of one population stray by a tenth: two populations by less
        for line in played(WeekendEffectSimulator, seed=seed).lines:
            calls[line.on_weekend] += 1
            days[line.on_weekend].add((seed, line.local_day))
    assert 0.28 <= calls[True] / len(days[True]) / (calls[False] / len(days[False])) <= 0.38


# timezone_pattern

def test_three_parts_of_the_world_each_have_a_third_of_the_calls_in_their_own_office_hours():
    play = played(TimezonePatternSimulator)
    area_of = {one.region: one.area for one in load_catalog().regions}
    hours = defaultdict(Counter)
    for line in play.lines:
        hours[area_of[line.region]][line.local_hour] += 1
    assert set(hours) == {"Americas", "Europe", "Asia-Pacific"}
    for count in hours.values():
        assert sum(count.values()) / len(play.lines) == pytest.approx(1 / 3, abs=0.05)
        assert 9 <= count.most_common(1)[0][0] < 17
        assert sum(count[hour] for hour in range(9, 18)) > 0.55 * sum(count.values())


@pytest.mark.parametrize("seed", SEEDS)
def test_customers_are_dealt_to_the_three_parts_of_the_world_by_their_traffic(seed):
    area_of = {one.region: one.area for one in load_catalog().regions}
    load = Counter()
    for one in settled(TimezonePatternSimulator, seed).customers:
        load[area_of[one.region]] += one.mean_calls
        assert one.rhythm == "office"
    assert all(calls / sum(load.values()) == pytest.approx(1 / 3, abs=0.01) for calls in load.values())


# feature_launch

def test_nobody_uses_the_feature_before_its_launch_and_its_use_overshoots_before_the_plateau():
    scenario = settled(FeatureLaunchSimulator)
    lane = scenario.customers[0].lanes[-1]
    assert lane.feature.feature == "meeting_notes"
    assert all(one.lanes[-1].feature is lane.feature for one in scenario.customers)
    [event] = scenario.events
    launch = (event.start_ms - scenario.calendar.start_ms) // MS_PER_HOUR
    use = [scenario.lane_volume(lane, moment) for moment in moments(scenario)]
    assert launch == 27 * 24 and set(use[:launch]) == {0.0} and 0 < use[launch] < 0.01
    peak = use.index(max(use))
    assert use[launch:peak] == sorted(use[launch:peak]) and 1.5 < use[peak] < 2
    assert all(value == pytest.approx(1, abs=0.01) for value in use[-600:])
    steps = [later - earlier for earlier, later in zip(use[launch:], use[launch + 1:peak])]
    assert steps.index(max(steps)) > len(steps) / 4  # an S: it begins slowly
    assert {scenario.lane_volume(other, moment) for other in scenario.customers[0].lanes[:-1]
            for moment in moments(scenario)[::50]} == {1.0}


def test_calls_of_the_new_feature_climb_overshoot_and_settle():
    play = played(FeatureLaunchSimulator)
    use = [0] * DAYS
    for line in play.lines:
        use[play.day(line)] += line.feature == "meeting_notes"
    assert sum(use[:27]) == 0
    plateau = mean(use[63:])
    assert 1.25 < mean(use[42:49]) / plateau < 1.75  # the adoption curve's mean over this week is 1.5 plateaus
    thirds = [mean(use[first:first + TENTH]) for first in (63, 72, 81)]
    assert all(third == pytest.approx(plateau, rel=STRAYS) for third in thirds)
    # Every customer's new lane adds 0.6 of its other traffic.
    rest = sum(play.day(line) >= 63 for line in play.lines) / 27 - plateau
    assert plateau / rest == pytest.approx(0.6, rel=STRAYS)


# cost_optimization

@pytest.mark.parametrize("seed", SEEDS)
def test_every_lane_moves_to_models_at_half_the_price(seed):
    scenario = settled(CostOptimizationSimulator, seed)
    hours, draws = moments(scenario), [(number + 0.5) / 1000 for number in range(1000)]
    for lane in {one.lanes[0].model: one.lanes[0] for one in scenario.customers}.values():
        assert {scenario.choose_model(lane, hours[100], draw) for draw in draws} == {lane.model}
        after = [scenario.price_of(scenario.choose_model(lane, hours[-100], draw)) for draw in draws]
        assert mean(after) / scenario.price_of(lane.model) == pytest.approx(0.5, abs=0.001)


class WithoutOptimization(CostOptimizationSimulator):
    """The same customers, sessions and tokens, on the models that they began with."""

    choose_model = AICallSimulator.choose_model


def test_the_cost_of_a_call_about_halves_with_the_mix_of_calls_held_fixed():
    play, dear = played(CostOptimizationSimulator), played(WithoutOptimization)
    assert len(play.lines) == len(dear.lines)
    before, after = (sum(line.cost_nano for line in play.within(*part)) / sum(line.cost_nano
                     for line in dear.within(*part)) for part in ((0, 0.2), (0.8, 1)))
    assert before == 1.0
    assert 0.4 <= after <= 0.6


# gradual_decline

@pytest.mark.parametrize("seed", SEEDS)
def test_customers_with_seven_tenths_of_the_traffic_leave_one_after_the_other(seed):
    people = settled(GradualDeclineSimulator, seed).customers
    whole = sum(one.mean_calls for one in people)
    stay = sum(one.mean_calls for one in people if one.left is None)
    assert stay / whole == pytest.approx(0.3, abs=0.02)
    leaving = sorted(one.left for one in people if one.left is not None)
    assert leaving[0] > 0 and leaving[-1] < 1 and len(set(leaving)) == len(leaving)
    half = sum(one.mean_calls for one in people if one.left is None or one.left > 0.5)
    assert half / whole == pytest.approx(0.65, abs=0.1)


def test_the_last_tenth_of_a_decline_has_about_three_tenths_of_the_first():
    play = played(GradualDeclineSimulator)
    assert 0.22 <= sum(play.per_day[-TENTH:]) / sum(play.per_day[:TENTH]) <= 0.38


def test_whoever_leaves_in_a_decline_does_not_come_back():
    play = played(GradualDeclineSimulator)
    left = {one.customer_id: one.left for one in play.scenario.customers if one.left is not None}
    last_seen = {line.customer: play.day(line) for line in play.lines}
    # The day of leaving is the last one; a session that began in it may end behind midnight.
    assert all(day <= int(left[name] * DAYS) + 1 for name, day in last_seen.items() if name in left)
    assert len(set(left) & set(last_seen)) > 100


# steady_growth

def test_growth_adds_the_same_every_hour_from_one_to_two():
    volume = volumes(settled(SteadyGrowthSimulator))
    steps = [later - earlier for earlier, later in zip(volume, volume[1:])]
    assert volume[0] == pytest.approx(1, abs=0.001) and volume[-1] == pytest.approx(2, abs=0.001)
    assert steps == [pytest.approx(1 / len(volume))] * len(steps)
    assert mean(volume) == pytest.approx(1.5)


def test_calls_double_over_a_growth_with_half_of_it_in_the_middle():
    days = played(SteadyGrowthSimulator).per_day
    first, middle, last = (mean(days[begin:begin + 2 * TENTH]) for begin in (0, 36, 72))
    # Means over the first and the last fifth of a line from 1 to 2 are 1.1 and 1.9.
    assert last / first == pytest.approx(1.9 / 1.1, rel=STRAYS)
    assert 2 * middle / (first + last) == pytest.approx(1, rel=STRAYS)


# viral_spike

def test_a_viral_volume_climbs_from_1_to_50_and_settles_at_5():
    volume = volumes(settled(ViralSpikeSimulator))
    peak = volume.index(max(volume))
    assert volume[0] == 1 and max(volume) == pytest.approx(50, rel=0.02) and volume[-1] == pytest.approx(5)
    assert volume[:peak] == sorted(volume[:peak]) and volume[peak:] == sorted(volume[peak:], reverse=True)
    climb = [later / earlier for earlier, later in zip(volume, volume[1:peak]) if earlier > 1.1]
    assert climb == [pytest.approx(climb[0])] * len(climb) and climb[0] > 1  # exponential: each hour by the same factor


def test_viral_calls_peak_near_50_times_the_usual_day_and_settle_at_5_times():
    play = played(ViralSpikeSimulator, calls_per_day=150)
    volume = by_day(volumes(play.scenario))
    usual = mean(play.per_day[:49])
    spike = slice(50, 60)  # nearly all of it, in ten days: a fifth is three times their noise
    assert sum(play.per_day[spike]) / usual == pytest.approx(sum(volume[spike]) / 24, rel=0.2)
    # The highest volume of a whole day is 43 times the usual; one day alone strays by a third.
    assert max(play.per_day) / usual == pytest.approx(43, rel=1 / 3)
    assert mean(play.per_day[63:]) / usual == pytest.approx(5, rel=STRAYS)
