"""When pages are due, and what is told of a growing log; all with a clock that the test holds."""
from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from viewers import add_calls, write_log

from app.watcher import GROWING, SETTLED, Identity, LineCount, RefreshRule, Watcher, identify
from config import Settings

SETTINGS = Settings(refresh_mb=1.0, refresh_seconds=5.0, quiet_seconds=1.0, watch_seconds=0.25)


def file_of(size: int, inode: int = 1, changed: int = 0) -> Identity:
    return Identity(1, inode, size, changed, changed)


class Story:
    """A rule that is shown a log at times and tells what is due."""

    def __init__(self) -> None:
        self.rule = RefreshRule(SETTINGS)

    def at(self, now: float, identity, takes: float = 0.0) -> str:
        """Show the log, and do what is due at once, in so many seconds."""
        self.rule.see(now, identity)
        due = self.rule.due(now)
        if due:
            self.rule.begin(due == SETTLED)
            self.rule.end(now + takes, takes)
        return due


def test_what_stands_there_at_the_start_is_done_once_and_thoroughly():
    story = Story()
    assert [story.at(now, file_of(100)) for now in (0, 0.1, 1, 2, 100)] == [SETTLED, "", "", "", ""]


def test_nothing_is_due_without_a_log_and_a_late_one_is_due_at_once():
    story = Story()
    assert [story.at(0, None), story.at(50, None), story.at(51, file_of(10)), story.at(51.2, file_of(10))] == [
        "", "", GROWING, ""]
    assert story.at(52.1, file_of(10)) == SETTLED


def test_what_is_added_to_a_log_at_rest_is_due_at_once_and_again_when_growth_stopped():
    story = Story()
    story.at(0, file_of(0))
    assert [story.at(now, file_of(500)) for now in (1.0, 1.5, 1.99, 2.0, 2.1)] == [GROWING, "", "", SETTLED, ""]
    assert story.at(9, file_of(501)) == GROWING


def test_of_a_growing_log_a_megabyte_is_due_at_once_and_less_after_five_seconds():
    story = Story()
    story.at(0, file_of(0))
    assert story.at(0.5, file_of(1)) == GROWING
    assert story.at(1, file_of(1_000_000)) == ""
    assert story.at(1.2, file_of(1_000_001)) == GROWING
    sizes = [story.at(1.2 + step / 2, file_of(1_000_001 + step)) for step in range(1, 12)]
    assert sizes.index(GROWING) in (9, 10) and sizes.count(GROWING) == 1


def test_after_a_slow_round_it_rests_as_long_but_never_when_growth_stopped():
    story = Story()
    story.at(0, file_of(0), takes=3.0)
    assert story.at(3.5, file_of(9_000_000)) == "" and story.at(5.9, file_of(9_500_000)) == ""
    assert story.at(6.1, file_of(9_900_000), takes=60.0) == GROWING
    assert story.at(70.9, file_of(20_000_000)) == ""
    assert story.at(71.2, file_of(30_000_000), takes=4.0) == GROWING  # it rests five seconds at most
    assert [story.at(now, file_of(30_000_001)) for now in (75.3, 76.2, 76.4)] == ["", "", SETTLED]


@pytest.mark.parametrize("other", [file_of(50), file_of(1000, inode=2), file_of(1001, inode=2)])
def test_a_replaced_or_cut_log_is_due_at_once(other):
    story = Story()
    story.at(0, file_of(1000))
    assert story.at(1, other) == GROWING


def test_an_edit_that_keeps_size_and_time_is_due_by_the_time_that_nobody_can_set():
    story = Story()
    story.at(0, Identity(1, 1, 100, 5, 5))
    assert story.at(1, Identity(1, 1, 100, 5, 6)) == GROWING
    assert story.at(2, Identity(1, 1, 100, 5, 6)) == SETTLED


def test_a_failed_round_can_be_asked_for_again():
    story = Story()
    story.at(0, file_of(10))
    story.rule.again()
    assert story.at(50, file_of(10)) == SETTLED


def test_a_path_is_told_by_what_stands_there(tmp_path):
    path = write_log(tmp_path / "calls.csv", 3)
    found, problem = identify(path)
    assert (found.size, problem) == (path.stat().st_size, "")
    assert identify(tmp_path / "none.csv") == (None, "")
    assert identify(tmp_path)[0] is None and "--csv" in identify(tmp_path)[1]
    os.mkfifo(tmp_path / "pipe.csv")
    assert identify(tmp_path / "pipe.csv")[0] is None


