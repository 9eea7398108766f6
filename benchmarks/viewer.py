#!/usr/bin/env python3
"""The viewer under load, against loopback alone: polling while a log grows, growth to page, idle processor, memory.

With options such as `--mb 20 --rows 50000 --seconds 10 --soak 20` it is a quick look; without, it takes ten minutes.
"""
from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

from measure import ROOT, machine

CLIENTS = 100
TICKS = os.sysconf("SC_CLK_TCK")
ROUNDS = 5  # of growth to page


class Viewer:
    """A viewer in a process of its own, over a folder."""

    def __init__(self, folder: Path, *options: str) -> None:
        """Start it and wait for its address."""
        self.csv, self.log = folder / "data" / "calls.csv", folder / "viewer.log"
        self.csv.parent.mkdir(exist_ok=True)
        with open(self.log, "a", encoding="utf-8") as errors:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "viewer" / "serve.py"), "--port", "0", "--csv", str(self.csv),
                 "--reports", str(folder / "reports"), *options], stdout=subprocess.PIPE, stderr=errors, text=True)
        assert self.process.stdout
        self.port = int(re.findall(r":(\d+)/", self.process.stdout.readline())[0])

    def status(self) -> Dict[str, Any]:
        """Return the status."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", "/api/status")
        found: Dict[str, Any] = json.loads(connection.getresponse().read())
        connection.close()
        return found

    def until(self, fits: Callable[[Dict[str, Any]], Any], every: float = 0.02) -> float:
        """Poll until the status fits; returns the monotonic time of that."""
        while not fits(self.status()):
            time.sleep(every)
        return time.monotonic()

    def processes(self) -> List[int]:
        """Return the server and the newest worker."""
        return [self.process.pid, int(re.findall(r"worker started pid=(\d+)", self.log.read_text())[-1])]

    def end(self) -> float:
        """End it; returns the seconds that took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)
        return time.monotonic() - began


def is_fresh(status: Dict[str, Any]) -> bool:
    """Tell whether all reports tell of the log as it is."""
    return bool(status["reports"]) and all(one["exists"] and not one["stale"] for one in status["reports"])


