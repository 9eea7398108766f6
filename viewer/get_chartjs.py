#!/usr/bin/env python3
"""Get the copy of Chart.js 4.4.1 that the viewer serves, so that reports have interactive charts without a network."""
from __future__ import annotations

import argparse
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Sequence

from bootstrap import find_sources

TIMEOUT_SECONDS = 30.0
MOST_BYTES = 1_000_000


def main(arguments: Sequence[str]) -> int:
    """Fetch or copy the file, check it, and keep it; returns the exit code."""
    from calls.replacing import replace_file
    from chartjs import ADDRESS, KEPT_AT, is_genuine
    from console import Options
    from errors import FinOpsError
    parser = Options(prog="get_chartjs.py", description=__doc__)
    parser.add_argument("--from", dest="source", metavar="PATH",
                        help="take this file (dist/chart.umd.js of the package chart.js 4.4.1) instead of the network")
    parser.add_argument("--verbose", action="store_true", help="show where an error came from")
    given: argparse.Namespace = parser.parse_args(arguments)
    content = _read(Path(given.source)) if given.source else _fetch(ADDRESS)
    if not is_genuine(content):
        raise FinOpsError(f"{given.source or ADDRESS} is not the published chart.umd.js of Chart.js 4.4.1 (its "
                          "checksum differs): nothing was kept")
    KEPT_AT.parent.mkdir(parents=True, exist_ok=True)
    replace_file(KEPT_AT, content)
    print(f"kept {KEPT_AT} ({len(content):,} bytes): start the viewer again to serve it")
    return 0


def _read(path: Path) -> bytes:
    from errors import FinOpsError, explain_os_error
    try:
        return path.read_bytes()
    except OSError as error:
        raise FinOpsError(explain_os_error("read", path, error)) from error


def _fetch(address: str) -> bytes:
    from errors import FinOpsError
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_SECONDS) as answer:
            content: bytes = answer.read(MOST_BYTES)
            return content
    except (urllib.error.URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise FinOpsError(f"cannot reach {address} ({reason}): reports work without it; on a machine with a network "
                          "get the file, and give it with --from PATH") from error


if __name__ == "__main__":
    find_sources(__file__)
    from console import run_command
    sys.exit(run_command(main))
