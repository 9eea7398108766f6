"""The simulators as a person runs them: options, what bad input gets, progress, and new scenario files."""
from __future__ import annotations

import functools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

from calls.record import FIELDS, HEADER
from config import ROOT
from conftest import SIMULATE, read_calls, read_truth, run
from console import LINE_SECONDS
from run_all_simulators import main

try:
    import pty
except ImportError:  # Windows
    pty = None

SCENARIOS = ["base_traffic", "seasonal_pattern", "burst_traffic", "multi_tenant", "model_migration", "weekend_effect",
             "timezone_pattern", "feature_launch", "cost_optimization", "gradual_decline", "steady_growth",
             "viral_spike"]
SMALL = (0.1, "--days", 3, "--start", "2026-01-01")
FULL_DISK_BYTES = 1 << 20


@pytest.fixture
def ask(in_process):
    """Return the command run in this process, for the many mistakes that end it before anything is started."""
    return functools.partial(in_process, main)


def refused(ran, code: int, *words: str) -> None:
    """Check that a command ended with one line that says these things, and with nothing else."""
    assert (ran.code, ran.out) == (code, ""), ran.err
    assert ran.err.startswith("error: ") and ran.err.count("\n") == 1 and ran.err.endswith("\n"), ran.err
    assert "Traceback" not in ran.err and all(word in ran.err for word in words), ran.err


def whole_lines(path) -> int:
    """Check that a log holds the header and whole lines alone, and return the number of rows."""
    data = path.read_bytes()
    assert data.endswith(b"\n")
    header, *rows = data.decode("ascii").split("\n")[:-1]
    assert header == HEADER and all(row.count(",") == len(FIELDS) - 1 for row in rows)
    return len(rows)


# What is wrong usage

@pytest.mark.parametrize("size, words", [
    ("many", ["invalid float value", "'many'"]), ("0", ["SIZE 0", "0.01 to 1,000,000"]), ("nan", ["SIZE nan"]),
    ("inf", ["SIZE inf"]), ("-5", ["SIZE -5"]), ("1e7", ["1e+07"]), ("", ["invalid float value"])])
def test_an_impossible_size_is_one_line_and_exit_2(ask, tmp_path, size, words):
    refused(ask("--output", tmp_path / "calls.csv", "--", size), 2, *words)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("options, words", [
    (["--days", "0"], ["--days 0", "1 to 3660"]), (["--days", "3661"], ["--days 3661"]),
    (["--days", "1.5"], ["invalid int value"]), (["--start", "yesterday"], ["--start", "'yesterday'", "2026-01-31"]),
    (["--start", "2026-02-30"], ["--start", "2026-02-30"]), (["--start", "9999-12-31"], ["9999"]),
    (["--customers", "0"], ["--customers 0", "1 to 100,000"]), (["--workers", "-1"], ["--workers -1"]),
    (["--workers", "65"], ["1 to 64"]), (["--seed", "x"], ["invalid int value"]), (["--frobnicate"], ["--frobnicate"]),
    (["--append", "--overwrite"], ["--append and --overwrite exclude each other"]),
    (["--start", "1990-01-01"], ["no model of the catalogue was on sale", "choose a later --start"]),
    (["--scenarios", ","], ["an empty list"])])
def test_wrong_usage_is_one_line_and_exit_2(ask, tmp_path, options, words):
    refused(ask(1, "--output", tmp_path / "calls.csv", *options), 2, *words)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_scenario_is_answered_with_those_that_there_are(tmp_path):
    ran = run(SIMULATE, 1, "--scenarios", "viral_spike,lunch_break", "--output", tmp_path / "calls.csv")
    refused(ran, 2, "'lunch_break' is no scenario", *SCENARIOS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name, value, words", [
    ("FINOPS_TARGET_MB", "big", ["FINOPS_TARGET_MB", "'big' is not a number"]),
    ("FINOPS_SEED", "1.5", ["FINOPS_SEED", "'1.5' is not a whole number"]),
    ("FINOPS_TODAY", "soon", ["FINOPS_TODAY", "'soon'"])])
