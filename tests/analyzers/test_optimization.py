"""Savings worked out by hand, and that no dollar is saved twice."""
from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal

import pytest
from builders import call, dataset_of, rollup_of

from analyzers.finops.optimization import STEPS, OptimizationAnalyzer
from analyzers.rates import CELL, Commitment, Ledger, Rates
from catalog.loader import load_catalog
from rollup.dataset import load_dataset

START = date(2026, 10, 1)
HOUSE = dict(provider="house", model="own", cost_nano=500_000_000)  # in no catalogue: no switch, no published price
OPUS = dict(provider="anthropic", model="claude-opus-4-1", input_tokens=100_000, output_tokens=10_000,
            cost_nano=2_250_000_000)


def daily(days=30, times=("00:00:10", "23:59:50"), **changes):
    texts = [(START + timedelta(days=day)).isoformat() for day in range(days)]
    return [call(timestamp=f"{text}T{time}Z", **changes) for text in texts for time in times]


def results(*calls):
    return OptimizationAnalyzer(dataset=dataset_of([one for part in calls for one in part])).analyze()


def step(found, name):
    return next(one for one in found["steps"] if one["step"] == name)


def ledger(*calls):
    return Ledger(rollup_of(calls).by(*CELL))


def test_a_switch_is_a_range_on_the_calls_own_tokens():
    row = next(one for one in results(daily(**OPUS))["model_switches"] if one["to_model"] == "claude-opus-4-5")
    # A day: 200,000 in and 20,000 out cost 4.50 at 15 and 75 dollars, and 1.50 at 5 and 25.
    assert row["monthly_cost"] == Decimal("135.00")
    assert row["high_monthly"] == pytest.approx(Decimal("90.00"), abs=Decimal("0.01"))
    # The low end: half of the calls, and 28,000 out: 0.5 * (4.50 - 1.70).
    assert row["low_monthly"] == pytest.approx(Decimal("42.00"), abs=Decimal("0.01"))
    assert row["same_class"] and row["same_provider"] and row["chosen"]


def test_a_model_is_never_switched_to_one_that_is_dearer_or_of_a_far_class():
    found = results(daily(**OPUS))["model_switches"]
    classes = {load_catalog().find(one["to_provider"], one["to_model"]).capability for one in found}
    assert classes <= {"premium", "standard"}
    assert all(one["low_monthly"] <= one["high_monthly"] <= one["monthly_cost"] for one in found)


def test_calls_outside_production_can_wait_and_what_is_left_can_be_committed_to():
    found = results(daily(environment="staging", **HOUSE))
    batch, commitment = step(found, "batch"), step(found, "commitment")
    assert (batch["low_monthly"], batch["high_monthly"]) == (Decimal("7.50"), Decimal("15.00"))
    # 0.50 a day are left: 20 % off that.
    assert commitment["cost_before_monthly"] == Decimal("15.00")
    assert commitment["high_monthly"] == Decimal("3.00")
    assert found["summary"]["low_monthly"] == Decimal("10.50")
    assert found["summary"]["high_monthly"] == Decimal("18.00")


def test_only_customers_without_a_daily_rhythm_are_offered_the_batch():
    around = daily(times=[f"{hour:02d}:{minute}:50" for hour in range(24) for minute in ("00", "59")],
                   customer_id="machine", **HOUSE)
    office = daily(times=[f"{hour:02d}:30:00" for hour in range(9, 17)], customer_id="people", **HOUSE)
    found = results(around, office)["batchable"]
    assert [(one["kind"], one["customers"]) for one in found] == [("no_daily_rhythm", ["machine"])]


def test_caching_needs_a_published_price_long_prompts_and_many_calls():
    rates = Rates(load_catalog())
    cell, = ledger(call(model="gpt-4.1", input_tokens=2000, output_tokens=0, cost_nano=4_000_000)).cells
    # 2.00 a million, 0.50 cached; half of the prompt, nine of ten calls: 0.5 * 0.9 * 1.5 / 2.
    assert rates.cache_share(cell, 10, 0.5) == pytest.approx(0.3375)
    other, = ledger(call(**HOUSE)).cells
    assert rates.cache_share(other, 10, 0.5) == 0
    long = dict(model="gpt-4.1", input_tokens=2000, output_tokens=1, cost_nano=4_008_000)
    many = [f"{hour:02d}:00:{second:02d}" for hour in (0, 23) for second in range(6)]
    assert results(daily(times=many, **long))["cacheable"]
    assert not results(daily(times=many[:2] + ["23:59:00"], **long))["cacheable"]
    assert not results(daily(times=many, model="gpt-4.1", input_tokens=500))["cacheable"]


def test_writing_to_the_cache_is_paid_for_by_the_first_call():
    rates = Rates(load_catalog())
    cell, = ledger(call(**OPUS)).cells
    price = rates.on("anthropic", "claude-opus-4-1", cell.day)
    listed = 100_000 * price.input + 10_000 * price.output
    expected = 0.5 * 100_000 * (0.5 * (price.input - price.cached_input) - 0.5 * (price.cache_write - price.input))
    assert rates.cache_share(cell, 2, 0.5) == pytest.approx(expected / listed)


