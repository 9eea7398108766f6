from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path

import pytest

from calls.record import FIELDS
from calls.values import parse_timestamp
from catalog.loader import load_catalog
from conftest import ROOT, read_calls, run

IMPORT = ROOT / "src" / "import_calls.py"
TRACE = ("TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:15:46.6805900,374,44\r\n"
         "2023-11-16 18:15:50.9951690,396,109\r\nnonsense,1,2\r\n2023-11-16 18:15:51.2224670,x,55\r\n")


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    path = tmp_path / "trace.csv"
    path.write_bytes(TRACE.encode("ascii"))
    return path


def test_the_azure_trace_becomes_priced_calls_whose_latency_is_unknown(trace: Path, tmp_path: Path) -> None:
    output = tmp_path / "calls.csv"
    ran = run(IMPORT, trace, "--provider", "azure", "--model", "gpt-4o", "--customer", "acme", "--output", output, "-q")
    assert ran.code == 0 and "read as azure_llm_trace" in ran.out
    assert "1 rows rejected: TIMESTAMP is not an ISO 8601 time" in ran.out
    assert "1 rows rejected: ContextTokens is not a plain number" in ran.out
    first, second = read_calls(output)
    price = load_catalog().find("azure", "gpt-4o").prices[0]
    assert (first.input_tokens, first.output_tokens, first.customer_id) == (374, 44, "acme")
    assert first.cost_nano == price.cost_nano(374, 44) and first.latency_ms is None
    assert first.timestamp_ms == parse_timestamp("2023-11-16T18:15:46.680Z")
    assert first.feature_id == second.feature_id == "unattributed"


def test_a_model_without_a_price_stays_unpriced(trace: Path, tmp_path: Path) -> None:
    output = tmp_path / "calls.csv"
    assert run(IMPORT, trace, "--provider", "x", "--model", "y", "--output", output).code == 0
    assert [one.cost_nano for one in read_calls(output)] == [None, None]


def test_columns_in_another_order_among_others_become_the_log_s_own(log, tmp_path: Path) -> None:
    source, output = tmp_path / "source.csv", tmp_path / "calls.csv"
    with open(source, "w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(["note", *reversed(FIELDS)])
        writer.writerows(["x", *reversed(one.to_row())] for one in log.calls[:100])
    ran = run(IMPORT, source, "--output", output, "--json", "-q")
    assert json.loads(ran.out)["taken"] == 100
    assert read_calls(output) == log.calls[:100]


def test_an_existing_log_is_kept_unless_asked_otherwise(trace: Path, tmp_path: Path) -> None:
    output = tmp_path / "calls.csv"
    run(IMPORT, trace, "--output", output)
    before = output.read_bytes()
    refused = run(IMPORT, trace, "--output", output)
    assert refused.code == 1 and "--append" in refused.err and output.read_bytes() == before
    assert run(IMPORT, trace, "--output", output, "--append").code == 0 and len(read_calls(output)) == 4
    assert run(IMPORT, trace, "--output", output, "--overwrite").code == 0 and len(read_calls(output)) == 2


@pytest.mark.parametrize("content,words", [
    (b"\x89PNG", "no known format"), (b"", "no known format"), (b"\x1f\x8b\x08", "gzip: unpack it first"),
    (b"PK\x03\x04", "unpack it, or save it as CSV"), ("a,b\n".encode("utf-16"), "UTF-16: save it as UTF-8")])
def test_a_file_of_no_known_format_gets_one_clear_line(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    ran = run(IMPORT, path, "--output", tmp_path / "calls.csv")
    assert ran.code == 1 and words in ran.err and ran.err.count("\n") == 1
    assert run(IMPORT, tmp_path / "missing", "--output", tmp_path / "calls.csv").err.count("\n") == 1
    assert run(IMPORT, path, "--format", "nope").code == 2


TRACE_FILE = ROOT / "tests" / "samples" / "azure2023_conv.csv"  # of a real service: see the README beside it


def test_the_real_trace_is_imported_analysed_and_reported(tmp_path: Path) -> None:
    output, reports = tmp_path / "calls.csv", tmp_path / "reports"
    ran = run(IMPORT, TRACE_FILE, "--provider", "azure", "--model", "gpt-4o", "--output", output, "--json", "-q")
    with open(TRACE_FILE, newline="", encoding="utf-8") as handle:
        rows = [(int(row["ContextTokens"]), int(row["GeneratedTokens"])) for row in csv.DictReader(handle)]
    summary = json.loads(ran.out)
    assert (summary["taken"], summary["rejected"], summary["skipped"]) == (len(rows), {}, {})
    analysed = run(ROOT / "src" / "run_all_analyzers.py", "--csv", output, "--output", reports)
    assert analysed.code == 0, analysed.err
    result = json.loads((reports / "json" / "understanding.json").read_text(encoding="utf-8"))
    cost = sum(2500 * taken + 10_000 * given for taken, given in rows)
    assert result["summary"]["total_calls"] == len(rows)
    assert Decimal(result["summary"]["total_cost"]) * 10**9 == cost
    assert len(list((reports / "html").glob("*.html"))) > 12
