"""What the status says of a report, whoever writes it."""
from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Optional

from calls.values import format_timestamp


def entry_of(html: Path, report: Any, is_stale: bool, reason: Optional[str]) -> Dict[str, Any]:
    """Return what a report is, whether its page exists, how old it is, and why its last run failed, if it did."""
    name = f"{report.id}.html"
    try:
        status = (html / name).stat()
    except OSError:
        status = None
    return {"id": report.id, "name": name, "title": report.title, "category": report.category,
            "description": report.description, "exists": status is not None,
            "size_kb": round(status.st_size / 1000, 1) if status else None,
            "generated_at": format_timestamp(int(status.st_mtime * 1000)) if status else None,
            "stale": status is not None and is_stale, "reason": reason}
