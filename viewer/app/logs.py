"""Log lines of the viewer: plain text, or a JSON object each; nothing that a client sent can forge a line."""
from __future__ import annotations

import json
import sys
import threading
import traceback
from typing import Any, Callable, TextIO

from calls.values import format_timestamp

TEXT, JSON = FORMATS = ("text", "json")


class EventLog:
    """Writes events to a stream, a line each; `clock` returns seconds since 1970."""

    def __init__(self, stream: TextIO, kind: str, verbose: bool, clock: Callable[[], float]) -> None:
        """Hold where and how to write; requests and traces are written when `verbose`."""
        self._stream = stream
        self._kind = kind
        self._verbose = verbose
        self._clock = clock
        self._lock = threading.Lock()

    def event(self, name: str, **fields: Any) -> None:
        """Write an event with its fields; those that are None are left out."""
        self._write(name, {key: value for key, value in fields.items() if value is not None})

    def request(self, method: str, target: str, status: int, seconds: float) -> None:
        """Write an answered request, when verbose."""
        if self._verbose:
            self._write("request", {"method": method, "target": target.split("?")[0][:200], "status": status,
                                    "ms": round(seconds * 1000, 1)})

    def failure(self, where: str) -> None:
        """Write the exception that is being handled: its kind, and its trace when verbose."""
        kind, error, _ = sys.exc_info()
        trace = traceback.format_exc() if self._verbose else None
        self.event("failure", where=where, kind=kind.__name__ if kind else "", error=str(error), trace=trace)

    def _write(self, name: str, fields: Any) -> None:
        time = format_timestamp(int(self._clock() * 1000))
        if self._kind == JSON:
            line = json.dumps(dict({"time": time, "event": name}, **fields), default=str)
        else:
            line = " ".join([time, name] + [f"{key}={_shown(value)}" for key, value in fields.items()])
        with self._lock:
            try:
                self._stream.write(line + "\n")
                self._stream.flush()
            except (OSError, ValueError):
                pass  # a log that nobody can read any more must not stop the viewer


def _shown(value: Any) -> str:
    text = str(value)
    return text if text.isprintable() and " " not in text and text else json.dumps(text)
