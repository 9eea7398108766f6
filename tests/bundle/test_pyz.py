"""The toolkit in one file: built from the checkout, and run in an empty folder by the oldest and the current Python."""
from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Dict

import pytest

from conftest import EVERYTHING, ROOT, Ran, run
from run import installed_pythons
from viewer.viewers import Running, ask, children_of, until_gone

OLDEST = [str(one) for one in installed_pythons()[:1] if sys.version_info[:2] > (3, 7)]


@pytest.fixture(scope="module")
def pyz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the archive, made as the README says."""
    path = tmp_path_factory.mktemp("made") / "finops.pyz"
    made = run(ROOT / "bundle" / "make_pyz.py", "--output", path)
    assert made.code == 0 and str(path) in made.out, made.err
    return path


def environment(folder: Path) -> Dict[str, str]:
    """Return an environment with an empty home and none of our settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FINOPS_", "PYTHON", "XDG_"))}
    return {**kept, "HOME": str(folder / "home"), "LOCALAPPDATA": ""}


def started(pyz: Path, folder: Path, *arguments: object, python: str = sys.executable) -> Ran:
    """Run the archive in a folder."""
    done = subprocess.run([python, str(pyz), *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          universal_newlines=True, timeout=120, cwd=str(folder), env=environment(folder))
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("python", [sys.executable] + OLDEST * EVERYTHING)
def test_it_simulates_analyses_exports_imports_and_serves_in_the_current_folder(pyz, tmp_path, python) -> None:
    assert started(pyz, tmp_path, "simulate", 0.2, "--days", 20, "-q", python=python).code == 0
    assert (tmp_path / "data" / "simulated_calls.csv").stat().st_size == pytest.approx(200_000, rel=0.02)
    analysed = started(pyz, tmp_path, "analyze", "-q", "--json", "--workers", 2, python=python)
    assert analysed.code == 0 and not [one for one in json.loads(analysed.out)["analyzers"] if one["error"]]
    assert "<svg" in (tmp_path / "reports" / "html" / "understanding.html").read_text(encoding="utf-8")
    assert started(pyz, tmp_path, "export", "--to", "csv", "--output", "all.csv", python=python).code == 0
    imported = started(pyz, tmp_path, "import", "all.csv", "--json", "-q", python=python)
    assert json.loads(imported.out)["path"] == str(tmp_path / "data" / "imported_calls.csv")
    assert "net" in started(pyz, tmp_path, "aws", "--no-reports", python=python).out
    with Running(tmp_path, "--simulate", "0.4", python=python, serve=pyz, command="serve",
                 env=environment(tmp_path)) as viewer:
        viewer.until_fresh()  # by a worker and simulators that are processes of their own
        viewer.until(lambda status: status["csv"]["complete"] and status["jobs"][0]["state"] == "complete")
        assert viewer.csv.stat().st_size == pytest.approx(400_000, rel=0.05)
        for path in ("/", "/static/viewer.js", "/static/report.css", "/reports/html/index.html", "/api/openapi.json"):
            assert ask(viewer.port, path).status == 200, path
        processes = children_of(viewer.process.pid)
        assert viewer.end(signal.SIGTERM) == 0
        until_gone(processes)


@pytest.mark.parametrize("python", OLDEST)
def test_the_oldest_python_runs_it(pyz, tmp_path, python) -> None:
    assert started(pyz, tmp_path, "simulate", 0.05, "--days", 5, "-q", python=python).code == 0
    analysed = started(pyz, tmp_path, "analyze", "--only", "understanding", "-q", python=python)
    assert analysed.code == 0 and (tmp_path / "reports" / "html" / "understanding.html").exists(), analysed.err


def test_it_holds_the_toolkit_and_nothing_else(pyz) -> None:
    names = set(zipfile.ZipFile(str(pyz)).namelist())
    wanted = {path.relative_to(ROOT).as_posix() for folder in ("src", "viewer") for path in (ROOT / folder).rglob("*")
              if path.is_file() and "__pycache__" not in path.parts}
    assert {name for name in names if not name.endswith("/")} == wanted | {"__main__.py", "LICENSE"}


def test_help_and_mistakes_name_the_archive_and_its_commands(pyz, tmp_path) -> None:
    said = started(pyz, tmp_path, "--help")
    assert said.code == 0 and "finops.pyz COMMAND" in said.out and "simulate" in said.out
    assert "usage: finops.pyz analyze" in started(pyz, tmp_path, "analyze", "--help").out
    wrong = started(pyz, tmp_path, "frobnicate")
    assert (wrong.code, wrong.out) == (2, "") and wrong.err.startswith("error: 'frobnicate' is no command; there are:")
    option = started(pyz, tmp_path, "simulate", "--frobnicate")
    assert option.code == 2 and option.err.endswith(": see finops.pyz simulate --help\n")


def test_an_unpacked_copy_that_lost_a_file_is_replaced(pyz, tmp_path) -> None:
    assert started(pyz, tmp_path, "simulate", "--list").code == 0
    [folder] = (tmp_path / "home" / ".cache" / "finops").iterdir()
    (folder / "src" / "catalog" / "market.json").unlink()
    (folder / "src" / "config.py").write_text("")
    assert started(pyz, tmp_path, "simulate", "--list").code == 0
    assert (folder / "src" / "catalog" / "market.json").exists()
    assert list(folder.parent.iterdir()) == [folder]  # and nothing half unpacked is left


@pytest.mark.skipif(os.name == "nt", reason="rights of folders are those of POSIX systems")
def test_the_unpacked_copy_belongs_to_its_owner_alone(pyz, tmp_path) -> None:
    assert started(pyz, tmp_path, "simulate", "--list").code == 0
    [folder] = (tmp_path / "home" / ".cache" / "finops").iterdir()
    assert folder.stat().st_mode & 0o077 == 0


def test_where_nothing_can_be_unpacked_one_line_says_what_to_do(pyz, tmp_path) -> None:
    (tmp_path / "home").write_text("a file where the home should be")
    ran = started(pyz, tmp_path, "simulate", "--list")
    assert (ran.code, ran.out) == (1, "") and ran.err.count("\n") == 1 and "XDG_CACHE_HOME" in ran.err


def test_some_started_at_once_unpack_one_copy(pyz, tmp_path) -> None:
    both = [subprocess.Popen([sys.executable, str(pyz), "simulate", "--list"], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, cwd=str(tmp_path), env=environment(tmp_path)) for _ in range(4)]
    ended = [(one.communicate(timeout=60)[1], one.returncode) for one in both]
    assert ended == [(b"", 0)] * 4
    assert len(list((tmp_path / "home" / ".cache" / "finops").iterdir())) == 1


def test_a_clean_copy_of_the_checkout_is_all_that_is_needed(tmp_path) -> None:
    for name in ("bundle", "src", "viewer"):
        shutil.copytree(str(ROOT / name), str(tmp_path / name), ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(str(ROOT / "LICENSE"), str(tmp_path))
    assert run(tmp_path / "bundle" / "make_pyz.py").code == 0
    assert (tmp_path / "build" / "finops.pyz").exists()
