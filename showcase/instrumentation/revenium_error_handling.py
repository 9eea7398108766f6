#!/usr/bin/env python3
"""Meter through an outage: try again, stop asking a dead endpoint, keep calls on the disk, send them when it is back.

    python3 showcase/instrumentation/revenium_error_handling.py

The example meters while nobody listens, so that all of it can be seen at work: pauses that grow, the circuit breaker
that opens, calls in the spool. Then it sends the spool to the endpoint that is there, twice, and each call counts once.
"""
from __future__ import annotations

import runpy
import socket
import sys
import tempfile
from pathlib import Path
from typing import List, Sequence

if __name__ == "__main__":  # a script finds only the modules beside it: begin again with the toolkit in reach
    runpy.run_path(str(Path(__file__).resolve().parents[2] / "viewer" / "bootstrap.py"))["find_sources"](__file__)

from console import run_command
from instrumentation.revenium_basic import completion_of
from metadata.builder import ReveniumMetadataBuilder
from support.assistant import Assistant
from support.delivery import Backoff, CircuitBreaker, Delivery
from support.practice import metered
from support.sender import Completion, Endpoint, HttpSender, Sender, SendError
from support.spool import Spool


def calls_to_meter(count: int) -> List[Completion]:
    """Return some calls; one failed at its provider, and is metered too, since failures cost time and trust."""
    owner = (ReveniumMetadataBuilder().organization("Acme, Inc.").product("helpdesk").customer("cust_0042")
             .feature("chat").environment("production").build())
    assistant = Assistant()
    return [completion_of(assistant.ask(f"Question {number}", error=None if number else 429), owner)
            for number in range(count)]


def meter_in_an_outage(calls: Sequence[Completion], spool: Spool) -> None:
    """Meter while nobody listens, and tell what happens to each call."""
    pauses: List[float] = []
    breaker = CircuitBreaker(failures=3, rest=30.0)
    # A program leaves `sleep` out; here pauses are noted instead of slept, and without chance.
    with HttpSender(Endpoint(address_of_nobody())) as sender:
        delivery = Delivery(sender, spool, Backoff(attempts=4, first=0.25), breaker, pauses.append, lambda: 1.0)
        for number, call in enumerate(calls):
            before = len(pauses)
            became = delivery.deliver(call)
            waited = ", ".join(f"{pause:.2f} s" for pause in pauses[before:]) or "none"
            print(f"call {number}: {became}; pauses: {waited}; circuit {'open' if breaker.is_open else 'closed'}")


def send_the_spool(sender: Sender, spool: Spool) -> None:
    """Send what waits."""
    waiting = len(spool)
    taken = Delivery(sender, spool).resend()
    print(f"the endpoint is back: {taken} of {waiting} waiting calls were taken, {len(spool)} wait")


def refused_for_good(sender: Sender, spool: Spool, call: Completion) -> None:
    """Show that a call which no endpoint takes is neither tried again nor kept."""
    try:
        Delivery(sender, spool).deliver({**call, "transactionId": "showcase-wrong", "outputTokenCount": -1})
    except SendError as error:
        print(f"refused for good: {error}")


def address_of_nobody() -> str:
    """Return an address on this machine at which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}/meter"


def main(arguments: Sequence[str]) -> int:
    """Meter four calls through an outage."""
    with metered(arguments, __doc__) as where, tempfile.TemporaryDirectory() as folder:
        spool, calls = Spool(Path(folder) / "spool"), calls_to_meter(4)
        meter_in_an_outage(calls, spool)
        send_the_spool(where.sender, spool)
        for call in calls:  # as a program would that was killed between the answer and its own note of it
            spool.keep(call)
        send_the_spool(where.sender, spool)
        refused_for_good(where.sender, spool, calls[1])
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
