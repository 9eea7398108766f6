"""Counters in Prometheus' text format."""
from __future__ import annotations

import time
from typing import Any, Dict, List, Optional, Tuple

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Meter:
    """Reads the counters that the server and the regenerator keep."""

    def __init__(self, regenerator: Any) -> None:
        """Begin; the server is made later and puts itself in."""
        self.server: Any = None
        self.metering: Any = None
        self._regenerator = regenerator
        self._began = time.monotonic()

    def text(self) -> str:
        """Return all metrics."""
        csv, counted = self._regenerator.watcher.describe(), self._regenerator.progress.counted or {}
        lines: List[str] = []
        for name, kind, about, value in self._plain(csv, counted):
            lines += _head(name, kind, about)
            if value is not None:
                lines.append(f"finops_{name} {value}")
        lines += _head("http_responses_total", "counter", "Answered requests by status")
        lines += [f'finops_http_responses_total{{status="{status}"}} {count}'
                  for status, count in sorted(self._answers().items())]
        lines += _head("analyzer_success", "gauge", "Whether the last run of an analyser succeeded")
        lines += [f'finops_analyzer_success{{id="{one}"}} {int(run["success"])}'
                  for one, run in self._regenerator.progress.describe().items() if run["success"] is not None]
        return "\n".join(lines) + "\n"

    def _answers(self) -> Dict[int, int]:
        return dict(self.server.answers) if self.server else {}

    def _plain(self, csv: Dict[str, Any], counted: Any) -> List[Tuple[str, str, str, Optional[float]]]:
        identity, progress = self._regenerator.watcher.identity, self._regenerator.progress
        return [
            ("uptime_seconds", "gauge", "Seconds since the viewer started", round(time.monotonic() - self._began, 1)),
            ("log_bytes", "gauge", "Size of the watched log", identity.size if identity else None),
            ("log_rows", "gauge", "Rows of the watched log", csv["line_count"]),
            ("log_rows_per_second", "gauge", "Rows that came a second", csv["rows_per_second"]),
            ("counted_calls", "gauge", "Calls that the reports tell of", counted.get("calls")),
            ("rejected_rows", "gauge", "Rows that were set aside", counted.get("rejected")),
            ("rounds_total", "counter", "Rounds of regeneration", self._regenerator.rounds),
            ("round_seconds", "gauge", "Length of the last round", progress.seconds),
            ("worker_restarts_total", "counter", "Worker processes that were replaced", self._regenerator.restarts),
            ("connections", "gauge", "Open connections", self.server.connections if self.server else None),
            ("turned_away_total", "counter", "Connections beyond the bound",
             self.server.turned_away if self.server else None)] + self._metered()

    def _metered(self) -> List[Tuple[str, str, str, Optional[float]]]:
        """Return what live metering counted; nothing where it is off."""
        intake = self.metering.intake if self.metering else None
        if intake is None:
            return []
        return [("metered_calls_total", "counter", "Calls that were sent and written", intake.accepted),
                ("metered_repeats_total", "counter", "Calls that were sent again", intake.repeated),
                ("metered_refusals_total", "counter", "Calls that were refused for a fault", self.metering.refused),
                ("metered_failures_total", "counter", "Calls that could not be written", intake.failed),
                ("metered_writes_total", "counter", "Writes that the written calls shared", intake.writes)]


def _head(name: str, kind: str, about: str) -> List[str]:
    return [f"# HELP finops_{name} {about}", f"# TYPE finops_{name} {kind}"]
