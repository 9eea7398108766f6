"""Pages while they are replaced, read slowly or written by two at once: old or new, and whole."""
from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
from decimal import Decimal

import pytest
from bringing import ANALYZE, append, check_counts, check_whole, rows, write_log

from calls.replacing import replace_file
from calls.values import format_timestamp
from catalog.loader import load_catalog
from config import parse_date
from conftest import EVERYTHING, run
from exporters.base import Choice, Exporter
from rollup.dataset import load_dataset
from viewer.viewers import Running, ask, parsed, read_all


@pytest.fixture(scope="module")
def viewer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("viewer")
    (folder / "data").mkdir()
    write_log(folder / "data" / "calls.csv", rows(0, 100))
    with Running(folder) as running:
        running.until_fresh(100)
        yield running


def test_a_page_that_is_replaced_while_it_is_sent_is_old_or_new_and_whole(viewer):
    page = viewer.reports / "html" / "understanding.html"
    old = page.read_bytes()
    new = old.replace(b"</title>", b" (another)</title>") + b"<!-- new -->\n" * 600_000
    for first, second in ((old, new), (new, old)):
        replace_file(page, first)
        with socket.create_connection(("127.0.0.1", viewer.port), timeout=30) as connection:
            connection.sendall(b"GET /reports/html/understanding.html HTTP/1.1\r\nHost: localhost:%d\r\n"
                               b"Range: bytes=0-9\r\nConnection: close\r\n\r\n" % viewer.port)
            begun = connection.recv(1000)
            replace_file(page, second)
            answer = parsed(begun + read_all(connection))
        assert answer.status == 200 and answer.body in (first, second)
        assert int(answer.headers["content-length"]) == len(answer.body)


def test_a_client_that_leaves_in_the_middle_of_a_large_page_costs_nothing(viewer):
    page = viewer.reports / "html" / "understanding.html"
    old = page.read_bytes()
    replace_file(page, old + b"<!-- more -->" * 2_000_000)
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", viewer.port), timeout=30) as connection:
            connection.sendall(b"GET /reports/html/understanding.html HTTP/1.1\r\nHost: localhost:%d\r\n\r\n"
                               % viewer.port)
            connection.recv(1000)
    replace_file(page, old)
    assert ask(viewer.port, "/reports/html/understanding.html").body == old
    assert "failure" not in viewer.errors.read_text()


def test_a_page_rebuilt_over_and_over_is_never_missing_or_half(viewer):
    """As an open page asks while its report is written again: no 404, and each answer is one of the versions."""
    page = viewer.reports / "html" / "pricing.html"
    old, ended, seen = page.read_bytes(), threading.Event(), set()

    def rebuild() -> None:
        for number in range(1000 if EVERYTHING else 100):
            replace_file(page, old.replace(b"</body>", b"<!-- %d -->" % number * 500 + b"</body>"))
        ended.set()

    thread = threading.Thread(target=rebuild)
    thread.start()
    while not ended.is_set():
        answer = ask(viewer.port, "/reports/html/pricing.html")
        assert answer.status == 200 and answer.body.rstrip().endswith(b"</html>")
        marks = re.findall(rb"<!-- (\d+) -->", answer.body)
        assert len(set(marks)) <= 1 and len(marks) in (0, 500)
        seen.add(answer.headers["etag"])
    thread.join()
    assert len(seen) > 1
    replace_file(page, old)


def test_a_command_and_a_viewer_that_write_the_same_reports_of_a_growing_log_leave_them_whole(viewer):
    """Whoever is last, every file is whole, and when all is quiet every report tells of the whole log."""
    before = 100
    for _ in range(6 if EVERYTHING else 1):
        append(viewer.csv, rows(before, before + 200))
        before += 200
        with subprocess.Popen([sys.executable, str(ANALYZE), "--csv", str(viewer.csv), "--output",
                               str(viewer.reports), "--quiet"], stdout=subprocess.DEVNULL) as command:
            append(viewer.csv, rows(before, before + 50))
            before += 50
        assert command.returncode == 0
        check_whole(viewer.reports)
    viewer.until_fresh(before)
    assert viewer.post("/api/run-all-analyzers").status == 202
    viewer.until(lambda status: status["jobs"][0]["state"] == "complete")
    check_counts(viewer.csv)
    scratch = viewer.reports.with_name("scratch")
    assert run(ANALYZE, "--csv", viewer.csv, "--output", scratch, "--no-cache", "--quiet").code == 0
    for path in (scratch / "json").iterdir():
        assert path.read_bytes() == (viewer.reports / "json" / path.name).read_bytes(), path.name


def test_a_day_has_the_same_total_whichever_range_it_is_asked_in(viewer):
    found = load_dataset(viewer.csv)
    days = {group.key[0]: group.measures for group in found.rollup.by("day")}
    assert sum(one.cost_nano for one in days.values()) == found.rollup.total().cost_nano
    dates = sorted(days)
    for first, last in ((0, 0), (3, 5), (0, len(dates) - 1)):
        choice, costs = Choice(*(parse_date(dates[one], "day") for one in (first, last))), {}
        for call in Exporter(load_catalog()).wanted_calls(found, choice):
            day = format_timestamp(call.timestamp_ms)[:10]
            costs[day] = costs.get(day, 0) + call.cost_nano
        assert costs == {day: days[day].cost_nano for day in dates[first:last + 1]}
    asked = ask(viewer.port, "/api/rollup?by=day").document["rows"]
    assert {one["day"]: Decimal(one["cost_usd"]) for one in asked} == {
        day: Decimal(one.cost_nano) / 10 ** 9 for day, one in days.items()}
