"""The live source through boto3, against a stand-in on the loopback: what is asked, what it costs, what fails."""
from __future__ import annotations

import builtins
import json
from datetime import date
from decimal import Decimal

import pytest

from aws.queries import DAILY, MONTHLY, CostQuery
from aws.sources.base import SourceOptions
from aws.sources.live import LiveSource
from errors import AwsError, UsageError
from scripted_aws import ACCOUNT, Clock, live, page, period, refusal

JANUARY = CostQuery(date(2026, 1, 1), date(2026, 1, 31), group_by=("service",))
COSTS = "GetCostAndUsage"


def january(*groups, estimated=False):
    return period("2026-01-01", "2026-02-01", *groups, estimated=estimated)


def services(*groups):
    return page(january(*(("", "Usage", "0") if not one else (one[0], "Usage", one[1]) for one in groups)))


def amounts(costs):
    return {row.keys: row.amounts[0] for row in costs.rows}


def test_all_pages_are_followed_with_equal_parameters_and_a_negative_row_counts(aws, tmp_path):
    aws.say(COSTS, page(january(("a", "Usage", "10.10"), ("b", "Usage", "5")), token="two"),
            page(january(("a", "Credit", "-4.05")), token="three"), page(january(("c", "Tax", "1"))))
    source = live(aws, tmp_path)
    assert amounts(source.costs(JANUARY)) == {("a",): Decimal("6.05"), ("b",): 5, ("c",): 1}
    asked = aws.asked_for(COSTS)
    assert [one.pop("NextPageToken", None) for one in asked] == [None, "two", "three"]
    assert asked[0] == asked[1] == asked[2]
    assert source.spending() == {"paid_requests": 3, "cached_answers": 0, "would_be_paid_at_least": 0,
                                 "free_requests": 1, "retries": 0, "figures": 0, "cents": 3}


def test_a_token_that_never_changes_ends_the_asking(aws, tmp_path):
    aws.say(COSTS, page(january(("a", "Usage", "1")), token="same"))
    with pytest.raises(AwsError, match="same page again and again"):
        live(aws, tmp_path).costs(JANUARY)
    assert len(aws.asked_for(COSTS)) == 2


def test_throttled_twice_and_then_answered_is_paid_once(aws, tmp_path):
    aws.say(COSTS, refusal("LimitExceededException"), refusal("ThrottlingException"), services(("a", "1")))
    clock = Clock()
    source = live(aws, tmp_path, clock=clock)
    assert amounts(source.costs(JANUARY)) == {("a",): 1}
    assert len(aws.asked_for(COSTS)) == 3 and len(clock.slept) == 2
    assert (source.spending()["paid_requests"], source.spending()["retries"]) == (1, 2)


def test_a_service_that_stays_busy_is_asked_five_times_and_costs_nothing(aws, tmp_path):
    aws.say(COSTS, refusal("ThrottlingException"))
    source = live(aws, tmp_path)
    with pytest.raises(AwsError, match="try again later"):
        source.costs(JANUARY)
    assert len(aws.asked_for(COSTS)) == 5 and source.spending()["paid_requests"] == 0


def test_the_breaker_opens_closes_and_a_denied_right_does_not_trip_it(aws, tmp_path):
    clock = Clock()
    source = live(aws, tmp_path, clock=clock)
    aws.say(COSTS, refusal("AccessDeniedException"))
    for _ in range(4):
        with pytest.raises(AwsError, match="switch on IAM access to billing"):
            source.costs(JANUARY)
    assert len(aws.asked_for(COSTS)) == 4
    aws.say(COSTS, refusal("ServiceUnavailable", status=503))
    for _ in range(3):
        with pytest.raises(AwsError, match="try again later"):
            source.costs(JANUARY)
    before = len(aws.asked)
    with pytest.raises(AwsError, match="left alone"):
        source.costs(JANUARY)
    assert len(aws.asked) == before
    aws.say(COSTS, services(("a", "1")))
    clock.time += 60
    assert amounts(source.costs(JANUARY)) == {("a",): 1}


