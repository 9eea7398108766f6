"""The HTTP server: `http.server` with bounded connections, one deadline for a whole request, and strict parsing.

The stock server has a backlog of five, two small segments an answer (44 ms each by Nagle's rule), a thread for as
long as a client likes, and a lenient parser.
"""
from __future__ import annotations

import errno
import http.server
import io
import os
import socket
import socketserver
import threading
import time
from http import HTTPStatus
from typing import Any, Callable, Dict, List, Optional, Tuple, cast

from app.logs import EventLog
from app.messages import Refusal, Request, Response
from app.parsing import MOST_BODY, Head, Incomplete, as_request, read_body, read_head

Application = Callable[[Request], Response]
MOST_CONNECTIONS = 512
KEEP_ALIVE_SECONDS = 30.0  # longer than the page's slowest polling, so that it keeps its connection
REQUEST_SECONDS = 8.0  # for a whole request from its first byte: a limit for each read would begin anew with each byte
SEND_SECONDS = 20.0  # for a whole answer
LINGER_SECONDS = 1.0  # for a client to read why it was refused
CROWDED_SECONDS = 0.05  # to wait when the process has no descriptor left for a connection
SERVER_NAME = "finops-viewer"
ALWAYS = (("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"), ("X-Frame-Options", "DENY"),
          ("Cross-Origin-Opener-Policy", "same-origin"), ("Cross-Origin-Resource-Policy", "same-origin"),
          ("Cache-Control", "no-cache"))


class DeadlineReader(io.RawIOBase):
    """Reads from a socket until `deadline`, a time of the monotonic clock; then `socket.timeout` is raised."""

    def __init__(self, connection: socket.socket) -> None:
        """Read from this connection."""
        super().__init__()
        self._connection = connection
        self.deadline = 0.0

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what there is."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise socket.timeout("the request took too long")
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection: reads requests and writes the application's answers until either side has enough."""

    protocol_version = "HTTP/1.1"
    server: ViewerServer

    def setup(self) -> None:
        """Put a deadline before every read, and nothing between answers and the socket."""
        self.connection: socket.socket = self.request
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        self._reader = DeadlineReader(self.connection)
        self._stream = io.BufferedReader(self._reader, 65_536)

    def handle(self) -> None:
        """Serve requests until the connection ends."""
        try:
            while self._serve_one():
                pass
        except (OSError, Incomplete):  # gone, too slow, or cut off by `close_connections`; socket.timeout is an OSError
            pass

    def finish(self) -> None:
        """Leave closing to the server; there is no buffered output to flush."""
        self._stream.close()

    def _serve_one(self) -> bool:
        """Serve one request; False when the connection is to end."""
        self._reader.deadline = time.monotonic() + KEEP_ALIVE_SECONDS
        if self.server.stopping or not self._stream.peek(1):
            return False
        self._reader.deadline = time.monotonic() + REQUEST_SECONDS
        began = time.perf_counter()
        self.server.mark(self.connection, busy=True)
        head: Optional[Head] = None
        try:
            head = read_head(cast(Any, self._stream))
            body = read_body(head, cast(Any, self._stream), self._go_on, self.server.body_limit(head))
            request = as_request(head, body, str(self.client_address[0]))
        except Refusal as refusal:
            self._write(refusal.response(), head, None, closing=True)
            self.server.seen(head, refusal.status, time.perf_counter() - began)
            self._linger()
            return False
        response = self.server.application(request)
        closing = head.closes or self.server.stopping
        self._write(response, head, request, closing)
        self.server.seen(head, response.status, time.perf_counter() - began)
        self.server.mark(self.connection, busy=False)
        return not closing

    def _go_on(self) -> None:
        self.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _write(self, response: Response, head: Optional[Head], request: Optional[Request], closing: bool) -> None:
        """Write a whole answer at once: head and body in one segment where they fit."""
        status, body, headers = response.status, response.body, self._headers(response, closing)
        asked = request.headers if request else {}
        if response.etag:
            headers.append(("ETag", response.etag))
            if status == 200 and _matches(asked.get("if-none-match", ""), response.etag):
                status, body = 304, b""
        if response.gzipped is not None:
            headers.append(("Vary", "Accept-Encoding"))
            if body and accepts_gzip(asked.get("accept-encoding", "")):
                headers.append(("Content-Encoding", "gzip"))
                body = response.gzipped
        if status != 304:
            headers += [("Content-Type", response.content_type), ("Content-Length", str(len(body)))]
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"] + [f"{name}: {value}" for name, value in headers]
        text = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        self.connection.settimeout(SEND_SECONDS)
        self.connection.sendall(text if head and head.method == "HEAD" else text + body)

    def _headers(self, response: Response, closing: bool) -> List[Tuple[str, str]]:
        headers = [("Server", SERVER_NAME), ("Date", self.date_time_string()), *ALWAYS,
                   ("Content-Security-Policy", response.policy)]
        # A value that a client had a part in must not end its line.
        headers += [one for one in response.headers.items() if "\r" not in one[1] and "\n" not in one[1]]
        return headers + [("Connection", "close")] if closing else headers

    def _linger(self) -> None:
        """Read on for a moment: closing with unread bytes would take the answer from the client."""
        self._reader.deadline = time.monotonic() + LINGER_SECONDS
        self.connection.shutdown(socket.SHUT_WR)
        for _ in range(64):
            if not self._reader.read(65_536):
                return


class ViewerServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """A threaded server with a bounded number of connections; `application` turns requests into responses."""

    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = os.name != "nt"  # on Windows it would let two servers share a port

    def __init__(self, address: Tuple[str, int], application: Application, log: EventLog) -> None:
        """Bind and listen; raises OSError when that is impossible."""
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        self.application = application
        self.most_connections = MOST_CONNECTIONS
        self.body_limit: Callable[[Head], int] = lambda head: MOST_BODY
        self.stopping = False
        self.turned_away = 0
        self.answers: Dict[int, int] = {}
        self._log = log
        self._lock = threading.Lock()
        self._busy: Dict[socket.socket, bool] = {}
        super().__init__(address, Handler)

    @property
    def port(self) -> int:
        """Return the port that was bound."""
        return int(self.server_address[1])

    @property
    def connections(self) -> int:
        """Return how many connections are open."""
        return len(self._busy)

    def get_request(self) -> Tuple[socket.socket, Any]:
        """Accept a connection; without a descriptor for it, wait a moment instead of asking again at once."""
        try:
            connection, address = super().get_request()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                time.sleep(CROWDED_SECONDS)
            raise
        return connection, address

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread of its own, or answer 503 when there are too many."""
        with self._lock:
            room = len(self._busy) < self.most_connections and not self.stopping
            if room:
                self._busy[request] = False
        if room:
            super().process_request(request, client_address)
        else:
            self._turn_away(request)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection and make room for another."""
        with self._lock:
            self._busy.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what a connection's thread stumbled over; the connection ends, the server goes on."""
        self._log.failure("connection")

    def mark(self, connection: socket.socket, busy: bool) -> None:
        """Remember whether a connection is in the middle of a request."""
        with self._lock:
            self._busy[connection] = busy

    def seen(self, head: Optional[Head], status: int, seconds: float) -> None:
        """Count and log an answer."""
        with self._lock:
            self.answers[status] = self.answers.get(status, 0) + 1
        self._log.request(head.method if head else "-", head.target if head else "-", status, seconds)

    def close_connections(self, wait_seconds: float) -> None:
        """End idle connections at once, give the busy ones some time, then end them too."""
        self.stopping = True
        deadline = time.monotonic() + wait_seconds
        while True:
            late = time.monotonic() >= deadline
            with self._lock:
                ending = [one for one, busy in self._busy.items() if late or not busy]
                left = len(self._busy)
            for one in ending:
                _cut(one)
            if late or not left:
                return
            time.sleep(0.02)

    def _turn_away(self, connection: socket.socket) -> None:
        """Answer 503 without waiting for anything: this is the thread that accepts."""
        self.turned_away += 1
        try:
            connection.setblocking(False)
            try:
                connection.recv(65_536)
            except BlockingIOError:
                pass
            connection.send(_FULL)
        except OSError:
            pass
        self.shutdown_request(connection)


def accepts_gzip(header: str) -> bool:
    """Tell whether an Accept-Encoding header allows gzip."""
    for one in header.lower().split(","):
        name, _, parameter = one.partition(";")
        if name.strip() in ("gzip", "*"):
            return parameter.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _matches(header: str, etag: str) -> bool:
    return header.strip() == "*" or etag[2:] in [one.strip().replace("W/", "", 1) for one in header.split(",")]


def _cut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it ended by itself


_FULL_BODY = Refusal(503, "too many connections: try again in a moment").response().body
_FULL = (f"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: {len(_FULL_BODY)}\r\n"
         "Retry-After: 1\r\nConnection: close\r\nX-Content-Type-Options: nosniff\r\n\r\n").encode("ascii") + _FULL_BODY
