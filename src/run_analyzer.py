#!/usr/bin/env python3
"""Run one analyser over a call log: its results as JSON, and its page."""
from __future__ import annotations

import stopping  # noqa: F401 (before all others, so that a signal finds its answer while they are imported)

# isort: split
import sys
from typing import Sequence

from analyzers.base import discover_analyzers
from config import load_settings
from console import run_command
from discovery import choose
from run_all_analyzers import make_options, run_analyzers

EXAMPLE = """example:
  run_analyzer.py understanding --csv calls.csv
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns its exit code."""
    settings, found = load_settings(), discover_analyzers()
    options = make_options(settings, found, __doc__, EXAMPLE)
    options.add_argument("id", metavar="ID", help="the analyser to run")
    chosen = options.parse_args(arguments)
    return run_analyzers(list(choose(found, chosen.id, "analyser").values()), chosen, settings)


if __name__ == "__main__":
    sys.exit(run_command(main))
