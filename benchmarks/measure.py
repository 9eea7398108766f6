"""Timing whole processes side by side: in turn, so that a drifting machine is fair to all, and medians."""
from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Dict, List, NamedTuple, Sequence

ROOT = Path(__file__).resolve().parent.parent


class Run(NamedTuple):
    """One finished process: wall and processor seconds, peak memory of its largest process in MiB."""

    wall: float
    cpu: float
    peak_mib: float


def run_once(command: Sequence[str]) -> Run:
    """Run a command to its end; raises RuntimeError when it fails."""
    begin = time.perf_counter()
    process = subprocess.Popen(list(command), stdout=subprocess.DEVNULL, cwd=str(ROOT))
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    if status:
        raise RuntimeError(f"{' '.join(command)} ended with status {status}")
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def in_turn(commands: Dict[str, Sequence[str]], rounds: int) -> Dict[str, List[Run]]:
    """Run all commands once unmeasured, then in turn so many rounds."""
    runs: Dict[str, List[Run]] = {name: [] for name in commands}
    for turn in range(rounds + 1):
        for name, command in commands.items():
            done = run_once(command)
            if turn:
                runs[name].append(done)
    return runs


def median_ratio(runs: Sequence[Run], others: Sequence[Run]) -> float:
    """Return the median of the others' wall time over ours, pair by pair: above 1, ours is faster."""
    return statistics.median(other.wall / one.wall for one, other in zip(runs, others))


def machine() -> str:
    """Name the machine in one line."""
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as handle:
            model = next((line.split(":", 1)[1].strip() for line in handle if line.startswith("model name")), model)
    except OSError:
        pass
    return f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def python_with(extra: str) -> str:
    """Return an interpreter that has an extra's packages: its own environment, made when needed."""
    folder = ROOT / ".venv" / extra
    inside = folder / "bin" / "python"
    if not inside.exists():
        subprocess.check_call([sys.executable, "-m", "venv", str(folder)])
        subprocess.check_call([str(inside), "-m", "pip", "install", "--quiet", f"{ROOT}[{extra}]"])
    return str(inside)
