"""Telling a story into a log: slice by slice, to its size, with its truth, going on where a run was cut short."""
from __future__ import annotations

import os
import time
from typing import Callable, Dict, NamedTuple, Union

from calls.log_writer import LogWriter
from config import Settings
from simulator.crew import Ensemble, Soloist, Told
from simulator.plan import Plan
from simulator.sizing import LAG, SizeControl
from simulator.spec import StorySpec
from simulator.story import Story
from simulator.truth import TruthFile

SAVE_SECONDS = 1.0  # how often the truth file notes how far a run came
BYTES_FOR_WORKERS = 100_000_000  # below, starting workers takes longer than they save


class Progress(NamedTuple):
    """How far a run came: bytes in the log and wanted, rows written by this run."""

    bytes: int
    target_bytes: int
    rows: int


class Summary(NamedTuple):
    """What a run wrote; `complete` is False when it was asked to stop early."""

    bytes: int
    rows: Dict[str, int]
    complete: bool
    resumed: bool
    set_aside_bytes: int


def tell_story(plan: Plan, settings: Settings, report: Callable[[Progress], bool]) -> Summary:
    """Write a planned story to its log and its truth beside it, and return what was written.

    `report` is called after each slice and returns False to end there, on a whole line.
    Raises `LogError` when the log or the truth cannot be written.
    """
    story = Story(plan.spec, settings)
    truth = TruthFile(plan.path, story, plan.earlier)
    if plan.unfinished:
        truth.restore(plan.unfinished)
    with LogWriter(plan.path, fresh=plan.fresh, wait_seconds=settings.lock_wait_seconds) as writer:
        truth.save(complete=False)
        complete = _Teller(story, truth, writer, report).tell(_worker_count(plan.spec, settings))
        writer.sync()
        truth.save(complete)
        return Summary(writer.size, truth.rows, complete, bool(plan.unfinished), writer.set_aside)


class _Teller:
    """The loop: slices in order, as soon as the size control can order them, the truth kept up to date."""

    def __init__(self, story: Story, truth: TruthFile, writer: LogWriter,
                 report: Callable[[Progress], bool]) -> None:
        self._story = story
        self._truth = truth
        self._writer = writer
        self._report = report
        self._position = story.spec.begin_bytes + sum(truth.sizes)
        self._saved_at = time.monotonic()
        self._rows = 0
        weights, self._shares = story.plan()
        self._control = SizeControl(story.spec.target_bytes - story.spec.begin_bytes, weights)
        self._number = len(weights)

    def tell(self, workers: int) -> bool:
        """Tell all slices that the truth does not hold yet; False when stopped early."""
        asked = ended = len(self._truth.sizes)
        for number, size in enumerate(self._truth.sizes):
            self._control.order(number)
            self._control.record(size)
        with self._crew(workers) as crew:
            while ended < self._number:
                while asked < self._number and self._control.known(asked) <= ended and asked - ended < crew.most:
                    crew.ask(asked, self._control.order(asked))
                    asked += 1
                self._count(crew.finish(self._position))
                ended += 1
                if not self._report(Progress(self._writer.size, self._story.spec.target_bytes, self._rows)):
                    break
        return ended == self._number

    def _crew(self, workers: int) -> Union[Soloist, Ensemble]:
        if workers == 1:
            return Soloist(self._story, self._shares, self._writer)
        return Ensemble(self._story, self._shares, self._writer, workers)

    def _count(self, told: Told) -> None:
        self._control.record(told.bytes)
        self._truth.finish_slice(told)
        self._position += told.bytes
        self._rows += sum(told.rows.values())
        if time.monotonic() - self._saved_at > SAVE_SECONDS:
            self._truth.save(complete=False)
            self._saved_at = time.monotonic()


def _worker_count(spec: StorySpec, settings: Settings) -> int:
    if settings.workers:
        return min(LAG, settings.workers)
    small = spec.target_bytes - spec.begin_bytes < BYTES_FOR_WORKERS
    return 1 if small else min(LAG, os.cpu_count() or 1)
