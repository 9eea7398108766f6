"""The four reports: what their pages name is there, they can be drawn of any bill, and every figure is the bill's."""
from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from bills import EC2, FIRST, HOSTILE, RDS, S3, BillSource, charge, company, days

import blocks as b
from aws.asking import Choice
from aws.charges import Amounts, exact_sum
from aws.cost_service import AWSCostService
from aws.explorer import Question, page_of
from aws.insights.reading import INSTANCE, VOLUME
from aws.reports.base import Study, discover_reports, every_report
from aws.reports.writing import write_reports
from aws.sources.base import ESTIMATED, Resource
from config import Settings
from generators.files import as_json
from generators.html_generator import HTMLReportGenerator, Page
from generators.site import Site, homes
from page_places import is_there, named

REPORTS = discover_reports()
MADE = "2026-04-16T00:00:00.000Z"
LARGEST_PAGE = 400_000  # bytes


def wasteful():
    """Return what a well-run company has none of: idle things, a spike, growth, unused commitments, estimates."""
    lines = company() + [charge(day, "0.12", "Amazon Virtual Private Cloud", usage_type="PublicIPv4:IdleAddress",
                                estimated=day.month == 4) for day in days()]
    lines += [charge(date(2026, 3, 10), "400", resource="i-bad", usage_type="NatGateway-Bytes")]
    lines += [charge(day, "4", "Amazon Q", usage_type="Index") for day in days()]
    for day in days():
        lines += [charge(day, "5", record_type="SavingsPlanCoveredUsage", amounts=Amounts(Decimal(5), Decimal(4))),
                  charge(day, "6", record_type="SavingsPlanRecurringFee", amounts=Amounts(Decimal(6), Decimal(2)))]
    found = [Resource("i-1", INSTANCE, EC2, "web", facts={"state": "running", "instance_type": "m5.large"},
                      use={"cpu_average_percent": 1.0}),
             Resource("vol-1", VOLUME, EC2, "old data", facts={"attached_to": ""}, tags={"team": "shop"}),
             Resource("app-1", "qbusiness:application", "Amazon Q", "answers", cost=Decimal(50), cost_basis=ESTIMATED)]
    return BillSource(lines, resources=found, notes=["eu-north-1 could not be looked at: access was denied."])


def hostile():
    names = {"service": HOSTILE, "account": HOSTILE, "region": HOSTILE, "usage_type": HOSTILE, "operation": HOSTILE,
             "instance_type": HOSTILE, "resource": HOSTILE, "tags": {HOSTILE: HOSTILE, "team": HOSTILE}}
    found = [Resource(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, {HOSTILE: HOSTILE}, {HOSTILE: HOSTILE})]
    lines = [charge(day, "10", **names) for day in days()] + [charge(day, "5", S3) for day in days()]
    return BillSource(lines, resources=found, notes=[HOSTILE])


def negative():
    return BillSource([charge(day, "-3", record_type="Credit") for day in days()] + [charge(FIRST, "1")])


BILLS = {"company": lambda: BillSource(company()), "wasteful": wasteful, "hostile": hostile, "negative": negative,
         "one day": lambda: BillSource([charge(FIRST, "5")]), "nothing": lambda: BillSource([charge(FIRST, "0")]),
         "unknown": lambda: BillSource([charge(day, "0", amounts=Amounts(None, Decimal(1))) for day in days()]
                                       + [charge(FIRST, "1", RDS)]),
         "providers": lambda: BillSource([charge(day, "5", provider=name) for day in days()
                                          for name in ("AWS", "Microsoft", HOSTILE)]),
         "euros": lambda: BillSource([charge(day, "5", currency="EUR") for day in days()])}


class Results:
    """What reports find in the bills, each found once."""

    def __init__(self):
        self._found = {}

    def of(self, name):
        if name not in self._found:
            study = Study(AWSCostService(BILLS[name]()), Settings(), Decimal(3000) if name == "wasteful" else None)
            study.written = {"paragraphs": ["It costs much."], "notes": ["No figure was unknown."], "model": "m"} \
                if name == "wasteful" else None
            reports = {one.id: one(study) for one in REPORTS.values()}
            self._found[name] = {identity: (one, one.analyze()) for identity, one in reports.items()}
        return self._found[name]


