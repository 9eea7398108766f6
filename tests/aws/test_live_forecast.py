"""AWS's own forecast beside ours: how it is asked for, what it costs, and when there is none."""
from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from bills import EC2, BillSource, company

from aws.asking import Choice
from aws.cost_service import AWSCostService
from aws.insights.ahead import month_by_aws
from aws.ledger import Ledger
from aws.live.question import FORECAST_NAMES, ForecastQuestion
from aws.reports.base import Study
from aws.reports.dashboard import DashboardReport
from config import Settings

pytest.importorskip("boto3", reason="boto3 is there from Python 3.10")

from cost_explorer import CostExplorer, Refused  # noqa: E402 (these need boto3)
from cost_explorer_endpoint import Endpoint  # noqa: E402
from scripted_aws import live, page, refusal  # noqa: E402

TODAY = date(2026, 4, 16)
DAYS = Choice(date(2026, 1, 1), date(2026, 4, 15))
FORECAST = "GetCostForecast"
TOLD = {"Total": {"Amount": "30", "Unit": "USD"}, "ForecastResultsByTime": [
    {"TimePeriod": {"Start": f"2026-04-{day}", "End": f"2026-04-{day + 1}"}, "MeanValue": amount}
    for day, amount in ((29, "10.10"), (30, "19.9000000001"))]}


@pytest.fixture
def endpoint(aws_keys):
    """Stand in for Cost Explorer with the company's bill."""
    with Endpoint(CostExplorer(Ledger(company()), TODAY)) as one:
        yield one


def forecasts(endpoint):
    return [asked for name, asked in endpoint.explorer.asked if name == FORECAST]


@pytest.mark.parametrize("metric", sorted(FORECAST_NAMES))
@pytest.mark.parametrize("conditions", [
    (), (("service", True, (EC2, "")),), (("account", False, ("1",)), ("tag:Team", True, ("", "x")))])
def test_request_and_answer_have_the_shapes_that_aws_describes(aws_keys, aws_models, metric, conditions):
    import boto3
    from botocore.stub import Stubber
    asked = ForecastQuestion(TODAY, date(2026, 4, 30), metric, frozenset(conditions)).parameters("012345678901")
    names = aws_models.load_service_model("ce", "service-2")["shapes"]["Metric"]["enum"]
    assert asked["Metric"] in names  # which the stub does not look at
    client = boto3.client("ce")
    with Stubber(client) as stub:
        stub.add_response("get_cost_forecast", TOLD, asked)
        client.get_cost_forecast(**asked)


def test_the_month_is_what_is_billed_until_yesterday_and_what_aws_foretells_from_today(endpoint, tmp_path):
    source = live(endpoint, tmp_path, TODAY)
    bill = AWSCostService(BillSource(company()), DAYS)
    april = sum((row["net"] for row in bill.get_daily_costs() if row["first"] >= "2026-04-01"), Decimal(0))
    _, told = endpoint.explorer.answer(FORECAST, {
        "TimePeriod": {"Start": "2026-04-16", "End": "2026-05-01"}, "Granularity": "DAILY", "Metric": "UNBLENDED_COST"})
    assert len(told["ForecastResultsByTime"]) == 15
    assert month_by_aws(AWSCostService(source, DAYS)) == april + Decimal(told["Total"]["Amount"])
    assert forecasts(endpoint)[-1] == {"TimePeriod": {"Start": "2026-04-16", "End": "2026-05-01"},
                                       "Granularity": "DAILY", "Metric": "UNBLENDED_COST"}


def test_the_page_shows_it_where_there_is_one_and_a_second_look_is_free(endpoint, tmp_path):
    for paid in (True, False):
        study = Study(AWSCostService(live(endpoint, tmp_path, TODAY), DAYS), Settings())
        results = DashboardReport(study).analyze()
        assert results["summary"]["month_by_aws"] == study.month_by_aws > 0
        assert "This month, AWS's forecast" in [card.title for card in DashboardReport.described(results)[0].cards]
        assert bool(study.service.source.spending()["paid_requests"]) is paid
    assert len(forecasts(endpoint)) == 1
    results = DashboardReport(Study(AWSCostService(BillSource(company()), DAYS), Settings())).analyze()
    assert results["summary"]["month_by_aws"] is None and DashboardReport.described(results) == DashboardReport.page


