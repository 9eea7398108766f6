"""The one way that all examples send: a completion as JSON over HTTP, by the official SDK where it is installed."""
from __future__ import annotations

import importlib
import json
import re
import socket
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Dict, Mapping, NamedTuple, Optional, TypeVar
from urllib.parse import SplitResult, urlsplit

from errors import FinOpsError, UsageError

LOCAL = "http://127.0.0.1:8000/meter"  # the viewer, started with --metering
REVENIUM = "https://api.revenium.ai/meter"
KEY_NAME, ADDRESS_NAME = "REVENIUM_METERING_API_KEY", "REVENIUM_METERING_BASE_URL"  # as the official SDK has them
COMPLETIONS = "/v2/ai/completions"
SDKS = ("revenium_metering", "revenium_middleware._metering")  # two packages with the same client
TIMEOUT_SECONDS = 10.0
MOST_BYTES = 100_000  # of an answer
TEMPORARY = frozenset({0, 408, 429, 500, 502, 503, 504})  # answers (0: none) after which a call may be sent again
NAMED = ("completionStartTime", "costType", "inputTokenCount", "isStreamed", "model", "outputTokenCount", "provider",
         "requestDuration", "requestTime", "responseTime", "stopReason", "totalTokenCount", "transactionId")

Completion = Mapping[str, Any]
Own = TypeVar("Own", bound="Sender")


class Endpoint(NamedTuple):
    """Where completions go: an address that `/v2/ai/completions` follows, and the key that is sent with them."""

    address: str = LOCAL
    key: str = ""


class SendError(FinOpsError):
    """A completion was not taken: `status` is the answer's (0: there was none), `retry_after` its wish in seconds."""

    def __init__(self, message: str, status: int = 0, retry_after: Optional[float] = None) -> None:
        """Hold what a sender needs to decide whether to try again."""
        super().__init__(message)
        self.status, self.retry_after = status, retry_after

    @property
    def is_temporary(self) -> bool:
        """Tell whether the same completion may be taken later."""
        return self.status in TEMPORARY


class Sender:
    """Sends completions to an endpoint; for one thread. Use as a context manager."""

    def send(self, completion: Completion) -> str:
        """Return the id that the endpoint took the call under; raises `SendError`."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the connection."""

    def __enter__(self: Own) -> Own:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class HttpSender(Sender):
    """Sends with the standard library alone, over one connection that stays open."""

    def __init__(self, endpoint: Endpoint, timeout: float = TIMEOUT_SECONDS) -> None:
        """Connect when the first completion comes; raises `UsageError` for what is no address."""
        self._endpoint = endpoint
        parts = address_of(endpoint)
        self._path = parts.path.rstrip("/")
        connection = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = connection(str(parts.hostname), parts.port, timeout=timeout)

    def send(self, completion: Completion) -> str:
        """Return the id that the endpoint took the call under; raises `SendError`."""
        taken = self.post(COMPLETIONS, completion)
        return str(taken.get("id", completion["transactionId"]))

    def post(self, path: str, document: Mapping[str, Any]) -> Dict[str, Any]:
        """Post a document to a path below the endpoint's address and return the answer's; raises `SendError`."""
        headers = {"Content-Type": "application/json"}
        if self._endpoint.key:
            headers["x-api-key"] = self._endpoint.key
        try:
            self._connection.request("POST", self._path + path, json.dumps(document), headers)
            answer = self._connection.getresponse()
            body = answer.read(MOST_BYTES)
        except (OSError, HTTPException) as error:
            self._connection.close()  # so that the next one begins afresh
            raise unreachable(self._endpoint, error) from error
        if answer.status not in (200, 201):
            self._connection.close()
            raise refusal(self._endpoint, answer.status, body, answer.getheader("Retry-After"))
        return _document(body)

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()


class SdkSender(Sender):
    """Sends with Revenium's own client; trying again is left to the caller, so that it happens in one place."""

    def __init__(self, sdk: Any, endpoint: Endpoint) -> None:
        """Make the client of an imported SDK; raises `UsageError` for what is no address."""
        address_of(endpoint)
        self._sdk, self._endpoint = sdk, endpoint
        self._client = sdk.ReveniumMetering(
            api_key=endpoint.key or "local", base_url=endpoint.address.rstrip("/") + "/", max_retries=0,
            timeout=TIMEOUT_SECONDS)

    def send(self, completion: Completion) -> str:
        """Return the id that the endpoint took the call under; raises `SendError`."""
        named = {_snake(name): value for name, value in completion.items() if name in NAMED}
        others = {name: value for name, value in completion.items() if name not in NAMED}
        try:
            return str(self._client.ai.create_completion(**named, extra_body=others).id)
        except self._sdk.APIStatusError as error:
            raise refusal(self._endpoint, error.status_code, error.response.content,
                          error.response.headers.get("retry-after")) from error
        except self._sdk.APIError as error:
            raise unreachable(self._endpoint, error) from error

    def close(self) -> None:
        """Let go of the client's connections."""
        self._client.close()


def connect(endpoint: Endpoint, plain: bool = False) -> Sender:
    """Return a sender: the official SDK's where it is installed and not `plain`, else the standard library's."""
    sdk = None if plain else installed_sdk()
    return SdkSender(sdk, endpoint) if sdk else HttpSender(endpoint)


def installed_sdk() -> Any:
    """Return Revenium's client package, or None."""
    for name in SDKS:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None


def address_of(endpoint: Endpoint) -> SplitResult:
    """Return an address in its parts; raises `UsageError` for what is none."""
    try:
        parts = urlsplit(endpoint.address)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, or brackets that do not close
        is_address = False
    if not is_address:
        raise UsageError(f"{endpoint.address!r} is no address like {LOCAL}: give one with --endpoint")
    return parts


def is_listening(endpoint: Endpoint) -> bool:
    """Tell whether anybody takes connections at an address."""
    parts = address_of(endpoint)
    try:
        socket.create_connection((str(parts.hostname), parts.port or 80), timeout=1.0).close()
    except OSError:
        return False
    return True


def unreachable(endpoint: Endpoint, error: Exception) -> SendError:
    """Return the error of an endpoint that did not answer."""
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return SendError(f"cannot reach {endpoint.address} ({reason.lower().rstrip('.')}): start the viewer with "
                     "`python3 viewer/serve.py --metering`, or name another address with --endpoint")


def refusal(endpoint: Endpoint, status: int, body: bytes, retry_after: Optional[str]) -> SendError:
    """Return the error of an endpoint that did not take a completion, in its own words."""
    reason = _document(body).get("error") or "no reason given"
    seconds = float(retry_after) if retry_after and re.fullmatch(r"\d{1,6}", retry_after) else None
    return SendError(f"{endpoint.address} answered {status}: {reason}", status, seconds)


def _document(body: bytes) -> Dict[str, Any]:
    try:
        found = json.loads(body.decode("utf-8"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _snake(name: str) -> str:
    """Return `inputTokenCount` as `input_token_count`."""
    return re.sub("(?=[A-Z])", "_", name).lower()