@pytest.fixture(scope="module")
def results():
    return Results()


@pytest.mark.parametrize("identity", REPORTS)
def test_every_place_that_a_page_names_holds_something_in_some_bill(identity, results):
    found = [results.of(name)[identity] for name in ("company", "wasteful")]
    pages = [report.described(one) if hasattr(report, "described") else report.page for report, one in found]
    blocks = [one for page in pages for one in b.walk(page)] + list(REPORTS[identity].highlights)
    places = {place for block in blocks for place in named(block) if any(place)}
    known = {"overlapping", "asking.paid_requests"}  # what these bills have none of
    assert places
    missing = [place for place in places if not any(is_there(place, one) for _, one in found)]
    assert sorted(place for place in missing if place.path.partition(".")[2] not in known
                  and place.path not in known) == []


def test_providers_are_told_apart_where_there_are_others_than_aws(results):
    report, found = results.of("providers")["aws_dashboard"]
    assert [(row["provider"], row["cost"]) for row in found["by_provider"]] == [
        (name, 5 * len(days())) for name in (HOSTILE, "AWS", "Microsoft")]
    assert found["bill"]["providers"] == [HOSTILE, "AWS", "Microsoft"]
    assert len(report.described(found)) == len(report.page) + 1
    report, found = results.of("company")["aws_dashboard"]
    assert "by_provider" not in found and report.described(found) == report.page


@pytest.mark.parametrize("identity", REPORTS)
@pytest.mark.parametrize("name", BILLS)
def test_a_page_is_drawn_of_any_bill_from_memory_as_from_its_file(identity, name, results):
    report, found = results.of(name)[identity]
    known = list(REPORTS.values())
    generator = HTMLReportGenerator([Page(one.id, one.title, one.category) for one in known], homes(known))
    page = generator.page(report, found)
    assert page == generator.page(report, json.loads(as_json(found)))
    assert HOSTILE not in page and "<img" not in page and "None" not in page
    assert len(page.encode("utf-8")) <= LARGEST_PAGE
    assert found["headline"].endswith(".")


@pytest.mark.parametrize("identity", REPORTS)
def test_a_page_answers_top_down_figures_first_and_says_why_a_part_is_empty(identity):
    page = REPORTS[identity].page
    assert isinstance(page[0], b.Cards) and 3 <= len(page[0].cards) <= 6
    assert 2 <= len([block for block in b.walk(page) if isinstance(block, b.Chart)]) <= 8
    assert all(block.title for block in b.walk(page) if isinstance(block, (b.Chart, b.Table, b.Section)))


def test_every_list_of_a_report_adds_up_to_the_bill(results):
    whole = exact_sum(one.amounts.unblended for one in company())
    dashboard = results.of("company")["aws_dashboard"][1]
    for name, column in (("monthly", "net"), ("daily", "net"), ("by_service", "cost"), ("by_account", "cost"),
                         ("by_region", "cost")):
        assert exact_sum(row[column] for row in dashboard[name]) == whole, name
    services = results.of("company")["aws_services"][1]
    for name in ("usage_type", "operation", "region", "account", "instance_type", "record_type"):
        assert exact_sum(row["cost"] for row in services[f"by_{name}"]) == whole, name
    resources = results.of("wasteful")["aws_resources"][1]
    for row in resources["by_service"]:
        assert row["cost"] == row["actual"] + row["estimated"] + row["unattributed"]


def test_savings_never_come_to_more_than_the_bill(results):
    summary = results.of("wasteful")["aws_insights"][1]["summary"]
    assert 0 < summary["saving"] < summary["monthly_cost"] and summary["sure_saving"] <= summary["saving"]


def test_the_headline_says_where_the_month_is_heading_and_what_moved(results):
    told = results.of("wasteful")["aws_dashboard"][1]["headline"]
    assert told.startswith("2026-04 is heading for $") and "above its budget" in told and "complete days" in told
    assert "last month plus a tenth" in results.of("company")["aws_dashboard"][1]["headline"]


