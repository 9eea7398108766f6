from __future__ import annotations

import csv
import os
import random
import time
import tracemalloc
from array import array
from pathlib import Path
from typing import List

import pytest
from hypothesis import given, settings, strategies as st
from log_files import BAD_ROWS, ODD_ROWS, call, calls, counted, lines, write_log

import rollup.counts as counting
import rollup.scan as scan
from calls.line_blocks import LONGEST_LINE
from calls.log_reader import RecordReader, iterate_records, read_layout
from calls.record import FIELDS, HEADER
from calls.values import CALLS_END_MS
from errors import LogError, RecordError
from rollup.blocks import Counter
from rollup.counts import Counts
from rollup.dataset import load_dataset, validate_dataset
from rollup.scan import extend_counts


def scanned(path: Path, workers: int = 1) -> Counts:
    layout = read_layout(path)
    counts = Counts(layout.begin)
    extend_counts(counts, path, layout, os.path.getsize(path), workers)
    return counts


def careful(path: Path) -> Counter:
    layout = read_layout(path)
    counter = Counter(layout)
    counter._count_carefully(path.read_bytes()[layout.begin:])
    return counter


def same_counts(one, other) -> bool:
    first, second = one.canonical(), other.canonical()
    return {name: first[name] for name in first} == {name: second[name] for name in second}


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    chance = random.Random(5)
    rows = lines(calls(3000)) + list(BAD_ROWS) * 3 + list(ODD_ROWS)
    chance.shuffle(rows)
    return write_log(tmp_path / "mixed.csv", rows)


def test_clean_calls_are_counted_as_one_by_one(tmp_path: Path) -> None:
    some = calls(5000)
    assert same_counts(scanned(write_log(tmp_path / "x.csv", lines(some))).rollup, counted(some))


@pytest.mark.parametrize("spelling", [
    {}, {"timestamp": "2026-01-05 10:00:00"}, {"cost_usd": "0.000123"}, {"cost_usd": "12.5"}, {"cost_usd": ""},
    {"latency_ms": ""}, {"cost_usd": "", "latency_ms": ""}, {"latency_ms": "99999999"}, {"cost_usd": "7"},
    {"cost_usd": "1.000000000"}, {"feature_id": "\u00fcber"}])
def test_clean_calls_of_any_plain_spelling_go_the_fast_road(tmp_path: Path, spelling, monkeypatch) -> None:
    some = [dict(zip(FIELDS, line.split(","))) for line in lines(calls(500))]
    path = write_log(tmp_path / "x.csv", [",".join({**row, **spelling}.values()) for row in some]
                     + lines(calls(500, 500)))
    slow = careful(path).rollup
    monkeypatch.setattr(Counter, "_count_carefully", lambda *_: pytest.fail("the careful road was taken"))
    assert same_counts(scanned(path).rollup, slow)


@settings(deadline=None)
@given(st.lists(st.integers(0, 400)), st.lists(st.integers(0, 400)))
def test_few_new_ids_are_merged_as_many_are(known: List[int], new: List[int]) -> None:
    both = array("q", sorted(known)), array("q", sorted(new))
    numbers = sorted(known + new)
    for few in (0, 10 ** 9):  # always, and never
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(counting, "FEW", few)
            merged, same = counting._merged(*both)
        assert list(merged) == numbers and same == {number for number in new if numbers.count(number) > 1}


def test_the_fast_and_the_careful_road_agree_on_damaged_input(mixed: Path) -> None:
    fast, slow = scanned(mixed), careful(mixed)
    assert same_counts(fast.rollup, slow.rollup)
    assert sum(fast.rollup.rejected.values()) == 3 * len(BAD_ROWS)
    assert fast.rollup.total().calls == 3000 + len(ODD_ROWS)


