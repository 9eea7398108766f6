"""The simulators as a job: one at a time, a process of their own, with arguments from a fixed list and no shell."""
from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from app.jobs import COMPLETE, ERROR, SIMULATE, STOPPED, STOPPING, Job, JobBook
from app.logs import EventLog
from app.messages import Refusal
from config import ROOT, Settings

COMMAND = ROOT / "src" / "run_all_simulators.py"
STOP_SECONDS = 5.0  # that simulators get to end on a whole line before they are killed
LIMITS = {"size": (0.01, 100_000.0), "seed": (0, 2 ** 53), "days": (1, 3660), "customers": (1, 100_000)}
_PLAIN = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?", re.ASCII)
WHOLE = ("seed", "days", "customers")
PARAMETERS = ("size", "seed", "days", "customers", "scenarios", "append")


class Wish(NamedTuple):
    """What is to be simulated: size in MB, seed, days, customers, scenario ids (empty: all), add or begin anew."""

    size: float
    seed: int
    days: int
    customers: int
    scenarios: Tuple[str, ...]
    append: bool

    def arguments(self, output: Path) -> List[str]:
        """Return the command's arguments."""
        words = [f"{self.size:g}", "--seed", str(self.seed), "--days", str(self.days),
                 "--customers", str(self.customers), "--output", str(output), "--json", "--quiet"]
        if self.scenarios:
            words += ["--scenarios", ",".join(self.scenarios)]
        return words + ["--append"] * self.append


def read_wish(given: Mapping[str, Any], known: Sequence[str], settings: Settings) -> Wish:
    """Read a wish from texts (a query) or JSON values; raises `Refusal` (400) naming what cannot be used."""
    scenarios = given.get("scenarios", [])
    if isinstance(scenarios, str):
        scenarios = [one.strip() for one in scenarios.split(",") if one.strip()]
    if not isinstance(scenarios, list) or not all(isinstance(one, str) for one in scenarios):
        raise Refusal(400, "scenarios is a list of ids")
    unknown = [one for one in scenarios if one not in known]
    if unknown:
        raise Refusal(400, f"{unknown[0][:40]!r} is no scenario; there are: {', '.join(known)}")
    append = given.get("append", False)
    if append not in (True, False, "true", "false") or isinstance(append, (int, float)) != isinstance(append, bool):
        raise Refusal(400, "append is true or false")
    return Wish(_number(given, "size", settings.target_mb), int(_number(given, "seed", settings.seed)),
                int(_number(given, "days", settings.days)), int(_number(given, "customers", settings.customers)),
                tuple(dict.fromkeys(scenarios)), append in (True, "true"))


class Simulators:
    """Starts, watches and stops the one process of simulators."""

    def __init__(self, book: JobBook, log: EventLog) -> None:
        """Begin without a process."""
        self._book = book
        self._log = log
        self._lock = threading.Lock()
        self._process: Optional[Any] = None
        self._job: Optional[Job] = None
        self.output: Optional[Path] = None

    @property
    def job(self) -> Optional[Job]:
        """Return the job that runs now."""
        job = self._job
        return job if job and job.is_open else None

    def start(self, wish: Wish, output: Path) -> Job:
        """Start the simulators; raises `Refusal` (409) while others run, (500) when the system cannot start them."""
        with self._lock:
            if self.job:
                raise Refusal(409, f"simulators are at work already ({self.job.id}): stop them first, or wait")
            job = self._book.add(SIMULATE, f"{wish.size:g} MB of simulated calls into {output.name}")
            self._book.start(job)
            try:
                self._process = subprocess.Popen(
                    [sys.executable, str(COMMAND), *wish.arguments(output)], stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            except OSError as error:
                self._book.end(job, ERROR, f"cannot start: {(error.strerror or '').lower()}")
                raise Refusal(500, "the simulators cannot be started") from error
            self._job, self.output = job, output
            threading.Thread(target=self._wait, args=(self._process, job), name="simulators", daemon=True).start()
        self._log.event("simulators started", job=job.id, size_mb=wish.size, log=output.name)
        return job

    def stop(self) -> Job:
        """Ask the simulators to end, and kill them when they do not; raises `Refusal` (409) when none run."""
        with self._lock:
            job, process = self.job, self._process
            if not job or not process:
                raise Refusal(409, "no simulators are at work")
            if job.state != STOPPING:
                job.state = STOPPING
                process.terminate()
                timer = threading.Timer(STOP_SECONDS, _kill, [process])
                timer.daemon = True
                timer.start()
        return job

    def close(self, seconds: float) -> None:
        """End the simulators that run, if any, within some seconds."""
        process = self._process
        if not self.job or process is None:
            return
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()

    def _wait(self, process: Any, job: Job) -> None:
        out, err = process.communicate()
        state, message = _outcome(process.returncode, job.state == STOPPING, out, err)
        self._book.end(job, state, message)
        self._log.event("simulators ended", job=job.id, state=state, message=message)


def _outcome(code: int, asked_to_stop: bool, out: bytes, err: bytes) -> Tuple[str, str]:
    """Tell from how the command ended what became of the job, in a sentence without a folder in it."""
    if code == 0:
        return COMPLETE, f"wrote {_calls(out):,} calls"
    if asked_to_stop:
        return STOPPED, "stopped: what was written is whole, append to go on"
    lines = err.decode("utf-8", "replace").strip().splitlines()
    reason = lines[-1].replace("error: ", "", 1) if lines else f"ended with exit code {code}"
    words = [Path(word).name if "/" in word or "\\" in word else word for word in reason.split(" ")]
    return ERROR, " ".join(words)[:500]


def _calls(out: bytes) -> int:
    try:
        return int(json.loads(out.decode("utf-8"))["calls"])
    except (ValueError, KeyError, TypeError):
        return 0


def _kill(process: Any) -> None:
    if process.poll() is None:
        process.kill()


def _number(given: Mapping[str, Any], name: str, default: float) -> float:
    """Read a number within its limits from a JSON number or a plain text; a whole one is never made a float."""
    value, (least, most) = given.get(name, default), LIMITS[name]
    kind = "whole number" if name in WHOLE else "number"
    number = _plain(value, name in WHOLE)
    if number is None or not least <= number <= most:
        raise Refusal(400, f"{name} is a {kind} from {least:.12g} to {most:.12g}")
    return number


def _plain(value: Any, whole: bool) -> Optional[float]:
    """Return a number, or a text of plain digits, as a number; None for all else."""
    if isinstance(value, str) and _PLAIN.fullmatch(value):
        value = float(value) if "." in value else int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if whole and isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value
