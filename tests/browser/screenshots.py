#!/usr/bin/env python3
"""Make the pictures of the README from a fresh simulated log: `python3 tests/browser/screenshots.py`.

Needs Chromium and the `test` extra (`tests/run.py` makes that environment); draws what is in this checkout.
"""
from __future__ import annotations

import importlib.util
import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Callable

TESTS = Path(__file__).resolve().parent.parent
ROOT = TESTS.parent
FOLDER = ROOT / "specs" / "pictures"
PICTURES = (("index", "light"), ("understanding", "light"), ("profitability", "dark"), ("geographic_latency", "light"),
            ("optimization", "dark"))
WIDE, HIGH = 1280, 860
COLOURS = 160  # of the palette; keeps a picture below 100 KB
MORE_MB = 300  # that the log grows to, while the live page is pictured
ASK = "async () => (await fetch('/api/status')).json()"
GROW = """async size => fetch("/api/run-simulators", {
  method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({size, append: true})})"""


def main() -> int:
    """Simulate, analyse, and photograph; returns the exit code."""
    if importlib.util.find_spec("playwright") is None:
        sys.path.insert(0, str(TESTS))
        import run
        return subprocess.call([str(run.environment(Path(sys.executable))), __file__])
    with tempfile.TemporaryDirectory() as folder:
        log, reports = Path(folder) / "simulated_calls.csv", Path(folder) / "reports"
        source = ROOT / "src"
        for command in (["run_all_simulators.py", "20", "--seed", "1", "--start", "2026-01-01", "--output", str(log)],
                        ["run_all_analyzers.py", "--csv", str(log), "--output", str(reports)]):
            subprocess.check_call([sys.executable, str(source / command[0]), *command[1:], "--quiet"])
        photograph(reports / "html", log)
    return 0


def photograph(pages: Path, log: Path) -> None:
    """Save a picture of the top of each page, and of the live page while a log grows."""
    from playwright.sync_api import sync_playwright
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"),
                                             args=["--no-sandbox", "--disable-gpu"])
        for name, theme in PICTURES:
            context = browser.new_context(viewport={"width": WIDE, "height": HIGH}, color_scheme=theme, offline=True,
                                          reduced_motion="reduce")
            page = context.new_page()
            page.goto((pages / f"{name}.html").as_uri())
            save(page, name)
            context.close()
        live(browser, log)
        browser.close()


def live(browser: Any, log: Path) -> None:
    """Start the viewer, let the log grow, and save a picture when half of that is there."""
    viewer = subprocess.Popen(
        [sys.executable, str(ROOT / "viewer" / "serve.py"), "--port", "0", "--csv", str(log), "--reports",
         str(log.parent / "reports")], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, universal_newlines=True)
    try:
        page = browser.new_page(viewport={"width": WIDE, "height": HIGH}, reduced_motion="reduce")
        address = viewer.stdout.readline().split()[1]
        page.goto(address)
        wait(page, lambda status: status["regeneration"]["rounds"] and status["regeneration"]["state"] == "idle")
        page.evaluate(GROW, MORE_MB)
        wait(page, lambda status: (status["csv"]["progress_pct"] or 0) > 40 and status["csv"]["eta_seconds"]
             and status["csv"]["line_count"])
        page.goto(address)
        page.wait_for_timeout(1500)  # the page asks once a second
        save(page, "live")
    finally:
        viewer.terminate()
        viewer.communicate()


def wait(page: Any, fits: Callable[[Any], Any]) -> None:
    """Ask for the status until it fits."""
    while not fits(page.evaluate(ASK)):
        page.wait_for_timeout(50)


def save(page: Any, name: str) -> None:
    """Save what the page shows with few colours."""
    from PIL import Image
    picture = Image.open(io.BytesIO(page.screenshot())).convert("P", palette=Image.ADAPTIVE, colors=COLOURS)
    picture.save(FOLDER / f"{name}.png", optimize=True)
    print(f"{FOLDER.relative_to(ROOT)}/{name}.png")


if __name__ == "__main__":
    sys.exit(main())