@pytest.mark.parametrize("change", [
    {"cost_usd": "5."}, {"cost_usd": ".5"}, {"cost_usd": "00.5"}, {"cost_usd": "0.0001234567891"}, {"input_tokens": ""},
    {"input_tokens": "", "cost_usd": ""}, {"latency_ms": "1.0"}, {"latency_ms": " 1"}, {"input_tokens": "007"},
    {"customer_archetype": "a,b"}, {"region": ""}, {"model": " "}, {"call_id": " "}, {"model": "\x00"}])
def test_the_two_roads_agree_where_every_line_is_odd_in_one_way(tmp_path: Path, change) -> None:
    some = [dict(zip(FIELDS, line.split(","))) for line in lines(calls(300))]
    path = write_log(tmp_path / "x.csv", [",".join({**row, **change}.values()) for row in some])
    fast, slow = scanned(path), careful(path)
    assert same_counts(fast.rollup, slow.rollup)


def test_the_two_roads_agree_on_fields_that_moved_to_the_next_line(tmp_path: Path) -> None:
    rows = [line.split(",") for line in lines(calls(300))]
    for short, other in zip(rows[::2], rows[1::2]):
        other.insert(0, short.pop())
    path = write_log(tmp_path / "x.csv", map(",".join, rows))
    assert same_counts(scanned(path).rollup, careful(path).rollup)


@given(st.integers(0, 2 ** 32), st.integers(0, 60))
@settings(max_examples=25, deadline=None)
def test_the_two_roads_agree_on_lines_with_flipped_bytes(tmp_path_factory, seed: int, flips: int) -> None:
    chance = random.Random(seed)
    data = bytearray(("\n".join(lines(calls(200))) + "\n").encode("ascii"))
    for _ in range(flips):
        data[chance.randrange(len(data))] = chance.choice(b'",\n\r\x00_0-9aZ\xff .')
    data = data[:data.rindex(b"\n") + 1]
    path = tmp_path_factory.mktemp("flip") / "x.csv"
    path.write_bytes(HEADER.encode("ascii") + b"\n" + data)
    fast, slow = Counter(read_layout(path)), careful(path)
    fast.count(bytes(data))
    assert same_counts(fast.rollup, slow.rollup)
    assert [sorted(ids) for ids in fast.ids] == [sorted(ids) for ids in slow.ids]


@pytest.mark.parametrize("workers", [2, 3, 5])
def test_any_number_of_processes_gives_the_same_counts(mixed: Path, workers: int, monkeypatch) -> None:
    monkeypatch.setattr(scan, "RANGE_BYTES", 20_000)
    one, many = scanned(mixed), scanned(mixed, workers)
    assert same_counts(one.rollup, many.rollup)
    assert (one.consumed, one.lines) == (many.consumed, many.lines)
    assert [fault.line for fault in one.new_faults] == [fault.line for fault in many.new_faults]


@pytest.mark.parametrize("block", [200, 1000, 7777])
def test_the_size_of_blocks_does_not_matter(mixed: Path, block: int, monkeypatch) -> None:
    whole = scanned(mixed)
    monkeypatch.setattr(scan, "BLOCK_BYTES", block)
    pieces = scanned(mixed)
    assert same_counts(whole.rollup, pieces.rollup) and whole.lines == pieces.lines


def test_faults_are_named_with_the_line_that_an_editor_shows(tmp_path: Path) -> None:
    rows = lines(calls(100))
    rows[40:40] = ["broken"]
    rows[70:70] = [ODD_ROWS[1], BAD_ROWS[5]]  # a call over two lines, then a bad one
    path = write_log(tmp_path / "x.csv", rows)
    assert validate_dataset(path) == ["Line 42: row: has 1 fields instead of 19",
                                      "Line 74: cost_usd: '-0.1' is negative"]


@pytest.mark.parametrize("half", ["x", "t-9,2026-03-01T00:00:00.000Z,c"])
def test_half_a_row_at_the_end_is_told_with_its_line_and_bytes(tmp_path: Path, half: str) -> None:
    path = write_log(tmp_path / "x.csv", lines(calls(3)))
    with open(path, "a") as handle:
        handle.write(half)
    assert validate_dataset(path) == [f"Line 5: the last {len(half)} bytes are no whole row yet"]


