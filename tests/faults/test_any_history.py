"""Any history of a log, in any order: what readers know of it is always what a count from scratch gives.

A machine drives a writer, half rows, rotation, truncation, edits, damaged checkpoints, restarts with and without a
save, and two kinds of readers at random; whatever fails is made as short as it can be.
"""
from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from bringing import BAD, append, check_counts, check_set_aside, rows, write_log
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from calls.log_writer import LogWriter
from conftest import EVERYTHING
from errors import LogError
from rollup.checkpoint import checkpoint_path
from rollup.dataset import load_dataset
from rollup.following import LogFollower

NUMBERS = st.integers(0, 40)


class History(RuleBasedStateMachine):
    """A log, a follower of it, and what may happen to both."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.path = self.folder / "calls.csv"
        self.follower = LogFollower(self.path)
        self.half = b""

    def teardown(self) -> None:
        shutil.rmtree(str(self.folder))

    @initialize(count=NUMBERS)
    def begin(self, count):
        write_log(self.path, rows(0, count))

    @rule(first=NUMBERS, count=st.integers(0, 30))
    def append_calls_of_which_some_may_be_repeated(self, first, count):
        append(self.path, rows(first, first + count))
        self.half = b""

    @rule(line=st.sampled_from([BAD, "\n", "\r\n", "\x00\n", "\ufeff" + rows(50, 51), rows(51, 52)[:-1] + "\r\n",
                                rows(52, 53).replace("gpt", "\u00fc"), rows(53, 54).replace("0.", "-0.")]))
    def append_an_odd_line(self, line):
        append(self.path, line)
        self.half = b""

    @rule(number=NUMBERS, place=st.integers(1, 100))
    def append_half_a_row(self, number, place):
        row = rows(number, number + 1).encode()
        append(self.path, row[:place])
        self.half = row[place:]

    @rule()
    def complete_the_half_row(self):
        append(self.path, self.half)
        self.half = b""

    @rule(number=NUMBERS)
    def append_as_the_writer_does(self, number):
        try:
            with LogWriter(self.path) as writer:
                writer.write(rows(number, number + 2).encode())
        except LogError as error:
            assert "first line is not the header" in str(error)
        self.half = b""

    @rule(share=st.floats(0, 1))
    def truncate(self, share):
        data = self.path.read_bytes()
        self.path.write_bytes(data[:max(data.index(b"\n") + 1, int(share * len(data)))])
        self.half = b""

    @rule(first=NUMBERS, count=st.integers(0, 60), keep=st.booleans())
    def rotate(self, first, count, keep):
        """Copy and truncate, or rename and create: it may grow past where it was before anybody looks."""
        if keep:
            shutil.copy(str(self.path), str(self.path) + ".1")
        else:
            self.path.rename(str(self.path) + ".1")
        write_log(self.path, rows(first, first + count))
        self.half = b""

    @rule(share=st.floats(0, 1), byte=st.sampled_from([b"0", b"x", b",", b"\xff"]))
    def edit_in_place_and_set_the_time_back(self, share, byte):
        data, status = self.path.read_bytes(), self.path.stat()
        begin = data.index(b"\n") + 1
        place = begin + int(share * (len(data) - begin - 1))
        if begin < len(data) and data[place:place + 1] != b"\n":
            self.path.write_bytes(data[:place] + byte + data[place + 1:])
            os.utime(str(self.path), ns=(status.st_atime_ns, status.st_mtime_ns))

    @rule(share=st.floats(0, 1))
    def damage_the_checkpoint(self, share):
        place = checkpoint_path(self.path)
        if place.exists():
            data = bytearray(place.read_bytes())
            data[int(share * (len(data) - 1))] ^= 1
            place.write_bytes(data)

    @rule(thorough=st.booleans())
    def look(self, thorough):
        check_counts(self.path, self.follower.look(thorough=thorough))

    @rule(save=st.booleans())
    def restart_the_follower(self, save):
        if save:
            self.follower.save()
        self.follower = LogFollower(self.path)

    @rule()
    def analyse_twice(self):
        first = check_counts(self.path)
        assert load_dataset(self.path).rollup.canonical() == first.rollup.canonical()
        check_set_aside(self.path)


def test_no_history_of_a_log_makes_its_counts_differ_from_a_count_from_scratch():
    run_state_machine_as_test(History, settings=settings(
        max_examples=150 if EVERYTHING else 12, stateful_step_count=25, deadline=None,
        suppress_health_check=list(HealthCheck)))
