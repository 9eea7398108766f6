#!/usr/bin/env python3
"""Meter a nightly job in batches: collect calls, send them when there are enough or the oldest has waited enough.

    python3 showcase/instrumentation/revenium_batch.py

The job uses its provider's batch interface at half the price, so its calls say `pricingTier: BATCH` and are priced so.
"""
from __future__ import annotations

import runpy
import sys
import time
from pathlib import Path
from typing import Callable, List, Sequence

if __name__ == "__main__":  # a script finds only the modules beside it: begin again with the toolkit in reach
    runpy.run_path(str(Path(__file__).resolve().parents[2] / "viewer" / "bootstrap.py"))["find_sources"](__file__)

from console import run_command
from instrumentation.revenium_basic import completion_of
from metadata.builder import ReveniumMetadataBuilder
from support.assistant import Assistant
from support.practice import metered
from support.sender import Completion, Sender

MOST, SECONDS = 25, 5.0  # completions of a batch, and how long the oldest of them waits


class Batcher:
    """Collects completions and sends them together, over the one connection of its sender; for one thread."""

    def __init__(self, sender: Sender, most: int = MOST, seconds: float = SECONDS,
                 clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with an empty batch; `clock` returns seconds."""
        self._sender, self._most, self._seconds, self._clock = sender, most, seconds, clock
        self._batch: List[Completion] = []
        self._since = 0.0
        self.batches: List[int] = []

    def add(self, completion: Completion) -> None:
        """Take a completion, and send the batch when it is due; raises `SendError`."""
        if not self._batch:
            self._since = self._clock()
        self._batch.append(completion)
        if len(self._batch) >= self._most or self._clock() - self._since >= self._seconds:
            self.flush()

    def flush(self) -> None:
        """Send the batch; raises `SendError`, and what was not taken then stays for the next time."""
        taken = 0
        try:
            for completion in self._batch:
                self._sender.send(completion)
                taken += 1
        finally:
            self._batch = self._batch[taken:]
            if taken:
                self.batches.append(taken)


def main(arguments: Sequence[str]) -> int:
    """Classify 60 documents and meter them."""
    owner = (ReveniumMetadataBuilder().organization("Acme, Inc.").product("archive").customer("nightly-job")
             .feature("classification").environment("production").build())
    assistant = Assistant("openai", "gpt-4.1-mini")
    with metered(arguments, __doc__) as where:
        batcher = Batcher(where.sender)
        for number in range(60):
            answer = assistant.ask(f"Which department does document {number:03d} belong to? " * 20)
            batcher.add(completion_of(answer, owner, pricingTier="BATCH"))
        batcher.flush()  # the last ones are no whole batch
    sizes = " + ".join(map(str, batcher.batches))
    print(f"{where.endpoint.address} took {sum(batcher.batches)} calls in {len(batcher.batches)} batches ({sizes})")
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
