"""The command that runs the tests: where no environment can be made, one line says what is missing."""
from __future__ import annotations

import os
import shutil
import sys
import types
from pathlib import Path

import pytest

import run
from conftest import LONG, ROOT, pytest_collection_modifyitems


@pytest.mark.skipif(os.name == "nt", reason="stands in for Python by a shell script")
@pytest.mark.parametrize("failing", ["-m venv", "-m pip"])
def test_an_environment_that_cannot_be_made_is_one_line(monkeypatch, capfd, tmp_path: Path, failing: str) -> None:
    python = tmp_path / "python"
    python.write_text(f"""#!/bin/sh
case "$*" in
    *"{failing}"*) exit 1;;
    *"-m venv"*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python";;
    *) exec {sys.executable} "$@";;
esac
""")
    python.chmod(0o755)
    shutil.copy(str(ROOT / "pyproject.toml"), str(tmp_path))
    monkeypatch.setattr(run, "ROOT", tmp_path)
    with pytest.raises(SystemExit, match="^cannot make .venv/test-3.*python3-venv.*tests/test_workflow.py"):
        run.environment(python)
    assert "Traceback" not in capfd.readouterr().err


def test_the_files_that_are_begun_first_are_there_and_are_begun_first():
    assert [name for name in LONG if not (ROOT / "tests" / name).exists()] == []
    items = [types.SimpleNamespace(nodeid=f"tests/{name}::test_{number}") for name in ("test_a.py", LONG[1], LONG[0])
             for number in (1, 2)]
    pytest_collection_modifyitems(items)
    assert [one.nodeid for one in items] == [
        f"tests/{name}::test_{number}" for name in (LONG[0], LONG[1], "test_a.py") for number in (1, 2)]


def test_what_is_compiled_is_kept_though_this_process_was_told_not_to(monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("KEPT", "x")
    assert run.surroundings() == {name: value for name, value in os.environ.items()
                                  if name != "PYTHONDONTWRITEBYTECODE"}


def test_a_whole_run_is_spread_over_more_workers_than_processors(monkeypatch):
    asked = []
    monkeypatch.setattr(run, "environment", lambda python: python)
    monkeypatch.setattr(run.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(run.subprocess, "call", lambda command, **_: asked.append(command[3:]) or 0)
    assert run.main(["-q"]) == run.main(["tests/test_run.py", "-q"]) == 0
    assert asked == [["-n", "3", "--dist", "loadfile", "-q"], ["tests/test_run.py", "-q"]]
