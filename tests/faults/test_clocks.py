"""A clock that is wrong, jumps or changes its zone: totals are those of the log, and the watch goes on.

What was lost: nothing. Times of calls come from the log, waiting goes by the monotonic clock.
"""
from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from bringing import ANALYSERS, ANALYZE, append, check_counts, check_whole, lacking, rows, tool, write_log

from conftest import EVERYTHING, SIMULATE, run, thoroughly
from viewer.viewers import Running, ask

CLOCKS = [("-2h", "UTC"), ("+400d", "UTC"), ("@2026-03-29 01:59:59", "Europe/Berlin"),
          ("@2026-10-25 02:59:59", "Europe/Berlin"), ("@1970-01-01 00:00:01", "Pacific/Apia")]


def library() -> str:
    """Return libfaketime for programs with threads."""
    tool("faketime", "faketime")
    found = sorted(one for folder in ("/usr/lib", "/usr/local/lib") for one in Path(folder).rglob("libfaketimeMT.so.1"))
    if not found:
        lacking("there is no libfaketimeMT.so.1: apt-get install faketime")
    return str(found[0])


def at(clock: str, zone: str):
    return dict(os.environ, LD_PRELOAD=library(), FAKETIME=clock, FAKETIME_DONT_FAKE_MONOTONIC="1", TZ=zone)


def test_results_and_simulated_calls_do_not_depend_on_the_clock_or_its_zone(tmp_path):
    log = write_log(tmp_path / "calls.csv", rows(0, 200))
    seen = set()
    for number, (clock, zone) in enumerate(CLOCKS if EVERYTHING else CLOCKS[1:2] + [("+0", "UTC")]):
        folder = tmp_path / str(number)
        ran = run(ANALYZE, "--csv", log, "--output", folder, *ANALYSERS, "--quiet", env=at(clock, zone))
        assert ran.code == 0 and "Traceback" not in ran.err, ran.err
        seen.add(b"".join(path.read_bytes() for path in sorted((folder / "json").iterdir())))
        check_whole(folder)
    assert len(seen) == 1
    logs = set()
    for number, (clock, zone) in enumerate(CLOCKS[:2] if EVERYTHING else ()):
        path = tmp_path / f"simulated-{number}.csv"
        ran = run(SIMULATE, 0.05, "--days", 3, "--customers", 30, "--start", "2026-01-01", "--output", path,
                  env=at(clock, zone))
        assert ran.code == 0, ran.err
        logs.add(path.read_bytes())
    assert len(logs) == 1 or not EVERYTHING


def test_a_second_between_the_days_is_set_aside_and_each_zone_names_the_same_day(tmp_path):
    row = rows(0, 1)
    stamp = row.split(",")[1]
    log = write_log(tmp_path / "calls.csv", "".join(row.replace("call-0", f"z-{number}").replace(stamp, text) for
                    number, text in enumerate(["2026-03-29T23:59:59.999Z", "2026-03-30T01:59:59.999+02:00",
                                               "2026-03-29T13:59:59-10:00", "2026-03-29T23:59:60Z",
                                               "2026-03-29T02:30:00+01:00"])))
    found = check_counts(log)
    assert [(group.key[0], group.measures.calls) for group in found.rollup.by("day")] == [("2026-03-29", 4)]
    assert sum(found.rollup.rejected.values()) == 1


@thoroughly
@pytest.mark.parametrize("jump", ["-2h", "+400d"])
def test_a_clock_that_jumps_while_the_viewer_runs_stops_nothing(tmp_path, jump):
    clock = tmp_path / "clock"
    clock.write_text("+0")
    env = {"LD_PRELOAD": library(), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_CACHE_DURATION": "1",
           "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    (tmp_path / "data").mkdir()
    log = write_log(tmp_path / "data" / "calls.csv", rows(0, 100))
    with Running(tmp_path, env=env) as viewer:
        viewer.until_fresh(100)
        clock.write_text(jump)
        append(log, rows(100, 150))
        began = time.monotonic()
        viewer.until_fresh(150)
        assert time.monotonic() - began < 30
        assert ask(viewer.port, "/api/results/understanding").document["summary"]["total_calls"] == 150
        assert viewer.end() == 0
    check_counts(log)
