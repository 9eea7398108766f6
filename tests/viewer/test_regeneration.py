"""Reports follow their log, whatever happens to the log, to the worker, or to an analyser."""
from __future__ import annotations

import os
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest
from viewers import Running, add_calls, ask, children_of, rows, until_gone, write_log

from calls.record import HEADER
from conftest import ROOT, run, thoroughly
from rollup.dataset import load_dataset

ANALYZE = ROOT / "src" / "run_all_analyzers.py"
DROPPED_IN = '''"""Does harm."""
from __future__ import annotations

import os
import time

from analyzers.base import ADVANCED, Analyzer, Results
from rollup.rollup import Rollup


class Harm(Analyzer):
    """Does harm."""

    id = "harm"
    title = "Harm"
    description = "Does harm"
    category = ADVANCED
    rank = 1

    def examine(self, rollup: Rollup) -> Results:
        """Do harm, while a file says so."""
        if os.path.exists(HARM):
            {harm}
        return {{"summary": {{"fine": 1}}}}
'''


def calls_told(viewer: Running) -> int:
    return ask(viewer.port, "/api/results/understanding").document["summary"]["total_calls"]


def started(folder: Path) -> Running:
    (folder / "data").mkdir()
    write_log(folder / "data" / "calls.csv", 200)
    return Running(folder)


@pytest.fixture(scope="module")
def one_viewer(tmp_path_factory):
    with started(tmp_path_factory.mktemp("viewer")) as running:
        yield running


@pytest.fixture
def viewer(one_viewer):
    """Return a viewer whose log holds 200 calls, all told by its reports."""
    if one_viewer.status()["csv"]["path"] != "calls.csv":
        one_viewer.post("/api/load-csv?name=calls.csv")
    for path in one_viewer.csv.parent.iterdir():
        path.unlink()
    write_log(one_viewer.csv, 200)
    one_viewer.until_fresh(200)
    return one_viewer


def test_every_report_is_written_and_is_what_the_command_writes(viewer, tmp_path):
    assert run(ANALYZE, "--csv", viewer.csv, "--output", tmp_path / "other", "--quiet").code == 0
    names = sorted(path.name for path in (tmp_path / "other" / "json").iterdir())
    assert names == sorted(path.name for path in (viewer.reports / "json").iterdir()) and len(names) >= 13
    for name in names:
        assert (viewer.reports / "json" / name).read_bytes() == (tmp_path / "other" / "json" / name).read_bytes()
    status = viewer.status()
    assert {one["status"] for one in status["analyzer_status"].values()} == {"complete"}
    runs = status["analyzer_status"].values()
    assert all(one["success"] and one["started_at"] <= one["completed_at"] for one in runs)
    assert all(one["size_kb"] > 1 and one["generated_at"] for one in status["reports"])
    assert status["csv"]["line_count"] == status["regeneration"]["calls"] == 200


def test_growth_is_in_the_pages_soon_after_it_stops(viewer):
    add_calls(viewer.csv, 200, 260)
    viewer.until_fresh(260)
    assert calls_told(viewer) == 260
    assert viewer.status()["csv"]["line_count"] == 260


def test_pages_that_would_not_change_are_left_alone(viewer):
    pages = {path: path.stat().st_mtime_ns for path in viewer.reports.rglob("*.*")}
    os.utime(str(viewer.csv))
    rounds = viewer.status()["regeneration"]["rounds"]
    viewer.until(lambda status: status["regeneration"]["rounds"] > rounds)
    assert viewer.post("/api/run-all-analyzers").status == 202
    viewer.until(lambda status: status["jobs"][0]["state"] == "complete")
    assert {path: path.stat().st_mtime_ns for path in viewer.reports.rglob("*.*")} == pages


