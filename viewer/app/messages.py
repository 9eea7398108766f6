"""What goes through the server: a request as it was read, a response before it is written, and a refusal."""
from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Dict, Mapping, Optional

JSON_TYPE, HTML_TYPE, TEXT_TYPE = "application/json", "text/html; charset=utf-8", "text/plain; charset=utf-8"
CSV_TYPE = "text/csv; charset=utf-8"
# Nothing but what this server itself serves: no inline script or style, no frame around it, no form to elsewhere.
PAGE_POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
               "base-uri 'none'; form-action 'self'; frame-ancestors 'none'")


@dataclass(frozen=True)
class Request:
    """A request that passed the parser: `path` and `query` are as sent, header names are in lower case."""

    method: str
    path: str
    query: str = ""
    authority: str = ""  # host of a target that was a whole address, else empty
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    client: str = ""
    version: str = "HTTP/1.1"

    @property
    def changes_state(self) -> bool:
        """Tell whether the method is one that may change something."""
        return self.method not in ("GET", "HEAD")


@dataclass(frozen=True)
class Response:
    """An answer; `etag` makes it comparable, `gzipped` is the same body compressed, `policy` its content policy."""

    status: int
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str = ""
    gzipped: Optional[bytes] = None
    policy: str = PAGE_POLICY


class Refusal(Exception):
    """A request that is not served: status, a reason for a person, and headers such as Allow or Retry-After."""

    def __init__(self, status: int, reason: str, **headers: str) -> None:
        """Hold all three; a header's name is written with underscores."""
        super().__init__(status, reason)
        self.status = status
        self.reason = reason
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def response(self) -> Response:
        """Return the refusal as JSON."""
        return as_json({"status": self.status, "error": self.reason}, self.status, self.headers)


def as_json(document: Any, status: int = 200, headers: Optional[Dict[str, str]] = None) -> Response:
    """Return a document as a JSON response; amounts become exact decimal strings."""
    return Response(status, json_bytes(document), headers=headers or {})


def json_bytes(document: Any) -> bytes:
    """Return a document as compact JSON without NaN; lone surrogates are written as escapes."""
    return json.dumps(document, separators=(",", ":"), allow_nan=False, default=_plain).encode("ascii") + b"\n"


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"{type(value).__name__} has no place in an answer")
