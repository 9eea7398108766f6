"""The calls as JSON lines: counts are numbers, amounts are texts so that no reader rounds them, unknown is null."""
from __future__ import annotations

import json
from typing import Any, Dict, Iterator

from calls.record import FIELDS, AICall
from exporters.base import Choice, Exporter
from rollup.dataset import Dataset

_COUNTS = ("input_tokens", "output_tokens", "total_tokens", "latency_ms")


class CallObjectsExporter(Exporter):
    """An object a call, with the 19 fields."""

    id = "jsonl"
    title = "Calls as JSON lines"
    description = "an object a call; counts are numbers, amounts texts with all their digits, unknown is null"

    def lines(self, dataset: Dataset, choice: Choice) -> Iterator[str]:
        """Yield a line a call."""
        for call in self.wanted_calls(dataset, choice):
            yield json.dumps(_object(call), ensure_ascii=False) + "\n"


def _object(call: AICall) -> Dict[str, Any]:
    found: Dict[str, Any] = dict(zip(FIELDS, call.to_row()))
    found.update({name: getattr(call, name) for name in _COUNTS})
    found["cost_usd"] = found["cost_usd"] or None
    return found
