"""Lets the viewer's commands find the toolkit in `src/` without an edit of the search path.

A script finds only the modules beside it. The interpreter is therefore started once more, in the same process where
the system can do that, with `src` in PYTHONPATH: by that variable worker processes find it too, and so does a program
that somebody starts from here.
"""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

FOLDERS = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent / "src")]


def find_sources(script: str) -> None:
    """Return where `src` can be imported; start the script again with it where it cannot."""
    known = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if known[:len(FOLDERS)] == FOLDERS and not sys.flags.ignore_environment:
        return
    os.environ["PYTHONPATH"] = os.pathsep.join(FOLDERS + [one for one in known if one])
    command = [sys.executable, script, *sys.argv[1:]]
    if sys.stdout is not None:  # as it is where the command was started with a closed one
        sys.stdout.flush()
    if os.name == "nt":  # where exec leaves the shell behind
        sys.exit(subprocess.call(command))
    os.execv(sys.executable, command)
