"""A stand-in for AWS on the loopback that answers what a test tells it to, and writes down what it was asked."""
from __future__ import annotations

import json
import threading
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Dict, List, Tuple
from urllib.parse import parse_qs

import pytest

from aws.live.patience import Surroundings
from aws.sources.base import SourceOptions
from aws.sources.live import LiveSource

ACCOUNT = "012345678901"  # with the zero in front that must stay
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/nowhere/config", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere/credentials",
        "AWS_DEFAULT_REGION": "us-east-1", "NO_PROXY": "*", "no_proxy": "*"}
NO_KEYS = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_ROLE_ARN",
           "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
_IDENTITY = ('<{0}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{0}Result>{1}</{0}Result>'
             '<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></{0}Response>')

Said = Tuple[int, Dict[str, Any]]


class ScriptedAws:
    """Answers operations by name, each answer once and the last one for ever; without any, the request fails."""

    def __init__(self) -> None:
        self.asked: List[Tuple[str, Dict[str, Any]]] = []
        self.answers: Dict[str, List[Said]] = {}
        self.roles: Dict[str, Any] = {}  # role to account, or None where it is denied
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def say(self, operation: str, *answers: Any) -> None:
        """Answer with documents, or with `refusal(...)`s, in order."""
        self.answers[operation] = [one if isinstance(one, tuple) else (200, one) for one in answers]

    def asked_for(self, operation: str) -> List[Dict[str, Any]]:
        """Return the parameters of all requests of an operation."""
        return [parameters for name, parameters in self.asked if name == operation]

    def answer(self, operation: str, parameters: Dict[str, Any]) -> Said:
        self.asked.append((operation, parameters))
        left = self.answers.get(operation) or [refusal("NotImplemented", status=501)]
        return left.pop(0) if len(left) > 1 else left[0]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def refusal(code: str, message: str = "no", status: int = 400) -> Said:
    """Return an error as AWS words it."""
    return status, {"__type": code, "message": message, "Message": message}


def money(amount: str, unit: str = "USD", usage: str = "0", usage_unit: str = "N/A") -> Dict[str, Any]:
    """Return metrics that all say one amount."""
    names = ("UnblendedCost", "AmortizedCost", "NetUnblendedCost", "NetAmortizedCost", "BlendedCost")
    return dict({name: {"Amount": amount, "Unit": unit} for name in names},
                UsageQuantity={"Amount": usage, "Unit": usage_unit})


def period(start: str, end: str, *groups: Tuple[Any, ...], estimated: bool = False) -> Dict[str, Any]:
    """Return a period of an answer: groups are keys and then an amount."""
    return {"TimePeriod": {"Start": start, "End": end}, "Estimated": estimated, "Total": {},
            "Groups": [{"Keys": list(one[:-1]), "Metrics": one[-1] if isinstance(one[-1], dict) else money(one[-1])}
                       for one in groups]}


def page(*periods: Dict[str, Any], token: str = "") -> Dict[str, Any]:
    """Return a page of an answer, with the token of the next one."""
    return dict({"ResultsByTime": list(periods)}, **({"NextPageToken": token} if token else {}))


@pytest.fixture(scope="session")
def aws_models():
    """Return what reads AWS's descriptions of its services: once for all sessions, since they are megabytes."""
    return pytest.importorskip("botocore.loaders", reason="boto3 is there from Python 3.10").create_loader()


@pytest.fixture
def aws_keys(aws_models, monkeypatch):
    """Set keys that no real service takes, and nothing else that boto3 could find."""
    monkeypatch.setattr("botocore.loaders.create_loader", lambda *folders: aws_models)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    for name in NO_KEYS:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def aws(aws_keys):
    """Return a stand-in for AWS."""
    stand_in = ScriptedAws()
    yield stand_in
    stand_in.stop()


class Clock:
    """Time that only passes when somebody sleeps, and chance that is always the same."""

    def __init__(self) -> None:
        self.time = 1_000_000.0
        self.slept: List[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    @property
    def surroundings(self) -> Surroundings:
        return Surroundings(lambda: self.time, self.sleep, lambda: 0.5)


def live(aws: Any, folder: Any, today: date = date(2026, 3, 15), clock: Any = None,
         **options: Any) -> LiveSource:
    """Return a live source that asks a stand-in at its `url`."""
    return LiveSource(SourceOptions(today, endpoint_url=aws.url, cache=str(folder), **options),
                      surroundings=(clock or Clock()).surroundings)


def _handler(aws: ScriptedAws) -> type:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            target = self.headers.get("X-Amz-Target", "")
            if target or self.path.startswith("/model/"):
                parameters = json.loads(body.decode() or "{}")
                if not target:
                    parameters["modelId"] = self.path.split("/")[2]
                self._send(*aws.answer(target.rpartition(".")[2] or "Converse", parameters))
            else:
                self._identify({key: one[0] for key, one in parse_qs(body.decode("latin-1")).items()})

        def do_GET(self) -> None:
            name = {"/foundation-models": "ListFoundationModels", "/inference-profiles": "ListInferenceProfiles"}
            path = self.path.partition("?")[0]
            self._send(*aws.answer(name.get(path, path), {}))

        def _identify(self, form: Dict[str, str]) -> None:
            action, role = form.get("Action", ""), form.get("RoleArn", "")
            aws.asked.append((action, form))
            account = aws.roles.get(role, ACCOUNT)
            if account is None:
                return self._send(403, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error>"
                                       "</ErrorResponse>")
            if action == "AssumeRole":  # the key that comes with a role tells later who is asking
                return self._send(200, _IDENTITY.format(action, f"<Credentials><AccessKeyId>{account}</AccessKeyId>"
                                  "<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>"
                                  "2099-01-01T00:00:00Z</Expiration></Credentials>"))
            key = self.headers.get("Authorization", "").partition("Credential=")[2].partition("/")[0]
            own = key if key.isdigit() else account
            return self._send(200, _IDENTITY.format(action, f"<Account>{own}</Account>"))

        def _send(self, status: int, body: Any) -> None:
            data = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/xml" if isinstance(body, str) else "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(data)))
            if isinstance(body, dict) and "__type" in body:
                self.send_header("x-amzn-ErrorType", body["__type"])
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: Any) -> None:
            pass

    return Handler
