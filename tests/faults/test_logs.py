"""What happens to a log while it is read, or before: torn rows, rotation, joined files, and what is no log at all.

What was lost: nothing that stands in the log. A row is counted once, when it is whole; what cannot be a row is set
aside with its reason.
"""
from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile

import pytest
from bringing import (
    ANALYSERS,
    ANALYZE,
    BAD,
    EXPORT,
    append,
    check_counts,
    check_set_aside,
    one_line,
    rows,
    spread,
    write_log,
)

from calls.line_blocks import LONGEST_LINE
from calls.record import HEADER
from conftest import EVERYTHING, ROOT, SIMULATE, run
from errors import LogError
from rollup.checkpoint import checkpoint_path
from rollup.dataset import INCREMENTAL, load_dataset, rejected_path
from rollup.following import LogFollower

ONE = rows(500, 501).rstrip("\n")


@pytest.fixture
def path(tmp_path):
    return write_log(tmp_path / "calls.csv", rows(0, 300))


TORN = [
    ("plain", ONE + "\n"), ("crlf", ONE + "\r\n"), ("utf-8", ONE.replace("prod,", "pr\u00f6d\U0001f600,") + "\n"),
    ("quoted", ONE.replace("prod,", '"a ""quoted"" pr\u00f6d, with a comma",') + "\n"),
    ("newline in quotes", ONE.replace("prod,", '"two\nlines\r\nor three",') + "\n")]


@pytest.mark.parametrize("kind, row", TORN, ids=[kind for kind, _ in TORN])
@pytest.mark.parametrize("killed", [False, True], ids=["watched", "reader killed between"])
def test_a_row_torn_at_any_byte_is_counted_once_when_it_is_whole(path, kind, row, killed):
    """Whoever reads between the halves, and is gone with what it knew or not, counts the row once."""
    data, before = row.encode("utf-8"), path.read_bytes()
    places = range(1, len(data)) if EVERYTHING else spread(range(1, len(data)), 6)
    if kind == "newline in quotes" and not EVERYTHING:
        places = [*places, data.index(b"\n"), data.index(b"\n") + 1, data.index(b"\r") + 1]
    follower = LogFollower(path)
    follower.look()
    follower.save()
    for place in places:
        path.write_bytes(before)
        if killed:
            follower = LogFollower(path)
        follower.look()
        append(path, data[:place])
        dataset = follower.look()
        assert (dataset.rollup.total().calls, bool(dataset.pending_bytes)) == (300, True), place
        assert dataset.rollup.rejected == {}
        if killed:
            load_dataset(path)  # saves how far it came
            follower = LogFollower(path)
        append(path, data[place:] + rows(501, 503).encode())
        dataset = follower.look()
        assert dataset.rollup.total().calls == 303 and dataset.pending_bytes == 0, place
        assert dataset.rollup.canonical() == load_dataset(path, use_checkpoint=False).rollup.canonical()


def copied_and_truncated(path) -> None:
    path.with_name("calls.csv.1").write_bytes(path.read_bytes())
    write_log(path, rows(300, 340))


def renamed_and_created(path) -> None:
    path.rename(path.with_name("calls.csv.1"))
    write_log(path, rows(300, 340))


def deleted_and_recreated(path) -> None:
    path.unlink()
    write_log(path, rows(300, 340))  # often with the same number of the file system


def same_size(path) -> None:
    status = path.stat()
    path.write_bytes(path.read_bytes().replace(b",0.0010", b",0.0020"))
    os.utime(str(path), ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_size == status.st_size


def larger_with_the_same_beginning(path) -> None:
    write_log(path, rows(0, 30) + rows(1000, 1500))


def truncated_and_regrown(path) -> None:
    write_log(path, rows(2000, 2900))


def shrunk_and_continued(path) -> None:
    write_log(path, rows(0, 200) + rows(3000, 3400))


def time_gone_back(path) -> None:
    write_log(path, rows(5, 300))
    os.utime(str(path), (1, 1))


HAPPENINGS = [copied_and_truncated, renamed_and_created, deleted_and_recreated, same_size,
              larger_with_the_same_beginning, truncated_and_regrown, shrunk_and_continued, time_gone_back]


@pytest.mark.parametrize("happen", HAPPENINGS, ids=[one.__name__ for one in HAPPENINGS])
@pytest.mark.parametrize("stopped", [False, True], ids=["watched", "stopped meanwhile"])
def test_a_rotated_replaced_or_cut_log_is_counted_as_it_is_now(path, happen, stopped):
    """Totals are of the log as it stands; rows that were rotated away stand in the other file, and are no loss."""
    append(path, BAD)
    follower = LogFollower(path)
    follower.look()
    follower.save()
    happen(path)
    if stopped:
        follower = LogFollower(path)
    check_counts(path, follower.look(thorough=happen is same_size))
    append(path, BAD + rows(9000, 9010))
    check_counts(path, follower.look())
    follower.save()
    check_counts(path)
    check_set_aside(path)


@pytest.mark.parametrize("joint", [HEADER + "\n", "\ufeff" + HEADER + "\n", "\n\n\r\n", "\x00" * 5000 + "\n",
                                   "x" * (LONGEST_LINE + 7) + "\n", "," * 500 + "\n", '"' + "\n", "\u2028\n"])
def test_files_that_were_joined_lose_no_row_at_the_joint(path, joint):
    """A header, a byte order mark, a hole of zero bytes, or a line without an end costs itself alone."""
    append(path, joint + rows(300, 320))
    found = check_counts(path)
    assert found.rollup.total().calls == 320
    assert sum(found.rollup.rejected.values()) == (1 if joint.strip("\r\n") else 0)
    append(path, joint + rows(320, 330))
    assert check_counts(path).rollup.total().calls == 330
    check_set_aside(path)


def test_a_byte_order_mark_before_a_row_in_the_middle_costs_no_row(path):
    append(path, "\ufeff" + rows(300, 310))
    assert check_counts(path).rollup.total().calls == 310


def test_what_is_no_log_gets_one_clear_line(tmp_path):
    os.mkfifo(str(tmp_path / "pipe.csv"))
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "utf16.csv").write_text(HEADER + "\n" + rows(0, 3), encoding="utf-16")
    (tmp_path / "other.csv").write_text("name,age\nx,3\n")
    os.symlink("nowhere.csv", str(tmp_path / "dangling.csv"))
    for name, words in [("pipe", "no ordinary file"), ("folder", "it is a folder"), ("empty", "no header line yet"),
                        ("utf16", "save it as UTF-8"), ("other", "has no column"), ("dangling", "is not there")]:
        for read in (load_dataset, lambda one: LogFollower(one).look()):
            with pytest.raises(LogError, match=words):
                read(tmp_path / f"{name}.csv")
    pipe = tmp_path / "pipe.csv"
    one_line(run(ANALYZE, "--csv", pipe, "--output", tmp_path / "r", "--quiet"), "no ordinary file")
    one_line(run(EXPORT, "--csv", pipe, "--to", "csv"), "no ordinary file")
    one_line(run(SIMULATE, 0.1, "--days", 3, "--output", pipe, "--append"), "no ordinary file")
    assert not (tmp_path / "r").exists()


