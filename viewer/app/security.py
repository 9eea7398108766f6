"""Who may ask: the Host a browser used, where a page that posts came from, a token, and how often.

Listening on loopback keeps other machines out, not other web pages: any page open in a browser on this machine can
send requests here. A rebound name is told by its Host, a foreign page's POST by Sec-Fetch-Site or Origin. No CORS
header is ever sent, so that no other page reads an answer.
"""
from __future__ import annotations

import hashlib
import hmac
import ipaddress
import math
import threading
import time
from collections import OrderedDict
from typing import Callable, Mapping, Sequence, Tuple

from app.messages import Refusal, Request

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
COOKIE = "finops_token"
LEAST_TOKEN = 16  # characters
JSON_KINDS = ("application/json",)
METERED_KINDS = JSON_KINDS + ("application/x-protobuf",)  # none that a page may send unasked
_MOST_CLIENTS = 1024  # that the rate limit remembers


class Guard:
    """Decides by Host, origin and token whether a request is served."""

    def __init__(self, host: str, port: int, token: str = "", allowed: Sequence[str] = (),
                 metering_token: str = "") -> None:
        """`host` and `port` are what the server is bound to; `allowed` are further names, with or without a port.

        Programs that send their calls need the `metering_token`, or `token` where there is no other.
        """
        self._port = port
        self._any_address = not is_loopback(host)
        self._token = token
        self._metering_token = metering_token or token
        self._allowed = {one.lower() for one in allowed}

    def check(self, request: Request, is_open: bool, meters: bool = False) -> None:
        """Raise `Refusal` for a request that is not to be served.

        An `is_open` one needs no token; one that `meters` needs the metering's.
        """
        for host in [request.headers.get("host", "")] + [request.authority] * bool(request.authority):
            if not self.knows(host):
                raise Refusal(403, "this Host is not served here: use localhost, or start the viewer with --allow-host")
        if request.changes_state:
            _check_origin(request, METERED_KINDS if meters else JSON_KINDS)
        if meters:
            if not self.may_meter(request.headers):
                raise Refusal(401, "the metering token is needed: send it as x-api-key, or as Authorization: Bearer …",
                              WWW_Authenticate="Bearer")
        elif self._token and not is_open and not self.holds_token(request):
            raise Refusal(401, "a token is needed: open /?token=… once, or send Authorization: Bearer …",
                          WWW_Authenticate="Bearer")

    def knows(self, host: str) -> bool:
        """Tell whether a Host header names this server."""
        host = host.lower()
        name, port = _split(host)
        if host in self._allowed or (name in self._allowed and (not port or port.isdigit())):
            return True
        if port != str(self._port) and not (self._port == 80 and not port and not host.endswith(":")):
            return False
        # A name can be made to point anywhere; an address cannot.
        return name in LOOPBACK_NAMES or (self._any_address and _is_address(name))

    def holds_token(self, request: Request) -> bool:
        """Tell whether a request carries the token: as a bearer, or in the cookie that the first page set."""
        kind, _, bearer = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and self.is_token(bearer.strip()):
            return True
        cookies = [one.strip().partition("=") for one in request.headers.get("cookie", "").split(";")]
        return any(name == COOKIE and _same(value, self.cookie_value) for name, _, value in cookies)

    def may_meter(self, headers: Mapping[str, str]) -> bool:
        """Tell whether headers carry the metering token, where one is asked for: as x-api-key, or as a bearer."""
        bearer = headers.get("authorization", "").partition(" ")[2].strip()
        return not self._metering_token or any(
            _same(one, self._metering_token) for one in (headers.get("x-api-key", ""), bearer))

    def is_token(self, text: str) -> bool:
        """Tell whether a text is the token, in a time that says nothing about it."""
        return bool(self._token) and _same(text, self._token)

    @property
    def cookie_value(self) -> str:
        """Return what stands for the token in a cookie."""
        return hashlib.sha256(b"finops viewer " + self._token.encode("utf-8")).hexdigest()


class RateLimit:
    """So many requests a minute for each client, all at once or spread; 0 is no limit."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with everybody's full allowance; `clock` returns seconds."""
        self._most = float(per_minute)
        self._clock = clock
        self._lock = threading.Lock()
        self._left: OrderedDict[str, Tuple[float, float]] = OrderedDict()

    def check(self, client: str) -> None:
        """Take one request from a client's allowance; raises `Refusal` (429) when nothing is left of it."""
        if not self._most:
            return
        with self._lock:
            now = self._clock()
            left, seen = self._left.pop(client, (self._most, now))
            left = min(self._most, left + (now - seen) * self._most / 60)
            self._left[client] = (max(left - 1, 0.0) if left >= 1 else left, now)
            if len(self._left) > _MOST_CLIENTS:
                self._left.popitem(last=False)
        if left < 1:
            raise Refusal(429, f"more than {self._most:.0f} requests a minute: wait a moment",
                          Retry_After=str(math.ceil((1 - left) * 60 / self._most)))


def is_loopback(host: str) -> bool:
    """Tell whether an address to bind can be reached from this machine alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _check_origin(request: Request, kinds: Sequence[str]) -> None:
    """Refuse what a page of another origin sends; programs send neither header and are let through."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    own = "http://" + request.headers.get("host", ""), "https://" + request.headers.get("host", "")
    if site not in (None, "same-origin", "none") or (origin is not None and origin.lower() not in own):
        raise Refusal(403, "this comes from another site's page: only this viewer's own page may do that")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.body and kind not in kinds:
        raise Refusal(415, f"a body is taken as {' or '.join(kinds)} only")


def _split(host: str) -> Tuple[str, str]:
    """Return name and port of a Host header; a second colon belongs to the name, which then fits none."""
    name, colon, port = host.rpartition(":")
    return (name, port) if colon and not host.endswith("]") else (host, "")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name[1:-1] if name.startswith("[") and name.endswith("]") else name)
    except ValueError:
        return False
    return True


def _same(text: str, secret: str) -> bool:
    return hmac.compare_digest(text.encode("utf-8", "replace"), secret.encode("utf-8"))
