"""Whatever a record holds, it is a valid call, skipped or rejected: no record ends an import."""
from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any, Dict

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from importing import (
    anthropic_page,
    anthropic_result,
    claude_code,
    helicone,
    imported,
    langfuse,
    litellm,
    openai_page,
    openai_result,
)

from calls.record import AICall
from catalog.loader import load_catalog
from errors import RecordError
from importers.base import Business, Skipped, discover_importers

KINDS = discover_importers()
BURST = {"Timestamp": "5", "Model": "GPT-4", "Request tokens": 4, "Response tokens": 5, "Elapsed time": 2.5}
RECORDS = {"litellm": litellm(), "langfuse": langfuse(), "helicone": helicone(), "claude_code": claude_code(),
           "openai_usage": openai_page(openai_result()), "anthropic_usage": anthropic_page(anthropic_result()),
           "burstgpt": BURST}
NUMBERS = st.one_of(st.integers(-2, 10**20), st.floats(), st.sampled_from([
    "1e999", "-0", "1e-400", "999999999999", "1_0", "٣", "0x1", "inf", "1e-7", 10**30, 1e300, 999_999_999_999]))
JUNK = st.one_of(st.none(), st.booleans(), NUMBERS, NUMBERS.map(str), st.text(max_size=8), st.sampled_from(
    ["\ud800", "{", "{}", "[]", "2026-13-01", "9999-12-31T23:59:59-23:59", "0001-01-01", "+00", " UTC", "a/b", "/",
     "sim-1", "success", "failure", "1970-01-01", "200k-1M", "batch"]),
    st.lists(st.integers(), max_size=2), st.dictionaries(st.sampled_from(["total", "input", "output", "usage_object",
                                                                          "id", "usage"]), NUMBERS, max_size=3))


def _places(record: Any, path: tuple = ()) -> list:
    """Return the paths of all values of a record."""
    found = [path] if path else []
    items = record.items() if isinstance(record, dict) else enumerate(record) if isinstance(record, list) else ()
    return found + [place for key, value in items for place in _places(value, (*path, key))]


def _changed(record: Dict[str, Any], changes: list) -> Dict[str, Any]:
    record = json.loads(json.dumps(record))
    for place, value in changes:
        holder: Any = record
        try:
            for key in place[:-1]:
                holder = holder[key]
            holder[place[-1]] = value
        except (TypeError, KeyError, IndexError):
            pass  # an earlier change took the place away
    return record


@pytest.mark.parametrize("name", sorted(RECORDS))
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_record_ends_an_import_and_what_is_taken_is_a_valid_row(tmp_path: Path, name: str, data: Any) -> None:
    record = RECORDS[name]
    changes = data.draw(st.lists(st.tuples(st.sampled_from(_places(record)), JUNK), min_size=1, max_size=3))
    path = tmp_path / "records"
    path.write_text(json.dumps(_changed(record, changes)) + "\n" + json.dumps(record) + "\n", encoding="utf-8")
    importer = KINDS[name](Business(), load_catalog(), {"region": "metadata"}, date(2026, 1, 1))
    for _, item in importer.calls(path):
        if isinstance(item, AICall):
            row = item.to_row()
            ",".join(row).encode("utf-8")
            assert AICall.from_row(row) == item
        else:
            assert isinstance(item, (RecordError, Skipped)) and "\n" not in str(item)


@pytest.mark.parametrize("good,bad,reason", [
    (openai_page(openai_result()), openai_page(openai_result(), start=999_999_999_999),
     "start_time is after 2099"),
    (litellm(), litellm(startTime="1969-12-31T23:59:59Z"), "startTime is before 1970"),
    (litellm(), litellm(prompt_tokens=999_999_999_999), "row has more tokens than a log can count"),
    (litellm(), litellm(endTime="2096-03-01 10:00:00"), "endTime is years behind startTime")])
def test_times_and_counts_that_no_log_can_hold_are_rejected(tmp_path: Path, good: Any, bad: Any, reason: str) -> None:
    found = imported(tmp_path, [good, bad])
    assert len(found.calls) == 1 and [one for one in found.summary["rejected"] if one.startswith(reason)]
