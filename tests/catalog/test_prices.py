"""Prices: which is in force when, for how long a prompt, and what a call costs to the nano-dollar."""
from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings, strategies as st

from catalog.loader import load_catalog
from catalog.prices import CLASSES, DatedPrice, LongContext, Model, read_prices

AS_OF = date(2026, 11, 20)
# Input and output in pico-dollars a token (millionths of a dollar per million tokens), from the vendors' price lists
# of 2026-11-20.
CURRENT = [
    ("openai", "gpt-4o", 2_500_000, 10_000_000),
    ("openai", "gpt-5-nano", 50_000, 400_000),
    ("openai", "o3", 2_000_000, 8_000_000),
    ("openai", "gpt-6-sol", 2_000_000, 10_000_000),
    ("anthropic", "claude-sonnet-4-5", 3_000_000, 15_000_000),
    ("anthropic", "claude-haiku-5-5", 100_000, 500_000),
    ("anthropic", "claude-opus-4-1", 15_000_000, 75_000_000),
    ("google", "gemini-2.5-flash", 300_000, 2_500_000),
    ("google", "gemini-3.8-flash", 750_000, 3_750_000),
    ("bedrock", "amazon.nova-micro-v1:0", 35_000, 140_000),
    ("bedrock", "meta.llama4-maverick-17b-instruct-v1:0", 240_000, 970_000),
    ("azure", "gpt-5.4", 2_500_000, 15_000_000),
    ("mistral", "mistral-medium-latest", 1_500_000, 7_500_000),
    ("cohere", "command-r7b-12-2024", 37_500, 150_000)]


def _price(provider, model, *day):
    return load_catalog().price_on(provider, model, date(*day) if day else AS_OF)


def _model(prices):
    return Model("p", "m", "budget", 1.0, None, None, (), tuple(prices), ("here",))


@pytest.mark.parametrize("provider, model, input_price, output_price", CURRENT)
def test_the_current_price_is_the_published_one(provider, model, input_price, output_price):
    price = _price(provider, model)
    assert (price.input, price.output) == (input_price, output_price)


def test_every_published_price_of_a_model_is_kept():
    assert _price("anthropic", "claude-haiku-5-5") == DatedPrice(
        since=None, input=100_000, output=500_000, cached_input=10_000, cache_write=125_000, cache_write_1h=200_000,
        batch_input=50_000, batch_output=250_000, batch_cached_input=5_000,
        long_context=LongContext(100_000, 500_000, 2_500_000, 50_000, 625_000))


def test_a_price_that_is_not_published_is_none_and_not_zero():
    price = _price("cohere", "command-r7b-12-2024")
    assert price == DatedPrice(since=None, input=37_500, output=150_000)
    assert (price.cached_input, price.batch_output, price.long_context) == (None, None, None)


@pytest.mark.parametrize("day, input_price, output_price, since", [
    ((2025, 4, 16), 10_000_000, 40_000_000, None),
    ((2025, 6, 9), 10_000_000, 40_000_000, None),
    ((2025, 6, 10), 2_000_000, 8_000_000, date(2025, 6, 10)),
    ((2026, 11, 20), 2_000_000, 8_000_000, date(2025, 6, 10))])
def test_o3_costs_a_fifth_from_the_day_its_price_fell(day, input_price, output_price, since):
    price = _price("openai", "o3", *day)
    assert (price.input, price.output, price.since) == (input_price, output_price, since)


@pytest.mark.parametrize("day, input_price", [
    ((2023, 3, 1), 1_500_000), ((2023, 11, 5), 1_500_000), ((2023, 11, 6), 1_000_000), ((2024, 1, 24), 1_000_000),
    ((2024, 1, 25), 500_000)])
def test_a_price_that_changed_twice_is_in_force_from_its_day_on(day, input_price):
    assert _price("openai", "gpt-3.5-turbo", *day).input == input_price


@pytest.mark.parametrize("day, prices", [
    ((2026, 12, 31), (750_000, 3_750_000, 375_000, 1_875_000)), ((2027, 1, 1), (1_500_000, 7_500_000, None, None))])
def test_a_scheduled_price_begins_on_its_day_and_takes_no_old_batch_price_along(day, prices):
    price = _price("google", "gemini-3.8-flash", *day)
    assert (price.input, price.output, price.batch_input, price.batch_output) == prices


@pytest.mark.parametrize("prompt, input_price, output_price, cost", [
    (99_999, 100_000, 500_000, 10_499_900),
    (100_000, 100_000, 500_000, 10_500_000),
    (100_001, 500_000, 2_500_000, 52_500_500)])
def test_a_prompt_above_the_threshold_moves_the_whole_request(prompt, input_price, output_price, cost):
    price = _price("anthropic", "claude-haiku-5-5")
    rate = price.rate_for(prompt)
    assert (rate.input, rate.output) == (input_price, output_price)
    assert price.cost_nano(prompt, 1_000) == cost


@pytest.mark.parametrize("day, tokens, input_price, output_price", [
    ((2026, 4, 30), 200_000, 3_000_000, 15_000_000),
    ((2026, 4, 30), 200_001, 6_000_000, 22_500_000),
    ((2026, 5, 1), 200_001, 3_000_000, 15_000_000)])
def test_a_long_prompts_price_ends_with_its_last_day(day, tokens, input_price, output_price):
    rate = _price("anthropic", "claude-sonnet-4-5", *day).rate_for(tokens)
    assert (rate.input, rate.output) == (input_price, output_price)


