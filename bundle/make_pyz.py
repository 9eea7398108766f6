#!/usr/bin/env python3
"""Make `finops.pyz`, the whole toolkit in one file that runs wherever Python is: `python3 bundle/make_pyz.py`."""
from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import zipapp
from pathlib import Path
from typing import List

BUNDLE = Path(__file__).resolve().parent
ROOT = BUNDLE.parent
FOLDERS = ("src", "viewer")
FILES = ("LICENSE",)
NOT_PACKED = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")
INTERPRETER = "/usr/bin/env python3"


def main(arguments: List[str]) -> int:
    """Make the archive; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", metavar="PATH", default=str(ROOT / "build" / "finops.pyz"),
                        help="the file to write (default build/finops.pyz)")
    output = Path(parser.parse_args(arguments).output)
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "finops"
        shutil.copytree(str(BUNDLE / "pyz"), str(whole), ignore=NOT_PACKED)
        for name in FOLDERS:
            shutil.copytree(str(ROOT / name), str(whole / name), ignore=NOT_PACKED)
        for name in FILES:
            shutil.copy(str(ROOT / name), str(whole / name))
        zipapp.create_archive(whole, output, INTERPRETER, compressed=True)
    print(f"{output} ({output.stat().st_size:,} bytes)")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
