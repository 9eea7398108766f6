from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from odd_log import CALLS, ODD, write_log

from calls.record import FIELDS, AICall
from calls.values import format_timestamp
from conftest import ROOT, read_calls, run, simulate
from export_calls import main
from exporters.call_rows import csv_text

EXPORT = ROOT / "src" / "export_calls.py"


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    write_log(tmp_path / "odd.csv", CALLS)
    return tmp_path / "odd.csv"


def test_csv_holds_every_call_once_and_no_formula(odd: Path, tmp_path: Path) -> None:
    ran = run(EXPORT, "--csv", odd, "--to", "csv")
    header, *rows = csv.reader(io.StringIO(ran.out))
    assert tuple(header) == FIELDS
    assert not [text for row in rows for text in row if text[:1] in tuple("=+-@")and text]
    assert rows[6][2] == "'" + ODD and rows[6][5] == "'-1+1"
    bare = [[text[1:] if text.startswith("'") else text for text in row] for row in rows]
    assert [AICall.from_row(row) for row in bare] == CALLS
    assert "Exported 10 calls as csv" in ran.err and "2 times: rows of the log are rejected" in ran.err


def test_a_part_of_a_log_is_a_log_with_every_text_as_it_was(odd: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.csv"
    ran = run(EXPORT, "--csv", odd, "--to", "calls", "--from", "2026-02-28", "--output", kept)
    assert ran.code == 0, ran.err
    assert read_calls(kept) == [one for one in CALLS if format_timestamp(one.timestamp_ms) >= "2026-02-28"]
    assert any(one.customer_id == ODD for one in read_calls(kept))


def test_json_lines_hold_exact_amounts_and_null_for_what_is_unknown(odd: Path) -> None:
    found = [json.loads(line) for line in run(EXPORT, "--csv", odd, "--to", "jsonl", "-q").out.splitlines()]
    assert [one["call_id"] for one in found] == [one.call_id for one in CALLS]
    assert found[9]["cost_usd"] == "999999.999999999" and found[2]["cost_usd"] is None
    assert found[8]["latency_ms"] is None and found[0]["input_tokens"] == 1000
    assert found[6]["customer_id"] == ODD and list(found[0]) == list(FIELDS)


@pytest.mark.parametrize("kind", ["csv", "jsonl", "calls", "focus-1.2"])
@pytest.mark.parametrize("options,calls", [
    ([], 10), (["--from", "2026-03-01"], 1), (["--until", "2026-02-28"], 9),
    (["--from", "2026-02-28", "--until", "2026-02-28"], 9), (["--where", "provider=azure"], 1),
    (["--where", "status=rate_limit,success", "--where", "customer=x,acme"], 5),
    (["--where", "customer=x", "--where", "customer=acme"], 5), (["--where", "region=unattributed"], 1),
    (["--where", "customer=nobody"], 0), (["--where", "tier=pro", "--where", "archetype=power"], 10)])
def test_filters_choose_the_same_calls_in_every_format(in_process, odd, tmp_path, kind, options, calls) -> None:
    output = tmp_path / "out"
    ran = in_process(main, "--csv", odd, "--to", kind, "--output", output, "--json", *options)
    assert json.loads(ran.out)["calls"] == calls, ran.err
    lines = output.read_text(encoding="utf-8").splitlines()
    if kind == "focus-1.2":
        assert sum(int(row["x_CallCount"]) for row in csv.DictReader(lines)) == calls
    else:
        assert len(lines) - (kind in ("csv", "calls")) == calls


@pytest.mark.parametrize("options,words", [
    ([], "--to"), (["--to", "xml"], "'xml' is no format"), (["--to", "csv", "--where", "colour=red"], "colour=red"),
    (["--to", "csv", "--where", "customer"], "condition"), (["--to", "csv", "--from", "soon"], "is not a date"),
    (["--to", "csv", "--from", "2026-02-02", "--until", "2026-02-01"], "exchange them")])
def test_wrong_usage_gets_one_line(in_process, odd: Path, options, words) -> None:
    ran = in_process(main, "--csv", odd, *options)
    assert ran.code == 2 and words in ran.err and ran.err.count("\n") == 1 and not ran.out


def test_a_file_is_replaced_only_when_asked_and_the_log_never(odd: Path, tmp_path: Path) -> None:
    output = tmp_path / "new" / "out.csv"
    assert run(EXPORT, "--csv", odd, "--to", "csv", "--output", output).code == 0
    output.write_text("mine")
    refused = run(EXPORT, "--csv", odd, "--to", "csv", "--output", output)
    assert refused.code == 1 and "--overwrite" in refused.err and output.read_text() == "mine"
    assert run(EXPORT, "--csv", odd, "--to", "csv", "--output", output, "--overwrite").code == 0
    assert output.read_text(encoding="utf-8").count("\n") == 11 and list(output.parent.iterdir()) == [output]
    before = odd.read_bytes()
    assert run(EXPORT, "--csv", odd, "--to", "csv", "--output", odd, "--overwrite").code == 2
    assert odd.read_bytes() == before
    missing = run(EXPORT, "--csv", tmp_path / "none", "--to", "csv")
    assert missing.code == 1 and missing.err.count("\n") == 1


def test_an_export_without_odd_names_is_imported_as_it_was(tmp_path: Path) -> None:
    log, out, back = (tmp_path / name for name in ("log.csv", "out.csv", "back.csv"))
    simulate(log, 0.3, "--days", 10, "--start", "2026-01-01")
    assert run(EXPORT, "--csv", log, "--to", "csv", "--until", "2026-01-02", "--output", out, "-q").code == 0
    assert run(ROOT / "src" / "import_calls.py", out, "--output", back, "-q").code == 0
    assert back.read_bytes() == out.read_bytes() and len(out.read_bytes()) > 10_000


def test_a_bare_carriage_return_in_a_text_is_quoted_so_that_no_reader_ends_a_row_there():
    assert csv_text([["a\rb", "c"], ["d", "e\nf"]]) == '"a\rb",c\nd,"e\nf"\n'