def test_what_the_source_could_not_tell_stands_on_the_page(results):
    for identity in ("aws_resources", "aws_insights"):
        assert "access was denied" in " ".join(results.of("wasteful")[identity][1]["notes"])


def written(folder, source, made=MADE, **choice):
    study = Study(AWSCostService(source, Choice(**choice)), Settings())
    return write_reports(study, folder, made)


def test_a_folder_gets_pages_results_tables_index_and_manifest(tmp_path):
    outcomes = written(tmp_path, BillSource(company()))
    assert [one.id for one in outcomes] == ["aws_dashboard", "aws_services", "aws_resources", "aws_insights"]
    assert not any(one.error for one in outcomes) and all(Path(one.page).exists() for one in outcomes)
    manifest = json.loads((tmp_path / "html" / "manifest.json").read_text(encoding="utf-8"))
    assert [(one["id"], one["category"]) for one in manifest["reports"]] == [(one.id, "AWS") for one in outcomes]
    index = (tmp_path / "html" / "index.html").read_text(encoding="utf-8")
    assert "A bill made by hand" in index and "aws_insights.html" in index and "AWS savings found" in index
    with open(tmp_path / "csv" / "aws_dashboard-by_service.csv", newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert sum(Decimal(row["cost"]) for row in rows) == exact_sum(one.amounts.unblended for one in company())


def test_a_second_writing_of_the_same_changes_no_file(tmp_path):
    written(tmp_path, BillSource(company()))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")}
    written(tmp_path, BillSource(company()), made="2026-04-17T00:00:00.000Z")
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")} == before


def test_no_cell_of_any_table_is_a_formula(tmp_path):
    lines = [charge(day, "10", "=cmd()", usage_type="+1", resource="@x", tags={"team": "-2"}) for day in days()]
    written(tmp_path, BillSource(lines))
    for path in (tmp_path / "csv").iterdir():
        with open(path, newline="", encoding="utf-8") as handle:
            for row in csv.reader(handle):
                assert not [cell for cell in row if cell[:1] in "=+@\t\r" and cell[:1]], path.name


class Calls:
    """A report on calls, which another command writes."""

    id, title, description, category = "understanding", "Understanding", "Where the money goes", "FinOps"
    page = (b.Table("by_region", columns=("region", "cost"), key="region"),)


CALLS = {"log": {"name": "calls.csv", "bytes": 5, "calls": 7}, "headline": "Calls cost $1.",
         "by_region": [{"region": "us-east-1", "cost": "1"}], "recommendations": []}


def test_either_command_keeps_what_the_other_wrote(tmp_path):
    def calls(failure=""):
        site = Site(tmp_path, every_report(), MADE, ["understanding"])
        if not failure:
            site.write(Calls, CALLS)
        site.finish({"understanding": failure}, 40.0)

    def manifest():
        return json.loads((tmp_path / "html" / "manifest.json").read_text(encoding="utf-8"))
    calls()
    written(tmp_path, BillSource(company()))
    found = manifest()
    assert (found["log"]["name"], found["calls"], found["progress_percent"]) == ("calls.csv", 7, 40.0)
    assert [one["id"] for one in found["reports"]][::4] == ["understanding", "aws_insights"]
    calls("the disk is full")
    written(tmp_path, BillSource(company()[:-300]))
    assert [one["failure"] for one in manifest()["reports"]] == ["the disk is full"] + [None] * 4
    calls()
    assert len(manifest()["reports"]) == 5 and not any(one["failure"] for one in manifest()["reports"])
    index = (tmp_path / "html" / "index.html").read_text(encoding="utf-8")
    assert "Calls cost $1." in index and "AWS savings found" in index


def test_pages_that_stood_there_before_link_to_those_that_came(tmp_path):
    site = Site(tmp_path, every_report(), MADE, ["understanding"])
    site.write(Calls, CALLS)
    site.finish()
    page = tmp_path / "html" / "understanding.html"
    assert "aws_insights.html" not in page.read_text(encoding="utf-8")
    written(tmp_path, BillSource(company()), made="2026-05-01T00:00:00.000Z")
    text = page.read_text(encoding="utf-8")
    assert "aws_insights.html" in text and MADE in text and "2026-05-01" not in text
    before = page.stat().st_mtime_ns
    written(tmp_path, BillSource(company()), made="2026-06-01T00:00:00.000Z")
    assert page.stat().st_mtime_ns == before


def test_a_region_of_a_bill_does_not_lead_to_the_regions_of_calls(tmp_path):
    site = Site(tmp_path, [Calls, *REPORTS.values()], MADE, ["understanding"])
    site.write(Calls, CALLS)
    study = Study(AWSCostService(BillSource(company())), Settings())
    site = Site(tmp_path, [Calls, *REPORTS.values()], MADE, list(REPORTS))
    for report in REPORTS.values():
        one = report(study)
        site.write(one, one.analyze())
        page = (tmp_path / "html" / f"{one.id}.html").read_text(encoding="utf-8")
        assert "understanding.html#" not in page
        assert report.id == "aws_dashboard" or "aws_dashboard.html#service-" in page


def test_a_report_that_fails_costs_no_other_and_says_why(tmp_path, monkeypatch):
    written(tmp_path, BillSource(company()))

    def broken(self):
        raise ValueError("a defect")
    monkeypatch.setattr(REPORTS["aws_services"], "examine", broken)
    outcomes = written(tmp_path, BillSource(company()))
    assert [one.error for one in outcomes] == ["", "unexpected ValueError: a defect", "", ""]
    assert (tmp_path / "html" / "aws_services.html").exists()
    assert "a defect" in (tmp_path / "html" / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("question", [
    Question(), Question(granularity="daily", group_by=("account", "region")), Question(group_by=()),
    Question(group_by=("usage_type",)),
    Question(FIRST, FIRST, "yearly", "amortized", ("tag:team",), {"service": (EC2,)})])
@pytest.mark.parametrize("name", ["company", "hostile", "wasteful"])
def test_the_explorers_page_answers_with_the_bills_figures_and_holds_its_form(question, name):
    source = BILLS[name]()
    page, found = page_of(source, question)
    service = AWSCostService(source, Choice(question.first or FIRST, question.last or source.period()[1],
                                            question.metric, question.where))
    assert found["total"]["net"] == service.total().net
    for rows, column in ((found["rows"], "cost"), (found["groups"], "cost")):
        assert exact_sum(row[column] for row in rows) == service.total().net
    over_time = [value for row in found["over_time"] for key, value in row.items() if key != "period"]
    assert exact_sum(over_time) == service.total().net
    drawn = HTMLReportGenerator().page(page, found, MADE)
    assert HOSTILE not in drawn and "form-action 'self'" in drawn and 'name="last" type="date"' in drawn


def test_a_question_for_days_that_are_not_there_is_refused():
    from errors import UsageError
    with pytest.raises(UsageError, match="2026-01-01 to 2026-04-15"):
        page_of(BILLS["company"](), Question(FIRST - timedelta(days=90), FIRST - timedelta(days=60)))


def test_a_bill_in_another_currency_is_written_in_it_everywhere(results, tmp_path):
    written(tmp_path, BILLS["euros"]())
    for path in (tmp_path / "html").glob("*.html"):
        page = path.read_text(encoding="utf-8")
        text = page[page.index("<main"):page.index('<script type="application/json"')]
        assert "\u20ac" in text and "$" not in text, path.name
        assert path.stem == "index" or '"sign":"\u20ac"' in page, path.name


def test_a_finding_of_no_service_links_nowhere(tmp_path):
    lines = [charge(day, "10" if day < date(2026, 3, 16) else "25") for day in days()]
    written(tmp_path, BillSource(lines))
    page = (tmp_path / "html" / "aws_insights.html").read_text(encoding="utf-8")
    assert "Look into the growth of use" in page and 'href="aws_dashboard.html#service-"' not in page


def test_the_budget_of_the_settings_is_taken_where_none_is_given():
    service = AWSCostService(BillSource(company()))
    assert Study(service, Settings(aws_budget_usd=99.5)).budget == Decimal("99.5")
    assert Study(service, Settings(aws_budget_usd=99.5), Decimal(7)).budget == 7
    assert Study(service, Settings()).budget > 3000
