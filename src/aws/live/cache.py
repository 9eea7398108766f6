"""Answers kept on the disk, so that a second look costs nothing: one file a question, replaced whole.

A file holds the question and its answer, of which bills are made, and no credentials; only its owner may read it.
"""
from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional

from calls.replacing import replace_file
from errors import AwsError, LogError, explain_os_error

FORMAT = 1  # of the files: others are asked for again
ESTIMATED_SECONDS = 8 * 3600.0  # AWS brings new data up to three times a day
FINAL_SECONDS = 30 * 86400.0  # of bills that are closed, which only a late refund changes

Page = Dict[str, Any]


class AnswerCache:
    """A folder of answers. What cannot be read counts as not there; what cannot be written is an `AwsError`."""

    def __init__(self, folder: Path, now: Callable[[], float]) -> None:
        """Remember where; nothing is made before the first answer."""
        self._folder = folder
        self._now = now

    def get(self, question: Mapping[str, Any]) -> Optional[List[Page]]:
        """Return the pages of an answer, or None where there is none, or none that is fresh enough."""
        try:
            kept = json.loads(self._path(question).read_text(encoding="utf-8"))
            age = self._now() - kept["kept_at"]
            fresh = 0 <= age < (FINAL_SECONDS if kept["final"] else ESTIMATED_SECONDS)
            pages: List[Page] = kept["pages"]
            # Written out once more, since a question holds tuples where the file holds lists.
            same = kept["format"] == FORMAT and kept["question"] == json.loads(_canonical(question))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return pages if fresh and same else None

    def keep(self, question: Mapping[str, Any], pages: List[Page], final: bool) -> None:
        """Keep an answer; a final one is of a bill that is closed."""
        text = _canonical({"format": FORMAT, "kept_at": self._now(), "final": final, "question": question,
                           "pages": pages})
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            os.chmod(self._folder, 0o700)  # a bill is nobody else's business
            replace_file(self._path(question), text.encode("utf-8"))
        except LogError as error:
            raise AwsError(str(error)) from error
        except OSError as error:
            raise AwsError(explain_os_error("keep answers in", self._folder, error)) from error

    def _path(self, question: Mapping[str, Any]) -> Path:
        return self._folder / (hashlib.sha256(_canonical(question).encode("utf-8")).hexdigest() + ".json")


def _canonical(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
