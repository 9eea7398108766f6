"""The command that runs the tests: where no environment can be made, one line says what is missing."""
from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

import run
from conftest import ROOT


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
