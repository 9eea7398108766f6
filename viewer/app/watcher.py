"""Watching the log: what stands there now, how fast it grows, and when its pages are due.

Nothing is read but what was appended (to count lines), and times are of the monotonic clock: a clock that is set back
stops nothing.
"""
from __future__ import annotations

import os
import stat
from collections import deque
from pathlib import Path
from typing import Any, Deque, Dict, NamedTuple, Optional, Tuple

from config import Settings
from errors import LogError
from simulator.truth import read_runs, truth_path

GROWING, SETTLED = "growing", "settled"
MEGABYTE = 1_000_000
RATE_SECONDS = 5.0  # over which rows a second are taken
TRUTH_SECONDS = 1.0  # between two looks at the simulators' note of their target while the log grows
LINE_BYTES = 32 << 20  # of lines counted at one tick: a long log takes some ticks, and none of them long
_BLOCK_BYTES = 1 << 20
_LONGEST_REST = 5.0


class Identity(NamedTuple):
    """What tells one state of a file from another. `changed_ns` cannot be set back by who edits the file."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int

    def is_same_file(self, other: Identity) -> bool:
        """Tell whether two states are of one file."""
        return self[:2] == other[:2]


def identify(path: Path) -> Tuple[Optional[Identity], str]:
    """Return the state of a file, and why there is none: empty when nothing stands there."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None, ""
    except OSError as error:
        return None, f"cannot be looked at: {(error.strerror or str(error)).lower()}"
    if not stat.S_ISREG(status.st_mode):
        return None, "is no file: name a call log with --csv"
    return Identity(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns), ""


class RefreshRule:
    """Decides when pages are due: when growth begins, on enough of it, after some time, and at once when it stops.

    After a round it rests as long as the round took (at most 5 s), so that a log that never stops growing leaves half
    of the processor to others.
    """

    def __init__(self, settings: Settings) -> None:
        """Begin with nothing seen and nothing done."""
        self._bytes = settings.refresh_mb * MEGABYTE
        self._seconds = settings.refresh_seconds
        self._quiet = settings.quiet_seconds
        self._seen: Optional[Identity] = None
        self._done: Optional[Identity] = None
        self._is_settled = self._has_looked = False
        self._changed_at = self._since = self._rest_until = float("-inf")

    def see(self, now: float, identity: Optional[Identity]) -> None:
        """Take notice of what stands there now."""
        if identity != self._seen:
            if self._seen == self._done:
                self._since = now
            # What stands there at the first look is not growth.
            self._changed_at = now if self._has_looked else self._changed_at
            self._seen = identity
        self._has_looked = True

    def is_quiet(self, now: float) -> bool:
        """Tell whether the log has stopped changing."""
        return now - self._changed_at >= self._quiet

    def due(self, now: float) -> str:
        """Return `growing` or `settled` when pages are due, else nothing."""
        if self._seen is None or (self._seen == self._done and self._is_settled):
            return ""
        if self.is_quiet(now):
            return SETTLED
        if self._done is None:
            return GROWING
        if self._seen == self._done or now < self._rest_until:
            return ""
        grown = self._seen.size - self._done.size if self._seen.is_same_file(self._done) else -1
        # Whoever adds a few calls to a log at rest sees them at once; of a stream the first calls tell little more.
        is_beginning = self._is_settled
        return GROWING if is_beginning or not 0 <= grown < self._bytes or now - self._since >= self._seconds else ""

    def begin(self, settled: bool) -> None:
        """Note that a round begins with what was seen last."""
        self._done, self._is_settled = self._seen, settled

    def end(self, now: float, seconds: float) -> None:
        """Note that a round ended, and how long it took."""
        self._since = now
        self._rest_until = now + min(seconds, _LONGEST_REST)

    def again(self) -> None:
        """Forget what was done: the next look makes pages due."""
        self._done, self._is_settled = None, False


