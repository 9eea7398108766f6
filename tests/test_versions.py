from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from conftest import EVERYTHING, ROOT, run, simulate
from run import installed_pythons

ALL = installed_pythons()
PYTHONS = ALL if EVERYTHING else sorted({*ALL[:1], *ALL[-1:]})  # .ci/run tries those between, too


@pytest.fixture(scope="module")
def expected(tmp_path_factory) -> tuple:
    return produced("python3", tmp_path_factory.mktemp("expected"))


def produced(python: str, folder: Path) -> tuple:
    """Simulate and analyse with an interpreter; returns digests of the log and of all results."""
    log, reports = folder / "calls.csv", folder / "reports"
    simulated = run(ROOT / "src" / "run_all_simulators.py", 1, "--seed", 3, "--start", "2026-01-01", "--output", log,
                    "--quiet", python=python)
    analysed = run(ROOT / "src" / "run_all_analyzers.py", "--csv", log, "--output", reports, "--quiet", python=python)
    assert (simulated.code, analysed.code) == (0, 0), simulated.err + analysed.err
    files = [log, *sorted((reports / "json").iterdir())]
    return tuple((path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in files)


@pytest.mark.parametrize("python", PYTHONS, ids=[str(one) for one in PYTHONS])
def test_every_installed_python_gives_the_same_log_and_the_same_results(python: Path, expected, tmp_path) -> None:
    assert produced(str(python), tmp_path) == expected


def test_the_log_does_not_depend_on_where_it_is_written(tmp_path) -> None:
    for name in ("a", "b"):
        simulate(tmp_path / name / "calls.csv", 0.5, "--start", "2026-01-01")
    assert (tmp_path / "a" / "calls.csv").read_bytes() == (tmp_path / "b" / "calls.csv").read_bytes()


IMPORT_ALL = """
import importlib, os, sys
folders = sys.argv[1:]
sys.path[:0] = folders
names = sorted(os.path.splitext(os.path.relpath(os.path.join(where, name), folder))[0].replace(os.sep, ".")
               for folder in folders for where, _, found in os.walk(folder) for name in found if name.endswith(".py"))
for name in names:
    importlib.import_module(name[:-len(".__init__")] if name.endswith(".__init__") else name)
files = [getattr(module, "__file__", None) or "" for module in sys.modules.values()]
strangers = [file for file in files if "site-packages" in file]
print(len(names) > 100, sys.flags.no_site, sys.flags.isolated, strangers)
"""


@pytest.mark.parametrize("python", PYTHONS, ids=[str(one) for one in PYTHONS])
def test_every_installed_python_imports_every_module_with_nothing_but_its_standard_library(python: Path) -> None:
    done = subprocess.run([str(python), "-I", "-S", "-B", "-W", "error", "-c", IMPORT_ALL, str(ROOT / "src"),
                           str(ROOT / "viewer")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True, timeout=120)
    assert done.stdout == "True 1 1 []\n"
