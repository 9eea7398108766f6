"""The server's end of the worker: starting its process, the pipe to it, and ending it."""
from __future__ import annotations

import multiprocessing
import os
import threading
from typing import Any, Callable, Optional, Tuple

from app.worker import STOP, work
from config import Settings

_REAP_SECONDS = 1.0  # for a process that closed its pipe to be gone


Work = Callable[[Any, Settings, int], None]  # given its end of the pipe, the settings, and its parent


class WorkerLink:
    """One worker process and the pipe to it."""

    def __init__(self, settings: Settings, target: Work = work, name: str = "worker") -> None:
        """Start the process, which runs `target`; raises OSError when the system has none left."""
        # Spawned, not forked: this process has threads, and a fork would copy their locks as they happen to be.
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process: Any = context.Process(target=target, args=(theirs, settings, os.getpid()), name=name)
        self._lock = threading.Lock()
        self._process.start()
        theirs.close()

    @property
    def pid(self) -> Optional[int]:
        """Return the process' number."""
        pid: Optional[int] = self._process.pid
        return pid

    def send(self, message: Tuple[Any, ...]) -> bool:
        """Send a message; False when the worker is gone."""
        try:
            with self._lock:
                self.connection.send(message)
            return True
        except OSError:
            return False

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()

    def reap(self) -> str:
        """Wait for a process that ended, close the pipe, and tell how it ended."""
        self._process.join(_REAP_SECONDS)
        if self._process.is_alive():
            self.kill()
            self._process.join(_REAP_SECONDS)
        self.connection.close()
        code = self._process.exitcode
        return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"

    def stop(self, seconds: float) -> None:
        """Ask the worker to end, give it some time, then end it."""
        self.send((STOP,))
        self._process.join(seconds)
        if self._process.is_alive():
            self.kill()
        self.reap()
