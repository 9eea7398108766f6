"""Ctrl-C and SIGTERM: one line and the shell's exit code, from the first import of a command to its end."""
from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading

import pytest

import stopping
from conftest import ROOT, run

pytestmark = pytest.mark.skipif(os.name == "nt", reason="what is sent here are POSIX signals")
SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]

# Python imports `sitecustomize` before a script: this one sends a signal when a module is about to be imported.
SENDS_ITSELF_A_SIGNAL = """
import os, sys

class Sender:
    def find_spec(self, name, path=None, target=None):
        if name == os.environ["SENT_AT"]:
            os.kill(os.getpid(), int(os.environ["SENT"]))

sys.meta_path.insert(0, Sender())
"""


@pytest.mark.parametrize("number, code", SIGNALS)
@pytest.mark.parametrize("script, imported", [
    ("run_all_simulators.py", "argparse"), ("run_all_simulators.py", "simulator.story"),
    ("run_all_analyzers.py", "argparse"), ("run_all_analyzers.py", "analyzers.base"),
    ("run_analyzer.py", "analyzers.base"), ("run_analyzer.py", "discovery"),
    ("import_calls.py", "argparse"), ("import_calls.py", "importers.base")])
def test_a_signal_while_a_command_is_still_being_imported_is_one_line(tmp_path, script, imported, number, code):
    (tmp_path / "sitecustomize.py").write_text(SENDS_ITSELF_A_SIGNAL)
    env = dict(os.environ, PYTHONPATH=str(tmp_path), SENT_AT=imported, SENT=str(int(number)))
    done = subprocess.run([sys.executable, str(ROOT / "src" / script), "--list"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, universal_newlines=True, env=env)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "stopped\n")


@pytest.mark.parametrize("script", sorted(one.name for pattern in ("run_*.py", "*port_calls.py")
                                          for one in (ROOT / "src").glob(pattern)))
def test_every_command_imports_the_answer_to_signals_first(script):
    lines = (ROOT / "src" / script).read_text(encoding="utf-8").splitlines()
    imports = [line for line in lines if line.startswith(("import ", "from "))]
    assert imports[0] == "from __future__ import annotations" and imports[1].startswith("import stopping")


def _child(source, **options):
    program = "import os, signal, sys\nfrom console import run_command\n" + textwrap.dedent(source)
    return subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          universal_newlines=True, env=dict(os.environ, PYTHONPATH=str(ROOT / "src")), **options)


@pytest.mark.parametrize("number, code", SIGNALS)
def test_a_signal_while_a_command_runs_is_one_line_and_lets_it_clean_up(number, code):
    done = _child(f"""
        def command(arguments):
            try:
                os.kill(os.getpid(), {int(number)})
                print("went on")
            finally:
                print("cleaned up")
        sys.exit(run_command(command))
    """)
    assert (done.returncode, done.stdout, done.stderr) == (code, "cleaned up\n", "stopped\n")


def test_a_command_that_was_told_to_ignore_a_signal_goes_on():
    """As `nohup` and a shell's background jobs tell it."""
    done = _child("""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        def command(arguments):
            os.kill(os.getpid(), signal.SIGINT)
            return 5
        sys.exit(run_command(command))
    """)
    assert (done.returncode, done.stderr) == (5, "")


def test_a_process_that_a_command_started_ends_at_sigterm_without_a_word():
    done = _child("""
        import multiprocessing, time
        def command(arguments):
            children = [multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,)) for _ in range(20)]
            for child in children:
                child.start()
                child.terminate()  # at once: before its interpreter is ready
            for child in children:
                child.join()
            return sum(child.exitcode == -signal.SIGTERM for child in children)
        sys.exit(run_command(command))
    """, timeout=50)
    assert (done.returncode, done.stderr) == (20, "")


@pytest.mark.parametrize("number", [number for number, _ in SIGNALS])
def test_a_signal_that_is_postponed_comes_when_the_block_ends(number):
    caught = []
    before = signal.signal(number, lambda number, frame: caught.append(number))
    try:
        with stopping.postponed():
            signal.pthread_kill(threading.get_ident(), number)  # to this thread: another one holds nothing back
            assert caught == []
        assert caught == [number]
    finally:
        signal.signal(number, before)


def test_importing_it_elsewhere_than_in_a_command_changes_nothing():
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler


@pytest.mark.parametrize("number, code", SIGNALS)
def test_a_signal_just_when_the_simulator_starts_its_writer_still_stops_it(tmp_path, number, code):
    (tmp_path / "sitecustomize.py").write_text(f"""
import os
sent = []
os.register_at_fork(before=lambda: sent or sent.append(os.kill(os.getpid(), {int(number)})))
""")
    env, path = dict(os.environ, PYTHONPATH=str(tmp_path)), tmp_path / "calls.csv"
    done = run(ROOT / "src" / "run_all_simulators.py", 20, "--output", path, "--workers", 1, "--quiet", env=env)
    assert (done.code, done.err) == (code, "") and done.out.startswith("Stopped early: wrote ")
    assert path.stat().st_size < 10_000_000
