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

TESTS = Path(__file__).resolve().parent.parent
ROOT = TESTS.parent
FOLDER = ROOT / "specs" / "pictures"
PICTURES = (("index", "light"), ("understanding", "light"), ("profitability", "dark"), ("geographic_latency", "light"),
            ("optimization", "dark"))
WIDE, HIGH = 1280, 860
COLOURS = 160  # of the palette; keeps a picture below 100 KB


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
        photograph(reports / "html")
    return 0


def photograph(pages: Path) -> None:
    """Save a picture of the top of each page."""
    from PIL import Image
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
            picture = Image.open(io.BytesIO(page.screenshot())).convert("P", palette=Image.ADAPTIVE, colors=COLOURS)
            picture.save(FOLDER / f"{name}.png", optimize=True)
            print(f"{FOLDER.relative_to(ROOT)}/{name}.png")
            context.close()
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
