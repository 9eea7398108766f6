"""The tables of reports as CSV: whole, exact, and harmless in a spreadsheet."""
from __future__ import annotations

import csv
import io
import json
from decimal import Decimal

import blocks as b
from analyzers.base import discover_analyzers
from conftest import ROOT, run, simulate
from generators.csv_tables import csv_tables
from generators.page_parts import rows_at
from generators.site import Site

FORMULAS = ("=1+1", "+1", "-1+1", "@sum(a)", "\tx", "\rx")


class Report:
    """A report whose page shows only some rows and columns, twice."""

    id, title, description, category = "spend", "Spend", "Where the money goes", "FinOps"
    page = (b.Section(title="All", blocks=(b.Table("rows", columns=("customer", "cost"), most=1),)),
            b.Table("rows", columns=("customer", b.Column("over", "Beyond it", b.MONEY_CHANGE))),
            b.Table("deep.rows", columns=("customer",)))


def tables(results):
    return {name: list(csv.reader(io.StringIO(text, newline=""))) for name, text in csv_tables(Report, results).items()}


def test_all_rows_and_the_columns_of_all_tables_of_the_same_rows_are_there():
    rows = [{"customer": f"c,{number}\n", "cost": Decimal(f"{number}.000000001"), "over": -1.5, "hidden": 1}
            for number in range(30)]
    found = tables({"rows": rows})
    assert set(found) == {"spend-rows.csv", "spend-deep.rows.csv"}
    assert found["spend-rows.csv"] == [["customer", "cost", "over"]] + [
        [f"c,{number}\n", f"{number}.000000001", "-1.5"] for number in range(30)]
    assert found["spend-deep.rows.csv"] == [["customer"]]


def test_texts_that_a_spreadsheet_would_run_are_guarded_and_numbers_are_not():
    rows = [{"customer": text, "cost": None, "over": Decimal("-0.5")} for text in FORMULAS]
    assert tables({"rows": rows})["spend-rows.csv"][1:] == [["'" + text, "", "-0.5"] for text in FORMULAS]
    injected = tables({"rows": [{"customer": 5, "cost": "=cmd()", "over": "-1+cmd()"}]})["spend-rows.csv"][1]
    assert injected == ["5", "'=cmd()", "'-1+cmd()"]


def test_every_table_of_every_report_is_written_by_the_command(tmp_path):
    simulate(tmp_path / "calls.csv", 1, "--seed", 1, "--start", "2026-01-01", "--customers", 40)
    ran = run(ROOT / "src" / "run_all_analyzers.py", "--csv", tmp_path / "calls.csv", "--output", tmp_path, "--tables")
    assert ran.code == 0 and str(tmp_path / "csv") in ran.out
    for analyzer in discover_analyzers().values():
        results = json.loads((tmp_path / "json" / f"{analyzer.id}.json").read_text(encoding="utf-8"))
        for block in b.walk(analyzer.page):
            if isinstance(block, b.Table):
                text = (tmp_path / "csv" / f"{analyzer.id}-{block.path}.csv").read_text(encoding="utf-8")
                header, *rows = csv.reader(io.StringIO(text, newline=""))
                assert len(rows) == len(rows_at(results, block.path)), block.path
                assert {one if isinstance(one, str) else one.name for one in block.columns} <= set(header), block.path


def test_tables_are_only_written_where_they_are_wished(tmp_path):
    for tables_wished in (False, True):
        Site(tmp_path, [Report], "2026-01-01T00:00:00.000Z", ["spend"], tables_wished).write(Report, {"rows": []})
        assert (tmp_path / "csv").exists() is tables_wished