def test_every_repeat_is_told_in_the_order_of_lines_whatever_stands_between(tmp_path: Path) -> None:
    first, second, third = lines(calls(3))
    broken, quoted = first.split(",")[0] + ",broken", '"' + second.replace(",", '",', 1)
    path = write_log(tmp_path / "x.csv", [first, second, broken, quoted, third, "broken", first])
    repeated = "call_id: is repeated"
    assert validate_dataset(path) == ["Line 4: row: has 2 fields instead of 19", f"Line 5: {repeated}",
                                      "Line 7: row: has 1 fields instead of 19", f"Line 8: {repeated}"]


def test_repeats_are_found_where_the_id_is_not_the_first_column(tmp_path: Path) -> None:
    def turned(line: str) -> str:
        first, rest = line.split(",", 1)
        return f"{rest},{first}"
    rows = [turned(one) for one in lines(calls(4))]
    path = write_log(tmp_path / "x.csv", [*rows, rows[2]], header=turned(HEADER))
    assert validate_dataset(path) == ["Line 6: call_id: is repeated"]


@pytest.mark.parametrize("row", BAD_ROWS)
def test_each_kind_of_bad_row_is_set_aside_and_stops_nothing(tmp_path: Path, row: str) -> None:
    counts = scanned(write_log(tmp_path / "x.csv", [*lines(calls(80)), row, *lines(calls(80, 100))]))
    assert counts.rollup.total().calls == 160 and sum(counts.rollup.rejected.values()) == 1


@pytest.mark.parametrize("row", ODD_ROWS)
def test_each_odd_but_sound_row_is_counted(tmp_path: Path, row: str) -> None:
    counts = scanned(write_log(tmp_path / "x.csv", [*lines(calls(80)), row, *lines(calls(80, 100))]))
    assert counts.rollup.total().calls == 161 and not counts.rollup.rejected


def test_an_unclosed_quote_costs_its_own_row_only(tmp_path: Path) -> None:
    rows = lines(calls(300))
    rows[10:10] = [BAD_ROWS[11]]
    counts = scanned(write_log(tmp_path / "x.csv", rows))
    assert counts.rollup.total().calls == 300
    assert counts.rollup.rejected == {"row has a quote that is not closed": 1}


@pytest.mark.parametrize("bad", ["too,few", "\udcff," + "x" * 50_000, "bad," + "9" * 50_000 + "," * 17])
def test_a_bad_row_here_and_there_keeps_no_block_in_memory(tmp_path: Path, bad: str) -> None:
    good, path = lines(calls(600)), tmp_path / "calls.csv"
    rows = (row for number in range(20) for row in [*(f"{number}{line}" for line in good), bad])
    path.write_bytes("\n".join([HEADER, *rows, ""]).encode("utf-8", "surrogateescape"))
    tracemalloc.start()
    try:
        counts = scanned(path)
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert len(counts.new_faults) == 20
    rejected = sum(len(fault.raw) for fault in counts.new_faults)
    assert rejected <= 20 * 40_000 and held - rejected < path.stat().st_size // 4


@pytest.mark.parametrize("place", [0, 1, 50, 99, 100])
@pytest.mark.parametrize("size", [10, 20_000, 200_000])
def test_a_line_longer_than_all_others_together_is_set_aside_alone(tmp_path: Path, place: int, size: int) -> None:
    some = lines(calls(100))
    path = write_log(tmp_path / "calls.csv", [*some[:place], "x" * size, *some[place:]])
    counts = scanned(path)
    assert same_counts(counts.rollup, careful(path).rollup)
    assert (counts.rollup.total().calls, [fault.line for fault in counts.new_faults]) == (100, [place + 2])


