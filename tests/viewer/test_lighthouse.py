"""Lighthouse over the viewer's page and its reports: 100 for accessibility, best practices and search engines.

Its performance score depends on the machine and is measured in `benchmarks/`.
"""
from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from test_chartjs import copy  # noqa: F401 (a fixture)
from viewers import Running, write_log

from browser.browsing import FLAGS, HERE, MODULES, need
from conftest import thoroughly

PAGES = ("", "reports/html/index.html", "reports/html/understanding.html", "reports/html/churn_growth.html")
JUDGED = ("accessibility", "best-practices", "seo")


@thoroughly
def test_lighthouse_finds_nothing_to_better(copy: Path, tmp_path: Path) -> None:  # noqa: F811
    need((MODULES / "lighthouse").exists(), "the npm package lighthouse")
    (tmp_path / "data").mkdir()
    write_log(tmp_path / "data" / "calls.csv", 2000)
    chromium = shutil.which("chromium")
    need(chromium, "Chromium")
    found = {}
    with Running(tmp_path) as viewer:
        viewer.until_fresh()
        for page in PAGES:
            done = subprocess.run(
                ["npx", "--no-install", "lighthouse", f"http://127.0.0.1:{viewer.port}/{page}", "--quiet",
                 "--preset=desktop", f"--only-categories={','.join(JUDGED)}",
                 f"--chrome-flags=--headless=new {' '.join(FLAGS)}",
                 "--output=json", "--output-path=stdout"],
                cwd=str(HERE), env=dict(os.environ, CHROME_PATH=str(chromium)), stdout=subprocess.PIPE, timeout=180)
            report = json.loads(done.stdout)
            found.update({(page, one): (report["categories"][one]["score"], [
                name for name, audit in report["audits"].items() if audit["score"] == 0
                and name in [each["id"] for each in report["categories"][one]["auditRefs"]]]) for one in JUDGED})
    assert {key: value for key, value in found.items() if value[0] != 1} == {}
