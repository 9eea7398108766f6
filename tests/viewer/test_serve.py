"""The command: options, ports, signals, simulators, and what it writes."""
from __future__ import annotations

import json
import os
import re
import signal
import socket
import time
from pathlib import Path

import pytest
from viewers import SERVE, Running, ask, children_of, until_gone, write_log

from app.messages import Refusal
from app.simulators import read_wish
from config import Settings
from conftest import ROOT, run

CHARTS = ROOT / "viewer" / "get_chartjs.py"
SCENARIOS = ("base_traffic", "viral_spike")


def refused(ran, code: int, *words: str) -> None:
    assert (ran.code, ran.out) == (code, ""), ran
    assert ran.err.startswith("error: ") and ran.err.count("\n") == 1, ran.err
    assert "Traceback" not in ran.err and all(word in ran.err for word in words), ran.err


@pytest.mark.parametrize("options, words", [
    (["--port", "70000"], ["--port 70000", "1 to 65535"]), (["--port", "x"], ["--port", "invalid int"]),
    (["--port", "-1"], ["--port -1"]), (["--interval", "0"], ["--interval 0", "0.05"]),
    (["--host", "0.0.0.0"], ["--host 0.0.0.0", "other machines", "--token"]), (["--host", "::"], ["--token"]),
    (["--token", "short"], ["--token", "16"]), (["--token", "with a space in it, and long"], ["--token"]),
    (["--simulate", "0"], ["--simulate 0", "0.01"]), (["--simulate", "nan"], ["--simulate nan"]),
    (["--log-format", "xml"], ["--log-format", "xml"]), (["--frobnicate"], ["--frobnicate", "--help"])])
def test_wrong_usage_is_one_line_and_exit_2(options, words):
    refused(run(SERVE, *options), 2, *words)


