"""A file that is replaced is the old one or the new one, never a part of either."""
from __future__ import annotations

import pytest

from calls.replacing import replace_text
from errors import LogError


def test_pieces_become_a_file_in_a_folder_that_is_made_for_it(tmp_path):
    replace_text(tmp_path / "a" / "b.txt", iter(["ü", "\ud800", "\r\n"]))
    assert (tmp_path / "a" / "b.txt").read_bytes() == b"\xc3\xbc\\ud800\r\n"


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