def test_a_log_that_this_user_may_not_read_is_one_clear_line(tmp_path):
    log = write_log(tmp_path / "calls.csv", rows(0, 3))
    log.chmod(0)
    program = ("import os, sys; from errors import LogError; from rollup.dataset import load_dataset\n"
               "os.getuid() or os.setuid(65534)\ntry: load_dataset(sys.argv[1])\n"
               "except LogError as error: print(error)")
    for folder in [tmp_path, *tmp_path.parents][:4]:  # the fixture made them for this user alone
        if folder.stat().st_uid == os.getuid() and str(folder).startswith(tempfile.gettempdir() + os.sep):
            folder.chmod(0o755)
    environment = dict(os.environ, PYTHONPATH=str(ROOT / "src"))
    said = subprocess.check_output([sys.executable, "-c", program, str(log)], universal_newlines=True, env=environment)
    assert said.startswith(f"cannot read {log}: permission denied: choose") and said.count("\n") == 1


def test_links_to_a_log_are_as_good_as_the_log(path):
    link = path.with_name("link.csv")
    os.symlink(path.name, str(link))
    check_counts(link)
    append(path, rows(300, 310))
    assert check_counts(link).how == INCREMENTAL


def test_a_log_without_rows_gives_reports_of_nothing(tmp_path):
    log = write_log(tmp_path / "calls.csv", "")
    ran = run(ANALYZE, "--csv", log, "--output", tmp_path / "r", *ANALYSERS, "--quiet")
    assert ran.code == 0 and "of 0 calls" in ran.out


def test_a_reader_killed_between_setting_aside_and_saving_sets_nothing_aside_twice(path):
    """What was lost: the checkpoint alone; the next reader takes back the rows behind it, and finds them again."""
    append(path, BAD)
    load_dataset(path)
    saved = checkpoint_path(path).read_bytes()
    append(path, BAD + rows(300, 310) + BAD)
    load_dataset(path)
    checkpoint_path(path).write_bytes(saved)  # as if it had been killed before
    with open(rejected_path(path), "ab") as handle:
        handle.write(b"31")  # and another one while it wrote
    assert check_counts(path).how == INCREMENTAL
    check_set_aside(path)


def test_no_checkpoint_is_saved_behind_rows_that_could_not_be_set_aside(path):
    rejected_path(path).mkdir()
    append(path, BAD)
    follower = LogFollower(path)
    assert follower.look().notes
    follower.save()
    assert not checkpoint_path(path).exists()
    rejected_path(path).rmdir()
    LogFollower(path).look()
    check_counts(path)
    check_set_aside(path)


def test_a_reader_that_stands_still_in_the_middle_holds_up_no_writer(path):
    """The reader takes no lock: the simulator appends to its end while a stopped reader has the log open."""
    append(path, rows(300, 8000))
    with subprocess.Popen([sys.executable, str(ANALYZE), "--csv", str(path), "--output", str(path.with_name("r")),
                           *ANALYSERS, "--quiet"], stdout=subprocess.DEVNULL) as reader:
        try:
            while not has_open(reader.pid, path):
                assert reader.poll() is None
            reader.send_signal(signal.SIGSTOP)
            ran = run(SIMULATE, 1.6, "--days", 3, "--customers", 30, "--output", path, "--append", "--quiet")
            assert ran.code == 0, ran.err
        finally:
            reader.send_signal(signal.SIGCONT)
        assert reader.wait(60) == 0
    check_counts(path)


def has_open(pid: int, path) -> bool:
    found = False
    with contextlib.suppress(OSError):  # files are opened and closed while we look
        for one in os.listdir(f"/proc/{pid}/fd"):
            found = found or os.readlink(f"/proc/{pid}/fd/{one}") == str(path)
    return found
