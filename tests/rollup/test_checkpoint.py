from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from log_files import calls, lines, write_log

from calls.log_reader import read_layout
from rollup.checkpoint import checkpoint_path, load_checkpoint
from rollup.dataset import FULL, INCREMENTAL, UNCHANGED, Dataset, load_dataset


def equals_a_count_without_checkpoint(path: Path) -> Dataset:
    found = load_dataset(path)
    assert found.rollup.canonical() == load_dataset(path, use_checkpoint=False).rollup.canonical()
    return found


@pytest.fixture
def log_path(tmp_path: Path) -> Path:
    return write_log(tmp_path / "x.csv", lines(calls(2000)))


def append(path: Path, text: str) -> None:
    with open(path, "a", encoding="utf-8", newline="") as handle:
        handle.write(text)


def test_a_second_look_reads_nothing_and_a_third_only_what_was_appended(log_path: Path) -> None:
    assert load_dataset(log_path).how == FULL
    assert load_dataset(log_path).how == UNCHANGED
    append(log_path, "\n".join(lines(calls(50, 5000))) + "\n")
    found = equals_a_count_without_checkpoint(log_path)
    assert found.how == INCREMENTAL and found.rollup.total().calls == 2050


def test_half_a_line_is_counted_once_when_it_is_completed(log_path: Path) -> None:
    last = lines(calls(1, 7000))[0]
    for piece in (last[:40], last[40:100], last[100:], "\n"):
        append(log_path, piece)
        equals_a_count_without_checkpoint(log_path)
    assert load_dataset(log_path).rollup.total().calls == 2001


def test_repeats_over_the_edge_of_two_looks_are_counted_once(log_path: Path) -> None:
    load_dataset(log_path)
    append(log_path, "\n".join(lines(calls(30, 1990))) + "\n")
    found = equals_a_count_without_checkpoint(log_path)
    assert found.rollup.total().calls == 2020 and found.rollup.rejected == {"call_id is repeated": 10}
    append(log_path, "\n".join(lines(calls(5, 2018))) + "\n")
    assert equals_a_count_without_checkpoint(log_path).rollup.total().calls == 2023


@pytest.mark.parametrize("damage", ["edit", "edit and append", "truncate", "replace", "shrink and regrow", "empty",
                                    "header only", "swap two lines"])
def test_a_changed_log_is_counted_as_it_is_now(log_path: Path, damage: str) -> None:
    load_dataset(log_path)
    before = os.stat(log_path)
    data = log_path.read_bytes()
    rows = data.split(b"\n")
    middle = data.index(b",success,", len(data) // 2)
    edited = data[:middle] + b",timeout," + data[middle + 9:]
    log_path.write_bytes({
        "edit": edited, "edit and append": edited + (lines(calls(1, 9000))[0] + "\n").encode(),
        "truncate": b"\n".join(rows[:900]) + b"\n",
        "replace": "\n".join([rows[0].decode(), *lines(calls(2500, 20_000)), ""]).encode(),
        "shrink and regrow": b"\n".join(rows[:500] + lines_of(3000)) + b"\n", "empty": rows[0] + b"\n",
        "header only": rows[0] + b"\n", "swap two lines": b"\n".join([rows[0], rows[2], rows[1], *rows[3:]])}[damage])
    os.utime(log_path, ns=(before.st_atime_ns, before.st_mtime_ns))
    equals_a_count_without_checkpoint(log_path)


def lines_of(count: int):
    return [line.encode("ascii") for line in lines(calls(count, 30_000))]


def test_a_checkpoint_damaged_at_any_place_is_not_used(log_path: Path) -> None:
    write_log(log_path, lines(calls(5)))
    load_dataset(log_path)
    path, layout, size = checkpoint_path(log_path), read_layout(log_path), os.path.getsize(log_path)
    good = path.read_bytes()
    assert load_checkpoint(log_path, layout, size)
    chance = random.Random(3)
    for place in sorted(chance.sample(range(len(good)), 300)) + list(range(60)):
        path.write_bytes(good[:place] + bytes([good[place] ^ (1 << chance.randrange(8))]) + good[place + 1:])
        assert load_checkpoint(log_path, layout, size) is None, place
    for length in (0, 1, 15, 16, 47, 48, 60, len(good) // 2, len(good) - 1):
        path.write_bytes(good[:length])
        assert load_checkpoint(log_path, layout, size) is None, length
    path.write_bytes(good + b"more")
    assert load_checkpoint(log_path, layout, size) is None
    assert load_dataset(log_path).how == FULL and load_dataset(log_path).how == UNCHANGED


def test_another_log_s_checkpoint_is_not_used(log_path: Path, tmp_path: Path) -> None:
    other = write_log(tmp_path / "y.csv", lines(calls(2000, 50_000)))
    load_dataset(other)
    checkpoint_path(other).replace(checkpoint_path(log_path))
    assert equals_a_count_without_checkpoint(log_path).how == FULL


def test_no_cache_reads_and_writes_no_checkpoint(log_path: Path) -> None:
    load_dataset(log_path, use_checkpoint=False)
    assert not checkpoint_path(log_path).exists()


def test_a_checkpoint_that_cannot_be_written_costs_nothing_but_a_note(log_path: Path) -> None:
    checkpoint_path(log_path).mkdir()
    found = load_dataset(log_path)
    assert found.rollup.total().calls == 2000 and "cannot write" in found.notes[0]


def test_rejected_rows_are_added_behind_those_of_earlier_looks(log_path: Path) -> None:
    append(log_path, "bad\n")
    load_dataset(log_path)
    append(log_path, "worse\n")
    path = load_dataset(log_path).rejected_path
    assert path.read_text().splitlines()[1:] == ["2002,row: has 1 fields instead of 19,bad",
                                                 "2003,row: has 1 fields instead of 19,worse"]
    write_log(log_path, lines(calls(10)))
    load_dataset(log_path)
    assert not path.exists()


def test_random_appends_truncations_and_edits_always_equal_a_count_from_scratch(log_path: Path) -> None:
    chance, number = random.Random(11), 100_000
    for _ in range(25):
        data = log_path.read_bytes()
        move = chance.random()
        if move < 0.6:
            number += 100
            append(log_path, ("\n".join(lines(calls(chance.randrange(40), number))) + "\n")[chance.randrange(2):])
        elif move < 0.8:
            log_path.write_bytes(data[:max(300, len(data) - chance.randrange(5000))])
        else:
            place = chance.randrange(300, len(data))
            log_path.write_bytes(data[:place] + bytes([chance.choice(b'0,"\nx')]) + data[place + 1:])
        equals_a_count_without_checkpoint(log_path)
