"""The stand-in for Cost Explorer keeps AWS's rules, and gives boto3 and the AWS CLI the ledger's own digits."""
from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from aws.charges import COST_METRICS, METRICS, Amounts, Charge
from aws.ledger import Ledger
from aws.queries import CostQuery
from aws.sources.base import SourceOptions
from aws.sources.simulated import SimulatedSource
from conftest import ROOT
from cost_explorer import CostExplorer, Refused
from cost_explorer_endpoint import Endpoint

EVERYTHING = bool(os.environ.get("FINOPS_TEST_EVERYTHING"))
TODAY = date(2026, 3, 31)
NAMES = dict(zip(METRICS, ("UnblendedCost", "AmortizedCost", "NetUnblendedCost", "NetAmortizedCost", "BlendedCost",
                           "UsageQuantity")))
CLI, INSTALL_SECONDS = "awscli>=1.45", 300
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_DEFAULT_REGION": "us-east-1",
        "NO_PROXY": "*", "no_proxy": "*"}


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


# One ledger through boto3 and through the AWS CLI.

@pytest.fixture(scope="module")
def company():
    return SimulatedSource(SourceOptions(date(2026, 11, 20)))


@pytest.fixture(scope="module")
def endpoint(company):
    with Endpoint(CostExplorer(company.ledger, company.options.today, page=700)) as endpoint:
        yield endpoint


QUESTIONS = {
    "totals": (CostQuery(date(2025, 11, 1), date(2026, 11, 19), "monthly", COST_METRICS), []),
    "services": (CostQuery(date(2025, 11, 1), date(2026, 11, 19), "monthly", COST_METRICS, ("service", "record_type")),
                 group("SERVICE", "RECORD_TYPE")),
    "days": (CostQuery(date(2026, 10, 1), date(2026, 11, 19), "daily", METRICS, ("account", "usage_type")),
             group("LINKED_ACCOUNT", "USAGE_TYPE")),
    "teams": (CostQuery(date(2026, 1, 15), date(2026, 2, 10), "monthly", COST_METRICS,
                        ("tag:team", "category:Division")),
              group("team", kind="TAG") + group("Division", kind="COST_CATEGORY"))}


def request(query, groups):
    return dict(asked(query.first.isoformat(), (query.last + timedelta(1)).isoformat(), query.granularity.upper(),
                      [NAMES[one] for one in query.metrics]), **({"GroupBy": groups} if groups else {}))


def read(periods, query):
    """Return amounts by first day and keys, as the ledger spells them."""
    found = {}
    for period in periods:
        groups = period["Groups"] or ([{"Keys": [], "Metrics": period["Total"]}] if not query.group_by else [])
        for one in groups:
            keys = tuple("" if key.startswith("No") and key[2:3].isupper() else key.rpartition("$")[2]
                         for key in one["Keys"])
            amounts = [one["Metrics"][NAMES[name]] for name in query.metrics]
            found[period["TimePeriod"]["Start"], keys] = tuple(
                None if amount["Unit"] == "N/A" else Decimal(amount["Amount"]) for amount in amounts)
    return found


def expected(company, query):
    return {(row.first.isoformat(), row.keys): row.amounts for row in company.ledger.costs(query).rows}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(QUESTIONS))
def test_boto3_reads_the_digits_of_the_ledger_page_by_page(company, endpoint, monkeypatch, name):
    boto3 = pytest.importorskip("boto3", reason="boto3 is there from Python 3.10")
    for key, value in KEYS.items():
        monkeypatch.setenv(key, value)
    client = boto3.session.Session().client("ce", endpoint_url=endpoint.url)
    query, groups = QUESTIONS[name]
    periods, token, pages = [], {}, 0
    while token is not None:
        answer = client.get_cost_and_usage(**request(query, groups), **token)
        periods += answer["ResultsByTime"]
        token, pages = ({"NextPageToken": answer["NextPageToken"]} if "NextPageToken" in answer else None), pages + 1
    assert read(periods, query) == expected(company, query)
    assert (pages > 1) == (name == "days")
    client.close()


@pytest.fixture(scope="module")
def aws_cli() -> Path:
    """Return the AWS CLI in an environment of its own, installed on first use."""
    if not EVERYTHING:
        pytest.skip("takes a minute, and an environment of its own: set FINOPS_TEST_EVERYTHING")
    folder = ROOT / ".venv" / "awscli"
    stamp = folder / "made-from"
    if not stamp.exists() or stamp.read_text() != CLI:
        for command in ([sys.executable, "-m", "venv", "--clear", folder],
                        [folder / "bin" / "pip", "install", "--quiet", CLI]):
            subprocess.run(list(map(str, command)), check=True, timeout=INSTALL_SECONDS, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        stamp.write_text(CLI)
    return folder / "bin" / "aws"


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(QUESTIONS))
def test_the_aws_cli_prints_the_digits_of_the_ledger(company, endpoint, aws_cli, name):
    query, groups = QUESTIONS[name]
    question = request(query, groups)
    periods, token = [], ""
    while True:
        done = subprocess.run(
            [str(aws_cli), "ce", "get-cost-and-usage", "--endpoint-url", endpoint.url, "--output", "json",
             "--cli-input-json", json.dumps(dict(question, **({"NextPageToken": token} if token else {})))],
            env={**os.environ, **KEYS}, check=True, timeout=120, stdout=subprocess.PIPE)
        answer = json.loads(done.stdout.decode())
        periods += answer["ResultsByTime"]
        token = answer.get("NextPageToken", "")
        if not token:
            break
    assert read(periods, query) == expected(company, query)
