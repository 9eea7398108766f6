"""Pauses that grow, with chance in them, and the breaker."""
from __future__ import annotations

import pytest

from aws.live.failures import BUSY, DENIED, INVALID, LOGIN, OTHER, UNKNOWN_THING, Failure, failure
from aws.live.operations import GET_COST_AND_USAGE, LIST_FUNCTIONS
from aws.live.patience import (
    ATTEMPTS,
    CLOSED,
    FAILURES_TO_OPEN,
    HALF_OPEN,
    LONGEST_PAUSE,
    OPEN,
    REST_SECONDS,
    Breaker,
    insist,
)
from scripted_aws import Clock


class Refused(Exception):
    """As botocore's ClientError carries it."""

    def __init__(self, code, status=400, message="so"):
        super().__init__(message)
        self.response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}


def attempts(*outcomes):
    """Return an attempt that raises or returns what is given, in order."""
    left = list(outcomes)

    def attempt():
        one = left.pop(0)
        if isinstance(one, Exception):
            raise one
        return one
    return attempt


BUSY_NOW = Failure("busy", BUSY)


def test_two_refusals_for_haste_and_then_an_answer_cost_two_growing_pauses():
    clock, again = Clock(), []
    breaker = Breaker(lambda: clock.time)
    answer = insist(attempts(BUSY_NOW, BUSY_NOW, "answer"), breaker, "ce", clock.surroundings, lambda: again.append(1))
    assert (answer, clock.slept, len(again), breaker.state) == ("answer", [0.25, 0.5], 2, CLOSED)


def test_a_pause_never_grows_beyond_the_longest():
    clock = Clock()
    with pytest.raises(Failure):
        insist(attempts(*[BUSY_NOW] * ATTEMPTS), Breaker(lambda: clock.time), "ce", clock.surroundings, lambda: None)
    assert len(clock.slept) == ATTEMPTS - 1 and max(clock.slept) <= LONGEST_PAUSE


@pytest.mark.parametrize("kind", [DENIED, INVALID, LOGIN, OTHER])
def test_what_waiting_does_not_cure_is_asked_once_and_opens_no_breaker(kind):
    clock = Clock()
    breaker = Breaker(lambda: clock.time)
    for _ in range(FAILURES_TO_OPEN + 1):
        with pytest.raises(Failure, match="refused"):
            insist(attempts(Failure("refused", kind)), breaker, "ce", clock.surroundings, lambda: None)
    assert (breaker.state, clock.slept) == (CLOSED, [])


def broken(clock):
    breaker = Breaker(lambda: clock.time)
    for _ in range(FAILURES_TO_OPEN):
        with pytest.raises(Failure):
            insist(attempts(*[BUSY_NOW] * ATTEMPTS), breaker, "ce", clock.surroundings, lambda: None)
    return breaker


def test_after_some_failures_nothing_is_asked_until_the_rest_is_over_and_one_success_closes():
    clock = Clock()
    breaker = broken(clock)
    assert breaker.state == OPEN
    with pytest.raises(Failure, match="try again in 60 seconds"):
        insist(lambda: pytest.fail("asked while open"), breaker, "ce", clock.surroundings, lambda: None)
    clock.time += REST_SECONDS
    assert breaker.state == HALF_OPEN
    assert insist(attempts("there"), breaker, "ce", clock.surroundings, lambda: None) == "there"
    assert breaker.state == CLOSED


def test_half_open_lets_one_try_and_its_failure_opens_again():
    clock = Clock()
    breaker = broken(clock)
    clock.time += REST_SECONDS
    breaker.enter("ce")
    with pytest.raises(Failure):
        breaker.enter("ce")  # another thread, while the first one tries
    breaker.leave(worked=False)
    assert breaker.state == OPEN


@pytest.mark.parametrize("error, kind, says", [
    (Refused("LimitExceededException"), BUSY, "try again later"),
    (Refused("Odd", 503), BUSY, "(Odd)"), (Refused("403", 403), DENIED, "denies ce:GetCostAndUsage: allow"),
    (Refused("AccessDeniedException"), DENIED, "ce:GetCostAndUsage: allow it, as in src/aws/iam_policy.json and"),
    (Refused("ValidationException", message="Start\n date"), INVALID, "Start date"),
    (Refused("ExpiredTokenException"), LOGIN, "aws sso login"),
    (Refused("DataUnavailableException"), UNKNOWN_THING, "nothing to answer"),
    (type("NoCredentialsError", (Exception,), {})("none"), LOGIN, "NoCredentialsError"),
    (type("ReadTimeoutError", (type("HTTPClientError", (Exception,), {}),), {})("slow"), BUSY, "try again later"),
    (KeyError("x"), OTHER, "KeyError")])
def test_a_failure_says_on_one_line_what_helps(error, kind, says):
    found = failure(error, GET_COST_AND_USAGE)
    assert found.kind == kind and says in str(found) and "\n" not in str(found)


def test_one_sentence_tells_all_places_where_the_same_failed():
    found = failure(Refused("AccessDenied"), LIST_FUNCTIONS, "eu-west-1")
    assert "lambda:ListFunctions in eu-west-1: allow" in str(found)
    assert "AWS denies x:Y, z:Z in a, b: allow it" in found.said_of(["z:Z", "x:Y"], ["b", "a"])
