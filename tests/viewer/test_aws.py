"""AWS cost in the viewer: asked by API and by form, exact and at once, loaded once, and never asking AWS by itself."""
from __future__ import annotations

import csv
import io
import os
import re
import signal
import time
from decimal import Decimal
from typing import Any, List

import pytest
from viewers import Answer, Running, ask, children_of, until_gone

from app.aws_desk import AwsDesk
from app.aws_worker import COSTS, AwsOptions
from app.jobs import ERROR, JobBook
from app.logs import EventLog
from app.messages import Refusal
from aws.asking import Choice
from aws.cost_service import AWSCostService
from aws.explorer import Question
from aws.sources.base import SourceOptions
from aws.sources.simulated import SimulatedSource
from browser.browsing import DESK, MODULES, PHONE, need
from config import Settings, parse_date

TODAY = "2026-04-16"
ENV = {"FINOPS_TODAY": TODAY, "FINOPS_REQUESTS_PER_MINUTE": "0"}
EXPLORER = "/reports/html/aws.html"
S3, RDS = "Amazon Simple Storage Service", "Amazon Relational Database Service"


@pytest.fixture(scope="module")
def viewer(tmp_path_factory):
    with Running(tmp_path_factory.mktemp("aws"), env=ENV) as running:
        assert running.status()["aws"]["state"] == "idle"
        assert running.post("/api/aws/reports", {"first": "2026-01-01"}).status == 202
        written(running)
        yield running


@pytest.fixture(scope="module")
def bill():
    return SimulatedSource(SourceOptions(parse_date(TODAY, "today"), seed=42))


def written(viewer: Running) -> Any:
    """Wait until the AWS reports are written, and return the status."""
    return viewer.until(lambda status: status["aws"]["state"] == "loaded" and not any(
        job["state"] == "running" for job in status["jobs"] if job["kind"] == "aws"))


def ask_until_read(viewer: Running, path: str) -> Answer:
    """Ask as long as the answer is that the bill is still being read: on a busy machine that takes a while."""
    end = time.monotonic() + 60
    while True:
        answer = ask(viewer.port, path)
        if answer.status != 503:
            return answer
        assert b"being read" in answer.body and time.monotonic() < end, answer
        time.sleep(0.2)


def test_reports_are_written_on_request_and_stand_beside_the_others(viewer):
    aws = viewer.status()["aws"]
    assert [one["id"] for one in aws["reports"] if one["exists"] and not one["reason"]] == [
        "aws_dashboard", "aws_services", "aws_resources", "aws_insights"]
    assert (aws["source"], aws["first"], aws["last"], aws["currency"], aws["asks_aws"], aws["error"]) == (
        "simulated", "2026-01-01", "2026-04-15", "USD", False, None)
    page = ask(viewer.port, "/reports/html/aws_dashboard.html")
    assert page.status == 200 and b"Dashboard Overview" in page.body
    assert ask(viewer.port, "/reports/json/aws_insights.json").document["bill"]["source"] == "simulated"
    assert b"aws_insights.html" in ask(viewer.port, "/reports/html/index.html").body


@pytest.mark.parametrize("asked, question", [
    ("", Question()), ("granularity=daily&group_by=account,region", Question(None, None, "daily", "unblended",
                                                                           ("account", "region"))),
    ("first=2026-02-01&last=2026-02-28&metric=amortized&region=us-east-1&region=eu-west-1",
     Question(parse_date("2026-02-01", ""), parse_date("2026-02-28", ""), metric="amortized",
              where={"region": ("us-east-1", "eu-west-1")})),
    ("region=(none)&region=us-east-1&service=" + S3.replace(" ", "%20") + "&service=Tax",
     Question(where={"region": ("", "us-east-1"), "service": (S3, "Tax")})),
    ("group_by=tag:team&tag=team:data&tag=team:storefront&service=" + S3.replace(" ", "%20"),
     Question(group_by=("tag:team",), where={"service": (S3,), "tag:team": ("data", "storefront")}))])
