#!/usr/bin/env python3
"""Run all tests: makes a virtual environment under `.venv/` when needed, with the `test` extra, and calls pytest.

  python3 tests/run.py                     everything, file by file on all processors
  python3 tests/run.py -k shapes -x        whatever pytest understands
  python3 tests/run.py --all-pythons       with every interpreter from 3.7 to 3.13 that is installed
"""
from __future__ import annotations

import functools
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, List

ROOT = Path(__file__).resolve().parent.parent
OLDEST, NEWEST = (3, 7), (3, 13)


def main(arguments: List[str]) -> int:
    """Run pytest under one or all interpreters; returns the first exit code that is not 0."""
    everywhere = "--all-pythons" in arguments
    arguments = [one for one in arguments if one != "--all-pythons"]
    pythons = installed_pythons() if everywhere else [Path(sys.executable)]
    if everywhere:
        print("interpreters:", ", ".join(map(str, pythons)), flush=True)
    whole = not any(Path(one.partition("::")[0]).exists() or one in ("-n", "--pdb", "-k") for one in arguments)
    # One worker more than processors, since tests of servers mostly wait; files in the order of tests/conftest.py.
    side_by_side = ["-n", str((os.cpu_count() or 1) + 1), "--dist", "loadfile"] * whole
    codes = [subprocess.call([str(environment(python)), "-m", "pytest"] + side_by_side + arguments, cwd=str(ROOT),
                             env=surroundings()) for python in pythons]
    return next((code for code in codes if code), 0)


def surroundings() -> Dict[str, str]:
    """Return the environment of the tests, in which Python keeps what it has compiled, as it does by default.

    They start hundreds of processes, which without that would spend half of their time on compiling the same files.
    """
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def environment(python: Path) -> Path:
    """Return the interpreter of an up-to-date virtual environment made from `python`."""
    version = subprocess.check_output(
        [str(python), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], universal_newlines=True).strip()
    folder = ROOT / ".venv" / ("test-" + version)
    inside = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    stamp = folder / "made-from"
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"making {folder.relative_to(ROOT)} ...", file=sys.stderr, flush=True)
        install = [str(inside), "-m", "pip", "install", "-qq", "--disable-pip-version-check", *requirements("test")]
        for command in ([str(python), "-m", "venv", str(folder)], install):
            if subprocess.call(command):
                raise SystemExit(f"cannot make {folder.relative_to(ROOT)}: it takes Python's venv (Debian: apt-get "
                                 "install python3-venv) and a network for pip; tests/test_workflow.py takes neither")
        stamp.write_text(wanted)
    return inside


def requirements(extra: str) -> List[str]:
    """Return an extra's requirements from pyproject.toml (which only Python 3.11 and newer can parse)."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    listed = re.search(r"^%s = \[(.*?)\]" % re.escape(extra), text, re.MULTILINE | re.DOTALL)
    if not listed:
        raise SystemExit(f"pyproject.toml has no extra {extra!r}")
    return re.findall(r'"([^"]+)"', listed.group(1))


@functools.lru_cache(maxsize=None)
def installed_pythons() -> List[Path]:
    """Return one interpreter for each version from 3.7 to 3.13: on the path, or in pyenv's folder."""
    found: Dict[str, Path] = {}
    pyenv = Path(os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv"))) / "versions"
    for minor in range(OLDEST[1], NEWEST[1] + 1):
        name = f"3.{minor}"
        candidates = sorted(pyenv.glob(f"{name}.*/bin/python"))
        on_path = shutil.which(f"python{name}")
        if on_path:
            candidates.append(Path(on_path))
        working = next((one for one in candidates if works(one, name)), None)
        if working:
            found[name] = working
    return list(found.values())


def works(python: Path, version: str) -> bool:
    """Tell whether an interpreter starts and is of a version (a pyenv shim may be neither)."""
    ask = [str(python), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    try:
        return subprocess.check_output(ask, universal_newlines=True, stderr=subprocess.DEVNULL).strip() == version
    except (OSError, subprocess.CalledProcessError):
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
