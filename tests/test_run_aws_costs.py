"""`run_aws_costs.py` as people run it: four reports from nothing, filters, tables, and errors in one line."""
from __future__ import annotations

import csv
import functools
import json
import os
from datetime import date
from decimal import Decimal

import pytest

from aws.asking import Choice
from aws.cost_service import AWSCostService
from aws.sources.base import SourceOptions
from aws.sources.simulated import SimulatedSource
from conftest import ROOT, run
from run_aws_costs import main

COMMAND = ROOT / "src" / "run_aws_costs.py"
ENV = dict(os.environ, FINOPS_TODAY="2026-04-16")
REPORTS = ["aws_dashboard", "aws_services", "aws_resources", "aws_insights"]


def costs(*arguments, env=ENV):
    return run(COMMAND, *arguments, env=env)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Run the command once with most of what it can do."""
    folder = tmp_path_factory.mktemp("costs")
    ran = costs("--output", folder / "reports", "--from", "2026-02-01", "--granularity", "daily", "--group-by",
                "account,tag:team", "--csv", folder / "costs.csv", "--json", "--budget", "20000", "--quiet")
    return folder, ran


@pytest.fixture
def ask(in_process, monkeypatch):
    """Return the command run in this process, for what is not about the process."""
    monkeypatch.setenv("FINOPS_TODAY", ENV["FINOPS_TODAY"])
    return functools.partial(in_process, main)


@pytest.fixture(scope="module")
def service():
    source = SimulatedSource(SourceOptions(date(2026, 4, 16)))
    return AWSCostService(source, Choice(date(2026, 2, 1)))


def test_four_reports_with_their_results_and_tables_are_written(made):
    folder, ran = made
    assert ran.code == 0, ran.err
    told = json.loads(ran.out)
    assert [one["id"] for one in told["reports"]] == REPORTS and not any(one["error"] for one in told["reports"])
    for kind in ("html", "json"):
        assert {f"{one}.{kind}" for one in REPORTS} <= {path.name for path in (folder / "reports" / kind).iterdir()}
    assert {path.name.partition("-")[0] for path in (folder / "reports" / "csv").iterdir()} == set(REPORTS)
    insights = json.loads((folder / "reports" / "json" / "aws_insights.json").read_text(encoding="utf-8"))
    assert insights["budget"]["budget"] == "20000" and "over_budget" in {one["kind"] for one in insights["findings"]}


def test_rows_in_json_and_csv_are_the_bills_own_digits(made, service):
    folder, ran = made
    told = json.loads(ran.out)
    expected = service.get_costs("daily", ("account", "tag:team"))
    assert [Decimal(row["cost"]) for row in told["rows"]] == [row["cost"] for row in expected]
    assert Decimal(told["total"]["net"]) == service.total().net == sum(Decimal(row["cost"]) for row in told["rows"])
    with open(folder / "costs.csv", newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["cost"] for row in rows] == [row["cost"] for row in told["rows"]]
    assert (told["from"], told["to"], told["complete_until"]) == ("2026-02-01", "2026-04-15", "2026-04-14")


def test_the_pages_say_that_they_tell_of_a_made_up_company(made):
    folder, ran = made
    assert "note: All of this is simulated" in ran.err
    assert "made-up company" in (folder / "reports" / "html" / "aws_insights.html").read_text(encoding="utf-8")


def test_filters_and_a_range_by_name_say_what_is_looked_at(ask):
    ran = ask("--range", "last-30-days", "--service", "Amazon Simple Storage Service", "--region", "us-east-1",
                "--tag", "team=data", "--no-reports", "--group-by", "service", "--json")
    told = json.loads(ran.out)
    assert {row["service"] for row in told["rows"]} == {"Amazon Simple Storage Service"}
    assert (told["from"], told["to"], told["reports"]) == ("2026-03-17", "2026-04-15", [])


@pytest.mark.parametrize("arguments, words", [
    (["--source", "nothing"], "there are: "), (["--source", "export"], "give one file or folder"),
    (["--source", "simulated", "x"], "takes no 'x'"), (["--from", "2026-02-30"], "--from: '2026-02-30' is not a date"),
    (["--from", "2026-03-02", "--to", "2026-03-01"], "swap --from and --to"),
    (["--to", "2020-01-01", "--from", "2019-01-01"], "it tells of 2025-04-01 to 2026-04-15"),
    (["--range", "lately"], "this-month"), (["--range", "last-month", "--to", "2026-03-01"], "--range goes without"),
    (["--service", "Amazon S4"], "there are: "), (["--tag", "team"], "KEY=VALUE"), (["--budget", "-5"], "above 0"),
    (["--group-by", "colour"], "'colour'"), (["--metric", "free"], "invalid choice"),
    (["--granularity", "hourly"], "invalid choice")])
def test_a_mistake_is_one_line_that_says_what_to_do_and_exit_2(ask, arguments, words, tmp_path):
    ran = ask(*arguments, "--output", tmp_path, "--quiet")
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1), ran.err
    assert words in ran.err and "Traceback" not in ran.err
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_others_made_is_read_and_adds_up_to_the_digit(ask, tmp_path):
    sample = ROOT / "tests" / "samples" / "focus_sample_1.0.csv"
    if not sample.exists():
        pytest.skip("the sample is not part of this checkout")
    ran = ask("--source", "export", sample, "--output", tmp_path, "--json", "--quiet", "--group-by", "service")
    told = json.loads(ran.out)
    assert ran.code == 0 and not any(one["error"] for one in told["reports"])
    assert sum(Decimal(row["cost"]) for row in told["rows"]) == Decimal("20.52022672899")
    missing = ask("--source", "export", tmp_path / "no.csv")
    assert missing.code == 1 and missing.err.count("\n") == 1 and "no.csv" in missing.err


def test_any_source_is_written_as_focus_and_read_again_with_equal_digits(ask, tmp_path):
    path = tmp_path / "focus.csv"
    words = ["--from", "2026-03-01", "--to", "2026-03-31", "--account", "118402265937", "--no-reports", "--json",
             "--quiet"]
    first = json.loads(ask(*words, "--export-focus", path).out)
    again = json.loads(ask("--source", "export", path, "--no-reports", "--json", "--quiet").out)
    assert again["total"] == first["total"]
    assert {row["service"]: row["cost"] for row in again["rows"]} == {
        row["service"]: row["cost"] for row in first["rows"]}


def test_a_folder_that_cannot_be_written_is_one_line(ask, tmp_path):
    (tmp_path / "html").write_text("a file in the folder's place")
    ran = ask("--output", tmp_path, "--quiet", "--from", "2026-04-01")
    assert ran.code == 1 and "file" in ran.err.splitlines()[-1] and "Traceback" not in ran.err


def test_sources_are_listed_and_help_names_every_option():
    listed = costs("--list")
    assert listed.code == 0 and {"simulated", "live"} <= {line.split()[0] for line in listed.out.splitlines()}
    told = costs("--help").out
    assert all(option in told for option in (
        "--source", "--from", "--to", "--range", "--metric", "--granularity", "--group-by", "--account", "--service",
        "--region", "--tag", "--json", "--csv", "--output", "--budget", "--ai", "--seed", "--max-api-calls",
        "--dry-run", "--profile", "--role", "--export-focus", "examples:"))


def test_a_model_that_cannot_be_asked_is_a_note_and_the_rules_stand_alone(tmp_path, monkeypatch):
    from aws.reports.base import Study
    from aws.reports.summary import add_summary, figures
    from config import Settings
    source = SimulatedSource(SourceOptions(date(2026, 4, 16)))
    study = Study(AWSCostService(source, Choice(date(2026, 3, 1))), Settings())
    asked = []

    class Answer:
        text, model, unknown_numbers, note = "", "", (), "Written by the rules alone, since boto3 is missing."

    def summarise(findings, given, options, model):
        asked.append((findings, given, options, model))
        return Answer
    assert add_summary(study, "m", summarise) == Answer.note and study.written is None
    assert asked[0][1] == figures(study) and asked[0][2] is source.options and asked[0][3] == "m"
    assert len(asked[0][0]) == len(study.examined.findings)
    Answer.text, Answer.note, Answer.model = "It rose.\n\nBy $5.", "", "claude"
    assert add_summary(study, "", summarise) == ""
    assert study.written["paragraphs"] == ["It rose.", "By $5."] and study.written["notes"] == ["Written by claude."]
