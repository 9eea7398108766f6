"""Files of one bill under several names: equal ones are found by their content, others by the rows they share.

A bill may come in any number of files, so that two files of one month are no copies as such. Those that AWS delivered
are told apart by its manifests; these looks are for files that somebody put into a folder.
"""
from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections import Counter, defaultdict
from typing import Counter as Counts, DefaultDict, Dict, List, Sequence, Set, Tuple

from aws.charges import Amounts, Charge
from errors import AwsError, explain_os_error

SKETCH = 512  # fingerprints of rows that are kept of a file's month: its lowest, so that of two files they are the same
COMMON = 0.5  # of the rows of the smaller file's month: with so many in common, two files hold one bill
LEAST_COMMON = 10  # rows: a few equal ones may be charges that came twice
_GZIP = b"\x1f\x8b"
_PIECE = 1 << 20


class Sketch:
    """A sample of a file's rows by month, which takes little memory and is the same for the same rows in any order."""

    def __init__(self) -> None:
        """Begin without any."""
        self.lowest: DefaultDict[str, Set[int]] = defaultdict(set)
        self._limits: Dict[str, int] = {}

    def mark(self, charge: Charge) -> int:
        """Return what stands for all that rows of a sort share; bills that are not final may become so."""
        return zlib.crc32(repr(charge._replace(estimated=False)).encode("utf-8", "replace"))

    def add(self, mark: int, moment: str, amounts: Amounts) -> None:
        """Add a row of a sort: `moment` is its start as the file writes it, to the hour where it is told."""
        value = zlib.crc32(f"{moment} {amounts.unblended} {amounts.usage}".encode(), mark)
        month = moment[:7]
        if value > self._limits.get(month, value):
            return
        kept = self.lowest[month]
        kept.add(value)
        if len(kept) >= 2 * SKETCH:
            self.lowest[month] = set(sorted(kept)[:SKETCH])
            self._limits[month] = max(self.lowest[month])

    def common(self, other: "Sketch", month: str) -> Tuple[int, float]:
        """Return how many fingerprints of a month two files share, and the part of the smaller one's they are."""
        limit = min(one._limits.get(month, 1 << 32) for one in (self, other))
        here, there = ({value for value in one.lowest[month] if value <= limit} for one in (self, other))
        shared = len(here & there)
        return shared, shared / max(1, min(len(here), len(there)))


def without_copies(paths: Sequence[str]) -> Tuple[List[str], List[str]]:
    """Return files without those whose content another one has, and a sentence on each; `AwsError` for unreadable ones.

    Only files of equal size are read for it.
    """
    sizes: DefaultDict[int, List[str]] = defaultdict(list)
    for path in paths:
        sizes[_size(path)].append(path)
    notes: List[str] = []
    left: Set[str] = set()
    for same in sizes.values():
        first: Dict[bytes, str] = {}
        for path in same if len(same) > 1 else ():
            original = first.setdefault(_digest(path), path)
            if original != path:
                left.add(path)
                notes.append(f"{os.path.basename(path)} left out: {os.path.basename(original)} holds the same.")
    return [path for path in paths if path not in left], notes


def check_copies(sketches: Dict[str, Sketch]) -> None:
    """Refuse files, by path, that hold the rows of a month twice: an `AwsError` names both."""
    holders: DefaultDict[Tuple[str, int], List[str]] = defaultdict(list)
    for path, sketch in sketches.items():
        for month, values in sketch.lowest.items():
            for value in values:
                holders[month, value].append(path)
    pairs: Counts[Tuple[str, str, str]] = Counter(
        (month, one, other) for (month, _), paths in holders.items()
        for place, one in enumerate(paths) for other in paths[place + 1:])
    for (month, one, other), count in sorted(pairs.items()):
        if count < LEAST_COMMON:
            continue
        shared, share = sketches[one].common(sketches[other], month)
        if shared >= LEAST_COMMON and share >= COMMON:
            raise AwsError(f"{os.path.basename(one)} and {os.path.basename(other)} in {os.path.dirname(one)} have "
                           f"{share:.0%} of the rows of {month} in common: the bill would count twice; give one of "
                           "them")


def _size(path: str) -> int:
    """Return how long a file's content is; of a zipped one, what its end says."""
    try:
        with open(path, "rb") as handle:
            zipped = handle.read(2) == _GZIP
            length = handle.seek(0, os.SEEK_END)
            if not zipped or length < 4:
                return length
            handle.seek(-4, os.SEEK_END)
            return int.from_bytes(handle.read(4), "little")
    except OSError as error:
        raise AwsError(explain_os_error("read", path, error)) from error


def _digest(path: str) -> bytes:
    """Return what stands for a file's content; a damaged file's own stands for no other, since reading will tell."""
    found = hashlib.sha256()
    try:
        with open(path, "rb") as raw:
            zipped = raw.read(2) == _GZIP
            raw.seek(0)
            with gzip.GzipFile(fileobj=raw) if zipped else raw as handle:
                for piece in iter(lambda: handle.read(_PIECE), b""):
                    found.update(piece)
    except (EOFError, zlib.error, OSError):
        return path.encode("utf-8", "surrogateescape")
    return found.digest()