def test_rejected_rows_stand_beside_the_log_with_line_and_reason(tmp_path: Path) -> None:
    path = write_log(tmp_path / "x.csv", [*lines(calls(3)), "=cmd()"])
    dataset = load_dataset(path)
    assert dataset.rejected_path.name == "x.rejected.csv"
    with open(dataset.rejected_path, newline="", encoding="utf-8") as handle:
        assert list(csv.reader(handle)) == [["line", "reason", "row"],
                                            ["5", "row: has 1 fields instead of 19", "'=cmd()"]]


def test_a_repeated_call_is_counted_once_and_the_later_one_reported(tmp_path: Path) -> None:
    some = calls(400)
    twice = [some[7], call(9_999, call_id=some[11].call_id)]
    path = write_log(tmp_path / "x.csv", lines(some + twice))
    counts = scanned(path)
    assert same_counts_without_rejections(counts.rollup, counted(some))
    assert counts.rollup.rejected == {"call_id is repeated": 2}
    assert [fault.line for fault in counts.new_faults] == [402, 403]


def same_counts_without_rejections(one, other) -> bool:
    first, second = one.canonical(), other.canonical()
    return first["cubes"] == second["cubes"] and first["latency"] == second["latency"]


def test_a_repeat_of_a_bad_row_s_id_is_no_repeat(tmp_path: Path) -> None:
    bad = ",".join(call(5, total_tokens=1).to_row())
    counts = scanned(write_log(tmp_path / "x.csv", [bad, *lines(calls(10))]))
    assert counts.rollup.total().calls == 10 and counts.rollup.rejected == {"total_tokens is not input + output": 1}


def test_half_a_line_waits_for_its_other_half(tmp_path: Path) -> None:
    path = write_log(tmp_path / "x.csv", lines(calls(50)))
    last = ",".join(call(50).to_row()).encode("ascii")
    with open(path, "ab") as handle:
        handle.write(last[:60])
    counts = scanned(path)
    assert counts.rollup.total().calls == 50 and os.path.getsize(path) - counts.consumed == 60


def test_columns_are_found_by_name_in_any_order_among_others(tmp_path: Path) -> None:
    some = calls(60)
    order = list(reversed(FIELDS))
    rows: List[str] = []
    for one in some:
        values = dict(zip(FIELDS, one.to_row()))
        rows.append(",".join(["extra"] + [values[name] for name in order]))
    path = write_log(tmp_path / "x.csv", rows, header=",".join(["further", *order]))
    assert same_counts(scanned(path).rollup, counted(some))


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_byte_order_mark_and_crlf_are_fine(tmp_path: Path, newline: str) -> None:
    path = write_log(tmp_path / "x.csv", lines(calls(300)), newline)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert same_counts(scanned(path).rollup, counted(calls(300)))


@pytest.mark.parametrize("content,words", [
    (b"", "no header line yet"), (b"call_id,timest", "no header line yet"),
    (b"a,b,c\n1,2,3\n", "has no column call_id"),
    ("call_id,x\n".encode("utf-16"), "is UTF-16")])
def test_a_log_that_cannot_be_one_gets_one_clear_line(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(LogError, match=words):
        load_dataset(path)


def test_a_missing_log_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="run_all_simulators.py"):
        load_dataset(tmp_path / "none.csv")


def test_the_original_showcase_s_rows_load_and_its_repeated_ids_are_reported(tmp_path: Path) -> None:
    rows = []
    for scenario in range(2):
        for number in range(50):
            rows.append(f"call_{number:08d},2025-11-0{scenario + 1}T10:20:30.123456,cust_1,org_1,prod_1,feat_1,openai,"
                        f"gpt-4,100,50,150,0.006000,165.0,success,production,us-east-1,pro,99,power")
    counts = scanned(write_log(tmp_path / "x.csv", rows))
    total = counts.rollup.total()
    assert (total.calls, total.cost_nano) == (50, 50 * 6_000_000)
    assert counts.rollup.rejected == {"call_id is repeated": 50}


