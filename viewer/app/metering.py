"""The endpoints that take calls: completions of the Revenium SDK, and OpenTelemetry traces over HTTP."""
from __future__ import annotations

import hashlib
import threading
import time
import zlib
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from app.logs import EventLog
from app.messages import Refusal, Request, Response, as_json
from app.parsing import MOST_BODY, Head
from app.routes import Parameters, Route
from app.security import Guard
from calls.record import AICall
from calls.values import format_timestamp
from catalog.loader import load_catalog
from config import Settings
from errors import LogError
from metering import otlp_json, otlp_protobuf
from metering.completions import read_completion
from metering.fields import InvalidCall, read_json
from metering.intake import ALWAYS, Intake, IntakeBusyError
from metering.spans import Span, read_span, reasons_of

COMPLETIONS, TRACES = ("/meter/v2/ai/completions", "/v2/ai/completions"), "/v1/traces"
PROTOBUF = "application/x-protobuf"
MEGABYTE = 1_000_000
RETRY_SECONDS = "2"
_INVALID_ARGUMENT = 3  # of google.rpc.Code
_WINDOWS = {"gzip": 31, "deflate": 15}  # zlib's numbers for the two codings


class MeteringOptions(NamedTuple):
    """The token that senders must carry (empty: the viewer's, if any), and when calls are synced to the disk."""

    token: str = ""
    sync: str = ALWAYS


class Metering:
    """Takes calls into one log while the viewer runs; `intake` is None where metering is off."""

    def __init__(self, options: Optional[MeteringOptions], log: Path, settings: Settings, guard: Guard,
                 events: EventLog) -> None:
        """Prepare; the log is not touched before `start`."""
        self._most = int(settings.metering_body_mb * MEGABYTE)
        self._guard, self._lock = guard, threading.Lock()
        self.refused = 0
        self.intake: Optional[Intake] = None
        if options:
            self.intake = Intake(log, options.sync, settings.lock_wait_seconds,
                                 lambda error: events.event("metering failed", error=str(error)))

    def start(self) -> None:
        """Open the log; raises `LogError` when that is impossible."""
        if self.intake:
            self.intake.start()

    def close(self) -> None:
        """Write what waits and let go of the log."""
        if self.intake:
            self.intake.close()

    def routes(self) -> Tuple[Route, ...]:
        """Return the routes."""
        return tuple(Route("POST", path, self.completion, meters=True) for path in COMPLETIONS) + (
            Route("POST", TRACES, self.traces, meters=True),)

    def body_limit(self, head: Head) -> int:
        """Return how many bytes a request's body may have: more than others for calls from who may send them."""
        path = head.target.partition("?")[0]
        is_metered = self.intake is not None and path in COMPLETIONS + (TRACES,)
        return max(self._most, MOST_BODY) if is_metered and self._guard.may_meter(head.headers) else MOST_BODY

    def refuse_simulators(self, log: Path) -> None:
        """Raise `Refusal` (409) when simulators would write the log that takes metered calls."""
        if self.intake and self.intake.path == log:
            raise Refusal(409, "this log takes metered calls: simulate into another, or start without --metering")

    def completion(self, request: Request, given: Parameters) -> Response:
        """Take one completion."""
        if _kind(request) == PROTOBUF:
            raise Refusal(415, "a completion is taken as application/json only")
        intake = self._opened()
        try:
            call = read_completion(read_json(self._body(request)), load_catalog())
        except ValueError as error:
            raise self._refusal(str(error)) from None
        except InvalidCall as error:
            self._count_refused(1)
            many = f"{len(error.fields)} fields" if len(error.fields) > 1 else "a field"
            return as_json({"status": 400, "error": f"{many} cannot be used: {error}", "fields": error.fields}, 400)
        (is_new,) = _submitted(intake, [call])
        return as_json(_receipt(call), 201 if is_new else 200)

    def traces(self, request: Request, given: Parameters) -> Response:
        """Take the calls among some spans; spans of anything else are left aside."""
        intake, in_protobuf = self._opened(), _kind(request) == PROTOBUF
        try:
            body = self._body(request)
            spans = list(otlp_protobuf.spans_of(body) if in_protobuf else otlp_json.request_spans(read_json(body)))
        except ValueError as error:
            return self._unusable(str(error), in_protobuf)
        calls, faults = _sorted(spans)
        self._count_refused(len(faults))
        if calls:
            _submitted(intake, calls)
        message = reasons_of(tuple(faults))
        if in_protobuf:
            return Response(200, otlp_protobuf.partial_success(len(faults), message), PROTOBUF)
        partial = {"rejectedSpans": str(len(faults)), "errorMessage": message}
        return as_json({"partialSuccess": partial} if faults else {})

    def _opened(self) -> Intake:
        if self.intake is None:
            raise Refusal(404, "metering is off: start the viewer with --metering")
        return self.intake

    def _body(self, request: Request) -> bytes:
        """Return the unpacked body; raises ValueError or `Refusal` when it cannot be unpacked, or is too long then."""
        coding = request.headers.get("content-encoding", "identity").strip().lower()
        if coding == "identity":
            return request.body
        if coding not in _WINDOWS:
            raise Refusal(415, "gzip and deflate are the encodings that are understood")
        unpacker = zlib.decompressobj(_WINDOWS[coding])
        try:
            body = unpacker.decompress(request.body, self._most + 1)
        except zlib.error:
            raise ValueError(f"the body is not {coding}") from None
        if len(body) > self._most:
            raise Refusal(413, f"the body is longer than {self._most} bytes when it is unpacked")
        if not unpacker.eof or unpacker.unused_data:
            raise ValueError(f"the body is not one whole {coding} stream")
        return body

    def _unusable(self, reason: str, in_protobuf: bool) -> Response:
        self._count_refused(1)
        if in_protobuf:
            return Response(400, otlp_protobuf.status_message(_INVALID_ARGUMENT, reason), PROTOBUF)
        return Refusal(400, reason).response()

    def _refusal(self, reason: str) -> Refusal:
        self._count_refused(1)
        return Refusal(400, reason)

    def _count_refused(self, count: int) -> None:
        with self._lock:
            self.refused += count


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _submitted(intake: Intake, calls: List[AICall]) -> List[bool]:
    """Return for each call whether it is new; raises `Refusal` (503), which the SDKs send again."""
    try:
        return intake.submit(calls)
    except IntakeBusyError as error:
        raise Refusal(503, str(error), Retry_After=RETRY_SECONDS) from None
    except LogError:
        raise Refusal(503, "the log cannot be written now, and none of this was: the viewer's log says why",
                      Retry_After=RETRY_SECONDS) from None


def _sorted(spans: List[Span]) -> Tuple[List[AICall], List[InvalidCall]]:
    """Return the calls that spans tell of, and what is wrong with others that should."""
    calls, faults = [], []
    for span in spans:
        try:
            call = read_span(span, load_catalog())
        except InvalidCall as error:
            faults.append(error)
        else:
            calls += [call] if call else []
    return calls, faults


def _receipt(call: AICall) -> Dict[str, Any]:
    """Return what the SDK expects as the answer; the signature is of the row as it stands in the log."""
    now = format_timestamp(int(time.time() * 1000))
    row = ",".join(call.to_row()).encode("utf-8")
    return {"id": call.call_id, "label": f"{call.provider} {call.model}", "resourceType": "metering",
            "signature": hashlib.sha256(row).hexdigest(), "created": now, "updated": now, "_links": {}}
