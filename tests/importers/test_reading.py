"""What all importers share: recognising a file, taking records out of any layout, and saying what is wrong."""
from __future__ import annotations

import io
import json
import tracemalloc
from pathlib import Path

import pytest
from importing import (
    BURSTGPT,
    IMPORT,
    anthropic_page,
    anthropic_result,
    as_csv,
    claude_code,
    helicone,
    imported,
    json_lines,
    langfuse,
    litellm,
    openai_page,
    openai_result,
)

import import_calls
from calls.record import HEADER
from catalog.loader import load_catalog
from conftest import run
from errors import FinOpsError, RecordError
from importers.base import Business, discover_importers
from importers.reading import json_rows, rows

SAMPLES = {
    "litellm": json_lines([litellm()]), "langfuse": json_lines([langfuse()]), "helicone": json_lines([helicone()]),
    "openai_usage": json.dumps(openai_page(openai_result())), "claude_code": json_lines([claude_code()]),
    "anthropic_usage": json.dumps(anthropic_page(anthropic_result()), indent=2), "burstgpt": BURSTGPT,
    "azure_llm_trace": "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:15:46.6805900,374,44\r\n",
    "calls": HEADER + "\n",
    "otlp": json_lines([{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "a", "attributes": []}]}]}]}])}
SAMPLES_CSV = {"litellm": as_csv([litellm()]), "langfuse": as_csv([langfuse()]), "helicone": as_csv([helicone()])}
FORMATS = sorted(discover_importers())


def test_there_is_a_sample_of_every_format() -> None:
    assert sorted(SAMPLES) == FORMATS


@pytest.mark.parametrize("name,text", [*SAMPLES.items(), *SAMPLES_CSV.items()])
@pytest.mark.parametrize("begin", ["", "\ufeff"], ids=["", "with a byte order mark"])
def test_every_sample_is_recognised_by_its_own_importer_alone(name: str, text: str, begin: str) -> None:
    head = (begin + text).encode("utf-8")
    assert [one.id for one in discover_importers().values() if one.recognises(head)] == [name]


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n\0\0", b"a,b\n1,2\n", b'{"a": 1}\n', b"[1, 2]", b"[[[",
                                     b"{", b'{"data": [', b"\xff\xfe{\0"], ids=repr)
def test_a_wrong_file_gets_one_clear_line_whatever_the_format_and_no_log(tmp_path: Path, capsys, content) -> None:
    path, output = tmp_path / "wrong", tmp_path / "calls.csv"
    path.write_bytes(content)
    for name in ["auto", *FORMATS]:
        options = [str(path), "--format", name, "--output", str(output), "--overwrite", "--start", "2026-01-01", "-q"]
        try:
            code, said = import_calls.main(options), capsys.readouterr().out
        except FinOpsError as error:
            assert "\n" not in str(error) and str(path) in str(error), (name, error)
            assert not output.exists(), name
            continue
        assert "Took 0 calls" in said and (code == 1 and "rows rejected" in said or not code), (name, said)
        output.unlink()


CUT = "row: is not there: the file ends within a list, as if it was cut off"


def _taken(text: str) -> list:
    return [one if isinstance(one, dict) else str(one) for _, one in json_rows(io.StringIO(text[1:]), text[:1])]


@pytest.mark.parametrize("text,found", [
    ('{"a": 1}\n{"a": 2}\n', [{"a": 1}, {"a": 2}]), ('{"a": 1}\n\n{"a": 2}', [{"a": 1}, {"a": 2}]),
    ('[{"a": 1},\n{"a": 2}]', [{"a": 1}, {"a": 2}]), ('[]', []), ('{\n "a": 1\n}\n{\n "a": 2\n}', [{"a": 1}, {"a": 2}]),
    ('{"data": [{"a": 1}, 7]}', [{"a": 1}, "row: is no JSON object"]),
    ('[{"a": [1]}][{"a": 2}]', [{"a": [1]}, {"a": 2}]),
    ('{"a": 1}\n{"a": \n{"a": 2}\n', [{"a": 1}, "row: is not valid JSON", {"a": 2}]),
    ('{"a": NaN}\n{"a": 2}\n', ["row: is not valid JSON", {"a": 2}]),
    ('{"a": oops}\n{"a": 2}\n', ["row: is not valid JSON", {"a": 2}]),
    ('[{"a": 1}, {"a": oops}, {"a": 2}]' + " " * 40, [{"a": 1}, "row: is not valid JSON; nothing behind it was read"]),
    ('[{"a": 1}, {"a', [{"a": 1}, "row: is not valid JSON; nothing behind it was read"]),
    ('[{"a": 1},', [{"a": 1}, CUT]), ('[{"a": 1}', [{"a": 1}, CUT]), ("[[]", [CUT])])
def test_json_is_taken_apart_in_every_layout(text: str, found: list) -> None:
    assert _taken(text) == found


def test_values_longer_than_what_is_read_at_once_are_whole() -> None:
    records = [{"a": "x" * 700_000 + "\\u00e9", "b": list(range(100))}, {"a": "y"}]
    assert _taken(json.dumps(records)) == records


def test_memory_does_not_grow_with_the_file() -> None:
    one = json.dumps({"a": "x" * 1000})
    text = io.StringIO("[" + ",".join([one] * 20_000) + "]")
    tracemalloc.start()
    assert sum(1 for _ in json_rows(text, text.read(1))) == 20_000
    assert tracemalloc.get_traced_memory()[1] < 4_000_000  # of 20 MB
    tracemalloc.stop()


def test_rows_of_a_csv_that_cannot_be_right_are_rejected_and_the_others_read() -> None:
    text = 'a,b\r\n1,2\r\n3\r\n\r\n"x\ny",' + "z" * 200_000 + '\r\n4,5,6\r\n'
    found = [(line, one if isinstance(one, dict) else str(one)) for line, one in rows(io.StringIO(text, newline=""),
                                                                                     "f", "log", ["b"])]
    assert found == [(2, {"a": "1", "b": "2"}), (3, "row: has 1 fields instead of 2"),
                     (6, {"a": "x\ny", "b": "z" * 200_000}), (7, "row: has 3 fields instead of 2")]


def test_a_line_without_an_end_costs_no_memory_and_only_its_own_row(monkeypatch) -> None:
    monkeypatch.setattr("importers.reading.MOST_CHARACTERS", 1 << 16)
    for begin in ("", '"'):  # a field of its own ends behind 65,536 characters, fields without an end behind as many
        for long in (begin + "x" * 1_000_000, begin + "a," * 500_000):
            text = io.StringIO(f"a,b\r\n1,2\r\n{long}{begin},\r\n3,4\r\n", newline="")
            tracemalloc.start()
            found = list(rows(text, "a.csv", "CSV", ("a", "b")))
            memory = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert [row for _, row in found if isinstance(row, dict)] == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]
            assert [(line, type(row)) for line, row in found] == [(2, dict), (3, RecordError), (4, dict)], found
            assert memory < 3_000_000, memory