def test_a_line_that_is_a_call_by_itself_is_never_swallowed_by_an_open_quote() -> None:
    layout_reader = RecordReader(read_layout_of_header())
    good = lines(calls(1))[0].encode("ascii")
    records, taken = layout_reader.records(b'"open,\n' + good + b"\n")
    assert [record.raw for record in records] == [b'"open,', good] and taken == len(good) + 8
    with pytest.raises(RecordError, match="not closed"):
        layout_reader.call(records[0].raw)


def read_layout_of_header():
    from calls.log_reader import Layout
    return Layout(tuple(range(len(FIELDS))), len(FIELDS), len(HEADER) + 1)


@pytest.mark.parametrize("long", ["x" * (LONGEST_LINE + 1), '"' + "x" * 3 * LONGEST_LINE, "a," * LONGEST_LINE,
                                  "\0" * 2 * LONGEST_LINE])
def test_a_line_that_is_too_long_is_set_aside_alone_however_the_log_is_read(tmp_path: Path, long, monkeypatch) -> None:
    some = lines(calls(300))
    path = write_log(tmp_path / "x.csv", [*some[:100], long, *some[100:200], long, long, *some[200:]])
    monkeypatch.setattr(scan, "RANGE_BYTES", 1000)
    for block_bytes, workers in ((1 << 18, 1), (100_000, 1), (1 << 22, 1), (1 << 18, 3)):
        monkeypatch.setattr(scan, "BLOCK_BYTES", block_bytes)
        counts = scanned(path, workers)
        assert same_counts(counts.rollup, load_dataset(path, use_checkpoint=False).rollup)
        assert counts.rollup.rejected == {"row is longer than 1,048,576 bytes": 3}
        assert [fault.line for fault in counts.new_faults] == [102, 203, 204]
        assert counts.consumed == path.stat().st_size and counts.rollup.total().calls == 300


@pytest.mark.parametrize("block_bytes", [1, 100, 1000, 1 << 20])
def test_records_are_numbered_by_their_lines_whatever_the_size_of_blocks(mixed: Path, block_bytes: int) -> None:
    raw, layout = mixed.read_bytes(), read_layout(mixed)
    begins = [layout.begin] + [place + 1 for place, byte in enumerate(raw) if byte == 10 and place > layout.begin]
    found = list(iterate_records(mixed, layout, len(raw), block_bytes))
    assert len(found) > 3000
    for record in found:
        assert raw.startswith(record.raw + b"\n", begins[record.line])


def test_the_first_and_the_last_millisecond_of_calls_are_counted_on_both_roads(tmp_path: Path) -> None:
    some = [call(1, timestamp_ms=0), call(2, timestamp_ms=CALLS_END_MS - 1)]
    path = write_log(tmp_path / "calls.csv", lines(some))
    assert scanned(path).rollup.total().calls == careful(path).rollup.total().calls == 2
    assert scanned(path).new_faults == []


def test_a_line_just_as_long_as_it_may_be_is_counted(tmp_path: Path) -> None:
    row = ODD_ROWS[2].replace(",c,", f",{'c' * (LONGEST_LINE - len(ODD_ROWS[2]) + 1)},")
    counts = scanned(write_log(tmp_path / "x.csv", [row, row.replace("odd-3", "odd-3+")]))
    assert len(row) == LONGEST_LINE and counts.rollup.total().calls == 1
    assert counts.rollup.rejected == {"row is longer than 1,048,576 bytes": 1}


def test_text_without_commas_takes_no_time_of_the_square_of_its_length(tmp_path: Path) -> None:
    """A minute or more where the pattern of a row began at every byte; well under a second where it does not."""
    began = time.process_time()
    rows = ["x" * 200_000] * 5 + ["y" * 10] * 20_000
    assert sum(scanned(write_log(tmp_path / "x.csv", rows)).rollup.rejected.values()) == 20_005
    assert time.process_time() - began < 10