@pytest.mark.parametrize("today, choice", [
    (TODAY, Choice(date(2026, 1, 1), date(2026, 3, 31))), (TODAY, Choice(date(2026, 4, 3), date(2026, 4, 15))),
    (TODAY, Choice(date(2026, 1, 1), date(2026, 4, 14))), (date(2026, 4, 1), Choice(date(2026, 1, 1)))],
    ids=["another month", "a part of the month", "not until yesterday", "the first of a month"])
def test_what_would_not_be_of_the_month_that_is_looked_at_is_not_asked_for(endpoint, tmp_path, today, choice):
    endpoint.explorer.today = today
    assert month_by_aws(AWSCostService(live(endpoint, tmp_path, today), choice)) is None
    assert forecasts(endpoint) == []


def test_filters_and_metric_are_told_to_aws(endpoint, tmp_path):
    choice = Choice(date(2026, 1, 1), date(2026, 4, 15), "amortized", {"service": (EC2,)})
    assert month_by_aws(AWSCostService(live(endpoint, tmp_path, TODAY), choice)) > 0
    assert forecasts(endpoint)[0]["Metric"] == "AMORTIZED_COST"
    assert forecasts(endpoint)[0]["Filter"] == {"Dimensions": {"Key": "SERVICE", "Values": [EC2]}}


def test_on_the_last_day_of_a_month_that_day_alone_is_foretold(endpoint, tmp_path):
    endpoint.explorer.today = today = date(2026, 3, 31)
    assert month_by_aws(AWSCostService(live(endpoint, tmp_path, today), Choice(date(2026, 1, 1)))) > 0
    assert forecasts(endpoint)[0]["TimePeriod"] == {"Start": "2026-03-31", "End": "2026-04-01"}


@pytest.mark.parametrize("code", ["AccessDeniedException", "DataUnavailableException", "ValidationException"])
def test_where_aws_has_none_our_own_stands_and_a_note_says_so(endpoint, tmp_path, code):
    study = Study(AWSCostService(live(endpoint, tmp_path, TODAY), DAYS), Settings())
    study.service.base()
    endpoint.explorer.failures.append(Refused(code, "no"))
    assert study.month_by_aws is None and study.month_by_aws is None and study.ahead.month
    assert len(forecasts(endpoint)) == 1
    study.service.get_costs_by_service("region")
    assert any("AWS's own forecast is not told" in note and "ce:GetCostForecast" in note
               for note in study.service.notes)


def test_accounts_are_foretold_each_by_itself_to_the_last_digit(aws, tmp_path):
    roles = {"arn:aws:iam::111111111111:role/r": "111111111111", "arn:aws:iam::222222222222:role/r": "222222222222"}
    aws.roles = roles
    aws.say(FORECAST, TOLD)
    source = live(aws, tmp_path, TODAY, roles=tuple(roles))
    assert source.forecast(date(2026, 4, 30), "unblended", {}) == Decimal("60.0000000002")
    assert [one["Filter"]["Dimensions"]["Values"] for one in aws.asked_for(FORECAST)] == [
        ["111111111111"], ["222222222222"]]
    aws.say(FORECAST, refusal("AccessDeniedException"))
    assert live(aws, tmp_path / "2", TODAY, roles=tuple(roles)).forecast(date(2026, 4, 30), "unblended", {}) is None


def test_a_dry_run_counts_it(aws, tmp_path):
    aws.say("GetCostAndUsage", page())
    source = live(aws, tmp_path, TODAY, dry_run=True)
    service = AWSCostService(source, Choice(date(2026, 1, 1)))
    service.base()
    before = source.spending()["would_be_paid_at_least"]
    assert month_by_aws(service) is None
    assert source.spending()["would_be_paid_at_least"] == before + 1 and aws.asked_for(FORECAST) == []
