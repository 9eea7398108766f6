#!/usr/bin/env python3
"""How long pages take: to draw and write all from ready results, and until each is interactive in Chromium, from disk.

python3 benchmarks/reports.py [--csv PATH] [--rounds 7]     (Chromium and the `test` extra for the second part)
"""
from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, List

from measure import ROOT, machine

sys.path.insert(0, str(ROOT / "src"))

from analyzers.base import discover_analyzers  # noqa: E402
from generators.site import Site  # noqa: E402
from rollup.dataset import load_dataset  # noqa: E402

INTERACTIVE = "(() => { const [one] = performance.getEntriesByType('navigation');" \
              " return [one.domInteractive, one.loadEventEnd]; })()"


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--csv", default=str(ROOT / "data" / "simulated_calls.csv"))
    options.add_argument("--rounds", type=int, default=7)
    chosen = options.parse_args()
    print(machine())
    found = discover_analyzers()
    dataset = load_dataset(chosen.csv)
    results = {name: analyzer(dataset=dataset).analyze() for name, analyzer in found.items()}
    print(f"{dataset.rollup.total().calls:,} calls, {len(found)} reports")
    with tempfile.TemporaryDirectory() as folder:
        seconds = [_write(Path(folder) / str(number), found, results) for number in range(chosen.rounds)]
        print(f"all pages, results, index and manifest: first {seconds[0]:.3f} s, median of the others "
              f"{statistics.median(seconds[1:]):.3f} s")
        again = _write(Path(folder) / "0", found, results)
        print(f"the same again, nothing changed: {again:.3f} s")
        pages = sorted((Path(folder) / "0" / "html").glob("*.html"))
        times = _in_chromium(pages, chosen.rounds)
        print(f"{'page':28}{'KB':>8}{'interactive ms':>16}{'loaded ms':>11}")
        for page in pages:
            shown = [f"{statistics.median(one):.0f}" for one in zip(*times[page.name])] if times else ["-", "-"]
            print(f"{page.name:28}{page.stat().st_size / 1000:8.1f}{shown[0]:>16}{shown[1]:>11}")


def _write(folder: Path, found: Dict[str, Any], results: Dict[str, Any]) -> float:
    began = time.perf_counter()
    site = Site(folder, list(found.values()), "2026-01-01T00:00:00.000Z", list(found))
    for name, analyzer in found.items():
        site.write(analyzer, results[name])
    site.finish()
    return time.perf_counter() - began


def _in_chromium(pages: List[Path], rounds: int) -> Dict[str, List[List[float]]]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        print("playwright is not installed: no times in the browser (run with the interpreter of .venv/test-*)")
        return {}
    times: Dict[str, List[List[float]]] = {page.name: [] for page in pages}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for _ in range(rounds):
            for page in pages:
                tab = browser.new_context(offline=True).new_page()
                tab.goto(page.as_uri(), wait_until="load")
                tab.wait_for_timeout(50)
                times[page.name].append(tab.evaluate(INTERACTIVE))
                tab.context.close()
        browser.close()
    return times


if __name__ == "__main__":
    main()
