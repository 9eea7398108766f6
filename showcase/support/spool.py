"""Completions that wait on the disk for their endpoint: a file each, so that a killed program loses none."""
from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Iterator, List, NamedTuple

from calls.replacing import replace_file
from errors import LogError, explain_os_error
from support.sender import Completion

MOST_FILES = 100_000
REFUSED = ".refused"  # after the name of what no endpoint takes


class Kept(NamedTuple):
    """A completion and the file that holds it."""

    path: Path
    completion: Completion


class Spool:
    """A folder of waiting completions; several programs may share it."""

    def __init__(self, folder: Path) -> None:
        """Make the folder; raises `LogError` when that is impossible."""
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LogError(explain_os_error("make", folder, error)) from error

    def __len__(self) -> int:
        return len(self._files())

    def keep(self, completion: Completion) -> None:
        """Write a completion, on the disk when this returns; raises `LogError` where that is impossible."""
        if len(self) >= MOST_FILES:
            raise LogError(f"{self.folder} holds {MOST_FILES:,} completions already: bring their endpoint back")
        name = hashlib.sha256(str(completion["transactionId"]).encode("utf-8")).hexdigest()[:24]
        # By time, so that they are sent in order; by id, so that a call that is kept twice is one file.
        moment = "".join(letter for letter in str(completion["requestTime"]) if letter.isalnum())
        replace_file(self.folder / f"{moment}-{name}.json", json.dumps(completion).encode("utf-8"))

    def waiting(self) -> Iterator[Kept]:
        """Yield what waits, the oldest call first; what cannot be read is set aside."""
        for name in self._files():
            path = self.folder / name
            try:
                yield Kept(path, json.loads(path.read_text(encoding="utf-8")))
            except ValueError:
                self.set_aside(Kept(path, {}))
            except OSError:
                continue  # another program has sent it meanwhile

    def forget(self, kept: Kept) -> None:
        """Remove what was sent."""
        try:
            kept.path.unlink()
        except FileNotFoundError:
            pass  # another program has sent it too, and the endpoint counted it once

    def set_aside(self, kept: Kept) -> None:
        """Keep what cannot be sent where it no longer waits."""
        kept.path.rename(kept.path.with_name(kept.path.name + REFUSED))

    def _files(self) -> List[str]:
        return sorted(name for name in os.listdir(self.folder) if name.endswith(".json"))
