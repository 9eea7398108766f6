"""OTLP in JSON: `resourceSpans` with `scopeSpans` with `spans`, as exporters post and collectors write them."""
from __future__ import annotations

from decimal import Decimal
from typing import Any, Dict, Iterator, List, Mapping

from metering.spans import Span

ERROR_CODES = (2, "STATUS_CODE_ERROR", "ERROR")
_LONGEST = 20  # digits of a time in nanoseconds


def request_spans(document: Any) -> Iterator[Span]:
    """Yield the spans of a request; raises ValueError where it is none. Names unknown to OTLP are passed over."""
    if not isinstance(document, dict):
        raise ValueError("the document is not a JSON object")
    for resource in _objects(document, "resourceSpans"):
        yield from _of_resource(resource)


def spans_of(document: Any) -> Iterator[Span]:
    """Yield the spans of a request, of one `ResourceSpans`, or a single span; raises ValueError for anything else."""
    if not isinstance(document, dict) or "resourceSpans" in document or not document:
        yield from request_spans(document)
    elif "scopeSpans" in document or "instrumentationLibrarySpans" in document:
        yield from _of_resource(document)
    elif "traceId" in document:
        yield _span(document, {})
    else:
        raise ValueError("there are neither resourceSpans, scopeSpans nor a traceId")


def _of_resource(document: Mapping[str, Any]) -> Iterator[Span]:
    shared = _attributes(_object(document, "resource"))
    for name in ("scopeSpans", "instrumentationLibrarySpans"):  # the second is the old name
        for scope in _objects(document, name):
            for span in _objects(scope, "spans"):
                yield _span(span, shared)


def _span(span: Mapping[str, Any], shared: Mapping[str, Any]) -> Span:
    status = _object(span, "status")
    return Span(_hex(span, "traceId"), _hex(span, "spanId"), _nanoseconds(span, "startTimeUnixNano"),
                _nanoseconds(span, "endTimeUnixNano"), status.get("code") in ERROR_CODES,
                dict(shared, **_attributes(span)))


def _object(document: Mapping[str, Any], name: str) -> Dict[str, Any]:
    found = document.get(name)
    if found is not None and not isinstance(found, dict):
        raise ValueError(f"{name} is not an object")
    return found or {}


def _objects(document: Mapping[str, Any], name: str) -> List[Dict[str, Any]]:
    found = document.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ValueError(f"{name} is not a list of objects")
    return found


def _hex(span: Mapping[str, Any], name: str) -> str:
    text = span.get(name)
    if not isinstance(text, str):
        raise ValueError(f"{name} is no text")
    return text.lower()


def _nanoseconds(span: Mapping[str, Any], name: str) -> int:
    value = span.get(name, 0)
    if isinstance(value, str) and value.isdigit() and value.isascii() and len(value) <= _LONGEST:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{name} is not a whole number of nanoseconds")
    return value


def _attributes(holder: Mapping[str, Any]) -> Dict[str, Any]:
    found: Dict[str, Any] = {}
    for one in _objects(holder, "attributes"):
        key, value = one.get("key"), one.get("value")
        if not isinstance(key, str) or not isinstance(value, dict):
            raise ValueError("an attribute is not {key, value}")
        plain = _plain(value)
        if plain is not None:
            found[key] = plain
    return found


def _plain(value: Mapping[str, Any]) -> Any:
    """Return a scalar; None for lists, maps and bytes, which no attribute of a call is."""
    if "stringValue" in value:
        return value["stringValue"]
    if "intValue" in value:
        whole = value["intValue"]
        is_text = isinstance(whole, str) and len(whole) <= _LONGEST and whole.isascii()
        return int(whole) if is_text and whole.lstrip("-").isdigit() else whole
    if "doubleValue" in value:
        number = value["doubleValue"]
        return Decimal(repr(number)) if isinstance(number, float) else number
    return value.get("boolValue")
