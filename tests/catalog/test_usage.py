"""Cached tokens: each disjoint count at its own price, long prompts, batches, and prices that nobody published."""
from __future__ import annotations

from datetime import date

import pytest

from catalog.loader import load_catalog
from catalog.prices import DatedPrice, LongContext
from catalog.usage import Charges, Usage, charge, cost_nano

DAY = date(2026, 11, 20)


def _price(provider, model):
    return load_catalog().price_on(provider, model, DAY)


def test_a_coding_assistants_call_costs_what_its_cached_tokens_cost():
    price = _price("anthropic", "claude-sonnet-4-5")
    found = charge(price, Usage(fresh=100, output=50, cache_read=10_000, cache_write=200, cache_write_1h=10))
    assert found == Charges(100 * 3_000_000, 50 * 15_000_000, 10_000 * 300_000, 200 * 3_750_000 + 10 * 6_000_000)
    assert found.nano == 300_000 + 750_000 + 3_000_000 + 750_000 + 60_000


@pytest.mark.parametrize("fresh, output", [(0, 0), (7, 3), (1_000_000, 12_345)])
def test_without_cached_tokens_the_cost_is_that_of_the_price_itself(fresh, output):
    for model in load_catalog().models:
        price = model.prices[-1]
        assert cost_nano(price, Usage(fresh, output)) == price.cost_nano(fresh, output)


def test_a_prompt_is_long_by_all_its_tokens_and_then_every_part_costs_more():
    price = _price("anthropic", "claude-haiku-5-5")
    assert charge(price, Usage(1, 1, cache_read=99_999)) == Charges(100_000, 500_000, 99_999 * 10_000, 0)
    assert charge(price, Usage(2, 1, cache_read=99_999)) == Charges(1_000_000, 2_500_000, 99_999 * 50_000, 0)
    assert charge(price, Usage(100_000, 0, cache_write_1h=1)).cache_write == 1_000_000  # an hour: scaled like the input


def test_a_class_without_a_price_of_its_own_is_charged_as_input():
    price = _price("cohere", "command-r7b-12-2024")
    assert charge(price, Usage(1, 1, 1, 1, 1)) == Charges(37_500, 150_000, 37_500, 75_000)


def test_a_batch_costs_its_own_prices_and_none_where_none_are_published():
    assert charge(_price("openai", "gpt-4o"), Usage(10, 10, 10), batch=True) == Charges(
        10 * 1_250_000, 10 * 5_000_000, 10 * 625_000, 0)
    assert charge(_price("google", "gemini-2.5-pro"), Usage(0, 0, 10), batch=True).cache_read == 10 * 125_000
    assert charge(_price("openai", "gpt-4"), Usage(10, 10), batch=True) is None
    longer = DatedPrice(None, 10, 20, 5, batch_input=5, batch_output=10, batch_cached_input=4,
                        long_context=LongContext(2, 20, 30, 8, None))
    assert charge(longer, Usage(2, 1, 1), batch=True) == Charges(2 * 10, 15, 6, 0)


def test_the_cost_is_rounded_once_half_up():
    price = DatedPrice(None, 250, 125, 125)
    assert [cost_nano(price, Usage(1, one, one)) for one in (0, 1, 2)] == [0, 1, 1]
