#!/usr/bin/env python3
"""Does it work here? Simulate, analyse and integrate, in seconds and with nothing but Python: `test_workflow.py`.

The one test file that runs without pytest, so that a newcomer can run it before anything is installed.
"""
from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import Any, Dict, List
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "tests" / "samples" / "azure2023_conv.csv"
COMPLETION = {
    "transactionId": "workflow-1", "model": "gpt-4o-mini", "provider": "OPENAI", "inputTokenCount": 812,
    "outputTokenCount": 164, "totalTokenCount": 976, "requestTime": "2026-01-05T09:00:00Z", "requestDuration": 1480,
    "responseTime": "2026-01-05T09:00:01.480Z", "completionStartTime": "2026-01-05T09:00:00.500Z", "stopReason": "END",
    "isStreamed": False, "costType": "AI", "operationType": "CHAT", "subscriber": {"id": "acme"}}


class Workflow(unittest.TestCase):
    """Each step as a user takes it, by the command line."""

    folder: Path

    @classmethod
    def setUpClass(cls) -> None:
        """Make a folder, and a log of a megabyte in it."""
        cls.holder = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.holder.name)
        cls.log = cls.folder / "calls.csv"
        cls.command("src/run_all_simulators.py", 1, "--days", 30, "--start", "2026-01-01", "--output", cls.log, "-q")

    @classmethod
    def tearDownClass(cls) -> None:
        """Take the folder away."""
        cls.holder.cleanup()

    @classmethod
    def command(cls, script: str, *arguments: object) -> str:
        """Run a command of the toolkit, which must succeed; returns its output."""
        done = subprocess.run([sys.executable, str(ROOT / script), *map(str, arguments)], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, universal_newlines=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def rows(self, path: Path) -> List[Dict[str, str]]:
        """Return the rows of a log."""
        with open(str(path), newline="", encoding="utf-8") as handle:
            return list(csv.DictReader(handle))

    def test_the_simulator_makes_calls(self) -> None:
        """A log of its size with 19 fields, and the truth beside it."""
        rows = self.rows(self.log)
        self.assertGreater(len(rows), 4000)
        self.assertEqual(len(rows[0]), 19)
        self.assertLess(abs(self.log.stat().st_size - 1_000_000), 20_000)
        self.assertTrue(self.log.with_suffix(".truth.json").exists())

    def test_the_analysers_read_them(self) -> None:
        """Every analyser has a result and a page, and all agree on the number of calls."""
        said = json.loads(self.command("src/run_all_analyzers.py", "--csv", self.log, "--output",
                                       self.folder / "reports", "--json", "-q"))
        self.assertEqual([one["error"] for one in said["analyzers"]], [""] * len(said["analyzers"]))
        self.assertGreaterEqual(len(said["analyzers"]), 13)
        for one in said["analyzers"]:
            results = json.loads(Path(one["result"]).read_text(encoding="utf-8"))
            self.assertEqual(results["summary"]["total_calls"], len(self.rows(self.log)))
            self.assertIn("</html>", Path(one["page"]).read_text(encoding="utf-8"))

    def test_other_tools_calls_come_in_and_calls_go_out(self) -> None:
        """A public trace becomes a log with costs, and a log becomes FOCUS."""
        imported, focus = self.folder / "imported.csv", self.folder / "focus.csv"
        self.command("src/import_calls.py", SAMPLE, "--provider", "azure", "--model", "gpt-4o", "--output", imported,
                     "-q")
        self.assertGreater(sum(float(row["cost_usd"]) > 0 for row in self.rows(imported)), 10_000)
        self.command("src/export_calls.py", "--csv", self.log, "--to", "focus-1.2", "--output", focus)
        self.assertEqual(sum(int(row["x_CallCount"]) for row in self.rows(focus)), len(self.rows(self.log)))

    def test_a_program_sends_its_calls_to_the_viewer(self) -> None:
        """A call that was answered is in the log, and soon in the counts."""
        log = self.folder / "metered.csv"
        viewer = subprocess.Popen(
            [sys.executable, str(ROOT / "viewer" / "serve.py"), "--metering", "--port", "0", "--csv", str(log),
             "--reports", str(self.folder / "live")], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            universal_newlines=True, env={**os.environ, "FINOPS_VIEWER_TOKEN": "", "FINOPS_METERING_TOKEN": ""})
        try:
            assert viewer.stdout
            address = viewer.stdout.readline().split()[1].rstrip("/")
            self.assertEqual(fetch(address + "/meter/v2/ai/completions", COMPLETION)["id"], "workflow-1")
            self.assertEqual([row["call_id"] for row in self.rows(log)], ["workflow-1"])
            end = time.monotonic() + 30
            while fetch(address + "/api/status")["regeneration"]["calls"] != 1:
                self.assertLess(time.monotonic(), end, "the call is not in the counts")
                time.sleep(0.1)
        finally:
            viewer.send_signal(signal.SIGTERM)
            self.assertEqual(viewer.wait(timeout=20), 0)
            viewer.stdout.close()


def fetch(address: str, body: Any = None) -> Any:
    """Ask for JSON, or send some."""
    data = None if body is None else json.dumps(body).encode("utf-8")
    with urlopen(Request(address, data, {"Content-Type": "application/json"}), timeout=20) as answer:
        return json.load(answer)


if __name__ == "__main__":
    unittest.main()
