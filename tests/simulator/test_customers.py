"""The population: counts that are dealt exactly, the skew of real traces, and what is refused."""
from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest
from simulator_logs import START, tables

from catalog.loader import load_catalog
from errors import UsageError
from simulator.calendar import Calendar
from simulator.customers import MAX_CUSTOMERS, build_population, check_customers, cohort_of
from simulator.scenarios.base_traffic import BaseTrafficSimulator
from simulator.scenarios.multi_tenant import MultiTenantSimulator
from simulator.scenarios.timezone_pattern import TimezonePatternSimulator

DAYS = 90
END = START + timedelta(DAYS - 1)
SEEDS = range(1, 6)
ROUNDING = 1  # customers: a share of the count is rounded up or down


def population(seed: int = 1, count: int = 500, least_organizations: int = 12):
    return build_population(load_catalog(), seed, cohort_of(count, START, DAYS, least_organizations))


def test_equal_arguments_give_equal_customers_and_another_seed_gives_others():
    assert population(3) == population(3)
    assert population(3) != population(4)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("count", [37, 500, 1003])
def test_archetypes_tiers_and_regions_are_dealt_exactly(count, seed):
    people, catalog = population(seed, count), load_catalog()
    for field, dealt in (("archetype", catalog.archetypes), ("tier", catalog.tiers), ("region", catalog.regions)):
        found, whole = Counter(getattr(one, field) for one in people), sum(kind.weight for kind in dealt)
        for kind in dealt:
            assert abs(found[kind[0]] - count * kind.weight / whole) <= ROUNDING, (field, kind[0])


def test_five_hundred_customers_are_350_light_100_power_and_50_heavy_in_50_organisations():
    people = population()
    assert Counter(one.archetype for one in people) == {"light": 350, "power": 100, "heavy": 50}
    assert len({one.organization_id for one in people}) == 50
    assert Counter(one.tier for one in people) == {"starter": 250, "pro": 175, "enterprise": 75}
    assert {(one.tier, one.tier_price_usd) for one in people} == {("starter", "29"), ("pro", "99"),
                                                                  ("enterprise", "299")}


def test_customer_ids_are_unique_and_calls_a_day_lie_in_the_range_of_the_archetype():
    people = population()
    assert len({one.customer_id for one in people}) == len(people)
    ranges = {"light": (5, 20), "power": (50, 150), "heavy": (200, 500)}
    for one in people:
        low, high = ranges[one.archetype]
        assert low <= one.weight <= high
        assert 0 < one.active_days <= 1


@pytest.mark.parametrize("seed", SEEDS)
def test_a_tenth_of_the_customers_makes_most_of_the_expected_calls(seed):
    calls = sorted((one.mean_calls for one in population(seed)), reverse=True)
    # Expected calls lie nearer together than real ones: organisations, seasons and chance add the rest.
    assert 0.55 <= sum(calls[:50]) / sum(calls) <= 0.80


def test_every_scenario_can_have_an_organisation_of_its_own_if_there_are_enough_customers():
    for count in (12, 30, 119, 500):
        assert len({one.organization_id for one in population(count=count)}) == max(12, count // 10)
    assert len({one.organization_id for one in population(count=5)}) == 5


def test_lanes_share_out_all_calls_of_a_customer_over_different_features_with_models_on_sale():
    on_sale = {model for one in load_catalog().providers for model in load_catalog().on_sale(one, START, END)}
    for one in population():
        assert sum(lane.share for lane in one.lanes) == pytest.approx(1)
        assert len({lane.feature.feature for lane in one.lanes}) == len(one.lanes) <= 3
        assert {lane.model for lane in one.lanes} <= on_sale
        assert "meeting_notes" not in {lane.feature.feature for lane in one.lanes}


def test_some_customers_join_some_leave_and_nobody_leaves_before_joining():
    people = population()
    assert 30 <= sum(one.joined > 0 for one in people) <= 90
    assert 10 <= sum(one.left is not None for one in people) <= 45
    assert all(one.left is None or one.joined < one.left < 1 for one in people)


@pytest.mark.parametrize("count", [0, -1, MAX_CUSTOMERS + 1])
def test_an_impossible_count_is_refused_with_the_bounds(count):
    with pytest.raises(UsageError) as caught:
        check_customers(count)
    assert str(caught.value) == f"--customers {count}: choose 1 to 100,000"


def test_one_customer_is_enough():
    [one] = population(count=1)
    assert one.organization_id and one.lanes and one.tier and one.region


def test_a_calendar_before_any_model_was_on_sale_is_refused_with_what_to_do():
    with pytest.raises(UsageError) as caught:
        build_population(load_catalog(), 1, cohort_of(500, date(1990, 1, 1), 90))
    assert "choose a later --start" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", [TimezonePatternSimulator, MultiTenantSimulator])
def test_who_was_there_keeps_region_and_factor_when_others_come(kind):
    """The biggest customers come late, and would be dealt their place first."""
    people = population(count=60)
    later = [one._replace(customer_id=f"late_{one.customer_id}", organization_id=f"late_{one.organization_id}",
                          weight=9 * one.weight, cohort=1) for one in population(2, 30)]
    found = []
    for group in (people, people + later):
        scenario = kind(seed=1)
        scenario.settle(Calendar(START, 24), group, tables())
        found.append([(one.region, scenario.customer_volume(one, scenario.calendar.moment(scenario.calendar.start_ms)))
                      for one in scenario.customers[:len(people)]])
    assert found[0] == found[1]


def test_days_of_a_later_chapter_are_drawn_anew():
    calendar = Calendar(START, 24)
    active = []
    for first_day in (0, 0, 30):
        scenario = BaseTrafficSimulator(seed=1)
        scenario.settle(calendar, population(), tables(), first_day)
        active.append([one.customer.customer_id for one in scenario.demand(calendar.slices(1440)[0])])
    assert active[0] == active[1] != active[2]
