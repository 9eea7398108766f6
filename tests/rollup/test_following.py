"""Following a log: whatever happens to the file, a look gives what a count from scratch gives."""
from __future__ import annotations

import os
from pathlib import Path
from typing import List

import pytest

from calls.record import HEADER
from errors import LogError
from rollup.checkpoint import checkpoint_path
from rollup.dataset import FULL, INCREMENTAL, UNCHANGED, load_dataset, rejected_path
from rollup.following import LogFollower

ROW = ("call-{0},2026-01-{1:02d}T10:00:00.000Z,cus,org,prod,feat,openai,gpt-4o,10,5,15,0.{2:09d},90,success,production,"
       "us-east-1,pro,99.00,light")


def rows(first: int, last: int, cost: int = 1000) -> List[str]:
    return [ROW.format(number, number % 28 + 1, cost + number) for number in range(first, last)]


def write(path: Path, lines: List[str], mode: str = "a") -> None:
    with open(path, mode, newline="") as handle:
        handle.write("".join(line + "\n" for line in lines))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write(tmp_path / "calls.csv", [HEADER] + rows(0, 5000))
    return tmp_path / "calls.csv"


def same_as_from_scratch(follower: LogFollower, **options: bool):
    dataset = follower.look(**options)
    scratch = load_dataset(follower.path, use_checkpoint=False)
    assert dataset.rollup.canonical() == scratch.rollup.canonical()
    assert (dataset.size, dataset.pending_bytes) == (scratch.size, scratch.pending_bytes)
    return dataset


def test_growth_is_counted_without_reading_the_rest_again(path: Path) -> None:
    follower, read = LogFollower(path), []
    assert same_as_from_scratch(follower).how == FULL
    assert follower.look().how == UNCHANGED
    size = path.stat().st_size
    write(path, rows(5000, 5100))
    dataset = follower.look(lambda done, whole: read.append(whole))
    assert dataset.how == INCREMENTAL and dataset.rollup.total().calls == 5100
    assert all(whole == path.stat().st_size - size for whole in read)
    assert (follower.lines, follower.consumed) == (5100, path.stat().st_size)


def test_half_a_line_waits_and_is_counted_once(path: Path) -> None:
    follower = LogFollower(path)
    line = rows(5000, 5001)[0]
    for part in (line[:40], line[40:], "\n"):
        with open(path, "a") as handle:
            handle.write(part)
        dataset = same_as_from_scratch(follower)
    assert dataset.rollup.total().calls == 5001 and dataset.pending_bytes == 0


def test_an_id_that_comes_again_later_is_counted_once(path: Path) -> None:
    follower = LogFollower(path)
    follower.look()
    write(path, rows(4990, 5010))
    assert same_as_from_scratch(follower).rollup.rejected == {"call_id is repeated": 10}


def test_checksums_gone_on_with_are_those_taken_at_once(path: Path, monkeypatch) -> None:
    for module in ("following", "checkpoint"):
        monkeypatch.setattr(f"rollup.{module}.SEGMENT_BYTES", 10_000)
    follower = LogFollower(path)
    follower.look()
    for more in (1, 300, 1, 700):
        write(path, rows(follower.lines, follower.lines + more))
        assert follower.look().how == INCREMENTAL
    follower.save()
    assert follower.look(thorough=True).how == UNCHANGED
    assert load_dataset(path).how == UNCHANGED


def replaced(path: Path) -> None:
    other = path.with_name("other.csv")
    write(other, [HEADER] + rows(0, 5000, cost=2000), "w")
    os.replace(other, path)


def truncated(path: Path) -> None:
    write(path, [HEADER] + rows(0, 10, cost=7), "w")


def regrown(path: Path) -> None:
    write(path, [HEADER] + rows(0, 9000, cost=7), "w")


def cut_back_and_continued(path: Path) -> None:
    lines = path.read_text().splitlines()[:-1]
    write(path, lines + rows(7000, 7010), "w")


def joined(path: Path) -> None:
    write(path, [HEADER] + rows(6000, 6010))


@pytest.mark.parametrize("happen", [replaced, truncated, regrown, cut_back_and_continued, joined])
def test_whatever_happens_between_two_looks_is_noticed(path: Path, happen) -> None:
    follower = LogFollower(path)
    follower.look()
    happen(path)
    same_as_from_scratch(follower)


