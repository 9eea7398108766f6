"""A completion as the Revenium SDK sends it, for the tests of metering."""
from __future__ import annotations

from typing import Any, Dict


def completion(number: int = 1, **changes: Any) -> Dict[str, Any]:
    """Return a completion with its required fields; a change to None leaves a field out."""
    document = {
        "transactionId": f"tx-{number}", "provider": "OPENAI", "model": "gpt-4o-mini", "inputTokenCount": 1000,
        "outputTokenCount": 200, "totalTokenCount": 1200, "requestTime": "2026-11-20T10:00:00.250Z",
        "responseTime": "2026-11-20T10:00:01Z", "completionStartTime": "2026-11-20T10:00:01Z", "requestDuration": 900,
        "stopReason": "END", "costType": "AI", "isStreamed": False}
    document.update(changes)
    return {name: value for name, value in document.items() if value is not None}
