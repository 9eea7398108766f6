"""The intake: every answered call is in the log once, whatever else happens to log, disk and other senders."""
from __future__ import annotations

import os
import threading
import time

import pytest

from calls.log_writer import LogWriter
from calls.record import HEADER
from catalog.loader import load_catalog
from conftest import read_calls
from errors import LogBusyError, LogError
from metering import intake as intake_module
from metering.completions import read_completion
from metering.intake import ALWAYS, INTERVAL, NEVER, POLICIES, Intake, IntakeBusyError
from metering.recent_ids import RecentIds, read_recent_ids
from metering_documents import completion


def call(number, **changes):
    return read_completion(completion(number, **changes), load_catalog())


def ids(path):
    return [one.call_id for one in read_calls(path)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "calls.csv"


@pytest.fixture
def opened(path):
    found = []

    def start(**options):
        found.append(Intake(path, **options))
        found[-1].start()
        return found[-1]
    yield start
    for one in found:
        one.close()


def test_a_call_is_in_the_log_when_submit_returns(path, opened):
    intake = opened()
    assert intake.submit([call(1), call(2, productName="a, \"b\"")]) == [True, True]
    assert read_calls(path) == [call(1), call(2, productName="a, \"b\"")]
    assert path.read_text().splitlines()[0] == HEADER


def test_a_call_that_comes_again_is_known_within_a_request_a_run_and_the_next_run(path, opened):
    intake = opened()
    assert intake.submit([call(1), call(1)]) == [True, False]
    assert intake.submit([call(1), call(2)]) == [False, True]
    assert (intake.accepted, intake.repeated, intake.writes) == (2, 2, 2)
    intake.close()
    assert opened().submit([call(2), call(3)]) == [False, True]
    assert ids(path) == ["tx-1", "tx-2", "tx-3"]


def test_the_first_of_two_calls_with_one_id_is_kept(path, opened):
    intake = opened()
    intake.submit([call(1)])
    intake.submit([call(1, model="gpt-4")])
    assert [one.model for one in read_calls(path)] == ["gpt-4o-mini"]


def test_many_senders_lose_nothing_and_share_writes(path, opened, monkeypatch):
    intake, per_thread = opened(), 50
    slow, real = threading.Event(), LogWriter.sync
    monkeypatch.setattr(LogWriter, "sync", lambda self: (slow.wait(0.01), real(self))[1])
    answered = []

    def send(thread):
        for number in range(per_thread):
            (is_new,) = intake.submit([call(thread * 1000 + number // 2)])  # each is sent twice
            answered.append((f"tx-{thread * 1000 + number // 2}", is_new))
    threads = [threading.Thread(target=send, args=(one,)) for one in range(16)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    written = ids(path)
    assert len(answered) == 800 and len(written) == len(set(written)) == 400
    assert sorted(one for one, is_new in answered if is_new) == sorted(written)
    assert intake.writes < 200


@pytest.mark.parametrize("policy", POLICIES)
def test_the_disk_has_it_when_the_policy_says(path, opened, monkeypatch, policy):
    synced, real = [], LogWriter.sync
    monkeypatch.setattr(LogWriter, "sync", lambda self: (synced.append(self.size), real(self))[1])
    monkeypatch.setattr(intake_module, "INTERVAL_SECONDS", 0.05)
    intake = opened(policy=policy)
    del synced[:]
    intake.submit([call(1)])
    if policy == ALWAYS:
        assert synced == [path.stat().st_size]
    if policy == INTERVAL:
        end = time.monotonic() + 5
        while not synced and time.monotonic() < end:
            time.sleep(0.01)
        assert set(synced) == {path.stat().st_size}
    time.sleep(0.15)
    intake.close()
    assert len(synced) == (0 if policy == NEVER else 1)


@pytest.mark.parametrize("fault", ["_append", "sync"])
def test_what_cannot_be_written_is_taken_back_told_and_taken_when_it_comes_again(path, opened, monkeypatch, fault):
    troubles = []
    intake = opened(trouble=troubles.append)
    intake.submit([call(1)])
    before, real = path.read_bytes(), getattr(LogWriter, fault)

    def failing(self, *arguments):
        if fault == "sync":
            raise LogError("cannot save")
        os.lseek(self._held(), 0, os.SEEK_END)
        os.write(self._held(), arguments[0][:40])
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(LogWriter, fault, failing)
    with pytest.raises(LogError):
        intake.submit([call(2), call(1)])
    assert path.read_bytes() == before and len(troubles) == 1 and intake.failed == 2
    monkeypatch.setattr(LogWriter, fault, real)
    assert intake.submit([call(2)]) == [True]
    assert ids(path) == ["tx-1", "tx-2"]


def test_a_mistake_inside_leaves_no_sender_waiting(path, opened, monkeypatch):
    intake = opened()
    monkeypatch.setattr(Intake, "_append", lambda *_: 1 / 0)
    with pytest.raises(LogError, match="ZeroDivisionError"):
        intake.submit([call(1)])
    monkeypatch.undo()
    assert intake.submit([call(1)]) == [True]


def test_only_so_many_calls_wait(path, opened, monkeypatch):
    monkeypatch.setattr(intake_module, "MOST_WAITING", 2)
    intake = opened()
    with pytest.raises(IntakeBusyError, match="send them again"):
        intake.submit([call(1), call(2), call(3)])
    assert intake.submit([call(1), call(2)]) == [True, True]


def test_after_its_end_it_takes_nothing_and_lets_go_of_the_log(path, opened):
    intake = opened()
    intake.submit([call(1)])
    intake.close()
    intake.close()
    with pytest.raises(IntakeBusyError):
        intake.submit([call(2)])
    with LogWriter(path):
        assert not path.with_name("calls.csv.metering").exists()


def test_two_cannot_write_one_log(path, opened):
    opened()
    with pytest.raises(LogBusyError, match="another process"):
        opened()
    with pytest.raises(LogBusyError), LogWriter(path):
        pass


def test_a_log_of_something_else_is_not_touched(path, opened):
    path.write_text("name,age\nx,5\n")
    with pytest.raises(LogError, match="not the header"):
        opened()
    assert path.read_text() == "name,age\nx,5\n"


# The log in other hands

def test_a_log_that_is_replaced_or_removed_is_begun_again_and_nothing_goes_to_the_old_one(path, opened, tmp_path):
    intake = opened()
    intake.submit([call(1)])
    path.rename(tmp_path / "old.csv")
    assert intake.submit([call(1), call(2)]) == [True, True]
    assert ids(path) == ["tx-1", "tx-2"] and ids(tmp_path / "old.csv") == ["tx-1"]
    path.unlink()
    assert intake.submit([call(2)]) == [True]
    assert ids(path) == ["tx-2"]


def test_what_others_add_or_cut_is_respected(path, opened):
    intake = opened()
    intake.submit([call(1), call(2)])
    with open(path, "a") as handle:
        handle.write(",".join(call(3).to_row()) + "\n")
    assert intake.submit([call(3), call(4)]) == [False, True]
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:2]))
    assert intake.submit([call(2), call(1)]) == [True, False]
    assert ids(path) == ["tx-1", "tx-2"]


def half_written(path, marked):
    row = ",".join(call(2, customerArchetype="heavyweight").to_row())
    path.write_text(HEADER + "\n" + ",".join(call(1).to_row()) + "\n" + row[:-6])
    if marked:
        path.with_name("calls.csv.metering").touch()


def test_half_a_row_of_a_killed_intake_is_no_call_though_it_looks_like_one(path, opened):
    half_written(path, marked=True)
    assert opened().submit([call(2, customerArchetype="heavyweight")]) == [True]
    assert [one.customer_archetype for one in read_calls(path)] == ["unattributed", "heavyweight"]
    assert path.with_name("calls.csv.partial").exists()


def test_a_last_row_without_its_newline_of_anybody_else_is_kept(path, opened):
    half_written(path, marked=False)
    assert opened().submit([call(2), call(3)]) == [False, True]
    assert ids(path) == ["tx-1", "tx-2", "tx-3"]


# Ids in bounded memory

def test_the_oldest_ids_are_forgotten_and_the_newer_half_never():
    found = RecentIds(10)
    for number in range(23):
        found.add(str(number))
        assert len(found) <= 10
    assert all(str(number) in found for number in range(18, 23))
    assert not any(str(number) in found for number in range(13))


def test_only_the_tail_of_a_long_log_is_read(path, opened):
    opened().submit([call(number) for number in range(300)] + [call('300,"quoted"')])
    size = path.stat().st_size
    found = read_recent_ids(path, size, tail_bytes=size // 3)
    assert 'tx-300,"quoted"' in found and "tx-299" in found and "tx-250" in found and "tx-0" not in found
    assert 60 < len(found) < 110
    assert len(read_recent_ids(path, size)) == 301


def test_an_id_within_a_quoted_field_is_no_call(path, opened):
    text = HEADER + "\n" + ",".join(call(1, productName="P").to_row()).replace(",P,", ',"P\ntx-9,x",') + "\n"
    path.write_text(text)
    found = read_recent_ids(path, os.path.getsize(path))
    assert "tx-1" in found and "tx-9" not in found
