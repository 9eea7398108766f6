"""Strict reading of HTTP/1.1 requests: whatever two programs could understand differently is refused.

`http.server` answers two Host headers, folded lines, bare carriage returns, differing lengths and much else with 200;
behind a proxy each of these is a way to smuggle a request. Refused requests close their connection, since nobody
knows where the next one would begin.
"""
from __future__ import annotations

import re
from typing import BinaryIO, Callable, Dict, List, NamedTuple, Optional, Tuple
from urllib.parse import urlsplit

from app.messages import Refusal, Request

MOST_LINE, MOST_HEADERS, MOST_HEAD, MOST_BODY = 8192, 100, 32_768, 65_536  # bytes, but headers
_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e]+) HTTP/(\d)\.(\d)")
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_LENGTH = re.compile(r"[0-9]{1,19}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,6})(?:[ \t]*;[^\x00-\x08\x0a-\x1f\x7f]*)?")
_ONCE = ("host", "content-length", "transfer-encoding", "content-type", "origin", "authorization", "sec-fetch-site",
         "expect", "if-none-match")


class Head(NamedTuple):
    """A request without its body."""

    method: str
    target: str
    version: str
    headers: Dict[str, str]

    @property
    def closes(self) -> bool:
        """Tell whether the connection ends with this request; HTTP/1.0 always does, whatever it asks for."""
        options = [one.strip().lower() for one in self.headers.get("connection", "").split(",")]
        return self.version == "HTTP/1.0" or "close" in options


class Incomplete(Exception):
    """The client went away in the middle of a request."""


def read_head(stream: BinaryIO) -> Head:
    """Read request line and headers; raises `Refusal` for what breaks the rules, `Incomplete` at the end."""
    line = _line(stream, 414)
    if not line:
        line = _line(stream, 414)  # one empty line is what some clients send behind a body
    method, target, version = _request_line(line)
    headers = _headers(stream, len(line))
    if version == "HTTP/1.1" and "host" not in headers:
        raise Refusal(400, "the Host header is missing")
    return Head(method, target, version, headers)


def read_body(head: Head, stream: BinaryIO, go_on: Callable[[], None], most: int = MOST_BODY) -> bytes:
    """Read the body that the head announces; `go_on` is called first when the client waits for a 100.

    A body of more than `most` bytes is refused unread.
    """
    coding, length = head.headers.get("transfer-encoding"), head.headers.get("content-length")
    if coding is not None and (length is not None or head.version == "HTTP/1.0"):
        raise Refusal(400, "Transfer-Encoding goes neither with Content-Length nor with HTTP/1.0")
    if coding is not None and coding.lower() != "chunked":
        raise Refusal(501, "chunked is the only Transfer-Encoding that is understood")
    size = 0 if length is None else _length(length, most)
    _expectation(head, go_on)
    if coding is not None:
        return _chunks(stream, most)
    body = stream.read(size) if size else b""
    if len(body) < size:
        raise Incomplete
    return body


def as_request(head: Head, body: bytes, client: str) -> Request:
    """Return head and body as a request; raises `Refusal` for a target that is neither a path nor an address."""
    path, authority = head.target, ""
    if not path.startswith("/"):
        parts = _address(path)
        path, authority = parts
    path, _, query = path.partition("?")
    if "#" in head.target:
        raise Refusal(400, "a request's target has no fragment")
    return Request(head.method, path, query, authority, head.headers, body, client, head.version)


def _address(target: str) -> Tuple[str, str]:
    """Return path with query, and host, of a target that is a whole address."""
    try:
        parts = urlsplit(target)
    except ValueError:
        raise Refusal(400, "the request's target is no address") from None
    if parts.scheme not in ("http", "https") or not parts.netloc or "@" in parts.netloc:
        raise Refusal(400, "the request's target is neither a path nor an address")
    return (parts.path or "/") + ("?" + parts.query if parts.query else ""), parts.netloc


def _line(stream: BinaryIO, too_long: int) -> bytes:
    line = stream.readline(MOST_LINE + 1)
    if len(line) > MOST_LINE:
        raise Refusal(too_long, f"a line of the request is longer than {MOST_LINE} bytes")
    if not line.endswith(b"\n"):
        raise Incomplete
    if not line.endswith(b"\r\n"):
        raise Refusal(400, "a line of the request ends without a carriage return")
    return line[:-2]


def _request_line(line: bytes) -> Tuple[str, str, str]:
    match = _REQUEST_LINE.fullmatch(line)
    if not match:
        raise Refusal(400, "the first line is not METHOD /path HTTP/1.1")
    if match.group(3) != b"1":
        raise Refusal(505, "HTTP/1.1 and HTTP/1.0 are the versions that are understood")
    version = "HTTP/1.0" if match.group(4) == b"0" else "HTTP/1.1"
    return match.group(1).decode("ascii"), match.group(2).decode("ascii"), version


def _headers(stream: BinaryIO, size: int) -> Dict[str, str]:
    headers: Dict[str, List[str]] = {}
    for _ in range(MOST_HEADERS + 1):
        line = _line(stream, 431)
        if not line:
            return {name: _one(name, values) for name, values in headers.items()}
        size += len(line) + 2
        if size > MOST_HEAD:
            raise Refusal(431, f"the headers are longer than {MOST_HEAD} bytes")
        name, value = _header(line)
        headers.setdefault(name, []).append(value)
    raise Refusal(431, f"there are more than {MOST_HEADERS} headers")


def _header(line: bytes) -> Tuple[str, str]:
    name, colon, value = line.partition(b":")
    if not colon or not _NAME.fullmatch(name):
        raise Refusal(400, "a header is not written as Name: value")
    if _CONTROL.search(value):
        raise Refusal(400, "a header's value holds a control character")
    return name.decode("ascii").lower(), value.strip(b" \t").decode("latin-1")


def _one(name: str, values: List[str]) -> str:
    if name == "content-length":
        values = sorted({one.strip() for value in values for one in value.split(",")})
    if len(values) > 1 and name in _ONCE:
        raise Refusal(400, f"the header {name} is there more than once")
    return ("; " if name == "cookie" else ", ").join(values)


def _length(text: str, most: int) -> int:
    if not _LENGTH.fullmatch(text):
        raise Refusal(400, "the Content-Length is not a whole number")
    if int(text) > most:
        raise Refusal(413, f"the body is longer than {most} bytes")
    return int(text)


def _expectation(head: Head, go_on: Callable[[], None]) -> None:
    expected: Optional[str] = head.headers.get("expect")
    if expected is None or head.version == "HTTP/1.0":
        return
    if expected.lower() != "100-continue":
        raise Refusal(417, "100-continue is the only expectation that can be met")
    go_on()


def _chunks(stream: BinaryIO, most: int) -> bytes:
    body = b""
    while True:
        match = _CHUNK.fullmatch(_line(stream, 400))
        if not match:
            raise Refusal(400, "a chunk does not begin with its size")
        size = int(match.group(1), 16)
        if len(body) + size > most:
            raise Refusal(413, f"the body is longer than {most} bytes")
        if not size:
            _headers(stream, 0)  # trailers are read and dropped
            return body
        chunk = stream.read(size + 2)
        if len(chunk) < size + 2:
            raise Incomplete
        if chunk[-2:] != b"\r\n":
            raise Refusal(400, "a chunk is longer than its size")
        body += chunk[:-2]
