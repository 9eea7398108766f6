#!/usr/bin/env python3
"""Meter without making anybody wait: hand a call over in microseconds, and let a thread of its own send it.

    python3 showcase/instrumentation/revenium_async.py

Fire and forget: neither a slow endpoint nor a dead one is ever felt by the program's own users. The queue is bounded;
what does not fit, or cannot be sent, goes to the spool on the disk, so that forgetting is not losing.
"""
from __future__ import annotations

import asyncio
import queue
import runpy
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import List, Optional, Sequence

if __name__ == "__main__":  # a script finds only the modules beside it: begin again with the toolkit in reach
    runpy.run_path(str(Path(__file__).resolve().parents[2] / "viewer" / "bootstrap.py"))["find_sources"](__file__)

from console import run_command
from errors import FinOpsError
from instrumentation.revenium_basic import completion_of
from metadata.builder import ReveniumMetadataBuilder
from metadata.tagger import current, tagged
from support.assistant import Assistant
from support.delivery import SENT, Delivery
from support.practice import metered
from support.sender import Completion
from support.spool import Spool

MOST_WAITING = 1000  # completions between the program and the sending thread


class BackgroundMeter:
    """Takes completions from any thread or task, and delivers them from one of its own; use as a context manager."""

    def __init__(self, delivery: Delivery, most: int = MOST_WAITING) -> None:
        """Begin with nothing to send."""
        self._delivery = delivery
        self._waiting: "queue.Queue[Optional[Completion]]" = queue.Queue(most)
        self._thread = threading.Thread(target=self._run, name="metering", daemon=True)
        self.sent = self.spooled = 0
        self.faults: List[str] = []

    def submit(self, completion: Completion) -> None:
        """Hand a completion over and return at once; where too many wait, it goes to the spool."""
        try:
            self._waiting.put_nowait(completion)
        except queue.Full:
            self._delivery.spool.keep(completion)

    def __enter__(self) -> BackgroundMeter:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        """Send what waits, then end: a program that just exits would take its last calls with it."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        for completion in iter(self._waiting.get, None):
            try:
                is_sent = self._delivery.deliver(completion) == SENT
            except FinOpsError as error:  # a call that no endpoint takes, or a full disk: told, never raised at users
                self.faults.append(str(error))
            else:
                self.sent, self.spooled = self.sent + is_sent, self.spooled + (not is_sent)


async def answer_customer(meter: BackgroundMeter, assistant: Assistant, customer: str, prompt: str) -> None:
    """Serve one request of a web application: ask the model, meter, and return the answer."""
    with tagged(organization="Acme, Inc.", product="helpdesk", customer=customer, feature="chat"):
        answer = assistant.ask(prompt)
        await asyncio.sleep(0)  # other requests are served meanwhile, each with its own tags
        owner = ReveniumMetadataBuilder(current()).environment("production").build()
        meter.submit(completion_of(answer, owner))


async def serve(meter: BackgroundMeter, requests: int) -> float:
    """Serve many requests at once and return the seconds that it took."""
    began, assistant = time.perf_counter(), Assistant()
    await asyncio.gather(*(answer_customer(meter, assistant, f"cust_{number % 7:04d}", "Where is my order? " * 3)
                           for number in range(requests)))
    return time.perf_counter() - began


def main(arguments: Sequence[str]) -> int:
    """Serve 50 requests, then wait for the metering to finish."""
    with metered(arguments, __doc__) as where, tempfile.TemporaryDirectory() as folder:
        with BackgroundMeter(Delivery(where.sender, Spool(Path(folder) / "spool"))) as meter:
            seconds = asyncio.run(serve(meter, 50))
            print(f"served 50 requests in {seconds * 1000:.0f} ms, and then")
        print(f"{where.endpoint.address} took {meter.sent} calls; {meter.spooled} wait, "
              f"{len(meter.faults)} were refused")
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