def test_a_commitment_pays_until_its_discount_is_idle():
    steady = Commitment(100, Decimal("0.2"), [100, 120, 100, 100, 100])
    assert (steady.saved, steady.utilization, steady.days_below) == (100, 1, 0)
    one_day_idle = Commitment(100, Decimal("0.2"), [100, 0, 100, 100, 100])
    assert (one_day_idle.saved, one_day_idle.utilization, one_day_idle.days_below) == (0, 0.8, 0.2)
    assert Commitment(100, Decimal("0.2"), [100, 0, 100, 0, 100]).saved < 0


def test_a_commitment_shows_its_break_even_and_needs_two_weeks():
    row = results(daily(**HOUSE))["commitments"][0]
    assert (row["break_even_idle_days"], row["break_even_utilization"], row["floor_per_day"]) == (0.2, 0.8, Decimal(1))
    assert row["saved_monthly"] == Decimal("6.00")
    assert results(daily(days=13, **HOUSE))["commitments"] == []


def test_use_on_few_days_has_no_floor():
    # On half of the days the second provider is not used at all.
    rare = daily(days=15, **dict(HOUSE, provider="rare"))
    found = results(daily(**HOUSE), rare)["commitments"]
    assert {one["provider"] for one in found} == {"house"}


def test_a_provider_is_committed_to_as_a_whole_or_by_model_and_never_both():
    found = results(daily(**HOUSE), daily(**dict(HOUSE, model="second")))["commitments"]
    assert [(one["model"], one["chosen"]) for one in found] == [(None, True), ("own", False), ("second", False)]


def test_a_second_saving_takes_its_share_of_what_the_first_left():
    book = ledger(call(cost_nano=1000))
    assert book.take(book.cells, lambda _: 0.25, lambda _: 0.5) == (250, 500)
    assert book.take(book.cells, lambda _: 0.5, lambda _: 0.5) == (250, 250)
    assert book.left == 250


def test_unpriced_calls_are_shown_and_save_nothing():
    found = results(daily(**dict(OPUS, cost_nano=None)))
    assert found["summary"]["unpriced_calls"] == 60
    assert found["summary"]["high_monthly"] == 0
    assert found["recommendations"] == []


@pytest.mark.parametrize("calls", [[], [call()], daily(days=1), daily(days=40)])
def test_tiny_logs_give_sensible_results(calls):
    found = results(calls)
    json.dumps(found, default=str, allow_nan=False)
    assert [one["step"] for one in found["steps"]] == list(STEPS)


def test_without_a_whole_day_savings_are_unknown():
    assert results([call()])["summary"]["high_monthly"] is None


def test_the_headline_is_the_range_its_shares_and_the_step_that_saves_most():
    found = results(daily(environment="staging", **HOUSE))
    summary = found["summary"]
    best = max(found["steps"], key=lambda row: row["high_monthly"])
    assert best["title"] == "Batches"
    dollars = [summary[name] for name in ("low_monthly", "high_monthly", "monthly_cost")]
    shares = [f"{100 * summary[name]:.1f} %" for name in ("low_share", "high_share")]
    assert found["headline"] == (
        "${} to ${} of the ${} spent a month could be saved, {} to {}, first of all with batches (at the rate of the "
        "last 30 days).").format(*dollars, *shares)


def test_headlines_claim_no_saving_without_data():
    assert results()["headline"] == "The log holds no calls yet."
    assert results([call()])["headline"] == "The log has no whole day to look for savings in."
    assert results(daily(1, cost_nano=None))["headline"] == (
        "Nothing is known to be spent at the rate of the last day, so there is nothing to save.")
    cheapest = daily(2, provider="house", model="own")
    assert results(cheapest)["headline"].startswith("No saving was found in the $0.04 that a month costs")


def test_chosen_switches_are_those_of_the_table():
    found = results(daily(**OPUS), daily(**HOUSE))
    assert found["chosen_switches"] == [row for row in found["model_switches"] if row["chosen"]] != []


def test_steps_of_a_simulated_log_hand_on_what_is_left_and_never_save_more_than_it_cost(log):
    found = OptimizationAnalyzer(dataset=load_dataset(log.path, use_checkpoint=False)).analyze()
    steps, summary = found["steps"], found["summary"]
    for before, after in zip(steps, steps[1:]):
        assert before["cost_after_monthly"] == after["cost_before_monthly"]
    assert all(one["low_monthly"] <= one["high_monthly"] for one in steps)
    assert steps[0]["cost_before_monthly"] == summary["considered_monthly"] == summary["monthly_cost"]
    assert summary["high_monthly"] <= summary["monthly_cost"]
    assert sum(one["monthly_usd"] for one in found["recommendations"]) <= summary["low_monthly"] + Decimal("0.10")
    assert len(found["recommendations"]) == len({one["action"] for one in found["recommendations"]})
