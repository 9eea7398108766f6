"""The truth beside the log: what was planted, so that every detector can be scored, and how far a run came.

`<log>.truth.json` lists the runs that wrote the log. It is replaced as a whole, at the start of a run, now and
then, and at its end; a run that was cut short can be gone on with from what stands here.
"""
from __future__ import annotations

import json
from bisect import bisect_left
from datetime import date
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

from calls.replacing import replace_file
from calls.values import format_nano, format_timestamp
from errors import LogError, explain_os_error
from simulator.core import AICallSimulator
from simulator.crew import Told
from simulator.customers import Customer
from simulator.incidents import Incident
from simulator.spec import Cohort, StorySpec
from simulator.story import Story

VERSION = 1


def truth_path(csv_path: Path) -> Path:
    """Return where the truth of a log stands: `data/x.csv` has `data/x.truth.json`."""
    return csv_path.with_suffix(".truth.json")


def read_runs(csv_path: Path) -> List[Dict[str, Any]]:
    """Return the runs that wrote a log, oldest first; none where no truth stands beside it.

    Raises `LogError` when the file is there but is not a truth file of this version.
    """
    path = truth_path(csv_path)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["version"] != VERSION:
            raise ValueError(f"version {document['version']} instead of {VERSION}")
        return list(document["runs"])
    except FileNotFoundError:
        return []
    except OSError as error:
        raise LogError(explain_os_error("read", path, error)) from error
    except (ValueError, KeyError, TypeError) as error:
        raise LogError(f"{path} is not a truth file ({error}): move it away, "
                       "or start afresh with --overwrite") from error


def spec_of(run: Mapping[str, Any], csv_path: Path) -> StorySpec:
    """Return the spec that a run of a log's truth was made from; raises `LogError` where it holds none."""
    try:
        spec = dict(run["spec"])
        cohorts = tuple(Cohort(**dict(one, start=date.fromisoformat(one["start"]))) for one in spec["cohorts"])
        spec.update(start=date.fromisoformat(spec["start"]), scenarios=tuple(spec["scenarios"]), cohorts=cohorts,
                    gone=tuple(spec["gone"]))
        return StorySpec(**spec)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise LogError(f"{truth_path(csv_path)} holds a run that cannot be read ({error!r}): it was written by another "
                       "version: start afresh with --overwrite") from error


class TruthFile:
    """Keeps the truth of one run up to date; `earlier` are the runs that wrote the log before."""

    def __init__(self, csv_path: Path, story: Story, earlier: Sequence[Dict[str, Any]] = ()) -> None:
        """Describe the plan; nothing is written before `save`."""
        self._path = truth_path(csv_path)
        self._log = csv_path.name
        self._earlier = list(earlier)
        self._story = story
        self._sizes: List[int] = []
        self._rows: Dict[str, int] = dict.fromkeys(story.spec.scenarios, 0)
        self._effects: Dict[int, Dict[str, List[int]]] = {}

    @property
    def sizes(self) -> List[int]:
        """Return the bytes that each finished slice added."""
        return self._sizes

    @property
    def rows(self) -> Dict[str, int]:
        """Return the rows that each scenario added so far."""
        return self._rows

    def restore(self, run: Mapping[str, Any]) -> None:
        """Take over how far an earlier, cut short telling of the same story came."""
        self._sizes = list(run["slice_bytes"])
        self._rows = dict(run["rows"])
        self._effects = {number: {day: list(pair) for day, pair in one["nano_by_day"].items()}
                         for number, one in enumerate(run["incidents"])}

    def finish_slice(self, told: Told) -> None:
        """Count what a slice added."""
        self._sizes.append(told.bytes)
        for scenario, number in told.rows.items():
            self._rows[scenario] += number
        for effect in told.effects:
            day = self._effects.setdefault(effect.incident, {}).setdefault(effect.day.isoformat(), [0, 0])
            day[0] += effect.calls
            day[1] += effect.nano

    def save(self, complete: bool) -> None:
        """Replace the file as a whole; raises `LogError` when that fails, the old one then stays."""
        document = {"version": VERSION, "log": self._log, "runs": self._earlier + [self._describe(complete)]}
        replace_file(self._path, (json.dumps(document, indent=1, allow_nan=False) + "\n").encode("utf-8"))

    def _describe(self, complete: bool) -> Dict[str, Any]:
        story = self._story
        spec = dict(story.spec._asdict(), start=story.spec.start.isoformat(), cohorts=[
            dict(one._asdict(), start=one.start.isoformat()) for one in story.spec.cohorts])
        return {
            "run": story.spec.tag,
            "spec": spec,
            "complete": complete,
            "start": format_timestamp(story.calendar.start_ms),
            "end": format_timestamp(story.calendar.end_ms),
            "rows": self._rows,
            "slice_bytes": self._sizes,
            "organizations": {one.organization_id: scenario.id for scenario in story.cast
                              for one in scenario.customers},
            "joined": _dated(story, "joined"),
            "left": _dated(story, "left"),
            "events": [_event(scenario, event) for scenario in story.cast for event in scenario.events],
            "incidents": [_incident(one, self._effects.get(number, {}))
                          for number, one in enumerate(story.incidents)],
        }


def _dated(story: Story, what: str) -> List[Dict[str, str]]:
    """Return the customers with a joining or leaving date inside the calendar, and the slice that it begins with.

    Whoever left in an earlier chapter of the log neither comes nor goes in this one.
    """
    begins = [story.calendar.moment(piece.start_ms).progress for piece in story.slices]
    starts = [piece.start_ms for piece in story.slices] + [story.calendar.end_ms]
    found = []
    for one in sorted((one for scenario in story.cast for one in scenario.customers), key=_customer_id):
        progress: Optional[float] = getattr(one, what)
        if progress:
            at = starts[bisect_left(begins, progress)]
            found.append({"customer_id": one.customer_id, "at": format_timestamp(at)})
    return found


def _customer_id(customer: Customer) -> str:
    return customer.customer_id


def _event(scenario: AICallSimulator, event: Any) -> Dict[str, Any]:
    return {"scenario": scenario.id, "kind": event.kind, "start": format_timestamp(event.start_ms),
            "end": format_timestamp(event.end_ms), "size": event.size}


def _incident(one: Incident, days: Mapping[str, Sequence[int]]) -> Dict[str, Any]:
    scope = {name: getattr(one, name) for name in ("customer_id", "feature_id", "provider", "region")}
    return {
        "id": one.incident_id, "kind": one.kind, "severity": one.severity, "size": one.size,
        "scope": {name: value for name, value in scope.items() if value},
        "to_model": one.model.model if one.model else None,
        "start": format_timestamp(one.start_ms), "end": format_timestamp(one.end_ms),
        "extra_calls": sum(pair[0] for pair in days.values()),
        "extra_usd": format_nano(sum(pair[1] for pair in days.values())),
        "nano_by_day": {day: list(pair) for day, pair in days.items()},
    }
