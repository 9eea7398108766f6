"""A checkpoint that is damaged, cut, of another version, log or time: never used, and the counts are right without it.

What was lost: the time to count again.
"""
from __future__ import annotations

import os
from random import Random

import pytest
from bringing import BAD, append, check_counts, check_set_aside, rows, spread, write_log

from calls.log_reader import read_layout
from conftest import EVERYTHING
from rollup import checkpoint
from rollup.checkpoint import checkpoint_path, load_checkpoint
from rollup.dataset import FULL, INCREMENTAL, UNCHANGED, load_dataset
from rollup.following import LogFollower


@pytest.fixture
def path(tmp_path):
    path = write_log(tmp_path / "calls.csv", rows(0, 20) + BAD)
    load_dataset(path)
    return path


def used(path) -> bool:
    return load_checkpoint(path, read_layout(path), path.stat().st_size) is not None


def test_a_checkpoint_with_any_byte_flipped_or_cut_at_any_length_is_not_used(path):
    place, chance = checkpoint_path(path), Random(7)
    write_log(path, rows(0, 1) + BAD)
    load_dataset(path)
    good = place.read_bytes()
    assert used(path)
    for number in [*range(60), *spread(range(60, len(good)), 3000 if EVERYTHING else 100)]:
        damaged = bytearray(good)
        damaged[number] ^= 1 << chance.randrange(8)
        place.write_bytes(damaged)
        assert not used(path), number
        place.write_bytes(good[:number])
        assert not used(path), number
    check_counts(path)
    check_set_aside(path)
    assert load_dataset(path).how == UNCHANGED


def test_a_checkpoint_of_another_version_or_meaning_is_not_used(path, monkeypatch):
    good = checkpoint_path(path).read_bytes()
    checkpoint_path(path).write_bytes(good.replace(checkpoint.MAGIC, checkpoint.MAGIC[:-2] + b"1\n", 1))
    assert not used(path)
    checkpoint_path(path).write_bytes(good)
    monkeypatch.setattr(checkpoint, "_schema", lambda: ["another meaning"])
    assert load_dataset(path).how == FULL and load_dataset(path).how == UNCHANGED


def test_a_checkpoint_of_a_longer_past_or_of_another_log_is_not_used(path, tmp_path):
    other = write_log(tmp_path / "other.csv", rows(100, 190))
    load_dataset(other)
    for one in (path, other):
        before = one.read_bytes()
        append(one, rows(500, 600))
        load_dataset(one)
        one.write_bytes(before)  # the checkpoint now tells of bytes that are not there
        assert not used(one)
        assert check_counts(one).how == FULL
    checkpoint_path(other).replace(checkpoint_path(path))
    assert check_counts(path).how == FULL


def test_times_of_files_say_nothing(path):
    os.utime(str(checkpoint_path(path)), (1, 1))
    assert load_dataset(path).how == UNCHANGED
    os.utime(str(path), (4e9, 4e9))
    append(path, rows(20, 30))
    assert check_counts(path).how == INCREMENTAL


@pytest.mark.parametrize("instead", ["nothing", "folder", "pipe", "link to itself", "empty file"])
def test_whatever_stands_in_its_place_counts_are_right(path, instead):
    place = checkpoint_path(path)
    place.unlink()
    if instead == "folder":
        place.mkdir()
    elif instead == "pipe":
        os.mkfifo(str(place))
    elif instead == "link to itself":
        os.symlink(place.name, str(place))
    elif instead == "empty file":
        place.write_bytes(b"")
    append(path, BAD + rows(20, 25))
    check_counts(path)
    check_set_aside(path)


def test_a_checkpoint_deleted_or_damaged_between_two_looks_is_written_anew(path):
    follower = LogFollower(path)
    follower.look()
    checkpoint_path(path).unlink()
    append(path, rows(20, 25))
    check_counts(path, follower.look())
    checkpoint_path(path).write_bytes(b"damaged")
    append(path, rows(25, 30))
    follower.look()
    follower.save()
    assert used(path) and load_dataset(path).how == UNCHANGED
