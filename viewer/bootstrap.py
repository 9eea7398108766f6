"""Lets commands outside `src/` find the toolkit without an edit of the search path.

A script finds only the modules beside it. The interpreter is therefore started once more, in the same process where
the system can do that, with the rooms that the script may use in PYTHONPATH: by that variable worker processes find
them too, and so does a program that somebody starts from here.
"""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import List

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("showcase", "viewer", "src")  # each may use those behind it


def find_sources(script: str) -> None:
    """Return where the toolkit can be imported; start the script again with it where it cannot."""
    folders = rooms_of(script)
    known = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if known[:len(folders)] == folders and not sys.flags.ignore_environment:
        return
    os.environ["PYTHONPATH"] = os.pathsep.join(folders + [one for one in known if one])
    command = [sys.executable, script, *sys.argv[1:]]
    if sys.stdout is not None:  # as it is where the command was started with a closed one
        sys.stdout.flush()
    if os.name == "nt":  # where exec leaves the shell behind
        sys.exit(subprocess.call(command))
    os.execv(sys.executable, command)


def rooms_of(script: str) -> List[str]:
    """Return the folders that a script of this project may import from: its own room's, and those behind it."""
    room = Path(script).resolve().relative_to(ROOT).parts[0]
    return [str(ROOT / one) for one in ROOMS[ROOMS.index(room):]]