def test_a_second_look_costs_nothing_not_even_in_a_new_process(aws, tmp_path):
    aws.say(COSTS, services(("a", "1")))
    first = live(aws, tmp_path)
    answer = first.costs(JANUARY)
    assert first.costs(JANUARY) == answer and first.spending()["paid_requests"] == 1
    second = live(aws, tmp_path)
    assert second.costs(JANUARY) == answer
    assert (second.spending()["paid_requests"], second.spending()["cached_answers"]) == (0, 1)
    assert len(aws.asked_for(COSTS)) == 1


def test_an_estimated_answer_is_asked_for_again_after_eight_hours_a_final_one_is_not(aws, tmp_path):
    clock = Clock()
    aws.say(COSTS, page(january(("a", "Usage", "1"), estimated=True)), page(january(("a", "Usage", "2"))))
    assert live(aws, tmp_path, clock=clock).costs(JANUARY).rows[0].estimated
    clock.time += 9 * 3600
    assert amounts(live(aws, tmp_path, clock=clock).costs(JANUARY)) == {("a",): 2}
    clock.time += 9 * 3600
    assert amounts(live(aws, tmp_path, clock=clock).costs(JANUARY)) == {("a",): 2}
    assert len(aws.asked_for(COSTS)) == 2


def test_other_accounts_and_other_endpoints_have_answers_of_their_own(aws, tmp_path):
    aws.say(COSTS, services(("a", "1")))
    live(aws, tmp_path).costs(JANUARY)
    aws.roles[""] = "999999999999"
    live(aws, tmp_path).costs(JANUARY)
    assert len(aws.asked_for(COSTS)) == 2


def test_no_secret_stands_in_what_is_kept(aws, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-very-secret-key")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIASECRETID")
    aws.say(COSTS, services(("a", "1")))
    live(aws, tmp_path).costs(JANUARY)
    kept = "".join(one.read_text() for one in tmp_path.iterdir())
    assert json.loads(kept)["question"]["account"] == ACCOUNT
    assert "secret" not in kept.lower() and "AKIA" not in kept


def test_where_nothing_can_be_kept_the_answer_comes_with_a_note(aws, tmp_path):
    (tmp_path / "file").write_text("")
    aws.say(COSTS, services(("a", "1")))
    costs = live(aws, tmp_path / "file" / "answers").costs(JANUARY)
    assert amounts(costs) == {("a",): 1} and "next look costs as much again" in costs.notes[0]


def test_the_request_that_would_be_one_too_many_is_not_made(aws, tmp_path):
    aws.say(COSTS, page(january(), token="1"), page(january(), token="2"), page(january()))
    source = live(aws, tmp_path, max_api_calls=2)
    with pytest.raises(AwsError, match="--max-api-calls 2 allows"):
        source.costs(JANUARY)
    assert len(aws.asked_for(COSTS)) == 2 == source.spending()["paid_requests"]


def test_a_dry_run_counts_what_is_not_kept_and_pays_for_nothing(aws, tmp_path):
    aws.say(COSTS, services(("a", "1")))
    live(aws, tmp_path).costs(JANUARY)
    source = live(aws, tmp_path, dry_run=True)
    assert amounts(source.costs(JANUARY)) == {("a",): 1}
    others = [JANUARY._replace(group_by=("region",)), JANUARY._replace(group_by=("region",), granularity=DAILY)]
    for one in others + others:
        assert source.costs(one).rows == () and "dry run" in source.costs(one).notes[-1]
    assert (source.spending()["would_be_paid_at_least"], source.spending()["paid_requests"]) == (2, 0)
    assert len(aws.asked_for(COSTS)) == 1


def test_what_an_earlier_answer_holds_is_not_asked_again(aws, tmp_path):
    aws.say(COSTS, page(period("2026-01-01", "2026-01-02", ("a", "Usage", "3"), ("a", "Credit", "-1")),
                        period("2026-01-31", "2026-02-01", ("b", "Usage", "1.5"))))
    source = live(aws, tmp_path)
    source.costs(JANUARY._replace(granularity=DAILY, group_by=("service", "record_type")))
    assert amounts(source.costs(JANUARY)) == {("a",): 2, ("b",): Decimal("1.5")}
    assert amounts(source.costs(JANUARY._replace(group_by=()))) == {(): Decimal("3.5")}
    assert amounts(source.costs(JANUARY._replace(without={"record_type": ("Credit",)}, group_by=()))) == {
        (): Decimal("4.5")}
    assert amounts(source.costs(JANUARY._replace(last=date(2026, 1, 30), group_by=()))) == {(): 2}
    assert source.values("service", JANUARY.first, JANUARY.last) == ["a", "b"]
    assert source.spending()["paid_requests"] == 1


