"""Every path, port and threshold of the toolkit, named and documented once.

A value comes from a flag, else from the environment variable `FINOPS_<NAME>`, else from the default below.
"""
from __future__ import annotations

import datetime
import math
import os
import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Dict, Mapping, Optional

from errors import UsageError

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT_PREFIX = "FINOPS_"
_WHOLE = re.compile(r"[+-]?\d{1,18}\Z", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d{1,18}(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?\Z", re.ASCII)


@dataclass(frozen=True)
class Settings:
    """Defaults of the whole toolkit; each field's comment gives its unit."""

    csv_path: str = str(ROOT / "data" / "simulated_calls.csv")  # the call log
    target_mb: float = 50.0  # size of a generated log, in megabytes of 1,000,000 bytes
    seed: int = 42  # chance: the same seed gives the same bytes
    days: int = 90  # length of the simulated calendar, in days
    customers: int = 500  # customers in the simulated population
    workers: int = 0  # generating processes; 0 chooses by size and processors
    batch_rows: int = 5000  # rows in one write to the log
    lock_wait_seconds: float = 2.0  # how long to wait for another writer of the same log
    reports_path: str = str(ROOT / "reports")  # the folder that gets html/ and json/
    sla_ms: int = 2000  # a call within so many milliseconds keeps the service level
    month_days: float = 30.0  # days of the month that dollars a month are stated for
    target_margin: float = 0.6  # of revenue, that a customer or plan should leave
    committed_discount: float = 0.2  # off list price, for capacity that is paid for whether used or not
    batch_discount: float = 0.5  # off list price, for calls that may wait
    monthly_budget_usd: float = 0.0  # for all organisations together; 0 takes last month's cost plus a tenth
    aws_budget_usd: float = 0.0  # of AWS cost in a month; 0 takes last month's cost plus a tenth
    viewer_host: str = "127.0.0.1"  # the address that the viewer listens on
    viewer_port: int = 8000  # its port; 0 lets the system choose
    viewer_token: str = ""  # what requests to the viewer must carry; empty asks for none
    watch_seconds: float = 0.25  # between two looks at the log's size, which cost microseconds each
    refresh_mb: float = 1.0  # of new data in a growing log, after which pages are rewritten
    refresh_seconds: float = 5.0  # after which pages are rewritten though fewer data came
    quiet_seconds: float = 1.0  # without growth, after which a log is taken to have stopped growing
    analyzer_seconds: float = 300.0  # that one analyser may take in the viewer
    requests_per_minute: int = 60_000  # that the viewer answers each client; 0 is no limit
    metering_token: str = ""  # what programs that send their calls to the viewer must carry; empty takes the viewer's
    metering_sync: str = "always"  # when a metered call is on the disk: always before the answer, interval, or never
    metering_body_mb: float = 4.0  # of a request with calls, as sent and unpacked, in megabytes
    aws_cache_path: str = str(ROOT / "data" / "aws_answers")  # of paid answers from AWS, for their owner alone
    aws_discounts_path: str = ""  # a JSON file of discounts of one's own; empty takes AWS's list prices alone
    today: str = ""  # the date taken for today, YYYY-MM-DD in UTC; empty asks the clock


def load_settings(environment: Optional[Mapping[str, str]] = None) -> Settings:
    """Return the settings with the environment's overrides; a value that a setting cannot have is a `UsageError`."""
    environment = os.environ if environment is None else environment
    changes: Dict[str, Any] = {}
    for field in fields(Settings):
        name = ENVIRONMENT_PREFIX + field.name.upper()
        if name in environment:
            changes[field.name] = _converted(name, environment[name], field.default)
    return Settings(**changes)


def _converted(name: str, text: str, default: object) -> object:
    """Return a text as the kind of value that the default is; Python's own readers take more, such as 1_000 and inf."""
    if isinstance(default, str):
        if default and not text.strip():
            raise UsageError(f"environment variable {name} is empty: give a path, or unset it")
        return text
    whole = isinstance(default, int)
    if not (_WHOLE if whole else _NUMBER).match(text.strip()) or not math.isfinite(float(text)):
        raise UsageError(f"environment variable {name}: {text!r} is not {'a whole number' if whole else 'a number'}")
    return int(text) if whole else float(text)


def parse_date(text: str, name: str) -> datetime.date:
    """Read YYYY-MM-DD; anything else is a `UsageError` that names the option."""
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise UsageError(f"{name}: {text!r} is not a date like 2026-01-31") from None


def today(settings: Settings) -> datetime.date:
    """Return the current date in UTC, or the one that the settings give instead."""
    if settings.today:
        return parse_date(settings.today, ENVIRONMENT_PREFIX + "TODAY")
    return datetime.datetime.now(datetime.timezone.utc).date()
