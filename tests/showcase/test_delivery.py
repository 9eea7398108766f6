"""Sending and delivering: what an answer means, pauses, the circuit, and what waits on the disk."""
from __future__ import annotations

import contextlib
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Iterator, List

import pytest

import support.sender as sending
from errors import LogError, UsageError
from metering_documents import completion
from support.delivery import SENT, SPOOLED, Backoff, CircuitBreaker, Delivery
from support.sender import Endpoint, HttpSender, Sender, SendError, connect, is_listening
from support.spool import Spool

KEY = "hak_0123456789"


class Script(BaseHTTPRequestHandler):
    """Answers what a test wrote down, in turn, and notes what was asked."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, self.headers.get("x-api-key"), json.loads(body)))
        status, headers, text = self.server.script.pop(0)
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(text))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *arguments: Any) -> None:
        pass


@contextlib.contextmanager
def scripted(*script: Any) -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), Script)
    server.script, server.asked = list(script), []
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def address(server: HTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_port}/meter"


class Answers(Sender):
    """A sender whose endpoint answers as a test says: a status for each call, 200 when all are used up."""

    def __init__(self, *statuses: int, retry_after: float = 0.0) -> None:
        self.statuses, self.sent, self.tried, self._retry_after = list(statuses), [], 0, retry_after

    def send(self, document: Any) -> str:
        self.tried += 1
        status = self.statuses.pop(0) if self.statuses else 200
        if status != 200:
            raise SendError(f"answered {status}", status, self._retry_after or None)
        self.sent.append(document["transactionId"])
        return document["transactionId"]


def delivery(sender: Sender, folder: Any, pauses: List[float], **more: Any) -> Delivery:
    return Delivery(sender, Spool(folder / "spool"), sleep=pauses.append, chance=lambda: 1.0, **more)


def test_a_call_is_posted_with_its_key_and_the_answers_id_is_returned():
    with scripted((201, {}, b'{"id": "taken"}'), (200, {}, b"no json")) as server:
        with HttpSender(Endpoint(address(server) + "/", KEY)) as sender:
            assert sender.send(completion(1)) == "taken"
            assert sender.send(completion(2)) == "tx-2"
        assert server.asked == [("/meter/v2/ai/completions", KEY, completion(number)) for number in (1, 2)]
    with scripted((201, {}, b"{}")) as server, HttpSender(Endpoint(address(server))) as sender:
        sender.send(completion(1))
        assert server.asked[0][1] is None


@pytest.mark.parametrize("plain", [True, False])
def test_a_refusal_tells_its_reason_and_whether_to_come_again(plain):
    script = [(429, {"Retry-After": "7"}, b'{"error": "too many"}'), (400, {}, b'{"error": "no model"}'),
              (503, {"Retry-After": "soon"}, b"<html>"), (302, {"Location": "http://evil.example/"}, b"")]
    with scripted(*script) as server, connect(Endpoint(address(server), KEY), plain) as sender:
        found = []
        for _ in script:
            with pytest.raises(SendError) as caught:
                sender.send(completion(1))
            found.append((caught.value.status, caught.value.is_temporary, caught.value.retry_after))
            assert "\n" not in str(caught.value)
        assert found[:3] == [(429, True, 7.0), (400, False, None), (503, True, None)]
        assert plain is False or found[3] == (302, False, None)
        assert len(server.asked) == 4


def test_who_does_not_answer_is_told_in_one_line_that_says_what_to_do():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nobody = Endpoint(f"http://127.0.0.1:{unused.getsockname()[1]}/meter")
    assert not is_listening(nobody)
    with HttpSender(nobody) as sender, pytest.raises(SendError, match=r"refused.*serve\.py --metering") as caught:
        sender.send(completion(1))
    assert caught.value.is_temporary and "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "localhost:8000", "ftp://a/", "http:///meter", "http://a:b/", "http://[::1", "http://a:0"])
@pytest.mark.parametrize("plain", [True, False])
def test_what_is_no_address_is_wrong_usage(text, plain):
    with pytest.raises(UsageError, match="is no address"):
        connect(Endpoint(text), plain)


def test_without_an_sdk_the_standard_library_sends(monkeypatch):
    monkeypatch.setattr(sending, "SDKS", ("no_such_package",))
    assert isinstance(connect(Endpoint()), HttpSender)


@pytest.mark.parametrize("sdk", sending.SDKS)
def test_each_of_the_two_packages_with_the_official_client_sends(monkeypatch, sdk):
    pytest.importorskip(sdk.partition(".")[0])
    monkeypatch.setattr(sending, "SDKS", (sdk,))
    owned = completion(1, subscriptionTier="pro", tierPriceUsd="99", taskType="chat")
    with scripted((201, {}, b'{"id": "taken"}')) as server, connect(Endpoint(address(server), KEY)) as sender:
        assert isinstance(sender, sending.SdkSender) and sender.send(owned) == "taken"
        path, key, body = server.asked[0]
        assert (path, key) == ("/meter/v2/ai/completions", KEY)
        assert {name: body[name] for name in owned} == owned


def test_pauses_double_up_to_a_bound_and_chance_shortens_them():
    backoff = Backoff(attempts=9, first=0.5, most=3.0)
    assert [backoff.pause(failures, 1.0) for failures in range(1, 6)] == [0.5, 1.0, 2.0, 3.0, 3.0]
    assert backoff.pause(3, 0.25) == 0.5


def test_a_call_is_tried_again_after_what_passes_and_not_after_what_stays(tmp_path):
    pauses: List[float] = []
    sender = Answers(503, 0)
    assert delivery(sender, tmp_path, pauses).deliver(completion(1)) == SENT
    assert (sender.tried, pauses) == (3, [0.25, 0.5])
    sender = Answers(400)
    with pytest.raises(SendError, match="400"):
        delivery(sender, tmp_path, pauses).deliver(completion(2))
    assert sender.tried == 1 and len(Spool(tmp_path / "spool")) == 0


def test_an_endpoint_that_asks_for_time_gets_it_within_bounds(tmp_path):
    pauses: List[float] = []
    delivery(Answers(429, 429, retry_after=2.0), tmp_path, pauses).deliver(completion(1))
    delivery(Answers(429, retry_after=9999.0), tmp_path, pauses, backoff=Backoff(most=8.0)).deliver(completion(1))
    assert pauses == [2.0, 2.0, 8.0]


def test_a_dead_endpoint_opens_the_circuit_and_one_call_tries_it_after_a_rest(tmp_path):
    now, pauses = [0.0], []
    breaker = CircuitBreaker(failures=3, rest=30.0, clock=lambda: now[0])
    sender = Answers(*[0] * 4)
    one = delivery(sender, tmp_path, pauses, breaker=breaker)
    assert [one.deliver(completion(number)) for number in (1, 2, 3)] == [SPOOLED] * 3
    assert sender.tried == 3 and breaker.is_open
    now[0] = 29.9
    assert one.deliver(completion(4)) == SPOOLED and sender.tried == 3
    now[0] = 30.0
    assert one.deliver(completion(5)) == SPOOLED and sender.tried == 4 and breaker.is_open
    now[0] = 60.0
    assert one.deliver(completion(6)) == SENT and not breaker.is_open
    assert one.resend() == 5 and len(one.spool) == 0
    assert sender.sent[0] == "tx-6" and sorted(sender.sent) == [f"tx-{number}" for number in range(1, 7)]


def test_a_refusal_of_one_call_is_no_failure_of_the_endpoint(tmp_path):
    breaker = CircuitBreaker(failures=1)
    with pytest.raises(SendError):
        delivery(Answers(400), tmp_path, [], breaker=breaker).deliver(completion(1))
    assert not breaker.is_open


def test_what_waits_is_sent_by_time_and_stays_where_the_endpoint_fails_again(tmp_path):
    spool = Spool(tmp_path / "spool")
    for number in (3, 1, 2):
        spool.keep(completion(number, requestTime=f"2026-11-20T10:00:0{number}.000Z"))
    spool.keep(completion(1, requestTime="2026-11-20T10:00:01.000Z"))  # a call that is kept twice is one
    assert len(spool) == 3
    sender = Answers(200, 0, 0, 0, 0)
    assert delivery(sender, tmp_path, []).resend() == 1 and len(spool) == 2
    assert delivery(sender, tmp_path, []).resend() == 2 and len(spool) == 0
    assert sender.sent == ["tx-1", "tx-2", "tx-3"]


def test_what_no_endpoint_takes_is_set_aside_and_in_nobodys_way(tmp_path):
    spool = Spool(tmp_path / "spool")
    (spool.folder / "0-damaged.json").write_text("{")
    for number in (1, 2):
        spool.keep(completion(number, requestTime=f"2026-11-20T10:00:0{number}.000Z"))
    sender = Answers(400)
    assert delivery(sender, tmp_path, []).resend() == 1 and sender.sent == ["tx-2"]
    assert len(list(spool.folder.glob("*.refused"))) == 2 and len(spool) == 0


def test_a_spool_that_cannot_be_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LogError, match="check the path"):
        Spool(tmp_path / "file" / "spool")