def test_a_port_in_use_is_one_line_that_names_a_free_one(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        ran = run(SERVE, "--port", port, "--csv", tmp_path / "c.csv", "--reports", tmp_path, "--simulate", 1)
        refused(ran, 1, f"port {port} is in use", "start with --port ")
        free = int(re.search(r"--port (\d+)", ran.err).group(1))
        with socket.socket() as other:
            other.bind(("127.0.0.1", free))
    assert list(tmp_path.iterdir()) == []  # nothing was begun


def test_two_viewers_do_not_write_the_same_reports(tmp_path):
    with Running(tmp_path, "--no-watch") as viewer:
        refused(run(SERVE, "--port", 0, "--csv", viewer.csv, "--reports", viewer.reports), 2,
                "another viewer writes", "--reports")
        assert viewer.end() == 0
    with Running(tmp_path, "--no-watch") as viewer:
        assert viewer.end() == 0


def test_an_address_of_another_machine_is_one_line():
    refused(run(SERVE, "--host", "192.0.2.1", "--token", "x" * 20), 1, "192.0.2.1", "--host")


def test_help_names_every_option_and_gives_examples():
    ran = run(SERVE, "--help")
    assert ran.code == 0 and "examples:" in ran.out
    for option in ("--simulate", "--open", "--csv", "--reports", "--port", "--host", "--token", "--allow-host",
                   "--interval", "--no-watch", "--log-format", "--verbose"):
        assert option in ran.out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_all_it_started_and_frees_its_port_at_once(tmp_path, number):
    with Running(tmp_path, "--simulate", "200") as viewer:
        viewer.until(lambda status: status["csv"]["size_mb"])
        processes = children_of(viewer.process.pid)
        assert len(processes) >= 3
        idle = socket.create_connection(("127.0.0.1", viewer.port))
        busy = socket.create_connection(("127.0.0.1", viewer.port))
        busy.sendall(b"GET / HTTP/1.1\r\n")
        assert viewer.end(number) == 0  # within five seconds
        until_gone(processes, 2.0)
        idle.close()
        busy.close()
        with socket.socket() as again:
            again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            again.bind(("127.0.0.1", viewer.port))
        assert "Traceback" not in viewer.errors.read_text()
        data = viewer.csv.read_bytes()
        assert data.endswith(b"\n") and data.count(b"\n") > 1
    pages = [path for path in viewer.reports.rglob("*") if path.is_file()]
    assert all(path.read_text().rstrip().endswith(("</html>", "}")) for path in pages
               if path.suffix in (".html", ".json"))


def test_two_signals_are_as_good_as_one(tmp_path):
    with Running(tmp_path) as viewer:
        viewer.process.send_signal(signal.SIGINT)
        assert viewer.end(signal.SIGINT) == 0 and "Traceback" not in viewer.errors.read_text()


def test_simulate_is_the_whole_product_in_one_command(tmp_path):
    with Running(tmp_path, "--simulate", env={"FINOPS_DAYS": "30", "FINOPS_TARGET_MB": "1"}) as viewer:
        status = viewer.until(lambda status: status["csv"]["complete"] and status["jobs"][0]["state"] == "complete")
        assert status["csv"]["progress_pct"] == 100.0 and abs(status["csv"]["size_mb"] - 1) < 0.05
        assert status["csv"]["target_mb"] == 1.0 and status["csv"]["eta_seconds"] is None
        assert re.match(r"wrote [\d,]+ calls", status["jobs"][0]["message"])
        status = viewer.until_fresh()
        assert len(status["reports"]) >= 13 and status["csv"]["line_count"] == status["regeneration"]["calls"]
        viewer.until(lambda _: ask(viewer.port, "/manifest.json").document["progress_percent"] == 100.0)
        manifest = ask(viewer.port, "/manifest.json").document
        assert manifest["progress_percent"] == 100.0 and manifest["calls"] == status["regeneration"]["calls"]
        assert ask(viewer.port, "/reports/html/manifest.json").document == manifest


def test_simulators_are_started_watched_and_stopped(tmp_path):
    with Running(tmp_path) as viewer:
        listed = ask(viewer.port, "/api/scenarios").document
        assert listed["defaults"]["days"] == 90 and len(listed["scenarios"]) == 12
        assert viewer.post("/api/stop-simulators").status == 409
        wish = {"size": 300, "seed": 7, "scenarios": ["viral_spike", "base_traffic"], "days": 30}
        assert viewer.post("/api/run-simulators", wish).status == 202
        viewer.until(lambda status: status["csv"]["size_mb"] and status["csv"]["growing"])
        status = viewer.until(lambda status: status["csv"]["eta_seconds"])
        assert status["jobs"][0]["progress_pct"] == status["csv"]["progress_pct"]
        assert 0 < status["csv"]["progress_pct"] < 100 and status["csv"]["rows_per_second"] > 0
        again = viewer.post("/api/run-simulators", wish)
        assert again.status == 409 and "stop" in again.document["error"]
        assert viewer.post("/api/load-csv?name=calls.csv").status == 409
        simulators = [one for one in children_of(viewer.process.pid) if "run_all_simulators" in Path(
            f"/proc/{one}/cmdline").read_text()]
        assert simulators
        assert viewer.post("/api/stop-simulators").document["job"]["state"] == "stopping"
        status = viewer.until(lambda status: status["jobs"][0]["state"] == "stopped")
        until_gone(simulators)
        assert not status["csv"]["complete"] and viewer.csv.read_bytes().endswith(b"\n")
        truth = json.loads(viewer.csv.with_suffix(".truth.json").read_text())["runs"][0]["spec"]
        assert (truth["seed"], truth["days"], truth["scenarios"]) == (7, 30, ["base_traffic", "viral_spike"])


def test_a_log_that_others_wrote_is_not_replaced_and_the_job_says_so(tmp_path):
    (tmp_path / "data").mkdir()
    path = write_log(tmp_path / "data" / "calls.csv", 50)
    before = path.read_bytes()
    with Running(tmp_path) as viewer:
        assert viewer.post("/api/run-simulators", {"size": 1}).status == 202
        job = viewer.until(lambda status: status["jobs"] and status["jobs"][0]["state"] == "error")["jobs"][0]
    assert "did not write" in job["message"] and str(tmp_path) not in job["message"]
    assert path.read_bytes() == before


@pytest.mark.parametrize("given", [
    {"size": 0}, {"size": -1}, {"size": "nan"}, {"size": "1e3"}, {"size": "1; id"}, {"size": True}, {"size": None},
    {"size": 1e9}, {"size": "١"}, {"seed": 1.5}, {"seed": -1}, {"seed": 2 ** 53 + 1}, {"seed": "--help"},
    {"days": 0}, {"days": 3661}, {"customers": 0}, {"customers": [1]}, {"scenarios": ["nope"]}, {"scenarios": [1]},
    {"scenarios": "base_traffic; id"}, {"scenarios": {"a": 1}}, {"append": 1}, {"append": "yes"}, {"append": None},
    {"append": []}])
def test_only_values_of_the_fixed_list_reach_the_command(given):
    with pytest.raises(Refusal) as found:
        read_wish(given, SCENARIOS, Settings())
    assert found.value.status == 400 and next(iter(given)) in found.value.reason or "scenario" in found.value.reason


def test_a_wish_becomes_plain_words():
    wish = read_wish({"size": "2.5", "seed": "9", "days": 7.0, "scenarios": "viral_spike,viral_spike",
                      "append": "true"}, SCENARIOS, Settings())
    assert wish.arguments(Path("x.csv")) == [
        "2.5", "--seed", "9", "--days", "7", "--customers", "500", "--output", "x.csv", "--json", "--quiet",
        "--scenarios", "viral_spike", "--append"]
    assert read_wish({"seed": 2 ** 53}, SCENARIOS, Settings()).seed == 2 ** 53
    assert read_wish({}, SCENARIOS, Settings()).arguments(Path("x"))[0] == "50"


def test_log_lines_are_objects_when_asked_and_cannot_be_forged(tmp_path):
    with Running(tmp_path, "--log-format", "json", "--verbose", "--no-watch") as viewer:
        ask(viewer.port, "/api/status?token=secret")
        ask(viewer.port, "/%0A%22event%22")
        end = time.monotonic() + 5
        while viewer.errors.read_text().count("\n") < 3 and time.monotonic() < end:
            time.sleep(0.02)  # a line is written behind its answer
        lines = [json.loads(line) for line in viewer.errors.read_text().splitlines()]
    requests = [one for one in lines if one["event"] == "request"]
    assert sorted((one["method"], one["target"], one["status"]) for one in requests) == [
        ("GET", "/%0A%22event%22", 404), ("GET", "/api/status", 400)]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", one["time"]) for one in lines)


def test_metrics_are_in_the_text_format(tmp_path):
    (tmp_path / "data").mkdir()
    write_log(tmp_path / "data" / "calls.csv", 40)
    with Running(tmp_path) as viewer:
        viewer.until_fresh(40)
        answer = ask(viewer.port, "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.body.decode().splitlines()
    assert all(re.fullmatch(r'# (HELP|TYPE) .+|finops_[a-z_]+(\{\w+="\w+"\})? -?[\d.]+', line) for line in lines), lines
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert (values["finops_log_rows"], values["finops_counted_calls"]) == ("40", "40")
    assert int(values['finops_http_responses_total{status="200"}']) > 1
    assert values['finops_analyzer_success{id="understanding"}'] == "1"


def test_it_runs_from_any_folder_and_with_a_search_path_of_its_own(tmp_path):
    (tmp_path / "config.py").write_text("raise SystemExit('not mine')")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text("raise SystemExit('not mine')")
    before = os.getcwd()
    os.chdir(str(tmp_path))
    try:
        with Running(tmp_path, env={"PYTHONPATH": str(tmp_path)}) as viewer:
            assert ask(viewer.port, "/health").document == {"status": "ok"}
            viewer.until(lambda status: status["watching"])
            assert viewer.end() == 0
    finally:
        os.chdir(before)


# Chart.js

def test_a_file_that_is_not_the_published_one_is_not_kept(tmp_path):
    (tmp_path / "chart.umd.js").write_text("alert(1)")
    refused(run(CHARTS, "--from", tmp_path / "chart.umd.js"), 1, "checksum differs", "nothing was kept")
    refused(run(CHARTS, "--from", tmp_path / "none.js"), 1, "none.js", "check the path")


def test_without_a_network_it_says_what_to_do():
    env = dict(os.environ, https_proxy="http://127.0.0.1:9", HTTPS_PROXY="http://127.0.0.1:9")
    refused(run(CHARTS, env=env), 1, "cannot reach https://", "--from PATH")


def test_without_a_verified_copy_the_status_and_the_address_say_so(tmp_path):
    with Running(tmp_path, "--no-watch") as viewer:
        answer = ask(viewer.port, "/static/chart.umd.js")
        assert viewer.status()["chartjs"] is (answer.status == 200)
        if answer.status != 200:
            assert answer.status == 404 and "get_chartjs.py" in answer.document["error"]


def test_a_damaged_copy_is_none(tmp_path):
    from chartjs import is_genuine, read_verified
    (tmp_path / "x").write_text("alert(1)")
    assert read_verified(tmp_path / "x") is None and read_verified(tmp_path / "y") is None
    assert not is_genuine(b"")


def test_time_passes_by_the_monotonic_clock():
    """A clock that is set back must not stop the watcher: no module of it asks for the time of day."""
    for name in ("watcher", "regeneration", "server", "security"):
        text = (ROOT / "viewer" / "app" / f"{name}.py").read_text()
        assert "time.time()" not in text and "datetime" not in text, name
    assert time.monotonic() > 0
