"""The stand-in for Cost Explorer keeps AWS's rules of dates, groups, filters, pages and forecasts."""
from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from aws.charges import Amounts, Charge
from aws.ledger import Ledger
from cost_explorer import CostExplorer, Refused

TODAY = date(2026, 3, 31)


def charge(day, amount="1", **more):
    known = Decimal(amount)
    values = {"account": "001", "service": "A", "region": "eu-west-1", "unit": "GB", "resource": "r1",
              "amounts": Amounts(*[known] * 5, Decimal(2)), **more}
    return Charge(day, day + timedelta(1), **values)


def explorer(*charges, today=TODAY, page=500):
    return CostExplorer(Ledger(charges or [charge(date(2026, 3, 1))]), today, page)


def asked(start, end, granularity="MONTHLY", metrics=("UnblendedCost",), **more):
    return {"TimePeriod": {"Start": start, "End": end}, "Granularity": granularity, "Metrics": list(metrics), **more}


def group(*keys, kind="DIMENSION"):
    return [{"Type": kind, "Key": key} for key in keys]


def refusal(service, request, operation="GetCostAndUsage"):
    status, body = service.answer(operation, request)
    assert status == 400 and body["__type"]
    return body["__type"], body["Message"]


@pytest.mark.parametrize("today, start, end, said", [
    (date(2026, 3, 1), "2026-03-01", "2026-03-01", "before end date"),  # month to date, on the 1st
    (date(2026, 3, 31), "2026-04-01", "2026-04-02", "in the future"),
    (date(2026, 3, 31), "2026-03-01", "2026-04-02", "past the beginning of next month"),
    (date(2025, 12, 31), "2025-12-01", "2026-01-02", "past the beginning of next month"),
    (date(2026, 3, 31), "2025-01-31", "2026-03-01", "beyond 14 months"),
    (date(2026, 3, 31), "2026-02-30", "2026-03-01", "YYYY-MM-DD"),
    (date(2026, 3, 31), "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", "YYYY-MM-DD")])
def test_a_period_that_aws_does_not_have_is_refused(today, start, end, said):
    kind, message = refusal(explorer(today=today), asked(start, end))
    assert kind == "ValidationException" and said in message


@pytest.mark.parametrize("today, start, end", [
    (date(2026, 3, 1), "2026-03-01", "2026-03-02"), (date(2026, 3, 31), "2026-03-31", "2026-04-01"),
    (date(2024, 2, 29), "2024-02-29", "2024-03-01"), (date(2025, 12, 31), "2025-12-01", "2026-01-01"),
    (date(2026, 3, 31), "2025-02-01", "2026-03-01")])
def test_the_edges_of_what_aws_has_are_answered(today, start, end):
    status, body = explorer(today=today).answer("GetCostAndUsage", asked(start, end))
    assert status == 200 and body["ResultsByTime"][0]["TimePeriod"]["Start"] == start


@pytest.mark.parametrize("change, said", [
    ({"Granularity": "YEARLY"}, "neither DAILY nor MONTHLY"), ({"Metrics": []}, "are not all of"),
    ({"Metrics": ["UNBLENDED_COST"]}, "are not all of"),
    ({"GroupBy": group("SERVICE", "REGION", "OPERATION")}, "at most 2"),
    ({"GroupBy": group("SIZE")}, "is no dimension"), ({"GroupBy": group("RESOURCE_ID")}, "WithResources alone"),
    ({"Filter": {"And": [{"Dimensions": {"Key": "SERVICE", "Values": ["A"]}}]}}, "at least two"),
    ({"Filter": {"Dimensions": {"Key": "SERVICE", "Values": []}}}, "Values are required"),
    ({"Filter": {"Dimensions": {}, "Tags": {}}}, "exactly one of")])
def test_what_aws_does_not_take_is_refused(change, said):
    kind, message = refusal(explorer(), dict(asked("2026-03-01", "2026-04-01"), **change))
    assert kind == "ValidationException" and said in message


def test_groups_fill_or_the_total_does_and_empty_periods_are_told():
    service = explorer(charge(date(2026, 1, 31), "1.5"), charge(date(2026, 3, 1), "-2", tags=(("Team", "x"),)))
    _, plain = service.answer("GetCostAndUsage", asked("2026-01-15", "2026-04-01"))
    assert [one["TimePeriod"]["Start"] for one in plain["ResultsByTime"]] == ["2026-01-15", "2026-02-01", "2026-03-01"]
    assert [one["Total"]["UnblendedCost"]["Amount"] for one in plain["ResultsByTime"][::2]] == ["1.5", "-2"]
    _, grouped = service.answer("GetCostAndUsage", asked("2026-01-15", "2026-04-01", GroupBy=group("Team", kind="TAG")))
    assert [[one["Keys"] for one in period["Groups"]] for period in grouped["ResultsByTime"]] == [
        [["Team$"]], [], [["Team$x"]]]
    assert all(one["Total"] == {} for one in grouped["ResultsByTime"])