def test_a_bad_environment_variable_is_one_line_and_exit_2(ask, monkeypatch, tmp_path, name, value, words):
    monkeypatch.setenv(name, value)
    refused(ask("--output", tmp_path / "calls.csv"), 2, *words)


def test_wrong_usage_ends_the_process_itself_with_exit_2_and_its_line(tmp_path):
    refused(run(SIMULATE, "--output", tmp_path / "calls.csv", "--days", 0), 2, "--days 0")
    refused(run(SIMULATE, "many", "--output", tmp_path / "calls.csv"), 2, "'many'")


# What cannot be written

def test_a_file_that_the_simulator_did_not_write_stays_as_it_is_without_overwrite(ask, tmp_path):
    path = tmp_path / "calls.csv"
    real = HEADER + "\nreq-1,2026-01-01T00:00:00.000Z,c,o,p,f,openai,gpt-4o,1,1,2,0,5,success,production,r,pro,99,x\n"
    for content in (real, "name,amount\nrent,12\n", "no newline"):
        path.write_text(content)
        refused(ask(*SMALL, "--output", path), 1, str(path), "--overwrite")
        assert path.read_text() == content
        assert [one.name for one in tmp_path.iterdir()] == ["calls.csv"]
    assert run(SIMULATE, *SMALL, "--output", path, "--overwrite").code == 0
    assert whole_lines(path) > 100 and "no newline" not in path.read_text()


def test_a_simulated_log_is_replaced_without_being_asked(tmp_path):
    path = tmp_path / "calls.csv"
    assert run(SIMULATE, *SMALL, "--seed", 1, "--output", path).code == 0
    before = path.read_bytes()
    assert run(SIMULATE, *SMALL, "--seed", 2, "--output", path).code == 0
    assert path.read_bytes() != before and len(read_truth(path)) == 1


def test_a_log_with_foreign_rows_at_its_end_is_not_replaced(ask, tmp_path):
    path = tmp_path / "calls.csv"
    assert run(SIMULATE, *SMALL, "--output", path).code == 0
    row = path.read_text().splitlines()[-1].split(",", 1)[1]
    with open(path, "a") as handle:
        handle.write("metered-1," + row + "\n")
    before = path.read_bytes()
    refused(ask(*SMALL, "--output", path), 1, str(path), "--append", "--overwrite")
    assert path.read_bytes() == before


def test_appending_to_a_file_that_is_no_call_log_is_refused(tmp_path):
    path = tmp_path / "calls.csv"
    path.write_text("name,amount\nrent,12\n")
    refused(run(SIMULATE, *SMALL, "--output", path, "--append"), 1, str(path), "header")
    assert path.read_text() == "name,amount\nrent,12\n"


def test_appending_up_to_a_size_that_the_log_already_has_is_wrong_usage(ask, tmp_path):
    path = tmp_path / "calls.csv"
    assert run(SIMULATE, *SMALL, "--output", path).code == 0
    before = path.read_bytes()
    refused(ask(0.05, "--days", 3, "--output", path, "--append"), 2, "has 0.1 MB already", "a size above")
    assert path.read_bytes() == before


def test_a_truth_file_that_cannot_be_read_is_named(ask, tmp_path):
    path = tmp_path / "calls.csv"
    assert run(SIMULATE, *SMALL, "--output", path).code == 0
    (tmp_path / "calls.truth.json").write_text("{}")
    refused(ask(0.2, "--days", 3, "--output", path, "--append"), 1, "calls.truth.json", "--overwrite")


def test_a_file_in_the_way_of_a_folder_is_one_line_and_exit_1(tmp_path):
    (tmp_path / "data").write_text("")
    refused(run(SIMULATE, *SMALL, "--output", tmp_path / "data" / "calls.csv"), 1, "calls.csv", "not a folder")
    refused(run(SIMULATE, *SMALL, "--output", tmp_path / "data" / "deep" / "calls.csv"), 1, "calls.csv")


