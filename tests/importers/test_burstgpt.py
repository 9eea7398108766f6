from __future__ import annotations

from pathlib import Path

from importing import BURSTGPT, IMPORT, imported

from calls.values import parse_timestamp
from conftest import run


def test_seconds_count_from_the_day_that_is_given(tmp_path: Path) -> None:
    first, second = imported(tmp_path, BURSTGPT, options=["--start", "2026-03-01", "--provider", "azure"]).calls
    assert first.timestamp_ms == parse_timestamp("2026-03-01T00:00:05.500Z")
    assert second.timestamp_ms == parse_timestamp("2026-03-02")
    assert (first.model, first.feature_id, first.latency_ms) == ("ChatGPT", "Conversation log", 2250)
    assert (first.input_tokens, first.output_tokens, first.status, first.cost_nano) == (472, 18, "success", None)
    assert (second.status, second.cost_nano) == ("failed", 0)


def test_the_older_trace_without_sessions_is_read_too(tmp_path: Path) -> None:
    text = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,GPT-4,472,18,490,API log\n"
    (call,) = imported(tmp_path, text, options=["--start", "2026-03-01"]).calls
    assert (call.latency_ms, call.feature_id) == (None, "API log")


def test_without_a_first_day_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "trace.csv").write_text(BURSTGPT)
    ran = run(IMPORT, tmp_path / "trace.csv", "--output", tmp_path / "calls.csv")
    assert ran.code == 2 and "--start" in ran.err and ran.err.count("\n") == 1
    assert not (tmp_path / "calls.csv").exists()
