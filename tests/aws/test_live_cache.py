"""Answers on the disk."""
from __future__ import annotations

import os
import stat

import pytest

from aws.live.cache import ESTIMATED_SECONDS, FINAL_SECONDS, AnswerCache
from errors import AwsError

QUESTION = {"operation": "GetCostAndUsage", "account": "1", "parameters": {"Metrics": ("a", "b"), "x": "ü"}}
PAGES = [{"ResultsByTime": [{"Amount": "0.10"}]}]


@pytest.fixture
def cache(tmp_path):
    times = [1000.0]
    kept = AnswerCache(tmp_path / "deep" / "answers", lambda: times[0])
    kept.times = times
    return kept


@pytest.mark.parametrize("final, seconds", [(False, ESTIMATED_SECONDS), (True, FINAL_SECONDS)])
def test_an_answer_is_kept_as_long_as_its_bill_is_unlikely_to_change(cache, final, seconds):
    assert cache.get(QUESTION) is None
    cache.keep(QUESTION, PAGES, final)
    cache.times[0] += seconds - 1
    assert cache.get(QUESTION) == PAGES
    cache.times[0] += 1
    assert cache.get(QUESTION) is None


def test_estimated_answers_live_for_eight_hours_and_final_ones_for_weeks():
    assert ESTIMATED_SECONDS >= 8 * 3600 and FINAL_SECONDS >= 14 * 86400


def test_the_order_of_parameters_makes_no_other_question_but_their_values_do(cache):
    cache.keep(QUESTION, PAGES, True)
    assert cache.get({key: QUESTION[key] for key in reversed(list(QUESTION))}) == PAGES
    assert cache.get(dict(QUESTION, account="2")) is None


def test_a_clock_that_was_put_back_makes_no_answer_younger(cache):
    cache.keep(QUESTION, PAGES, True)
    cache.times[0] -= 1
    assert cache.get(QUESTION) is None


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"{}", b"\xff", b'{"format": 0}'])
def test_a_damaged_file_is_asked_for_again(cache, tmp_path, damage):
    cache.keep(QUESTION, PAGES, True)
    file, = (tmp_path / "deep" / "answers").iterdir()
    file.write_bytes(damage)
    assert cache.get(QUESTION) is None


@pytest.mark.skipif(os.name == "nt", reason="rights are others there")
def test_only_the_owner_may_look_into_the_folder(cache, tmp_path):
    cache.keep(QUESTION, PAGES, True)
    assert stat.S_IMODE((tmp_path / "deep" / "answers").stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_made_is_told_in_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AwsError, match="cannot keep answers in"):
        AnswerCache(tmp_path / "file" / "answers", lambda: 0.0).keep(QUESTION, PAGES, True)