def test_a_folder_as_output_is_one_line_and_exit_1(ask, tmp_path):
    refused(ask(*SMALL, "--output", tmp_path), 1, str(tmp_path), "it is a folder: name a file")


def test_a_missing_folder_is_made(tmp_path):
    path = tmp_path / "new" / "deep" / "calls.csv"
    assert run(SIMULATE, *SMALL, "--output", path).code == 0
    assert whole_lines(path) > 100


@pytest.fixture
def small_disk(tmp_path):
    """Return a folder on a file system of 1 MB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if not mount or subprocess.call([mount, "-t", "tmpfs", "-o", f"size={FULL_DISK_BYTES}", "tmpfs", str(folder)],
                                    stderr=subprocess.DEVNULL):
        pytest.skip("mounting a file system of 1 MB is not permitted here")
    yield folder
    subprocess.check_call(["umount", str(folder)])


@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk_is_one_line_and_leaves_whole_lines(small_disk, workers):
    path = small_disk / "calls.csv"
    refused(run(SIMULATE, 3, "--start", "2026-01-01", "--output", path, "--workers", workers), 1, "the disk is full")
    rows = whole_lines(path)
    assert rows > 1000 and path.stat().st_size > FULL_DISK_BYTES / 2
    assert len({call.call_id for call in read_calls(path)}) == rows


def test_a_run_that_a_full_disk_cut_short_is_gone_on_with_where_there_is_room(small_disk, tmp_path):
    command = (2, "--seed", 3, "--start", "2026-01-01", "--output")
    assert run(SIMULATE, *command, small_disk / "calls.csv").code == 1
    for name in ("calls.csv", "calls.truth.json"):
        shutil.copy(str(small_disk / name), str(tmp_path / name))
    assert run(SIMULATE, *command, tmp_path / "calls.csv", "--append").code == 0
    assert run(SIMULATE, *command, tmp_path / "whole.csv").code == 0
    assert (tmp_path / "calls.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_a_second_writer_is_refused_while_the_first_runs(tmp_path):
    path = tmp_path / "calls.csv"
    first = subprocess.Popen([sys.executable, str(SIMULATE), "60", "--output", str(path), "--quiet", "--workers", "1"],
                             stdout=subprocess.DEVNULL)
    try:
        while not path.exists() or path.stat().st_size < 1_000_000:
            assert first.poll() is None
            time.sleep(0.01)
        env = dict(os.environ, FINOPS_LOCK_WAIT_SECONDS="0.1")
        for option in ("--append", "--overwrite"):
            refused(run(SIMULATE, 300, "--output", path, option, env=env), 1, str(path), "another process")
        assert first.poll() is None
    finally:
        first.send_signal(signal.SIGTERM)
        assert first.wait() == 128 + signal.SIGTERM
    assert whole_lines(path) > 1000
    assert [one["complete"] for one in read_truth(path)] == [False]


# What a good run says

def test_a_run_says_what_it_wrote_and_where(tmp_path):
    path = tmp_path / "calls.csv"
    ran = run(SIMULATE, *SMALL, "--output", path)
    rows = whole_lines(path)
    assert ran.code == 0 and ran.err == ""
    assert re.match(rf"Wrote {rows:,} calls of 12 scenarios, 2026-01-01 to 2026-01-03, in \d+\.\d s\n", ran.out)
    assert str(path) in ran.out and str(tmp_path / "calls.truth.json") in ran.out and "MB" in ran.out
    assert sorted(one.name for one in tmp_path.iterdir()) == ["calls.csv", "calls.truth.json"]


def test_the_json_summary_holds_what_was_written(tmp_path):
    path = tmp_path / "calls.csv"
    ran = run(SIMULATE, *SMALL, "--seed", 9, "--output", path, "--json", "--scenarios", "viral_spike, base_traffic")
    document, calls = json.loads(ran.out), read_calls(path)
    assert ran.code == 0 and set(document) == {
        "path", "truth", "bytes", "calls", "calls_by_scenario", "run", "seed", "start", "end", "last_day", "complete",
        "resumed", "set_aside_bytes", "seconds"}
    assert document["path"] == str(path) and document["truth"] == str(tmp_path / "calls.truth.json")
    assert (document["bytes"], document["calls"]) == (path.stat().st_size, len(calls))
    assert list(document["calls_by_scenario"]) == ["base_traffic", "viral_spike"]
    assert sum(document["calls_by_scenario"].values()) == len(calls)
    assert (document["start"], document["end"]) == ("2026-01-01T00:00:00.000Z", "2026-01-04T00:00:00.000Z")
    assert (document["seed"], document["complete"], document["resumed"], document["set_aside_bytes"]) == (
        9, True, False, 0)
    assert all(call.call_id.startswith(f"sim-{document['run']}-") for call in calls)


def test_without_a_start_the_calendar_ends_yesterday(tmp_path):
    env = dict(os.environ, FINOPS_TODAY="2026-06-30")
    ran = run(SIMULATE, 0.1, "--days", 7, "--output", tmp_path / "calls.csv", "--json", env=env)
    document = json.loads(ran.out)
    assert (document["start"][:10], document["end"][:10]) == ("2026-06-23", "2026-06-30")
    assert max(call.timestamp_ms for call in read_calls(tmp_path / "calls.csv")) < 1782777600000  # 2026-06-30


def test_the_environment_gives_defaults_that_options_override(tmp_path):
    env = dict(os.environ, FINOPS_TARGET_MB="0.1", FINOPS_DAYS="2", FINOPS_SEED="77", FINOPS_CUSTOMERS="60",
               FINOPS_CSV_PATH=str(tmp_path / "calls.csv"))
    document = json.loads(run(SIMULATE, "--json", "--seed", 78, env=env).out)
    assert document["seed"] == 78 and document["path"] == str(tmp_path / "calls.csv")
    assert read_truth(tmp_path / "calls.csv")[0]["spec"]["customers"] == 60


def test_the_list_shows_the_twelve_scenarios_in_their_order():
    ran = run(SIMULATE, "--list")
    assert (ran.code, ran.err) == (0, "")
    assert [line.split()[0] for line in ran.out.splitlines()] == SCENARIOS
    document = json.loads(run(SIMULATE, "--list", "--json").out)
    assert [one["id"] for one in document] == SCENARIOS
    assert all(set(one) == {"id", "title", "description"} and all(one.values()) for one in document)


def test_help_names_every_option_and_gives_examples():
    ran = run(SIMULATE, "--help")
    assert ran.code == 0 and "examples:" in ran.out
    for option in ("--seed", "--days", "--start", "--customers", "--scenarios", "--output", "--append", "--overwrite",
                   "--workers", "--no-incidents", "--list", "--json", "--quiet"):
        assert option in ran.out


# Progress

def test_quiet_says_nothing_on_standard_error_and_still_what_was_written(tmp_path):
    ran = run(SIMULATE, *SMALL, "--output", tmp_path / "calls.csv", "--quiet")
    assert (ran.code, ran.err) == (0, "") and ran.out.startswith("Wrote ")


IMPATIENT = """
import sys
sys.path.insert(0, sys.argv.pop(1))
import console
console.LINE_SECONDS = 0.0
from run_all_simulators import main
sys.exit(console.run_command(main, sys.argv[1:]))
"""


def test_where_no_terminal_is_a_line_comes_every_ten_seconds(tmp_path):
    """With the wait taken away the lines come; with it, no test waits that long: short runs show none."""
    assert LINE_SECONDS == 10.0
    command = [sys.executable, "-c", IMPATIENT, str(ROOT / "src"), "4", "--output", str(tmp_path / "calls.csv")]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    lines = done.stderr.splitlines()
    assert done.returncode == 0 and lines and "\r" not in done.stderr and "\x1b" not in done.stderr
    pattern = r"(\d+)%  \d+\.\d of 4\.0 MB  [\d,]+ rows/s  \d+:\d\d left"
    shares = [int(re.fullmatch(pattern, line).group(1)) for line in lines]
    assert shares == sorted(shares) and shares[-1] <= 100


@pytest.mark.skipif(pty is None, reason="there are no pseudo terminals here")
@pytest.mark.parametrize("no_color", [False, True])
def test_a_terminal_shows_a_bar_that_is_taken_away_at_the_end(tmp_path, no_color):
    env = dict(os.environ, TERM="xterm")
    env.pop("NO_COLOR", None)
    if no_color:
        env["NO_COLOR"] = "1"
    ours, theirs = pty.openpty()
    with subprocess.Popen([sys.executable, str(SIMULATE), "4", "--output", str(tmp_path / "calls.csv")],
                          stdout=subprocess.DEVNULL, stderr=theirs, env=env) as process:
        os.close(theirs)
        shown = b""
        try:
            while True:
                part = os.read(ours, 65536)
                if not part:
                    break
                shown += part
        except OSError:
            pass  # what Linux says when the other end is closed
        os.close(ours)
    assert process.returncode == 0 and b"\n" not in shown
    assert shown.count(b"\r[") >= 1 and shown.endswith(b"\r\x1b[K")
    assert all(word in shown for word in (b"#", b"% ", b"of 4.0 MB", b"rows/s", b"left"))
    assert (b"\x1b[36m" in shown) is not no_color


# New scenarios

LUNCH_BREAK = '''
"""Everybody calls at noon."""
from simulator.core import AICallSimulator


class LunchBreakSimulator(AICallSimulator):
    """Calls come between twelve and one, UTC."""

    id = "lunch_break"
    title = "Lunch break"
    description = "Everybody calls at noon"
    rank = 50

    def volume(self, moment):
        return 24.0 if moment.hour == 12 else 0.0
'''


@pytest.fixture
def copied(tmp_path):
    """Return the command of a copy of the sources that a test may change."""
    shutil.copytree(str(ROOT / "src"), str(tmp_path / "src"), ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "src" / "run_all_simulators.py"


def test_a_scenario_file_dropped_into_the_folder_is_listed_and_runs(copied, tmp_path):
    (copied.parent / "simulator" / "scenarios" / "lunch_break.py").write_text(LUNCH_BREAK)
    listed = run(copied, "--list").out.splitlines()
    assert [line.split()[0] for line in listed] == SCENARIOS + ["lunch_break"]
    assert listed[-1].endswith("Everybody calls at noon")
    path = tmp_path / "calls.csv"
    ran = run(copied, *SMALL, "--output", path, "--json", "--no-incidents", "--scenarios", "base_traffic,lunch_break")
    rows = json.loads(ran.out)["calls_by_scenario"]
    assert ran.code == 0 and list(rows) == ["base_traffic", "lunch_break"] and min(rows.values()) > 50
    owner = read_truth(path)[0]["organizations"]
    # Sessions begin between twelve and one; long ones run on behind it.
    hours = [call.timestamp_ms // 3_600_000 % 24 for call in read_calls(path)
             if owner[call.organization_id] == "lunch_break"]
    assert len(hours) == rows["lunch_break"] and set(hours) <= {12, 13, 14}
    assert hours.count(12) > len(hours) / 2


@pytest.mark.parametrize("old, new, words", [
    ('id = "lunch_break"', 'id = "viral_spike"', ["lunch_break", "scenarios.viral_spike", "rename one"]),
    ('description = "Everybody calls at noon"', "", ["LunchBreakSimulator has no description"])])
def test_a_scenario_with_a_taken_id_or_without_a_description_fails_loudly(copied, tmp_path, old, new, words):
    (copied.parent / "simulator" / "scenarios" / "lunch_break.py").write_text(LUNCH_BREAK.replace(old, new))
    refused(run(copied, "--list"), 1, *words)
    refused(run(copied, *SMALL, "--output", tmp_path / "calls.csv"), 1, *words)
    assert not (tmp_path / "calls.csv").exists()
