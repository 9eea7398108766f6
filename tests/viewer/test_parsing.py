"""What the server makes of bytes: proper requests are answered, all else is refused, and nothing is dropped."""
from __future__ import annotations

import socket
import time

import pytest
from viewers import parsed, raw, read_all, serving

import app.server
from app.messages import Response

HOST = b"Host: example.com\r\n"


def echo(request) -> Response:
    text = f"{request.method} {request.path} {request.query} {request.body!r} {request.authority}"
    return Response(200, text.encode(), "text/plain")


@pytest.fixture(scope="module")
def port():
    with serving(echo) as server:
        yield server.port


def get(more: bytes = b"", target: bytes = b"/", version: bytes = b"HTTP/1.1", host: bytes = HOST) -> bytes:
    return b"GET " + target + b" " + version + b"\r\n" + host + more + b"Connection: close\r\n\r\n"


def post(more: bytes, body: bytes = b"") -> bytes:
    return b"POST / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n" + more + b"\r\n" + body


PROPER = {
    "plain": (get(), b"GET /  b''"),
    "query": (get(target=b"/a?b=c"), b"GET /a b=c"),
    "whole address": (get(target=b"http://example.com/a?b"), b"GET /a b b'' example.com"),
    "name in any case, tab before the value": (get(host=b"hOSt:\texample.com\r\n"), b"GET /"),
    "empty value": (get(b"X-Empty:\r\nX-Space: \r\n"), b"GET /"),
    "other bytes in a value": (get(b"X: \xe9\xff\r\n"), b"GET /"),
    "an empty line in front": (b"\r\n" + get(), b"GET /"),
    "a newer minor version": (get(version=b"HTTP/1.7"), b"GET /"),
    "1.0 without Host": (b"GET / HTTP/1.0\r\n\r\n", b"GET /"),
    "body": (post(b"Content-Length: 5\r\n", b"hello"), b"b'hello'"),
    "equal lengths": (post(b"Content-Length: 5\r\nContent-Length: 5\r\n", b"hello"), b"b'hello'"),
    "chunks": (post(b"Transfer-Encoding: chunked\r\n",
                    b"2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nTrailer: x\r\n\r\n"), b"b'hello'")}


@pytest.mark.parametrize("name", PROPER)
def test_a_proper_request_is_answered(port, name):
    request, found = PROPER[name]
    answer = parsed(raw(port, request))
    assert answer.status == 200 and found in answer.body