def test_what_grouping_by_account_loses_is_shown_under_no_account(aws, tmp_path):
    aws.say(COSTS, page(january((ACCOUNT, "Usage", "7"))), page(january(("Usage", "7"), ("Tax", "1.25"))))
    found = live(aws, tmp_path).costs(JANUARY._replace(group_by=("account",)))
    assert amounts(found) == {("",): Decimal("1.25"), (ACCOUNT,): 7}


def test_what_is_lost_is_told_for_each_other_group(aws, tmp_path):
    aws.say(COSTS, page(january(("s", ACCOUNT, "7"))), page(january(("s", "Usage", "7"), ("t", "Usage", "2"))))
    found = live(aws, tmp_path).costs(JANUARY._replace(group_by=("service", "account")))
    assert amounts(found) == {("s", ACCOUNT): 7, ("t", ""): 2}


def test_a_difference_of_rounding_alone_is_no_lost_cost(aws, tmp_path):
    aws.say(COSTS, page(january((ACCOUNT, "Usage", "7.0000000001"))), page(january(("Usage", "7"))))
    assert len(live(aws, tmp_path).costs(JANUARY._replace(group_by=("account",))).rows) == 1


@pytest.mark.parametrize("today, first", [
    (date(2026, 3, 15), date(2025, 2, 1)), (date(2026, 1, 1), date(2024, 12, 1)), (date(2024, 2, 29), date(2023, 1, 1)),
    (date(2026, 12, 31), date(2025, 11, 1))])
def test_thirteen_months_before_the_current_one_are_told(aws, tmp_path, today, first):
    assert live(aws, tmp_path, today).period() == (first, today)


def test_older_and_future_days_are_not_asked_for_and_a_note_says_so(aws, tmp_path):
    aws.say(COSTS, page())
    found = live(aws, tmp_path).costs(CostQuery(date(2024, 1, 1), date(2026, 12, 31)))
    assert aws.asked_for(COSTS)[0]["TimePeriod"] == {"Start": "2025-02-01", "End": "2026-03-16"}
    assert found.notes == ("Cost Explorer tells of 2025-02-01 to 2026-03-15; other days are missing.",)
    for first, last in ((date(2024, 1, 1), date(2024, 2, 1)), (date(2026, 4, 1), date(2026, 5, 1))):
        assert live(aws, tmp_path).costs(CostQuery(first, last)).rows == ()
    assert len(aws.asked_for(COSTS)) == 1


def test_on_the_first_of_a_month_the_month_to_date_is_one_day(aws, tmp_path):
    aws.say(COSTS, page())
    live(aws, tmp_path, date(2026, 3, 1)).costs(CostQuery(date(2026, 3, 1), date(2026, 3, 31)))
    assert aws.asked_for(COSTS)[0]["TimePeriod"] == {"Start": "2026-03-01", "End": "2026-03-02"}


def test_single_resources_are_told_for_fourteen_days_and_always_with_a_filter(aws, tmp_path):
    aws.say(COSTS, page(period("2026-03-02", "2026-03-16", ("s", "Usage", "1"))))
    aws.say(COSTS + "WithResources", page(period("2026-03-02", "2026-03-16", ("i-1", "Usage", "1"), (
        "NoResourceId", "Usage", "2"))))
    source = live(aws, tmp_path)
    found = source.costs(CostQuery(date(2026, 3, 2), date(2026, 3, 15), group_by=("resource",)))
    assert amounts(found) == {("i-1",): 1, ("",): 2}
    assert aws.asked_for(COSTS + "WithResources")[0]["Filter"] == {"Dimensions": {"Key": "SERVICE", "Values": ["s"]}}
    with pytest.raises(UsageError, match="2026-03-02 to 2026-03-15 only"):
        source.costs(CostQuery(date(2026, 3, 1), date(2026, 3, 15), group_by=("resource",)))


