"""The table of routes: which method and path is served by what, with which parameters, and what needs no token.

To add an endpoint is to add one entry (and its description in `openapi.json`).
"""
from __future__ import annotations

import json
import re
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Sequence, Tuple
from urllib.parse import parse_qsl, unquote

from app.messages import Refusal, Request, Response

_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class Parameters:
    """What a request gives: names in its path, and fields of its query and of its JSON body."""

    def __init__(self, values: Mapping[str, Any], lists: Mapping[str, List[str]]) -> None:
        """`values` are given once, `lists` may be given again and again."""
        self.values = values
        self._lists = lists

    def text(self, name: str, default: str = "") -> str:
        """Return a text; raises `Refusal` (400) when something else was given."""
        value = self.values.get(name, default)
        if not isinstance(value, str):
            raise Refusal(400, f"{name} is a text")
        return value

    def texts(self, name: str) -> List[str]:
        """Return all texts that were given under a name."""
        return self._lists.get(name, [])


Handler = Callable[[Request, Parameters], Response]


class Route(NamedTuple):
    """A method and path (`{name}` stands for one segment), its handler, and the parameters that it takes.

    A parameter that ends in `*` may be repeated. An `is_open` route needs no token; one that `meters` needs the
    metering's own, and reads its body itself.
    """

    method: str
    path: str
    handler: Handler
    takes: Tuple[str, ...] = ()
    is_open: bool = False
    meters: bool = False

    def match(self, segments: Sequence[str]) -> bool:
        """Tell whether a path, in segments, is this route's."""
        own = self.path.split("/")
        return len(own) == len(segments) and all(
            _SEGMENT.fullmatch(given) if one.startswith("{") else one == given for one, given in zip(own, segments))

    def names(self, segments: Sequence[str]) -> Dict[str, str]:
        """Return what stands in the path for the route's names."""
        return {one[1:-1]: given for one, given in zip(self.path.split("/"), segments) if one.startswith("{")}


class Router:
    """Finds the route of a request."""

    def __init__(self, routes: Sequence[Route]) -> None:
        """Hold the table."""
        self.routes = tuple(routes)

    def find(self, request: Request) -> Tuple[Route, Parameters]:
        """Return route and parameters; raises `Refusal`: 404, 405 with Allow, or 400 for what it does not take."""
        segments = request.path.split("/")
        if "%" in request.path:
            # A decoded slash, backslash, NUL or dot never becomes part of a name: no segment may hold one.
            segments = [unquote(one, errors="strict") if _is_escaped(one) else "" for one in segments]
        fitting = [one for one in self.routes if one.match(segments)]
        if not fitting:
            raise Refusal(404, "there is nothing at this address")
        method = "GET" if request.method == "HEAD" else request.method
        for route in fitting:
            if route.method == method:
                return route, _parameters(route, route.names(segments), request)
        allowed = sorted({name for one in fitting for name in _methods(one.method)})
        raise Refusal(405, f"{', '.join(allowed)} can be used here", Allow=", ".join(allowed))


def _methods(method: str) -> Tuple[str, ...]:
    return ("GET", "HEAD") if method == "GET" else (method,)


def _is_escaped(segment: str) -> bool:
    """Tell whether a segment's escapes are whole and stand for text."""
    if _ESCAPE.search(segment):
        return False
    try:
        unquote(segment, errors="strict")
    except UnicodeDecodeError:
        return False
    return True


def _parameters(route: Route, names: Mapping[str, str], request: Request) -> Parameters:
    taken = {one.rstrip("*") for one in route.takes}
    values: Dict[str, Any] = dict(names)
    lists: Dict[str, List[str]] = {}
    for name, text in _query(request.query):
        _check_taken(name, taken)
        if name + "*" in route.takes:
            lists.setdefault(name, []).append(text)
        elif name in values:
            raise Refusal(400, f"{name} is given more than once")
        else:
            values[name] = text
    for name, value in ({} if route.meters else _body(request)).items():
        _check_taken(name, taken)
        if name in values:
            raise Refusal(400, f"{name} is given more than once")
        values[name] = value
    return Parameters(values, lists)


def _check_taken(name: str, taken: Any) -> None:
    if name not in taken:
        what = f"it takes {', '.join(sorted(taken))}" if taken else "it takes none"
        raise Refusal(400, f"there is no parameter {name[:40]!r}: {what}")


def _query(query: str) -> List[Tuple[str, str]]:
    if not query:
        return []
    if _ESCAPE.search(query):
        raise Refusal(400, "an escape in the query is not % and two digits")
    try:
        return parse_qsl(query, keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError:
        raise Refusal(400, "the query is not written as name=text&name=text in UTF-8") from None


def _body(request: Request) -> Dict[str, Any]:
    if not request.body or not request.changes_state:
        return {}
    try:
        found = json.loads(request.body.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise Refusal(400, "the body is not JSON in UTF-8") from None
    if not isinstance(found, dict):
        raise Refusal(400, "the body is not a JSON object")
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
