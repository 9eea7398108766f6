"""Loops: one request made again and again, told by prompts that hardly differ."""
from __future__ import annotations

import random

import pytest
from builders import call, rollup_of

from analyzers.loops import LONGEST_PAUSE, loops_of

CHANCE = random.Random(7)


def stamp(day, minute, second=0):
    return f"2026-03-{day:02d}T{minute // 60:02d}:{minute % 60:02d}:{second:02d}Z"


def ordinary(days=range(1, 20), sessions=3, calls=12, **changes):
    """Return sessions of calls whose prompts differ as those of different questions do."""
    return [call(timestamp=stamp(day, 60 * (9 + session) + index // 2, 30 * (index % 2)),
                 input_tokens=int(CHANCE.lognormvariate(6, 0.9)) + 1, **changes)
            for day in days for session in range(sessions) for index in range(calls)]


def loop(day=12, minute=183, calls=60, growth=1.0, tokens=800, **changes):
    """Return one request made again every four seconds."""
    return [call(timestamp=stamp(day, minute + index // 15, index % 15 * 4),
                 input_tokens=round(tokens * growth ** index), **changes) for index in range(calls)]


def found(*groups):
    return loops_of(rollup_of(one for group in groups for one in group))


def test_ordinary_calls_are_no_loop():
    assert found(ordinary()) == [] and found([]) == []
    assert found(ordinary(), ordinary(calls=200, days=[12])) == []  # many calls alone are none


@pytest.mark.parametrize("growth", [1.0, 1.005])
def test_the_same_request_again_and_again_is_a_loop(growth):
    (one,) = found(ordinary(), loop(growth=growth))
    assert one.caller == ("cust_1", "org_1", "chat")
    assert (one.calls, one.cost_nano) == (60, 60 * 600_000)
    assert one.spread < 0.15 < 0.5 < one.usual
    assert 60 - 12 <= one.extra <= 60 and one.extra_nano == round(one.cost_nano * one.extra / 60)


def test_a_loop_is_found_though_ordinary_calls_go_on_beside_it():
    beside = [call(timestamp=stamp(12, 183 + index), input_tokens=200 + 300 * index) for index in range(6)]
    (one,) = found(ordinary(), loop(calls=120), beside)
    assert one.calls == 126


def test_who_always_sends_the_same_prompt_is_in_no_loop():
    template = [call(timestamp=stamp(day, 600 + index // 4, index % 4), input_tokens=350, customer_id="batch")
                for day in range(1, 20) for index in range(40)]
    assert found(ordinary(), template) == []


def test_few_calls_are_not_worth_a_look():
    assert found(ordinary(), loop(calls=9)) == []


def test_a_pause_makes_no_second_loop_and_a_long_one_does():
    near, far = loop(minute=183 + 10 * LONGEST_PAUSE), loop(minute=183 + 10 * (LONGEST_PAUSE + 1))
    assert [one.calls for one in found(ordinary(), loop(), near)] == [120]
    assert [one.calls for one in found(ordinary(), loop(), far)] == [60, 60]


def test_where_nobody_else_calls_so_often_all_prompts_of_the_feature_are_compared_with():
    seldom = [call(timestamp=stamp(day, 60 * hour), input_tokens=int(CHANCE.lognormvariate(6, 0.9)) + 1)
              for day in range(1, 29) for hour in range(6, 22)]
    (one,) = found(seldom, loop())
    assert one.calls == 60


def test_prompts_without_tokens_and_prompts_beyond_all_bounds_are_no_crash():
    assert found(ordinary(), loop(tokens=0)) == []
    (one,) = found(ordinary(), loop(tokens=900_000))
    assert one.calls == 60
    assert len(found(ordinary(), loop(tokens=10 ** 11))) <= 1
