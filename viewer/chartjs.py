"""The copy of Chart.js that the viewer serves: where it is kept, and that it is the one that reports expect."""
from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Optional

from config import ROOT
from generators.html_generator import CHARTJS_HASH

VERSION = "4.4.1"
CHARTJS_FILE = "chart.umd.js"
ADDRESS = f"https://cdn.jsdelivr.net/npm/chart.js@{VERSION}/dist/{CHARTJS_FILE}"
KEPT_AT = ROOT / ".cache" / f"chart-{VERSION}.umd.js"  # ignored by git


def is_genuine(content: bytes) -> bool:
    """Tell whether this is the published file, to the byte."""
    return "sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode("ascii") == CHARTJS_HASH


def read_verified(path: Path = KEPT_AT) -> Optional[bytes]:
    """Return the copy; None when there is none, or another file stands in its place."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    return content if is_genuine(content) else None