@pytest.mark.parametrize("wrong, says", [
    ({"group_by": ("service", "region", "account")}, "3 dimensions"), ({"group_by": ("nope",)}, "no dimension"),
    ({"where": {"provider": ("AWS",)}}, "no provider"), ({"group_by": ("provider",)}, "no provider"),
    ({"metrics": ("nope",)}, "no metric"), ({"last": date(2025, 1, 1)}, "first day comes first"),
    ({"granularity": "hourly"}, "no granularity")])
def test_what_cost_explorer_cannot_answer_is_refused_before_asking(aws, tmp_path, wrong, says):
    with pytest.raises(UsageError, match=says):
        live(aws, tmp_path).costs(JANUARY._replace(**wrong))
    assert aws.asked == []


def test_accounts_behind_roles_are_added_up_each_with_its_own_costs_only(aws, tmp_path):
    roles = ("arn:aws:iam::111111111111:role/r", "arn:aws:iam::222222222222:role/r", "arn:aws:iam::3:role/denied",
             "arn:aws:iam::111111111111:role/again")
    aws.roles = dict(zip(roles, ("111111111111", "222222222222", None, "111111111111")))
    aws.say(COSTS, services(("a", "1")), services(("a", "2"), ("b", "3")))
    found = live(aws, tmp_path, roles=roles).costs(JANUARY)
    assert amounts(found) == {("a",): 3, ("b",): 3}
    assert [one["Filter"]["Dimensions"]["Values"] for one in aws.asked_for(COSTS)] == [
        ["111111111111"], ["222222222222"]]
    assert "role/denied, since AWS denies sts:AssumeRole" in found.notes[0] and "role/again" in found.notes[1]


def test_a_single_role_that_is_denied_is_an_error(aws, tmp_path):
    aws.roles = {"arn:aws:iam::3:role/denied": None}
    with pytest.raises(AwsError, match="denies sts:AssumeRole"):
        live(aws, tmp_path, roles=tuple(aws.roles)).costs(JANUARY)


def test_a_role_is_assumed_anew_before_it_ends(aws, tmp_path):
    aws.roles = {"arn:aws:iam::1:role/r": "111111111111"}
    aws.say(COSTS, services(("a", "1")))
    clock = Clock()
    source = live(aws, tmp_path, clock=clock, roles=tuple(aws.roles))
    source.costs(JANUARY)
    clock.time += 3500
    source.costs(JANUARY._replace(group_by=("region",)))
    assert len(aws.asked_for("AssumeRole")) == 2


def test_tags_are_listed_and_where_that_is_denied_a_note_says_so(aws, tmp_path):
    aws.say("GetTags", {"Tags": ["Team", "", "App"], "ReturnSize": 3, "TotalSize": 3})
    aws.say(COSTS, services(("a", "1")))
    assert live(aws, tmp_path / "1").tag_keys(JANUARY.first, JANUARY.last) == ["App", "Team"]
    aws.say("GetTags", refusal("AccessDeniedException"))
    source = live(aws, tmp_path / "2")
    assert source.tag_keys(JANUARY.first, JANUARY.last) == []
    assert "ce:GetTags" in source.costs(JANUARY).notes[0]


def test_without_credentials_one_sentence_says_what_to_do(aws, tmp_path, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(AwsError, match="log in") as found:
        live(aws, tmp_path).costs(JANUARY)
    assert "\n" not in str(found.value) and aws.asked == []


def test_an_unknown_profile_is_told_in_one_sentence(aws, tmp_path):
    with pytest.raises(AwsError, match="another --profile"):
        live(aws, tmp_path, profile="nope").costs(JANUARY)


def test_without_boto3_one_sentence_says_how_to_get_it(tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *arguments, **named):
        if name.partition(".")[0] == "boto3":
            raise ImportError(name)
        return real(name, *arguments, **named)

    monkeypatch.setattr("importlib.import_module", lambda name: without(name))
    source = LiveSource(SourceOptions(date(2026, 3, 15), cache=str(tmp_path)))
    assert source.period()[1] == date(2026, 3, 15)
    with pytest.raises(AwsError, match=r"pip install boto3 .*--source simulated or export"):
        source.costs(CostQuery(date(2026, 3, 1), date(2026, 3, 2), MONTHLY))
