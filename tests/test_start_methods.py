"""Where processes cannot be forked (Windows, and by choice macOS) every command does the same with spawned ones."""
from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

import bootstrap
from calls import replacing
from conftest import ROOT, run
from viewer.viewers import Running, ask, write_log

# Python imports `sitecustomize` before a script, and in each process that it spawns.
WITHOUT_FORK = """
import multiprocessing, os
multiprocessing.set_start_method("spawn", force=True)
multiprocessing.get_all_start_methods = lambda: ["spawn"]
for name in ("fork", "forkpty", "register_at_fork"):
    if hasattr(os, name):
        delattr(os, name)
"""
COUNT = """
import sys
import rollup.scan as scan
from rollup.dataset import load_dataset
if __name__ == "__main__":
    alone = load_dataset(sys.argv[1], 1, use_checkpoint=False)
    scan.RANGE_BYTES = 10_000
    together = load_dataset(sys.argv[1], 3, use_checkpoint=False)
    print(alone.rollup.canonical() == together.rollup.canonical(), together.rollup.total().calls)
"""
STORY = ("--days", 5, "--customers", 40, "--start", "2026-01-01", "--quiet")


@pytest.fixture
def spawning(tmp_path):
    """Return an environment in which nothing can be forked."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(WITHOUT_FORK)
    return dict(os.environ, PYTHONPATH=os.pathsep.join([str(tmp_path / "site"), str(ROOT / "src")]))


@pytest.mark.parametrize("workers", [1, 2])
def test_spawned_simulators_write_the_same_bytes(tmp_path, spawning, workers):
    forked, spawned = tmp_path / "forked.csv", tmp_path / "spawned.csv"
    assert run(ROOT / "src" / "run_all_simulators.py", 0.5, *STORY, "--output", forked).code == 0
    ran = run(ROOT / "src" / "run_all_simulators.py", 0.5, *STORY, "--output", spawned, "--workers", workers,
              env=spawning)
    assert (ran.code, ran.err) == (0, "")
    assert spawned.read_bytes() == forked.read_bytes()


def test_spawned_counters_and_analysers_without_helpers_give_the_same_results(tmp_path, spawning):
    log = write_log(tmp_path / "calls.csv", 3000)
    script = tmp_path / "count.py"
    script.write_text(COUNT)
    done = subprocess.run([sys.executable, str(script), str(log)], env=spawning, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, universal_newlines=True, timeout=120)
    assert done.stdout == "True 3000\n"
    results = []
    for name, env in (("forked", None), ("spawned", spawning)):
        ran = run(ROOT / "src" / "run_all_analyzers.py", "--csv", log, "--output", tmp_path / name, "--workers", 3,
                  "--quiet", env=env)
        assert (ran.code, ran.err) == (0, "")
        results.append({path.name: path.read_bytes() for path in (tmp_path / name / "json").iterdir()})
    assert results[0] == results[1] and len(results[0]) == 13


def test_a_viewer_that_cannot_fork_simulates_serves_and_ends(tmp_path, spawning):
    env = {"FINOPS_DAYS": "5", "PYTHONPATH": spawning["PYTHONPATH"]}
    with Running(tmp_path, "--simulate", "0.3", env=env) as viewer:
        viewer.until(lambda status: status["jobs"] and status["jobs"][0]["state"] == "complete")
        viewer.until_fresh()
        assert ask(viewer.port, "/reports/html/index.html").status == 200
        assert viewer.end() == 0
        assert "Traceback" not in viewer.errors.read_text()


BINARY = ('"rb"', '"wb"', '"xb"', '"ab"', "r+b", "webbrowser", "os.open", "def ")


def test_every_text_file_names_its_encoding_so_that_windows_reads_what_linux_wrote():
    bare = []
    for path in [*(ROOT / "src").rglob("*.py"), *(ROOT / "viewer").rglob("*.py")]:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            opens = any(word in line for word in (" open(", "=open(", ".read_text(", ".write_text("))
            if opens and "encoding" not in line and not any(mode in line for mode in BINARY):
                bare.append(f"{path.name}:{number}: {line.strip()}")
    assert bare == []


def test_on_windows_the_viewer_starts_itself_again_and_gives_on_its_exit_code(monkeypatch):
    """There exec would leave the shell behind."""
    started, script = [], str(ROOT / "viewer" / "serve.py")
    monkeypatch.setattr(bootstrap, "os", SimpleNamespace(environ={"PYTHONPATH": "mine"}, pathsep=";", name="nt"))
    monkeypatch.setattr(bootstrap.subprocess, "call", lambda command: started.append(command) or 3)
    monkeypatch.setattr(sys, "argv", ["serve.py", "--port", "0"])
    with pytest.raises(SystemExit) as ended:
        bootstrap.find_sources(script)
    assert ended.value.code == 3 and started == [[sys.executable, script, "--port", "0"]]
    assert bootstrap.os.environ["PYTHONPATH"] == ";".join([*bootstrap.rooms_of(script), "mine"])
    bootstrap.find_sources(script)  # where it is found, nothing is started
    assert len(started) == 1


def test_on_windows_a_folder_is_not_opened_to_be_synced(monkeypatch, tmp_path):
    monkeypatch.setattr(replacing, "os", SimpleNamespace(name="nt"))
    replacing.sync_folder(tmp_path / "none")