def test_answers_are_those_of_the_bill_to_the_last_digit(viewer, bill, asked, question):
    found = ask(viewer.port, "/api/aws/costs?" + asked).document
    first, last = bill.period()
    service = AWSCostService(bill, Choice(question.first or first, question.last or last, question.metric,
                                          question.where))
    rows = service.get_costs(question.granularity, question.group_by)
    assert len(rows) == found["total_rows"] > 0 and not found["truncated"]
    assert [(row["first"], Decimal(row["cost"])) for row in found["rows"]] == [
        (row["first"], row["cost"]) for row in rows]
    assert Decimal(found["total"]["net"]) == service.total().net == sum(row["cost"] for row in rows)


def test_csv_holds_the_same_rows(viewer):
    answer = ask(viewer.port, "/api/aws/costs?format=csv&group_by=service,region")
    assert answer.headers["content-disposition"] == 'attachment; filename="aws_costs.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.body.decode("utf-8"), newline="")))
    told = ask(viewer.port, "/api/aws/costs?group_by=service,region").document["rows"]
    assert [(row["service"], row["cost"]) for row in rows] == [(row["service"], row["cost"]) for row in told]


def test_an_answer_is_cut_at_its_limit_and_says_so(viewer):
    found = ask(viewer.port, "/api/aws/costs?limit=2").document
    assert len(found["rows"]) == 2 < found["total_rows"] and found["truncated"]


@pytest.mark.parametrize("asked, status, words", [
    ("first=2026-13-01", 400, "not a date"), ("first=1999-01-01&last=1999-02-01", 404, "it tells of 2025-04-01"),
    ("first=2026-03-01&last=2026-02-01", 404, "swap"), ("granularity=hourly", 404, "hourly"),
    ("metric=free", 404, "free"), ("group_by=a,b,c", 400, "at most 2"), ("group_by=service,service", 400, "each once"),
    ("group_by=nothing", 404, "no dimension"), ("tag=team", 400, "key:value"), ("limit=0", 400, "1 to 50000"),
    ("format=xml", 400, "json, csv"), ("first=2026-01-01&first=2026-01-02", 400, "more than once"),
    ("path=/etc/passwd", 400, "no parameter")])
def test_what_cannot_be_answered_is_refused_with_its_reason(viewer, asked, status, words):
    for address in ("/api/aws/costs?", EXPLORER + "?"):
        if address.startswith(EXPLORER) and asked.partition("=")[0] in ("limit", "format"):
            continue
        answer = ask(viewer.port, address + asked)
        assert answer.status == status and words in answer.document["error"]


def test_the_choices_are_what_the_bill_holds(viewer, bill):
    found = ask(viewer.port, "/api/aws/choices").document
    assert (found["first"], found["last"]) == tuple(day.isoformat() for day in bill.period())
    assert S3 in found["values"]["service"] and "tag:team" in found["dimensions"] and "usage" not in found["metrics"]


def test_the_explorer_is_a_page_with_a_form_under_a_strict_policy(viewer):
    answer = ask(viewer.port, EXPLORER + "?service=&region=eu-west-1&region=(none)&granularity=daily&group_by=service")
    page = answer.body.decode("utf-8")
    assert answer.status == 200 and '<input type="checkbox" name="region" value="eu-west-1" checked>' in page
    assert '<input type="checkbox" name="region" value="us-east-1">' in page
    assert "form-action 'self'" in answer.headers["content-security-policy"]
    assert "'unsafe" not in answer.headers["content-security-policy"]
    assert 'href="aws_insights.html"' in page and "only region eu-west-1, (none)" in page
    assert ask(viewer.port, EXPLORER + "?region=%3Cscript%3Ealert(1)%3C/script%3E").body.count(b"<script>alert") == 0