def test_several_files_of_several_formats_become_one_log_and_a_second_run_adds_behind(tmp_path: Path) -> None:
    found = imported(tmp_path, [litellm()], [langfuse()], SAMPLES_CSV["helicone"])
    assert [one.call_id for one in found.calls] == ["chatcmpl-1", "obs-1", "9d0e-1"]
    again = imported(tmp_path, [litellm(request_id="b")], options=["--append"])
    assert [one.call_id for one in again.calls] == ["chatcmpl-1", "obs-1", "9d0e-1", "b"]


def test_a_log_is_never_read_into_itself(tmp_path: Path) -> None:
    output = tmp_path / "calls.csv"
    imported(tmp_path, [litellm()])
    before = output.read_bytes()
    for flag in ("--append", "--overwrite"):
        ran = run(IMPORT, output, "--output", output, flag)
        assert ran.code == 2 and "read and written" in ran.err and output.read_bytes() == before


def test_texts_become_one_line_and_amounts_keep_their_digits(tmp_path: Path) -> None:
    (call,) = imported(tmp_path, [litellm(end_user="a\r\nb\0 \"c\", d", spend=1234567.123456789)]).calls
    assert call.customer_id == 'a b "c", d' and call.cost_nano == 1234567123456789


def test_an_object_where_a_name_belongs_is_rejected(tmp_path: Path) -> None:
    found = imported(tmp_path, [litellm(), litellm(end_user={"id": 1}, request_id="b")])
    assert found.summary["rejected"] == {"end_user is no text": 1}
    assert str(RecordError("end_user", "is no text")) == "end_user: is no text"


@pytest.mark.parametrize("text", [json_lines([litellm()] * 2000), as_csv([litellm()] * 2000)], ids=["json", "csv"])
def test_progress_follows_the_bytes_of_the_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "source"
    path.write_text(text, encoding="utf-8")
    importer = discover_importers()["litellm"](Business(), load_catalog())
    seen = [importer.bytes_read()]
    for _ in importer.calls(path):
        seen.append(importer.bytes_read())
    assert seen[0] == 0 and seen == sorted(seen) and 0 < seen[200] < seen[-1] == path.stat().st_size
    assert importer.bytes_read() == 0