class LineCount:
    """Counts the lines of a growing file by reading what was appended."""

    def __init__(self) -> None:
        """Begin with nothing read."""
        self._file: Optional[Identity] = None
        self._offset = self._lines = 0

    def advance(self, path: Path, now: Identity) -> None:
        """Read on, up to a bound; a file that was replaced or cut is begun again."""
        if self._file is None or not now.is_same_file(self._file) or now.size < self._offset:
            self._offset = self._lines = 0
        self._file = now
        try:
            with open(path, "rb") as handle:
                handle.seek(self._offset)
                for _ in range(LINE_BYTES // _BLOCK_BYTES):
                    block = handle.read(min(_BLOCK_BYTES, now.size - self._offset))
                    if not block:
                        return
                    self._offset += len(block)
                    self._lines += block.count(b"\n")
        except OSError:
            pass  # it went away meanwhile; the next tick sees that

    def correct(self, consumed: int, lines: int) -> None:
        """Take over what a count found: that many lines, the header among them, end at a byte."""
        if self._file is not None and consumed <= self._file.size:
            self._offset, self._lines = consumed, lines

    @property
    def rows(self) -> Optional[int]:
        """Return the lines behind the header; None until the file is read to its end."""
        if self._file is None or self._offset < self._file.size:
            return None
        return max(0, self._lines - 1)


class Watcher:
    """Looks at the log now and then and describes it."""

    def __init__(self, path: Path, settings: Settings) -> None:
        """Look at nothing yet."""
        self._settings = settings
        self.watch(path)

    def watch(self, path: Path) -> None:
        """Watch another file from now on."""
        self.path = path
        self.rule = RefreshRule(self._settings)
        self.identity: Optional[Identity] = None
        self._problem = ""
        self._lines = LineCount()
        self._samples: Deque[Tuple[float, int, int]] = deque()
        self._truth: Tuple[Optional[int], bool] = (None, False)
        self._truth_identity: Optional[Identity] = None
        self._ticked = self._truth_at = float("-inf")
        self._now = 0.0

    def tick(self, now: float) -> None:
        """Look at the log, unless that was done a moment ago; `now` is a monotonic time."""
        if now - self._ticked < self._settings.watch_seconds:
            return
        self._ticked = self._now = now
        self.identity, self._problem = identify(self.path)
        self.rule.see(now, self.identity)
        if self.identity:
            self._lines.advance(self.path, self.identity)
        # A log that stopped growing is judged by its last note: a short run is over before the next look is due.
        if now - self._truth_at >= TRUTH_SECONDS or self.rule.is_quiet(now):
            self._truth_at = now
            self._read_truth()
        self._sample(now)

    def counted(self, consumed: int, lines: int) -> None:
        """Take over what the worker counted: lines behind the header up to a byte."""
        self._lines.correct(consumed, lines + 1)

    @property
    def progress_percent(self) -> Optional[float]:
        """Return how much of its target the log holds; None where no target is known."""
        target, complete = self._truth
        if target is None or self.identity is None:
            return None
        return 100.0 if complete else round(min(99.9, 100 * self.identity.size / target), 1)

    def describe(self) -> Dict[str, Any]:
        """Return the log as plain data, the status' `csv`."""
        size = self.identity.size if self.identity else None
        target, complete = self._truth
        byte_rate, row_rate = self._rates()
        left = None if target is None or size is None else max(0, target - size)
        return {
            "path": self.path.name, "exists": size is not None, "problem": self._problem or None,
            "size_mb": None if size is None else round(size / MEGABYTE, 3),
            "target_mb": None if target is None else round(target / MEGABYTE, 3),
            "progress_pct": self.progress_percent, "line_count": self._lines.rows if self.identity else None,
            "rows_per_second": row_rate,
            "eta_seconds": round(left / byte_rate) if left and byte_rate and not complete else None,
            "growing": not self.rule.is_quiet(self._now) and size is not None,
            "complete": size is not None and (complete if target is not None else self.rule.is_quiet(self._now))}

    def _read_truth(self) -> None:
        """Read the size that the simulators aim at, and whether they reached it, where they left a note."""
        identity, _ = identify(truth_path(self.path))
        if identity == self._truth_identity:
            return
        self._truth_identity, self._truth = identity, (None, False)
        try:
            run = read_runs(self.path)[-1]
            self._truth = int(run["spec"]["target_bytes"]) or None, bool(run["complete"])
        except (LogError, LookupError, TypeError, ValueError):
            pass  # no simulated log

    def _sample(self, now: float) -> None:
        rows = self._lines.rows
        if self.identity is None or rows is None:
            self._samples.clear()
            return
        if self._samples and self.identity.size < self._samples[-1][1]:
            self._samples.clear()
        self._samples.append((now, self.identity.size, rows))
        while len(self._samples) > 2 and self._samples[0][0] < now - RATE_SECONDS:
            self._samples.popleft()

    def _rates(self) -> Tuple[float, Optional[int]]:
        """Return bytes and rows a second over the last seconds; the rows are unknown while nothing is known yet."""
        if len(self._samples) < 2:
            return 0.0, 0 if self._samples else None
        (begin, size, rows), (end, last_size, last_rows) = self._samples[0], self._samples[-1]
        if last_size == size:
            return 0.0, 0
        return (last_size - size) / (end - begin), max(0, round((last_rows - rows) / (end - begin)))
