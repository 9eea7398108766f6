"""Replacing a file: two who do it at once never mix, and what a killed one left beside goes in time."""
from __future__ import annotations

import os
import threading

import pytest

from calls.replacing import LEFT_OVER_SECONDS, replace_file, replace_text, replacing
from errors import LogError


def test_two_who_replace_a_file_at_once_leave_one_of_the_two_whole(tmp_path):
    path, both = tmp_path / "page.html", threading.Barrier(2)

    def replace(data: bytes) -> None:
        with replacing(path) as handle:
            both.wait(10)  # both have theirs open
            handle.write(data)
            both.wait(10)

    threads = [threading.Thread(target=replace, args=(data,)) for data in (b"long" * 1000, b"short")]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert path.read_bytes() in (b"long" * 1000, b"short")
    assert os.listdir(str(tmp_path)) == ["page.html"]


def test_a_block_that_fails_leaves_the_old_file_and_nothing_beside(tmp_path):
    path = tmp_path / "page.html"
    replace_file(path, b"old")
    with pytest.raises(KeyError), replacing(path) as handle:
        handle.write(b"new")
        raise KeyError
    with pytest.raises(LogError, match="cannot write .*page.html: the disk is full"), replacing(path) as handle:
        raise OSError(28, "No space left on device")
    assert path.read_bytes() == b"old" and os.listdir(str(tmp_path)) == ["page.html"]


def test_what_a_killed_process_left_is_removed_once_nobody_can_be_writing_it(tmp_path):
    path = tmp_path / "page[1].html"
    for name, age in (("page[1].html.0a.new", LEFT_OVER_SECONDS + 60), ("page[1].html.0b.new", 60),
                      ("page1.html.0c.new", 9e5)):
        (tmp_path / name).write_bytes(b"half")
        now = (tmp_path / name).stat().st_mtime
        os.utime(str(tmp_path / name), (now - age, now - age))
    replace_file(path, b"new")
    assert sorted(os.listdir(str(tmp_path))) == ["page1.html.0c.new", "page[1].html", "page[1].html.0b.new"]


def test_what_cannot_be_removed_does_not_keep_the_new_file_from_its_place(tmp_path):
    (tmp_path / "page.html.0a.new").mkdir()  # whatever it is: no file
    os.utime(str(tmp_path / "page.html.0a.new"), (0, 0))
    replace_file(tmp_path / "page.html", b"new")
    assert (tmp_path / "page.html").read_bytes() == b"new"


def test_pieces_become_a_file_in_a_folder_that_is_made_for_it(tmp_path):
    replace_text(tmp_path / "c" / "a" / "b.txt", iter(["ü", "\ud800", "\r\n"]))
    assert (tmp_path / "c" / "a" / "b.txt").read_bytes() == b"\xc3\xbc\\ud800\r\n"


def test_a_file_stays_as_it_was_when_its_pieces_fail(tmp_path):
    path = tmp_path / "b.txt"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError):
        replace_text(path, (str(1 // number) for number in (1, 0)))
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("b.txt", "old")]


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "a").write_text("a file")
    with pytest.raises(LogError, match="cannot write .*b.txt"):
        replace_text(tmp_path / "a" / "b.txt", ["x"])