REFUSED = {
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two hosts": (get(b"Host: example.org\r\n"), 400),
    "two equal hosts": (get(HOST), 400),
    "no version": (b"GET / \r\n\r\n", 400),
    "only a method": (b"GET\r\n\r\n", 400),
    "two spaces": (b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a tab": (b"GET\t/ HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "words before the method": (b"Extra lineGET / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "two empty lines in front": (b"\r\n\r\n" + get(), 400),
    "another version": (get(version=b"HTTP/9.9"), 505),
    "version 2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "no version number": (get(version=b"HTTP/x"), 400),
    "version in lower case": (get(version=b"http/1.1"), 400),
    "target without a slash": (get(target=b"index.html"), 400),
    "target with a control character": (get(target=b"/\x01"), 400),
    "target with other bytes": (get(target=b"/\xe9"), 400),
    "target with a fragment": (get(target=b"/a#b"), 400),
    "a foreign scheme": (get(target=b"ftp://example.com/"), 400),
    "an address with a name before it": (get(target=b"http://a@example.com/"), 400),
    "bare line feeds": (b"GET / HTTP/1.1\nHost: example.com\n\n", 400),
    "one bare line feed": (get(b"X: y\n"), 400),
    "bare carriage return": (b"GET / HTTP/1.1\r\n" + HOST + b"\rX: y\r\n\r\n", 400),
    "carriage return in a value": (get(b"X: a\rb\r\n"), 400),
    "NUL in a value": (get(b"X: a\0b\r\n"), 400),
    "bell in a value": (get(b"X: \x07\r\n"), 400),
    "folded line": (get(b"X: a\r\n b\r\n"), 400),
    "empty name": (get(b": a\r\n"), 400),
    "space before the colon": (get(b"X : a\r\n"), 400),
    "space before the name": (get(b" X: a\r\n"), 400),
    "brackets in a name": (get(b"X[]: a\r\n"), 400),
    "no colon": (get(b"Xa\r\n"), 400),
    "length with a sign": (post(b"Content-Length: +5\r\n", b"hello"), 400),
    "length with an underscore": (post(b"Content-Length: 0_5\r\n", b"hello"), 400),
    "negative length": (post(b"Content-Length: -5\r\n", b"hello"), 400),
    "length in words": (post(b"Content-Length: five\r\n", b"hello"), 400),
    "empty length": (post(b"Content-Length:\r\n", b"hello"), 400),
    "length in other digits": (post("Content-Length: \u0665\r\n".encode(), b"hello"), 400),
    "differing lengths": (post(b"Content-Length: 5\r\nContent-Length: 6\r\n", b"hello"), 400),
    "differing lengths in one": (post(b"Content-Length: 5, 6\r\n", b"hello"), 400),
    "length and chunks": (post(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"), 400),
    "another coding": (post(b"Transfer-Encoding: gzip\r\n", b""), 501),
    "two codings": (post(b"Transfer-Encoding: gzip, chunked\r\n", b""), 501),
    "chunks in 1.0": (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "chunk without a size": (post(b"Transfer-Encoding: chunked\r\n", b"x\r\n"), 400),
    "chunk of a negative size": (post(b"Transfer-Encoding: chunked\r\n", b"-1\r\n"), 400),
    "chunk longer than its size": (post(b"Transfer-Encoding: chunked\r\n", b"1\r\nhello\r\n0\r\n\r\n"), 400),
    "another expectation": (post(b"Expect: tea\r\n"), 417),
    "long body": (post(b"Content-Length: 65537\r\n"), 413),
    "long chunk": (post(b"Transfer-Encoding: chunked\r\n", b"10001\r\n"), 413),
    "many chunks": (post(b"Transfer-Encoding: chunked\r\n", (b"8000\r\n" + b"x" * 0x8000 + b"\r\n") * 3), 413),
    "long line": (get(target=b"/" + b"a" * 8192), 414),
    "long header": (get(b"X: " + b"a" * 8192 + b"\r\n"), 431),
    "many headers": (get(b"X: a\r\n" * 101), 431),
    "large headers": (get((b"X: " + b"a" * 4000 + b"\r\n") * 9), 431)}


@pytest.mark.parametrize("name", REFUSED)
def test_whatever_could_be_understood_in_two_ways_is_refused_with_a_reason(port, name):
    request, status = REFUSED[name]
    answer = parsed(raw(port, request))
    assert answer.status == status, answer
    assert answer.document["status"] == status and len(answer.document["error"]) > 10
    assert answer.headers["connection"] == "close"


def test_a_refused_request_is_the_last_of_its_connection(port):
    smuggled = b"GET /smuggled HTTP/1.1\r\n" + HOST + b"\r\n"
    for request, _ in REFUSED.values():
        assert b"smuggled" not in raw(port, request + smuggled)


def test_who_is_refused_gets_to_read_why_though_much_more_was_sent(port):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(post(b"Content-Length: 3000000\r\n"))
        for _ in range(10):  # the answer is there already; a closed socket would answer these with a reset
            time.sleep(0.02)
            connection.sendall(b"x" * 100_000)
        assert parsed(read_all(connection)).status == 413


def test_many_spaces_in_a_value_cost_no_time(port):
    began = time.perf_counter()
    raw(port, get((b"X: a" + b" " * 8000 + b"b\r\n") * 3))
    assert time.perf_counter() - began < 1.0


def test_requests_come_one_after_the_other_on_one_connection(port):
    keep = b"GET /%d HTTP/1.1\r\n" + HOST + b"\r\n"
    answer = raw(port, keep % 1 + post(b"Content-Length: 2\r\n", b"ab").replace(b"Connection: close\r\n", b"")
                 + keep % 3 + get(target=b"/4"))
    assert [answer.count(b"HTTP/1.1 200"), answer.count(b"POST /  b'ab'"), answer.count(b"GET /4")] == [4, 1, 1]


def test_who_waits_for_a_100_gets_one_before_the_body_is_read(port):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(post(b"Content-Length: 5\r\nExpect: 100-continue\r\n"))
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"hello")
        assert b"b'hello'" in read_all(connection)


def test_http_1_0_is_answered_and_closed_whatever_it_asks_for(port):
    began = time.perf_counter()
    answer = parsed(raw(port, b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"))
    assert answer.headers["connection"] == "close" and time.perf_counter() - began < 2


def test_head_is_get_without_its_body(port):
    whole, head = raw(port, get()), raw(port, get().replace(b"GET", b"HEAD", 1))
    assert parsed(head).body == b"" and parsed(whole).body
    assert parsed(head).headers["content-length"] == str(len(parsed(whole).body) + 1)  # the method is echoed


@pytest.mark.parametrize("slow", [get()[:-2], b"GE", b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 9\r\n\r\n"])
def test_a_client_that_sends_a_byte_now_and_then_is_cut_off(monkeypatch, slow):
    monkeypatch.setattr(app.server, "REQUEST_SECONDS", 0.6)
    with serving(echo) as server, socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(slow)
        began = time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() - began < 5:
                connection.sendall(b"x")
                time.sleep(0.05)
                if not server.connections:
                    raise ConnectionResetError
        assert 0.3 < time.monotonic() - began < 3


def test_an_idle_connection_is_closed(monkeypatch):
    monkeypatch.setattr(app.server, "KEEP_ALIVE_SECONDS", 0.3)
    with serving(echo) as server, socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        began = time.monotonic()
        connection.sendall(get().replace(b"Connection: close\r\n", b""))
        assert b"200 OK" in read_all(connection)  # until it is closed
        assert time.monotonic() - began < 4


def test_a_client_that_does_not_read_is_cut_off(monkeypatch):
    monkeypatch.setattr(app.server, "SEND_SECONDS", 0.5)
    with serving(lambda request: Response(200, b"x" * 30_000_000)) as server, socket.create_connection(
            ("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(get())
        began = time.monotonic()
        while time.monotonic() - began < 5 and (server.connections or time.monotonic() - began < 0.2):
            time.sleep(0.02)
            connection.recv(10)  # a few bytes now and then, so that it never falls silent
        assert server.connections == 0


def test_beyond_a_number_of_connections_503_is_answered_at_once_and_room_comes_back():
    with serving(echo, most_connections=3) as server:
        held = [socket.create_connection(("127.0.0.1", server.port), timeout=5) for _ in range(3)]
        end = time.monotonic() + 5
        while server.connections < 3 and time.monotonic() < end:
            time.sleep(0.01)
        answer = parsed(raw(server.port, get()))
        assert (answer.status, answer.headers["retry-after"]) == (503, "1") and "error" in answer.document
        assert server.connections == 3 and server.turned_away == 1
        for one in held:
            one.close()
        while server.connections and time.monotonic() < end:
            time.sleep(0.01)
        assert parsed(raw(server.port, get())).status == 200


def test_three_hundred_slow_clients_keep_nobody_from_an_answer():
    with serving(echo) as server:
        slow = [socket.create_connection(("127.0.0.1", server.port), timeout=5) for _ in range(300)]
        for one in slow:
            one.sendall(b"GET / HTTP/1.1\r\nHo")
        assert parsed(raw(server.port, get())).status == 200
        for one in slow:
            one.close()


def test_an_answer_with_line_breaks_in_a_header_does_not_grow_a_header():
    with serving(lambda request: Response(200, b"", headers={"X-A": "b\r\nX-Evil: 1", "X-B": "c"})) as server:
        answer = parsed(raw(server.port, get()))
        assert "x-evil" not in answer.headers and answer.headers["x-b"] == "c"


def test_a_whole_answer_leaves_in_one_piece():
    with serving(echo) as server, socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(get())
        assert parsed(connection.recv(65_536)).body.startswith(b"GET /")
