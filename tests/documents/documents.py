"""The documents as tests see them: their code blocks, and a scratch copy of the toolkit to try them in."""
from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple

from conftest import ROOT

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COPIED = ("src", "viewer", "showcase", "tests", "bundle", "specs", "pyproject.toml", "LICENSE")
SECONDS = 120  # for one command
NOT_COPIED = shutil.ignore_patterns("node_modules", "pictures", ".*_cache")


class Block(NamedTuple):
    """A code block: its language, its text, the paragraph before it, and the line that it begins at."""

    language: str
    text: str
    before: str
    line: int


def blocks(path: Path) -> Iterator[Block]:
    """Yield the code blocks of a document."""
    text = path.read_text(encoding="utf-8")
    for found in BLOCK.finditer(text):
        before = text[:found.start()].rstrip("\n").rpartition("\n\n")[2]
        yield Block(found.group(1), found.group(2), before, text.count("\n", 0, found.start()) + 1)


def commands(block: Block) -> List[str]:
    """Return the commands of a shell block, comments taken off and continued lines joined."""
    lines = block.text.replace("\\\n", " ").splitlines()
    bare = [re.sub(r"(^|\s+)#.*", "", line).strip() for line in lines]
    return [re.sub(r"\s+", " ", line) for line in bare if line]


def obey(command: str, folder: Path, environment: Dict[str, str], place: str) -> None:
    """Run a command as it stands; one that fails is told with its place in the documents."""
    done = subprocess.run(["bash", "-c", command], cwd=str(folder), env=environment, timeout=SECONDS,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    assert done.returncode == 0, f"{place}: {command}\n{done.stdout}"


def reader_environment(**more: str) -> Dict[str, str]:
    """Return an environment where python3 is this interpreter, and with none of our settings but those given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FINOPS_", "PYTHON"))}
    return {**kept, "PATH": str(Path(sys.executable).parent) + os.pathsep + kept["PATH"], **more}


def scratch_copy(folder: Path) -> Path:
    """Copy what a clone holds, with the environments of this checkout, so that none is made anew."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(str(source), str(folder / name), ignore=NOT_COPIED)
        else:
            shutil.copy(str(source), str(folder / name))
    (folder / "data").mkdir()
    if (ROOT / ".venv").exists():
        (folder / ".venv").symlink_to(ROOT / ".venv", target_is_directory=True)
    return folder
