"""OTLP in protobuf: the few messages of a trace request, read by field number with the standard library alone.

The numbers are those of opentelemetry-proto: trace/v1, common/v1, resource/v1, collector/trace/v1.
"""
from __future__ import annotations

import struct
from decimal import Decimal
from typing import Any, Dict, Iterator, List, Tuple

from metering.spans import Span

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_ERROR_CODE = 2
Field = Tuple[int, int, Any]  # number, wire type, and a whole number or bytes


def spans_of(body: bytes) -> Iterator[Span]:
    """Yield the spans of an ExportTraceServiceRequest; raises ValueError where it is none."""
    for resource_spans in _messages(body, 1):
        shared: Dict[str, Any] = {}
        for resource in _messages(resource_spans, 1):
            shared.update(_attributes(resource, 1))
        for scope_spans in _messages(resource_spans, 2):
            for span in _messages(scope_spans, 2):
                yield _span(span, shared)


def partial_success(rejected: int, message: str) -> bytes:
    """Return an ExportTraceServiceResponse: empty when nothing was rejected."""
    if not rejected:
        return b""
    return _delimited(1, _tag(1, _VARINT) + _varint(rejected) + _delimited(2, message.encode("utf-8", "replace")))


def status_message(code: int, message: str) -> bytes:
    """Return a google.rpc.Status, which is how OTLP tells of a request that cannot be used."""
    return _tag(1, _VARINT) + _varint(code) + _delimited(2, message.encode("utf-8", "replace"))


def _span(body: bytes, shared: Dict[str, Any]) -> Span:
    ids, times, failed = {1: "", 2: ""}, {7: 0, 8: 0}, False
    for number, wire, value in _fields(body):
        if number in ids and wire == _BYTES:
            ids[number] = value.hex()
        elif number in times and wire == _FIXED64:
            times[number] = int.from_bytes(value, "little")
        elif number == 15 and wire == _BYTES:
            failed = any(one == 3 and value == _ERROR_CODE for one, _, value in _fields(value))
    return Span(ids[1], ids[2], times[7], times[8], failed, dict(shared, **_attributes(body, 9)))


def _attributes(body: bytes, number: int) -> Dict[str, Any]:
    found: Dict[str, Any] = {}
    for pair in _messages(body, number):
        key, plain = "", None
        for one, wire, value in _fields(pair):
            if one == 1 and wire == _BYTES:
                key = _text(value)
            elif one == 2 and wire == _BYTES:
                plain = _plain(value)
        if plain is not None:
            found[key] = plain
    return found


def _plain(body: bytes) -> Any:
    """Return the scalar of an AnyValue; None for lists, maps and bytes, which no attribute of a call is."""
    plain: Any = None
    for number, wire, value in _fields(body):
        if number == 1 and wire == _BYTES:
            plain = _text(value)
        elif number == 2 and wire == _VARINT:
            plain = bool(value)
        elif number == 3 and wire == _VARINT:
            plain = value - (1 << 64) if value >> 63 else value
        elif number == 4 and wire == _FIXED64:
            plain = Decimal(repr(struct.unpack(">d", value[::-1])[0]))
    return plain


def _messages(body: bytes, number: int) -> List[bytes]:
    found = []
    for one, wire, value in _fields(body):
        if one == number:
            if wire != _BYTES:
                raise ValueError(f"field {number} is no message")
            found.append(value)
    return found


def _fields(body: bytes) -> Iterator[Field]:
    at = 0
    while at < len(body):
        tag, at = _read_varint(body, at)
        number, wire = tag >> 3, tag & 7
        if not number:
            raise ValueError("a field has the number 0")
        if wire == _VARINT:
            value, at = _read_varint(body, at)
            yield number, wire, value
            continue
        if wire == _BYTES:
            size, at = _read_varint(body, at)
        elif wire in (_FIXED64, _FIXED32):
            size = 8 if wire == _FIXED64 else 4
        else:
            raise ValueError(f"a field has the wire type {wire}")
        if size > len(body) - at:
            raise ValueError("a field is longer than its message")
        yield number, wire, body[at:at + size]
        at += size


def _read_varint(body: bytes, at: int) -> Tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(body):
            raise ValueError("the message ends within a number")
        byte = body[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (1 << 64) - 1, at
    raise ValueError("a number has more than 10 bytes")


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("a text is not UTF-8") from None


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(parts + bytes([value]))


def _tag(number: int, wire: int) -> bytes:
    return _varint(number << 3 | wire)


def _delimited(number: int, value: bytes) -> bytes:
    return _tag(number, _BYTES) + _varint(len(value)) + value
