"""Blocks of whole lines: any size of blocks gives the same lines, and a line without an end costs little memory."""
from __future__ import annotations

import io

import pytest

from calls import line_blocks
from calls.line_blocks import LineBlocks


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(line_blocks, "LONGEST_LINE", 8)


def lines_of(data: bytes, size: int, begin: int = 0, end: int = -1):
    """Return the lines as they are given and where each is seen to end, and the most bytes that were held."""
    blocks, found, most = LineBlocks(io.BytesIO(data), begin, len(data) if end < 0 else end, size), [], 0
    for block in blocks:
        most = max(most, len(blocks._block))
        while block:
            line, _, block = block.partition(b"\n")
            blocks.take(len(line) + 1)
            found.append((line, blocks.consumed))
    return found, blocks.consumed, most


DATA = b"ab\n\nabcdefgh\nabcdefghi\n" + b"x" * 100 + b"\nab\n" + b"y" * 31 + b"\n" + b"z" * 40


@pytest.mark.parametrize("size", [1, 2, 3, 7, 9, 10, 11, 50, 1000])
def test_lines_are_whole_and_those_too_long_are_cut_to_one_byte_more_than_the_longest(size):
    found, consumed, most = lines_of(DATA, size)
    texts = [line for line, _ in found]
    assert texts[:4] == [b"ab", b"", b"abcdefgh", b"abcdefghi"] and texts[5] == b"ab"
    assert [len(text) > 8 for text in texts] == [False, False, False, True, True, False, True]
    assert texts[4].strip(b"x") == texts[6].strip(b"y") == b""
    if size <= 8:  # what is read at once is held whole
        assert [len(texts[4]), len(texts[6])] == [9, 9] and most <= 2 * 9 + size
    assert consumed == len(DATA) - 40


@pytest.mark.parametrize("size", [1, 5, 8])
def test_what_is_taken_ends_where_the_line_ends_in_the_file(size):
    ends = [place + 1 for place, byte in enumerate(DATA) if byte == 10]
    assert lines_of(DATA, size)[1] == ends[-1]
    for end in range(len(DATA)):
        assert lines_of(DATA, size, 0, end)[1] == max([one for one in ends if one <= end], default=0)


@pytest.mark.parametrize("size", [1, 4, 64])
def test_long_lines_that_follow_each_other_are_all_told_from_when_nothing_is_taken_between(size):
    data = b"".join(bytes([letter]) * 30 + b"\n" for letter in b"abc") + b"d\n"
    blocks = LineBlocks(io.BytesIO(data), 0, len(data), size)
    block = list(blocks)[-1]
    assert [line[:1] for line in block.split(b"\n")] == [b"a", b"b", b"c", b"d", b""]
    blocks.take(len(block))
    assert blocks.consumed == len(data)


def test_of_a_line_that_goes_on_one_byte_more_than_the_longest_is_held():
    for length in (8, 9, 10, 11):
        blocks = LineBlocks(io.BytesIO(b"x" * length), 0, length, 1)
        assert set(blocks) == {b""} and len(blocks._block) == min(length, 9)


def test_a_part_of_a_file_is_read_alone_and_a_file_cut_short_ends_early():
    assert [line for line, _ in lines_of(b"a\nb\nc\nd\n", 3, 2, 6)[0]] == [b"b", b"c"]
    assert lines_of(b"a\nb", 2, 0, 100)[1] == 2


def test_what_is_not_taken_stands_at_the_head_of_the_next_block():
    blocks = LineBlocks(io.BytesIO(b"a\nb\nc\n"), 0, 6, 2)
    assert list(blocks) == [b"a\n", b"a\nb\n", b"a\nb\nc\n"] and blocks.consumed == 0