def test_the_same_question_has_the_same_tag_and_another_page_of_another_site_cannot_write(viewer):
    first = ask(viewer.port, "/api/aws/costs")
    again = ask(viewer.port, "/api/aws/costs", If_None_Match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    assert ask(viewer.port, "/api/aws/reports", "POST", Origin="http://evil.example").status == 403


def test_a_process_that_is_lost_is_replaced_by_the_next_question(viewer):
    process = int(re.findall(r"aws process started pid=(\d+)", viewer.errors.read_text())[-1])
    os.kill(process, signal.SIGKILL)
    viewer.until(lambda status: status["aws"]["state"] == "idle")
    assert ask_until_read(viewer, "/api/aws/costs").status == 200
    assert viewer.errors.read_text().count("aws process started") == 2


def test_the_end_of_the_viewer_is_the_end_of_all_processes(tmp_path):
    with Running(tmp_path, env=ENV) as viewer:
        assert ask_until_read(viewer, "/api/aws/choices").status == 200
        processes: List[int] = children_of(viewer.process.pid)
        assert len(processes) >= 2 and viewer.end() == 0
        until_gone(processes)


def test_an_export_that_is_not_there_is_wrong_usage(tmp_path):
    from conftest import ROOT, run
    ran = run(ROOT / "viewer" / "serve.py", "--aws", tmp_path / "no.csv", "--port", 0)
    assert (ran.code, ran.err.count("\n")) == (2, 1) and "no such file or folder" in ran.err


def desk(tmp_path, source: str) -> AwsDesk:
    return AwsDesk(AwsOptions(source, "", str(tmp_path), 42), Settings(today=TODAY), JobBook(lambda: 0.0),
                   EventLog(io.StringIO(), "text", False, lambda: 0.0))


def test_a_live_source_is_never_asked_by_a_question(tmp_path):
    one = desk(tmp_path, "live")
    try:
        with pytest.raises(Refusal) as refused:
            one.ask(COSTS, Question())
        assert refused.value.status == 409 and "nothing is loaded yet" in refused.value.reason
        assert one.describe()["asks_aws"] and one.describe()["state"] == "idle"
    finally:
        one.close()


def test_a_job_that_fails_says_why_and_another_may_follow(tmp_path, monkeypatch):
    (tmp_path / "html").write_text("a file in the folder's place")
    one = desk(tmp_path, "simulated")
    try:
        job = one.write(Choice())
        with pytest.raises(Refusal, match="409|already"):
            one.write(Choice())
        while job.is_open:
            signal.sigtimedwait([], 0.05) if hasattr(signal, "sigtimedwait") else None
        assert job.state == ERROR and str(tmp_path) not in (job.message or "") and "file" in (job.message or "")
        assert one.write(Choice()).id != job.id
    finally:
        one.close()


@pytest.mark.parametrize("theme, size", [("light", DESK), ("dark", PHONE)])
def test_the_explorer_in_a_browser_answers_its_form_and_axe_finds_nothing(viewer, open_tab, theme, size):
    axe = MODULES / "axe-core" / "axe.min.js"
    need(axe.exists(), "the npm package axe-core")
    tab = open_tab(f"http://127.0.0.1:{viewer.port}{EXPLORER}", color_scheme=theme, viewport=size)
    tab.page.select_option("#choose-granularity", "daily")
    tab.page.select_option("#choose-group_by", "region")
    tab.page.click("#choose-service")
    for service in (S3, RDS):
        tab.page.check(f".boxes input[value='{service}']")
    assert tab.page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    tab.page.click(".boxes button:visible")
    tab.page.wait_for_url("**granularity=daily**")
    assert f"only service {RDS}, {S3}" in tab.page.inner_text(".meta")
    assert tab.page.inner_text("#choose-service").startswith("2 of ") and tab.problems == []
    assert tab.page.url.count("service=") == 2
    tab.page.click("#choose-service")
    assert tab.page.is_checked(f".boxes input[value='{S3}']") and not tab.page.is_visible("#choose-region ~ .boxes")
    width, room = tab.page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
    assert width <= room
    again = open_tab(tab.page.url, color_scheme=theme, viewport=size, bypass_csp=True, reduced_motion="reduce")
    again.page.add_script_tag(path=str(axe))
    found = again.page.evaluate("axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', "
                                "'best-practice']}).then(found => found.violations.map(one => one.id))")
    assert found == []


def test_the_live_page_shows_the_group_and_writes_it_again(viewer, open_tab):
    tab = open_tab(f"http://127.0.0.1:{viewer.port}/")
    tab.page.wait_for_selector("a.explore:visible")
    card = tab.page.locator(".report-card", has_text="AI Insights & Reports")
    card.locator(".run").click()
    for _ in range(600):
        if "complete" in tab.page.inner_text("#jobs"):
            break
        tab.page.wait_for_timeout(100)
    assert "AWS reports" in tab.page.inner_text("#jobs") and tab.problems == []
    tab.page.click("a.explore:visible")
    assert tab.page.inner_text("h1") == "AWS costs"