@pytest.mark.parametrize("pico, nano", [(499, 0), (500, 1), (1_499, 1), (1_500, 2), (2_500, 3)])
def test_a_cost_is_rounded_half_up_to_the_nano_dollar(pico, nano):
    assert DatedPrice(None, pico, 0).cost_nano(1, 0) == nano
    assert DatedPrice(None, 0, pico).cost_nano(0, 1) == nano


def test_a_cost_is_rounded_once_for_input_and_output_together():
    assert DatedPrice(None, 300, 300).cost_nano(1, 1) == 1
    assert DatedPrice(None, 400, 400).cost_nano(3, 3) == 2


def test_a_million_tokens_cost_the_published_dollars():
    assert _price("openai", "gpt-4o").cost_nano(1_000_000, 0) == 2_500_000_000
    assert _price("openai", "gpt-4o").cost_nano(0, 1_000_000) == 10_000_000_000


def test_no_tokens_cost_nothing():
    assert _price("openai", "gpt-4").cost_nano(0, 0) == 0


@given(st.integers(0, 10 ** 9), st.integers(0, 10 ** 9), st.integers(0, 10 ** 8), st.integers(0, 10 ** 8))
@settings(deadline=None)
def test_a_cost_is_never_more_than_half_a_nano_dollar_off(input_tokens, output_tokens, input_price, output_price):
    nano = DatedPrice(None, input_price, output_price).cost_nano(input_tokens, output_tokens)
    exact_pico = input_tokens * input_price + output_tokens * output_price
    assert -500 < nano * 1_000 - exact_pico <= 500


def test_before_its_first_dated_price_a_model_has_none():
    model = _model([DatedPrice(date(2026, 1, 2), 1, 1), DatedPrice(date(2026, 1, 4), 2, 2)])
    found = [model.price_on(date(2026, 1, 1) + timedelta(days)) for days in range(4)]
    assert found == [None, model.prices[0], model.prices[0], model.prices[1]]


def test_two_models_are_equal_only_when_they_are_the_same_entry():
    one, other = _model([]), _model([])
    assert one == one
    assert one != other


def test_prices_are_read_as_written_with_up_to_six_decimals():
    (price,) = read_prices([{"from": "2026-01-02", "input": "0.000001", "output": 3, "cached_input": None,
                             "long_context": {"above_input_tokens": 5, "input": 1, "output": "2.5"}}])
    assert price == DatedPrice(date(2026, 1, 2), 1, 3_000_000, long_context=LongContext(5, 1_000_000, 2_500_000, None,
                                                                                        None))


@pytest.mark.parametrize("changes, kind, message", [
    ({"input": "-0.000001"}, ValueError,
     "input -0.000001 is not a price in dollars per million tokens with at most 6 decimals"),
    ({"output": "0.0000001"}, ValueError,
     "output 0.0000001 is not a price in dollars per million tokens with at most 6 decimals"),
    ({"cached_input": "free"}, ValueError,
     "cached_input free is not a price in dollars per million tokens with at most 6 decimals"),
    ({"input": "Infinity"}, ValueError,
     "input Infinity is not a price in dollars per million tokens with at most 6 decimals"),
    ({"input": "NaN"}, ValueError, "input NaN is not a price in dollars per million tokens with at most 6 decimals"),
    ({"input": None}, KeyError, "'input'"),
    ({"audio": 1}, ValueError, "unknown price 'audio'; there are: input, output, cached_input, cache_write, "
                               "cache_write_1h, batch_input, batch_output, batch_cached_input"),
    ({"long_context": {"input": 1, "output": 1}}, KeyError, "'above_input_tokens'"),
    ({"long_context": {"above_input_tokens": 5, "input": 1}}, KeyError, "'output'"),
    ({"from": "yesterday"}, ValueError, "Invalid isoformat string: 'yesterday'")])
def test_a_bad_price_is_refused_with_the_reason(changes, kind, message):
    with pytest.raises(kind) as caught:
        read_prices([dict({"from": None, "input": 1, "output": 1}, **changes)])
    assert str(caught.value) == message


@pytest.mark.parametrize("name", ["from", "input", "output"])
def test_an_entry_without_a_needed_name_is_refused_by_it(name):
    entry = {"from": None, "input": 1, "output": 1}
    del entry[name]
    with pytest.raises(KeyError) as caught:
        read_prices([entry])
    assert caught.value.args == (name,)


@pytest.mark.parametrize("days", [[], ["2026-01-02", "2026-01-01"], ["2026-01-01", "2026-01-01"], ["2026-01-01", None],
                                  [None, None]])
def test_prices_that_do_not_ascend_are_refused(days):
    with pytest.raises(ValueError, match="^prices must be a list with ascending 'from' dates$"):
        read_prices([{"from": day, "input": 1, "output": 1} for day in days])


def _dated_prices():
    return [(model.model, price) for model in load_catalog().models for price in model.prices]


def test_a_batch_costs_half_and_a_cached_token_no_more_than_a_new_one():
    for name, price in _dated_prices():
        if price.batch_input is not None:
            assert (price.batch_input * 2, price.batch_output * 2) == (price.input, price.output), name
        assert (price.cached_input or 0) <= price.input, name
        assert (price.batch_cached_input or 0) <= (price.cached_input or 0), name
        assert (price.cache_write or price.input) <= (price.cache_write_1h or price.cache_write or price.input), name


def test_a_long_prompt_never_costs_less():
    longer = [(name, price) for name, price in _dated_prices() if price.long_context]
    assert len(longer) >= 10
    for name, price in longer:
        assert price.long_context.input > price.input, name
        assert price.long_context.output > price.output, name
        assert price.long_context.above_input_tokens >= 100_000, name


def test_there_are_three_classes_from_dear_to_cheap():
    assert CLASSES == ("premium", "standard", "budget")