def test_bad_rows_are_told_and_half_a_row_waits(viewer):
    line = rows(200, 201)
    with open(viewer.csv, "a") as handle:
        handle.write("bad\n" + line[:30])
    viewer.until(lambda status: status["regeneration"]["rejected"] == 1 and not status["csv"]["growing"])
    viewer.until_fresh()
    with open(viewer.csv, "a") as handle:
        handle.write(line[30:])
    viewer.until(lambda status: status["regeneration"]["calls"] == 201)
    viewer.until_fresh()
    assert calls_told(viewer) == 201


def replaced(path: Path) -> None:
    os.replace(str(write_log(path.with_name("new"), 150)), str(path))


def cut(path: Path) -> None:
    write_log(path, 40)


def cut_and_grown(path: Path) -> None:
    path.write_text(HEADER + "\n" + rows(1000, 1400))


def edited(path: Path) -> None:
    status = os.stat(str(path))
    with open(path, "r+") as handle:
        handle.write(path.read_text().replace("call-7,2026-01-08", "call-7,2026-02-08"))
    os.utime(str(path), ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("happen", [replaced, cut, cut_and_grown, edited])
def test_whatever_happens_to_the_log_the_pages_tell_what_it_holds(viewer, happen):
    rounds = viewer.status()["regeneration"]["rounds"]
    happen(viewer.csv)
    viewer.until(lambda status: status["regeneration"]["rounds"] > rounds and not status["csv"]["growing"])
    viewer.until_fresh()
    scratch = load_dataset(viewer.csv, use_checkpoint=False)
    told = ask(viewer.port, "/api/results/understanding").document
    assert told["summary"]["total_calls"] == scratch.rollup.total().calls
    assert Decimal(told["summary"]["total_cost"]) == Decimal(scratch.rollup.total().cost_nano) / 10 ** 9
    days = [group.key[0] for group in scratch.rollup.by("day")]
    asked = ask(viewer.port, "/api/rollup?by=day").document["rows"]
    assert [one["day"] for one in asked] == days


def test_a_deleted_log_leaves_the_pages_stale_and_a_new_one_makes_them_fresh(viewer):
    viewer.csv.unlink()
    status = viewer.until(lambda status: not status["csv"]["exists"])
    assert status["csv"]["size_mb"] is None and all(one["stale"] and one["exists"] for one in status["reports"])
    assert calls_told(viewer) == 200
    write_log(viewer.csv, 20)
    viewer.until_fresh(20)
    assert calls_told(viewer) == 20


def test_a_log_that_comes_late_or_without_a_header_is_waited_for(tmp_path):
    with Running(tmp_path) as viewer:
        status = viewer.status()
        assert not status["csv"]["exists"] and not any(one["exists"] for one in status["reports"])
        assert ask(viewer.port, "/reports/html/index.html").status == 404
        assert ask(viewer.port, "/api/rollup?by=provider").status == 404
        viewer.csv.write_text(HEADER[:50])
        error = viewer.until(lambda status: status["regeneration"]["error"])["regeneration"]["error"]
        assert error.startswith("calls.csv has no header line yet")
        viewer.csv.write_text(HEADER + "\n")
        add_calls(viewer.csv, 0, 30)
        viewer.until_fresh()
        assert calls_told(viewer) == 30 and viewer.status()["regeneration"]["error"] is None


def test_reports_of_an_earlier_run_are_known_again_and_stale_ones_are_redone(tmp_path):
    with started(tmp_path) as viewer:
        viewer.until_fresh()
        assert viewer.end() == 0
    with Running(tmp_path, "--no-watch") as again:
        status = again.until(lambda status: status["csv"]["exists"])
        assert not any(one["stale"] for one in status["reports"])
        assert {one["status"] for one in status["analyzer_status"].values()} == {"complete"}
        add_calls(again.csv, 200, 230)
        status = again.until(lambda status: status["csv"]["line_count"] == 230)
        assert all(one["stale"] for one in status["reports"]) and status["regeneration"]["rounds"] == 0
        assert again.post("/api/run-all-analyzers").status == 202
        again.until_fresh()
        assert again.end() == 0
    add_calls(viewer.csv, 230, 250)
    with Running(tmp_path) as again:
        again.until_fresh()
        assert calls_told(again) == 250


def test_one_analyser_is_run_alone_and_the_others_follow_when_the_log_grew(viewer):
    page = viewer.reports / "html" / "performance.html"
    page.unlink()
    viewer.until(lambda status: not all(one["exists"] for one in status["reports"]))
    answer = viewer.post("/api/run-analyzer?id=performance")
    assert (answer.status, answer.document["job"]["kind"]) == (202, "analyze")
    viewer.until(lambda status: status["jobs"] and status["jobs"][0]["state"] == "complete")
    assert page.exists()
    add_calls(viewer.csv, 200, 210)
    viewer.until_fresh(210)
    assert calls_told(viewer) == 210
    assert viewer.post("/api/run-analyzer?id=nothing").status == 404


def test_a_hundred_equal_wishes_at_once_are_one_job(viewer):
    with ThreadPoolExecutor(20) as pool:
        codes = list(pool.map(lambda _: viewer.post("/api/run-all-analyzers").status, range(100)))
    assert set(codes) == {202, 409} and codes.count(202) <= 5
    names = [one["id"] for one in viewer.status()["reports"]]
    with ThreadPoolExecutor(20) as pool:
        codes = list(pool.map(lambda one: viewer.post("/api/run-analyzer?id=" + one).status, names * 3))
    assert set(codes) == {202, 409}
    viewer.until(lambda status: all(one["state"] == "complete" for one in status["jobs"]))


def test_another_log_of_the_folder_can_be_followed(viewer):
    write_log(viewer.csv.with_name("second.csv"), 77)
    assert [one["name"] for one in ask(viewer.port, "/api/csv-files").document["files"]] == ["calls.csv", "second.csv"]
    assert viewer.post("/api/load-csv", {"name": "second.csv"}).status == 202
    viewer.until(lambda status: status["csv"]["path"] == "second.csv" and status["regeneration"]["calls"] == 77)
    viewer.until_fresh()
    assert calls_told(viewer) == 77
    assert [one["current"] for one in ask(viewer.port, "/api/csv-files").document["files"]] == [False, True]


def test_a_killed_worker_is_told_and_replaced_and_nothing_is_lost(viewer):
    worker = viewer.worker()
    os.kill(worker, signal.SIGKILL)
    viewer.until(lambda status: status["regeneration"]["worker_restarts"] == 1)
    add_calls(viewer.csv, 200, 300)
    viewer.until(lambda status: status["regeneration"]["calls"] == 300)
    viewer.until_fresh()
    assert calls_told(viewer) == 300 and viewer.worker() != worker
    assert "worker lost" in viewer.errors.read_text()


def test_the_workers_end_with_a_killed_server(tmp_path):
    with started(tmp_path) as viewer:
        viewer.until(lambda status: status["regeneration"]["state"] == "analysing")
        processes = children_of(viewer.process.pid)
        assert viewer.worker() in processes
        viewer.process.kill()
        viewer.process.wait()
    until_gone(processes)


def test_a_worker_whose_analyser_hangs_ends_with_a_killed_server_too(tmp_path):
    with harmed(tmp_path, "time.sleep(3600)") as viewer:
        viewer.until(lambda status: status["analyzer_status"]["harm"]["status"] == "running")
        processes = children_of(viewer.process.pid)
        viewer.process.kill()
        viewer.process.wait()
        until_gone(processes)


def test_while_reports_cannot_be_written_the_last_good_ones_are_served_with_the_reason(viewer):
    kept = viewer.reports / "kept"
    os.rename(str(viewer.reports / "html"), str(kept))
    (viewer.reports / "html").write_text("a file in the way")
    add_calls(viewer.csv, 200, 240)
    status = viewer.until(lambda status: any(one["error"] for one in status["analyzer_status"].values()))
    reasons = {one["error"] for one in status["analyzer_status"].values() if one["error"]}
    assert all(str(viewer.reports) not in one and "cannot" in one for one in reasons)
    assert [one for one in status["reports"] if one["stale"] or not one["exists"]]
    (viewer.reports / "html").unlink()
    os.rename(str(kept), str(viewer.reports / "html"))
    assert ask(viewer.port, "/reports/html/understanding.html").status == 200
    add_calls(viewer.csv, 240, 250)
    assert all(one["reason"] is None for one in viewer.until_fresh(250)["reports"])
    assert calls_told(viewer) == 250


def harmed(tmp_path: Path, harm: str, **env: str) -> Running:
    """Return a viewer of a copy of the sources with an analyser that does harm while `harm` is there."""
    for name in ("src", "viewer"):
        shutil.copytree(str(ROOT / name), str(tmp_path / name), ignore=shutil.ignore_patterns("__pycache__"))
    text = DROPPED_IN.format(harm=harm).replace("HARM", repr(str(tmp_path / "harm")))
    (tmp_path / "src" / "analyzers" / "advanced" / "harm.py").write_text(text)
    (tmp_path / "harm").write_text("")
    (tmp_path / "data").mkdir()
    write_log(tmp_path / "data" / "calls.csv", 100)
    return Running(tmp_path, env=env, serve=tmp_path / "viewer" / "serve.py")


@pytest.mark.parametrize("harm, state, word", [
    ("raise ValueError('odd')", "error", "unexpected ValueError: odd (harm.py:"),
    pytest.param("os._exit(3)", "error", "its process was ended (exit code 3)", marks=thoroughly),
    ("os.kill(os.getpid(), 9)", "error", "its process was ended (signal 9)"),
    ("time.sleep(3600)", "timeout", "took longer than 2 s")])
def test_an_analyser_that_does_harm_costs_its_own_report_alone(tmp_path, harm, state, word):
    with harmed(tmp_path, harm, FINOPS_ANALYZER_SECONDS="2") as viewer:
        status = viewer.until(lambda status: status["regeneration"]["state"] == "idle"
                              and status["analyzer_status"]["harm"]["status"] not in (None, "running")
                              and all(one["exists"] for one in status["reports"] if one["id"] != "harm"))
        found = status["analyzer_status"]["harm"]
        assert (found["status"], found["success"]) == (state, False) and word in found["error"]
        assert {one["status"] for name, one in status["analyzer_status"].items() if name != "harm"} == {"complete"}
        (tmp_path / "harm").unlink()
        assert viewer.post("/api/run-analyzer?id=harm").status == 202
        viewer.until_fresh()
        assert ask(viewer.port, "/api/results/harm").document["summary"]["fine"] == 1
        (tmp_path / "harm").write_text("")
        assert viewer.post("/api/run-analyzer?id=harm").status == 202
        status = viewer.until(lambda status: status["analyzer_status"]["harm"]["status"] == state
                              and status["regeneration"]["state"] == "idle")
        report = [one for one in status["reports"] if one["id"] == "harm"][0]
        assert report["stale"] and word in report["reason"]
        assert ask(viewer.port, "/reports/html/harm.html").status == 200  # its last good page
        assert viewer.end() == 0


def test_the_questions_are_answered_while_reports_are_made(tmp_path):
    with harmed(tmp_path, "time.sleep(2)") as viewer:
        viewer.until(lambda status: status["analyzer_status"]["harm"]["status"] == "running")
        answer = ask(viewer.port, "/api/rollup?by=provider")
        assert answer.document["rows"][0]["calls"] == 100
        assert len(children_of(viewer.process.pid)) < 10


def test_a_viewer_is_ended_within_its_time_though_an_analyser_hangs(tmp_path):
    with harmed(tmp_path, "time.sleep(3600)") as viewer:
        viewer.until(lambda status: status["analyzer_status"]["harm"]["status"] == "running")
        processes = children_of(viewer.process.pid)
        assert viewer.end(signal.SIGINT) == 0
        until_gone(processes, 1.0)