def test_lines_are_counted_by_what_was_appended_and_anew_where_the_file_is_another(tmp_path):
    path, count = write_log(tmp_path / "calls.csv", 100), LineCount()

    def rows():
        count.advance(path, identify(path)[0])
        return count.rows
    assert rows() == 100
    add_calls(path, 100, 250)
    assert rows() == 250
    with open(path, "a") as handle:
        handle.write("half a line")
    assert rows() == 250
    write_log(path, 5)
    assert rows() == 5
    other = write_log(tmp_path / "other.csv", 400)
    os.replace(str(other), str(path))
    assert rows() == 400
    count.correct(0, 0)
    assert rows() == 400


def test_a_long_log_is_read_in_steps_and_its_rows_are_unknown_until_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr("app.watcher.LINE_BYTES", 2 << 20)
    path, count = write_log(tmp_path / "calls.csv", 25_000), LineCount()
    assert path.stat().st_size > 3_000_000
    found = []
    for _ in range(3):
        count.advance(path, identify(path)[0])
        found.append(count.rows)
    assert found == [None, 25_000, 25_000]


def watched(path: Path, *times: float) -> Watcher:
    watcher = Watcher(path, SETTINGS)
    for now in times:
        watcher.tick(now)
    return watcher


def test_a_log_that_is_not_there_is_unknown_not_empty(tmp_path):
    found = watched(tmp_path / "none.csv", 0.0, 1.0).describe()
    assert found["exists"] is False and found["complete"] is False and found["growing"] is False
    assert {found[name] for name in ("size_mb", "target_mb", "progress_pct", "line_count", "eta_seconds")} == {None}


def test_rates_and_the_time_left_follow_the_growth_of_the_last_seconds(tmp_path):
    path = write_log(tmp_path / "calls.csv", 1000)
    size = path.stat().st_size
    truth = {"version": 1, "runs": [{"spec": {"target_bytes": size * 3}, "complete": False}]}
    (tmp_path / "calls.truth.json").write_text(json.dumps(truth))
    watcher = watched(path, 0.0)
    add_calls(path, 1000, 2000)
    watcher.tick(2.0)
    found = watcher.describe()
    assert found["rows_per_second"] == 500 and found["line_count"] == 2000 and found["growing"]
    grown = path.stat().st_size - size
    assert found["eta_seconds"] == round((3 * size - path.stat().st_size) / (grown / 2))
    assert 66 < found["progress_pct"] < 70 and found["target_mb"] == round(3 * size / 1e6, 3)
    assert watcher.progress_percent == found["progress_pct"] and not found["complete"]
    for now in (7.5, 13.0):
        watcher.tick(now)
    found = watcher.describe()
    assert (found["rows_per_second"], found["eta_seconds"], found["growing"]) == (0, None, False)
    truth["runs"][0]["complete"] = True
    (tmp_path / "calls.truth.json").write_text(json.dumps(truth))
    watcher.tick(20.0)
    assert watcher.describe()["complete"] and watcher.progress_percent == 100.0


@pytest.mark.parametrize("truth", ["", "{}", '{"version": 1, "runs": []}', '{"version": 1, "runs": [{"spec": 5}]}'])
def test_a_note_that_is_no_truth_leaves_the_target_unknown(tmp_path, truth):
    path = write_log(tmp_path / "calls.csv", 10)
    (tmp_path / "calls.truth.json").write_text(truth)
    found = watched(path, 0.0, 5.0).describe()
    assert (found["target_mb"], found["progress_pct"], found["complete"]) == (None, None, True)


def test_between_two_looks_nothing_is_touched(tmp_path):
    path = write_log(tmp_path / "calls.csv", 10)
    watcher = watched(path, 0.0)
    add_calls(path, 10, 20)
    watcher.tick(0.2)
    assert watcher.describe()["line_count"] == 10
    watcher.tick(0.26)
    assert watcher.describe()["line_count"] == 20


def test_a_run_shorter_than_a_second_is_not_called_complete_before_its_target_is_known(tmp_path):
    path = tmp_path / "calls.csv"
    watcher = Watcher(path, Settings(quiet_seconds=0.3, watch_seconds=0.05))
    watcher.tick(0.0)
    size = write_log(path, 10).stat().st_size
    truth = {"version": 1, "runs": [{"spec": {"target_bytes": size}, "complete": True}]}
    (tmp_path / "calls.truth.json").write_text(json.dumps(truth))
    watcher.tick(0.1)
    assert not watcher.describe()["complete"]
    watcher.tick(0.4)
    found = watcher.describe()
    assert (found["complete"], found["progress_pct"]) == (True, 100.0)