def test_usage_of_several_units_has_a_number_and_no_unit():
    service = explorer(charge(date(2026, 3, 1)), charge(date(2026, 3, 1), unit="Hrs"))
    _, body = service.answer("GetCostAndUsage", asked("2026-03-01", "2026-04-01", metrics=["UsageQuantity"]))
    assert body["ResultsByTime"][0]["Total"] == {"UsageQuantity": {"Amount": "4", "Unit": "N/A"}}


def test_pages_hold_the_whole_and_a_token_belongs_to_its_parameters():
    service = explorer(*(charge(date(2026, 3, 1), str(number), service=f"s{number}") for number in range(7)), page=3)
    question = asked("2026-03-01", "2026-04-01", GroupBy=group("SERVICE"))
    pages, token = [], {}
    while token is not None:
        _, body = service.answer("GetCostAndUsage", {**question, **token})
        pages.append([one["Keys"][0] for period in body["ResultsByTime"] for one in period["Groups"]])
        token = {"NextPageToken": body["NextPageToken"]} if "NextPageToken" in body else None
        last = token or last  # noqa: F821
    assert list(map(len, pages)) == [3, 3, 1] and sorted(sum(pages, [])) == [f"s{number}" for number in range(7)]
    changed = {**question, **last, "Granularity": "DAILY"}
    assert refusal(service, changed)[0] == "RequestChangedException"
    assert refusal(service, {**question, "NextPageToken": "?"})[0] == "InvalidNextTokenException"


def test_resources_are_told_for_fourteen_days_and_only_with_a_filter():
    service = explorer(charge(date(2026, 3, 30)))
    only = {"Dimensions": {"Key": "SERVICE", "Values": ["A"]}}
    question = asked("2026-03-20", "2026-04-01", GroupBy=group("RESOURCE_ID"), Filter=only)
    status, body = service.answer("GetCostAndUsageWithResources", question)
    assert status == 200 and body["ResultsByTime"][0]["Groups"][0]["Keys"] == ["r1"]
    for change, said in (({"Filter": {}}, "Filter is required"),
                         ({"GroupBy": group("SERVICE")}, "group by RESOURCE_ID"),
                         ({"TimePeriod": {"Start": "2026-03-16", "End": "2026-04-01"}}, "last 14 days")):
        assert said in refusal(service, {**question, **change}, "GetCostAndUsageWithResources")[1]


def test_values_and_tags_are_listed_page_by_page():
    service = explorer(*(charge(date(2026, 3, 1), service=name, tags=(("Team", name),)) for name in "abc"), page=2)
    period = {"TimePeriod": {"Start": "2026-03-01", "End": "2026-04-01"}}
    _, body = service.answer("GetDimensionValues", {**period, "Dimension": "SERVICE"})
    assert [one["Value"] for one in body["DimensionValues"]] == ["a", "b"]
    assert (body["ReturnSize"], body["TotalSize"], "NextPageToken" in body) == (2, 3, True)
    assert service.answer("GetTags", period)[1]["Tags"] == ["Team"]
    assert service.answer("GetTags", {**period, "TagKey": "Team", "SearchString": "C"})[1]["Tags"] == ["c"]
    searched = {**period, "Dimension": "SERVICE", "SearchString": "a", "NextPageToken": body["NextPageToken"]}
    assert "one page" in refusal(service, searched, "GetDimensionValues")[1]


def test_a_forecast_keeps_its_own_rules_of_dates():
    service = explorer(*(charge(date(2026, 2, 1) + timedelta(day), "10") for day in range(58)))
    question = {"TimePeriod": {"Start": "2026-03-31", "End": "2026-06-01"}, "Granularity": "MONTHLY",
                "Metric": "UNBLENDED_COST", "PredictionIntervalLevel": 80}
    _, body = service.answer("GetCostForecast", question)
    assert body["Total"] == {"Amount": "620.00", "Unit": "USD"}  # ten a day, for 62 days
    assert body["ForecastResultsByTime"][0]["PredictionIntervalLowerBound"] == "9.00"
    for change, said in (({"TimePeriod": {"Start": "2026-04-01", "End": "2026-06-01"}}, "begins today or before"),
                         ({"TimePeriod": {"Start": "2026-03-31", "End": "2026-03-31"}}, "before end date"),
                         ({"Metric": "UnblendedCost"}, "is none of"), ({"Granularity": "HOURLY"}, "cannot be forecast"),
                         ({"Granularity": "DAILY", "TimePeriod": {"Start": "2026-03-31", "End": "2026-07-02"}},
                          "cannot be forecast")):
        assert said in refusal(service, {**question, **change}, "GetCostForecast")[1]
    assert refusal(explorer(), question, "GetCostForecast")[0] == "DataUnavailableException"


def test_failures_that_are_wanted_come_first_and_all_requests_are_noted():
    service = explorer()
    service.failures += [Refused("LimitExceededException", "slow down")] * 2
    question = asked("2026-03-01", "2026-04-01")
    assert [service.answer("GetCostAndUsage", question)[0] for _ in range(3)] == [400, 400, 200]
    assert service.asked == [("GetCostAndUsage", question)] * 3
    assert refusal(service, {}, "GetAnomalies")[0] == "UnknownOperationException"