def poll(port: int, seconds: float) -> Dict[str, Any]:
    """Let so many clients poll the status once a second each, with keep-alive and ETag; returns what they met."""
    waits: List[float] = []
    failed: List[str] = []
    threads = [threading.Thread(target=_client, args=(port, number, seconds, waits, failed))
               for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cuts = statistics.quantiles(waits, n=100)
    return {"requests": len(waits), "failed": len(failed), "p50_ms": round(cuts[49] * 1000, 1),
            "p99_ms": round(cuts[98] * 1000, 1), "worst_ms": round(max(waits) * 1000, 1)}


def _client(port: int, number: int, seconds: float, waits: List[float], failed: List[str]) -> None:
    time.sleep(number / CLIENTS)
    connection, etag = HTTPConnection("127.0.0.1", port, timeout=30), ""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        try:
            connection.request("GET", "/api/status", headers={"If-None-Match": etag} if etag else {})
            answer = connection.getresponse()
            answer.read()
            etag = answer.getheader("ETag") or etag
            if answer.status not in (200, 304):
                failed.append(str(answer.status))
        except OSError as error:
            failed.append(repr(error))
            connection.close()
        waits.append(time.monotonic() - began)
        time.sleep(max(0.0, began + 1.0 - time.monotonic()))
    connection.close()


def outside(port: int, path: str, seconds: int) -> Optional[str]:
    """Let wrk ask as fast as it can, over as many connections; None where wrk is not installed."""
    wrk = shutil.which("wrk")
    if not wrk:
        return None
    out = subprocess.run([wrk, "-t1", f"-c{CLIENTS}", f"-d{seconds}s", "--latency", f"http://127.0.0.1:{port}{path}"],
                         stdout=subprocess.PIPE, text=True, check=True).stdout
    found = re.findall(r"(?:50%|99%)\s+(\S+)|Requests/sec:\s+(\S+)|(Socket errors.*|Non-2xx.*)", out)
    return " ".join(next(filter(None, one)) for one in found)


def used(pids: List[int]) -> float:
    """Return the processor seconds that processes used so far."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(one[11]) + int(one[12]) for one in fields) / TICKS


def resident(pids: List[int]) -> List[float]:
    """Return the resident memory of each process in MiB."""
    pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids]
    return [one * os.sysconf("SC_PAGE_SIZE") / 2 ** 20 for one in pages]


def growing(folder: Path, megabytes: float, seconds: float) -> Dict[str, Any]:
    """Poll while simulators write a log and its reports follow."""
    viewer = Viewer(folder, "--simulate", str(megabytes))
    began = time.monotonic()
    first = viewer.until(lambda status: any(one["exists"] for one in status["reports"])) - began
    every = viewer.until(lambda status: all(one["exists"] for one in status["reports"])) - began
    found = poll(viewer.port, seconds)
    status = viewer.status()
    found.update(first_report_s=round(first, 1), all_reports_s=round(every, 1), rounds=status["regeneration"]["rounds"],
                 log_mb_at_end=status["csv"]["size_mb"], wrk=outside(viewer.port, "/api/status", 5),
                 end_s=round(viewer.end(), 2))
    return found


def growth_to_page(folder: Path, rows: int) -> Dict[str, Any]:
    """Append one percent to a log again and again, and take the time until all pages tell of it; then idle."""
    (folder / "data").mkdir()
    subprocess.run([sys.executable, str(ROOT / "src" / "run_all_simulators.py"), f"{rows * 182e-6:.1f}", "--output",
                    str(folder / "data" / "calls.csv"), "--quiet"], check=True, stdout=subprocess.DEVNULL)
    viewer = Viewer(folder)
    viewer.until(is_fresh, 0.2)
    lines = viewer.csv.read_text(encoding="utf-8").splitlines(keepends=True)
    waits, number, share = [], 0, len(lines) // 100
    for _ in range(ROUNDS):
        time.sleep(4)
        more = []
        for line in lines[-share:]:
            number += 1
            more.append(f"more-{number:09d}," + line.partition(",")[2])
        with open(viewer.csv, "a", encoding="utf-8") as handle:
            handle.write("".join(more))
        written = time.monotonic()
        waits.append(viewer.until(_tells(viewer.csv.stat().st_size)) - written)
    time.sleep(5)
    pids = viewer.processes()
    before, began = used(pids), time.monotonic()
    time.sleep(20)
    idle = (used(pids) - before) / (time.monotonic() - began)
    viewer.end()
    return {"rows": len(lines) - 1, "appended": share, "seconds": [round(one, 2) for one in waits],
            "median_s": round(statistics.median(waits), 2), "idle_cpu_percent": round(100 * idle, 2)}


def _tells(size: int) -> Callable[[Dict[str, Any]], bool]:
    return lambda status: status["regeneration"]["counted_bytes"] == size and is_fresh(status)


def soak(folder: Path, seconds: float) -> Dict[str, Any]:
    """Append a little again and again while clients poll; returns the memory of server and worker along the way."""
    viewer = Viewer(folder, "--simulate", "5")
    viewer.until(lambda status: status["csv"]["complete"] and is_fresh(status), 0.2)
    lines = viewer.csv.read_text(encoding="utf-8").splitlines(keepends=True)[1:2001]
    polling = threading.Thread(target=poll, args=(viewer.port, seconds))
    polling.start()
    pids, memory, number, end = viewer.processes(), [], 0, time.monotonic() + seconds
    while time.monotonic() < end:
        with open(viewer.csv, "a", encoding="utf-8") as handle:
            for line in lines[:100]:
                number += 1
                handle.write(f"soak-{number:09d}," + line.partition(",")[2])
        memory.append(resident(pids))
        time.sleep(1.0)
    polling.join()
    quarter = max(1, len(memory) // 4)
    parts = (memory[quarter:2 * quarter], memory[-quarter:])
    means = [[round(statistics.mean(one[which] for one in part), 1) for part in parts] for which in (0, 1)]
    rounds = viewer.status()["regeneration"]["rounds"]
    viewer.end()
    return {"seconds": seconds, "rows_added": number, "rounds": rounds, "server_mib_second_and_last_quarter": means[0],
            "worker_mib_second_and_last_quarter": means[1]}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mb", type=float, default=500.0, help="size of the log that grows while it is polled")
    parser.add_argument("--rows", type=int, default=2_000_000, help="rows before one percent is appended")
    parser.add_argument("--seconds", type=float, default=60.0, help="of polling")
    parser.add_argument("--soak", type=float, default=180.0, help="seconds of the memory test")
    given = parser.parse_args()
    print(machine(), f"load {os.getloadavg()[0]:.1f}")
    for name, measured in (("polling while a log grows", lambda folder: growing(folder, given.mb, given.seconds)),
                           ("growth to page", lambda folder: growth_to_page(folder, given.rows)),
                           ("soak", lambda folder: soak(folder, given.soak))):
        with tempfile.TemporaryDirectory() as folder:
            print(name, json.dumps(measured(Path(folder)), indent=1), flush=True)


if __name__ == "__main__":
    main()
