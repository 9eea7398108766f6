from __future__ import annotations

import json
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from conftest import ROOT, run
from run_all_analyzers import main

ANALYZE, ONE = ROOT / "src" / "run_all_analyzers.py", ROOT / "src" / "run_analyzer.py"
DROPPED_IN = '''"""Counts calls."""
from __future__ import annotations

from analyzers.base import ADVANCED, Analyzer, Results
from rollup.rollup import Rollup


class {name}(Analyzer):
    """Counts calls."""

    id = "{id}"
    title = "Dropped in"
    description = "Counts calls"
    category = ADVANCED

    def examine(self, rollup: Rollup) -> Results:
        """Return a number."""
        {body}
'''


def test_every_analyser_leaves_a_result_and_a_page_behind_one_index(log_reports: Path) -> None:
    reports = log_reports
    ids = {line.split()[0] for line in run(ANALYZE, "--list").out.splitlines()}
    assert {path.stem for path in (reports / "json").glob("*.json")} == ids
    assert {path.stem for path in (reports / "html").glob("*.html")} == ids | {"index"}
    manifest = json.loads((reports / "html" / "manifest.json").read_text(encoding="utf-8"))
    assert {one["id"] for one in manifest["reports"]} == ids


def test_every_result_has_the_same_total_to_the_nano_dollar(log, log_reports: Path) -> None:
    cost = Decimal(sum(one.cost_nano for one in log.calls)) / 10 ** 9
    for path in (log_reports / "json").glob("*.json"):
        result = json.loads(path.read_text(encoding="utf-8"), parse_constant=pytest.fail)
        assert Decimal(result["summary"]["total_cost"]) == cost, path.name
        assert result["summary"]["total_calls"] == len(log.calls)
        for one in result["recommendations"]:
            assert one["evidence"] and one["confidence"] in ("high", "medium", "low")
            assert one["monthly_usd"] is None or Decimal(one["monthly_usd"]) >= 0


def test_unchanged_results_leave_their_files_untouched(log, log_reports: Path, tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    shutil.copytree(str(log_reports), str(reports))
    before = {path: path.stat().st_mtime_ns for path in reports.rglob("*.*")}
    assert run(ANALYZE, "--csv", log.path, "--output", reports, "--quiet").code == 0
    assert {path: path.stat().st_mtime_ns for path in reports.rglob("*.*")} == before


def test_any_number_of_processes_gives_the_same_results_and_index(log, log_reports: Path, tmp_path: Path) -> None:
    ran = run(ANALYZE, "--csv", log.path, "--output", tmp_path, "--workers", 3, "--json")
    assert [one["error"] for one in json.loads(ran.out)["analyzers"]] == [""] * 13
    files = []
    for folder in (tmp_path, log_reports):  # the latter by one process
        manifest = json.loads((folder / "html" / "manifest.json").read_text(encoding="utf-8"))
        files.append([{path.name: path.read_bytes() for path in (folder / "json").iterdir()},
                      [(one["id"], one["digest"], one["headline"]) for one in manifest["reports"]]])
    assert files[0] == files[1] and len(files[0][1]) == 13 and all(digest for _, digest, _ in files[0][1])


def test_one_analyser_can_be_run_alone(log, tmp_path: Path) -> None:
    ran = run(ONE, "understanding", "--csv", log.path, "--output", tmp_path, "--json")
    assert [one["id"] for one in json.loads(ran.out)["analyzers"]] == ["understanding"]
    assert [path.name for path in (tmp_path / "json").iterdir()] == ["understanding.json"]


@pytest.mark.parametrize("arguments,code,words", [
    (["--csv", "/no/such.csv"], 1, "run_all_simulators.py"), (["--only", "nope"], 2, "is no analyser; there are:"),
    (["--nonsense"], 2, "--help")])
def test_what_cannot_be_done_gets_one_clear_line(in_process, arguments, code: int, words: str) -> None:
    ran = in_process(main, *arguments)
    assert ran.code == code and words in ran.err and ran.err.count("\n") == 1 and "Traceback" not in ran.err


def test_validate_prints_the_faults_with_their_lines(log, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    rows = log.path.read_text(encoding="utf-8").splitlines()[:50]
    path.write_text("\n".join(rows + ["broken", rows[1]]) + "\n", encoding="utf-8")
    ran = run(ANALYZE, "--validate", "--csv", path)
    assert ran.code == 1
    assert ran.out.splitlines() == ["Line 51: row: has 1 fields instead of 19", "Line 52: call_id: is repeated"]
    assert run(ANALYZE, "--validate", "--csv", log.path).code == 0


def source_with(tmp_path: Path, **files: str) -> Path:
    """Copy the sources, with analysers dropped in; returns the command of the copy."""
    folder = tmp_path / "src"
    shutil.copytree(str(ROOT / "src"), str(folder), ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in files.items():
        (folder / "analyzers" / "advanced" / f"{name}.py").write_text(text, encoding="utf-8")
    return folder / "run_all_analyzers.py"


def test_a_file_dropped_in_is_found_and_run_with_no_other_edit(log, tmp_path: Path) -> None:
    command = source_with(tmp_path, dropped=DROPPED_IN.format(
        name="DroppedAnalyzer", id="dropped", body='return {"summary": {"seen": rollup.total().calls}}'))
    assert "dropped" in run(command, "--list").out
    ran = run(command, "--csv", log.path, "--only", "dropped", "--output", tmp_path / "out")
    assert ran.code == 0, ran.err
    result = json.loads((tmp_path / "out" / "json" / "dropped.json").read_text(encoding="utf-8"))
    assert result["summary"]["seen"] == len(log.calls)
    assert (tmp_path / "out" / "html" / "dropped.html").exists()


def test_analysers_that_share_are_run_in_one_process_and_told_of_in_their_order(log, tmp_path: Path) -> None:
    body = 'import os, time; time.sleep(0.3); return {"summary": {"process": os.getpid()}}'
    named = {name: DROPPED_IN.format(name=name.title(), id=name, body=body) for name in ("one", "two", "three", "four")}
    for name in ("one", "two", "three"):
        named[name] = named[name].replace("    category", '    shares = "x"\n    category')
    ran = run(source_with(tmp_path, **named), "--csv", log.path, "--only", "one,two,three,four", "--workers", 2,
              "--output", tmp_path / "out", "--json")
    assert [one["id"] for one in json.loads(ran.out)["analyzers"]] == ["four", "one", "three", "two"]
    results = {name: json.loads((tmp_path / "out" / "json" / f"{name}.json").read_text(encoding="utf-8"))
               for name in named}
    assert len({results[name]["summary"]["process"] for name in ("one", "two", "three")}) == 1


def test_one_that_fails_is_named_and_costs_no_other_its_report(log, tmp_path: Path) -> None:
    command = source_with(tmp_path, faulty=DROPPED_IN.format(name="Faulty", id="faulty", body="return {}['x']"))
    ran = run(command, "--csv", log.path, "--only", "faulty,understanding", "--output", tmp_path / "out")
    assert ran.code == 1 and "failed: unexpected KeyError" in ran.err and "1 of 2 analyses" in ran.out
    assert (tmp_path / "out" / "html" / "understanding.html").exists()


def test_two_analysers_with_one_id_fail_loudly(tmp_path: Path) -> None:
    twin = DROPPED_IN.format(name="Twin", id="understanding", body="return {}")
    ran = run(source_with(tmp_path, twin=twin), "--list")
    assert ran.code == 1 and "both have the id 'understanding'" in ran.err
