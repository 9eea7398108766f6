"""Saved charts: what each file asks is what its figure shows, and a file that asks nonsense is told so."""
from __future__ import annotations

import json
import random
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

import blocks as b
from calls.record import HEADER, AICall
from calls.values import parse_timestamp
from conftest import ROOT, run
from queries.saved_charts import CHARTS, ChartError, SavedChart, read_chart
from rollup.rollup import Rollup

SCRIPT = ROOT / "showcase" / "queries" / "saved_charts.py"
GOOD = {"title": "Calls by model", "chart": "bars", "measure": "calls", "by": ["model"]}


def calls(count: int):
    """Return calls half an hour apart, from the first minute of March on."""
    chance, start = random.Random(1), parse_timestamp("2026-03-01T00:01:00Z")
    for number in range(count):
        taken = chance.randrange(1, 5000)
        product, feature, model, environment, region, tier = map(chance.choice, (
            ["assist", "build"], ["chat", "search"], ["gpt-4o", "gpt-5", "own"], ["production", "staging"],
            ["us", "eu"], ["pro", "starter"]))
        yield AICall(f"c-{number}", start + number * 1_800_000, f"cust_{number % 7}", "org", product, feature, "openai",
                     model, taken, 5, taken + 5, taken * 2500, 900, chance.choice(["success"] * 9 + ["timeout"]),
                     environment, region, tier, 0, "power")


def write_log(path: Path, some) -> Path:
    path.write_text("\n".join([HEADER, *(",".join(one.to_row()) for one in some), ""]))
    return path


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Return the calls of a log, the results that the command wrote of it, and the page."""
    folder = tmp_path_factory.mktemp("charts")
    some = list(calls(48 * 70 + 20))
    path = write_log(folder / "calls.csv", some)
    ran = run(SCRIPT, "--csv", path, "--output", folder)
    assert (ran.code, ran.err) == (0, ""), ran.err
    assert ran.out == f"drew {len(list(CHARTS.glob('*.json')))} charts in {folder / 'html' / 'saved_charts.html'}\n"
    return (some, json.loads((folder / "json" / "saved_charts.json").read_text(encoding="utf-8")),
            (folder / "html" / "saved_charts.html").read_text(encoding="utf-8"))


def test_every_saved_chart_is_a_figure_of_the_page(drawn):
    _, results, page = drawn
    for path in CHARTS.glob("*.json"):
        assert results[path.stem] and f'id="{path.stem}-chart"' in page
        assert json.loads(path.read_text())["title"] in page


def test_figures_are_sums_of_the_rows(drawn):
    some, results, _ = drawn
    failed, by_tier, months = defaultdict(int), defaultdict(int), defaultdict(int)
    for one in some:
        failed[one.model] += one.status != "success"
        by_tier[one.subscription_tier] += 1
    assert {row["model"]: row["failed"] for row in results["failed_calls_by_model"]} == failed
    assert {row["tier"]: row["calls"] for row in results["calls_by_tier"]} == by_tier
    assert [row["failed"] for row in results["failed_calls_by_model"]] == sorted(failed.values(), reverse=True)
    for one in some[:48 * 70]:  # the last day has 20 of 48 calls: it is left out of series
        months[one.to_row()[1][:7]] += one.cost_nano
    found = {row["day"]: Decimal(row["openai"]) for row in results["spend_by_month_and_provider"]}
    assert found == {month: Decimal(nano) / 10 ** 9 for month, nano in months.items()} and len(found) == 3
    weeks = [Decimal(row["cost"]) for row in results["production_spend_by_week"]]
    assert len(weeks) == 11 and sum(weeks) == Decimal(sum(
        one.cost_nano for one in some[:48 * 70] if one.environment == "production")) / 10 ** 9


def test_where_keeps_only_some_values(drawn):
    some, rollup = drawn[0], Rollup()
    for one in some:
        rollup.add(one)
    chart = SavedChart("x", "X", "bars", "calls", ("feature",), {"provider": ["openai"], "feature": ["chat"]})
    assert [(row["feature"], row["calls"]) for row in chart.rows(rollup)] == [
        ("chat", sum(one.feature_id == "chat" for one in some))]


@pytest.mark.parametrize("changes, kind, wanted", [
    ({}, b.Bars, {"label": "model", "most": 12}), ({"most": 3}, b.Bars, {"most": 3}),
    ({"chart": "tree_map", "by": ["product", "feature"]}, b.TreeMap, {"label": "feature", "group": "product"}),
    ({"chart": "heat_map", "by": ["region", "model"]}, b.HeatMap, {"label": "region", "across": "model"}),
    ({"chart": "stacked_bars", "by": ["day", "model"]}, b.StackedBars, {"label": "day", "standing": True}),
    ({"chart": "stacked_bars", "by": ["tier", "model"]}, b.StackedBars, {"label": "tier", "standing": False}),
    ({"chart": "lines", "by": ["day"]}, b.Lines, {"label": "day"})])
def test_a_file_becomes_the_block_that_draws_it(tmp_path, changes, kind, wanted):
    (tmp_path / "x.json").write_text(json.dumps({**GOOD, **changes}))
    block = read_chart(tmp_path / "x.json").block([])
    assert type(block) is kind and {name: getattr(block, name) for name in wanted} == wanted


@pytest.mark.parametrize("text, word", [
    ("{", "is not JSON"), ("[]", "no saved chart"), ("{}", "no saved chart"),
    (json.dumps({**GOOD, "colour": "red"}), "no saved chart"), (json.dumps({**GOOD, "chart": "radar"}), "radar"),
    (json.dumps({**GOOD, "by": ["team"]}), "team"), (json.dumps({**GOOD, "by": []}), "one or two"),
    (json.dumps({**GOOD, "measure": "joy"}), "joy"), (json.dumps({**GOOD, "every": "year"}), "year"),
    (json.dumps({**GOOD, "where": {"team": ["a"]}}), "team"), (json.dumps({**GOOD, "where": 5}), "where"),
    (json.dumps({**GOOD, "by": 5}), "no saved chart"), (json.dumps({**GOOD, "most": "many"}), "most"),
    (json.dumps({**GOOD, "chart": ["bars"]}), "chart"), (json.dumps({**GOOD, "by": [["day"]]}), "by")])
def test_what_is_no_chart_is_told_in_one_line_that_names_the_file(tmp_path, text, word):
    (tmp_path / "odd.json").write_text(text)
    with pytest.raises(ChartError, match="odd.json") as caught:
        read_chart(tmp_path / "odd.json")
    assert word in str(caught.value) and "\n" not in str(caught.value)


def test_a_question_that_no_count_answers_is_one_line_too(tmp_path):
    (tmp_path / "odd.json").write_text(json.dumps({**GOOD, "by": ["hour", "product"]}))
    write_log(tmp_path / "calls.csv", [])
    ran = run(SCRIPT, "--csv", tmp_path / "calls.csv", "--charts", tmp_path, "--output", tmp_path / "out")
    assert (ran.code, len(ran.err.splitlines())) == (1, 1) and "odd.json" in ran.err
    (tmp_path / "odd.json").unlink()
    ran = run(SCRIPT, "--csv", tmp_path / "calls.csv", "--charts", tmp_path, "--output", tmp_path / "out")
    assert ran.code == 1 and "holds no saved chart" in ran.err