def test_an_edit_in_the_middle_is_noticed_by_a_thorough_look(path: Path) -> None:
    follower = LogFollower(path)
    follower.look()
    before = os.stat(path)
    text = path.read_text().replace("call-7,2026-01-08", "call-7,2026-02-08", 1)
    with open(path, "r+") as handle:
        handle.write(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert follower.look().how == UNCHANGED  # what a quick look cannot tell
    assert same_as_from_scratch(follower, thorough=True).how == FULL


def test_a_log_that_went_away_is_one_sentence_and_is_counted_when_it_comes_back(path: Path) -> None:
    follower = LogFollower(path)
    assert follower.look().seconds < 60
    kept = path.read_text()
    path.unlink()
    with pytest.raises(LogError, match="is not there"):
        follower.look()
    path.write_text(kept)
    assert same_as_from_scratch(follower).how == FULL


def test_a_look_that_was_broken_off_leaves_nothing_half_counted(path: Path) -> None:
    follower = LogFollower(path)
    follower.look()
    write(path, rows(5000, 200_000))

    def stop(done: int, whole: int) -> None:
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        follower.look(stop)
    assert same_as_from_scratch(follower).rollup.total().calls == 200_000


def test_a_saved_checkpoint_is_where_the_next_follower_begins(path: Path) -> None:
    first = LogFollower(path)
    first.look()
    assert not checkpoint_path(path).exists()
    first.save()
    write(path, rows(5000, 5050))
    assert same_as_from_scratch(LogFollower(path)).how == INCREMENTAL
    assert load_dataset(path).how == INCREMENTAL


def test_no_checkpoint_is_saved_that_nobody_wants_or_that_lies_behind_rows_not_set_aside(path: Path) -> None:
    unwanted = LogFollower(path, use_checkpoint=False)
    unwanted.look()
    unwanted.save()
    write(path, ["bad one"])
    rejected_path(path).mkdir()
    hindered = LogFollower(path)
    assert len(hindered.look().notes) == 1
    hindered.save()
    LogFollower(path).save()  # which has counted nothing
    assert not checkpoint_path(path).exists()


def test_a_checkpoint_is_written_again_only_when_more_was_counted(path: Path, monkeypatch) -> None:
    saved, follower = [], LogFollower(path)
    monkeypatch.setattr("rollup.following.save_checkpoint", lambda counts, *_: saved.append(counts.lines))
    for more in (0, 10, 0, 5):
        write(path, rows(follower.lines, follower.lines + more) if more else [])
        follower.look()
        follower.save()
        follower.save()
    assert saved == [5000, 5010, 5015]


def test_rows_set_aside_stand_once_though_the_process_was_killed_before_it_saved(path: Path) -> None:
    first = LogFollower(path)
    write(path, ["bad one"])
    first.look()
    first.save()
    write(path, ["bad two", *rows(5000, 5002), "bad three"])
    first.look()  # and is killed here
    second = LogFollower(path)
    assert second.look().how == INCREMENTAL
    text = rejected_path(path).read_text()
    assert [text.count(word) for word in ("bad one", "bad two", "bad three")] == [1, 1, 1]
    assert [line.split(",")[0] for line in text.splitlines()] == ["line", "5002", "5003", "5006"]


def test_what_cannot_be_set_aside_is_only_noted(path: Path) -> None:
    rejected_path(path).mkdir()
    write(path, ["bad"])
    assert "rejected.csv" in LogFollower(path).look().notes[0]


def test_a_log_that_is_replaced_at_every_look_is_given_up_in_one_sentence(path: Path, monkeypatch) -> None:
    follower, numbers = LogFollower(path), iter(range(100))
    monkeypatch.setattr(LogFollower, "_identity", lambda self: (0, next(numbers)))
    with pytest.raises(LogError, match="calls.csv is replaced faster than it can be read: try again"):
        follower.look()
    monkeypatch.undo()
    assert same_as_from_scratch(follower).how == FULL


def test_a_log_that_cannot_be_read_any_more_is_named_with_the_reason(path: Path, monkeypatch) -> None:
    follower = LogFollower(path)
    follower.look()

    def fail(self):
        raise OSError(5, "Input/output error")
    monkeypatch.setattr(LogFollower, "_identity", fail)
    with pytest.raises(LogError, match=f"^cannot read {path}: the disk reported an error"):
        follower.look()
