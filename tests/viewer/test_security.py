"""Who is served: hosts, origins, tokens, rates, and which files; each promise against a viewer that runs."""
from __future__ import annotations

import gzip
import io
import json
import os
import re
import socket
from pathlib import Path

import pytest
from viewers import Running, ask, parsed, raw, serving, write_log

from app.application import Application
from app.logs import EventLog
from app.messages import Refusal, Request
from app.routes import Route, Router
from app.security import Guard, RateLimit, is_loopback
from conftest import ROOT

TOKEN = "a-long-enough-token-1"
SECRET = "what nobody may read"


@pytest.fixture(scope="module")
def viewer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("viewer")
    (folder / "data").mkdir()
    write_log(folder / "data" / "calls.csv", 300)
    (folder / "secret.html").write_text(SECRET)
    (folder / "data" / "secret.json").write_text(SECRET)
    with Running(folder, env={"FINOPS_REQUESTS_PER_MINUTE": "0"}) as running:
        running.until_fresh()
        html = running.reports / "html"
        (html / "other.html").write_text(SECRET)
        (running.reports / "json" / "other.json").write_text(SECRET)
        (html / ".hidden.html").write_text(SECRET)
        (html / "folder.html").mkdir()
        yield running


def send(viewer, *lines: str, body: str = "") -> int:
    """Send a request with just these lines and return the answer's status."""
    text = "\r\n".join(lines + ("Connection: close", f"Content-Length: {len(body)}", "", body))
    return parsed(raw(viewer.port, text.encode("latin-1"))).status


# Host

@pytest.mark.parametrize("host, served", [
    ("localhost:{port}", True), ("127.0.0.1:{port}", True), ("[::1]:{port}", True), ("LOCALHOST:{port}", True),
    ("localhost", False), ("localhost:", False), ("localhost:1", False), ("localhost:0{port}", False),
    ("evil.test", False), ("evil.test:{port}", False), ("localhost@evil.tld:{port}", False),
    ("localhost:{port}@evil.tld", False), ("localhost:x@evil.tld", False), ("localhost:{port}/path", False),
    ("localhost: x.com", False), ("evil.test/health?", False), ("localhost.evil.test:{port}", False), ("", False),
    ("127.0.0.1.evil.test:{port}", False), ("192.168.0.1:{port}", False), ("[::1]", False), ("::1:{port}", False)])
@pytest.mark.parametrize("path", ["/", "/health", "/api/status", "/reports/html/index.html", "/nothing"])
def test_only_this_machines_names_are_served(viewer, host, served, path):
    found = send(viewer, f"GET {path} HTTP/1.1", "Host: " + host.format(port=viewer.port))
    assert found == ((404 if path == "/nothing" else 200) if served else 403)


def test_a_whole_address_as_target_is_held_to_the_same(viewer):
    host = f"Host: localhost:{viewer.port}"
    assert send(viewer, f"GET http://localhost:{viewer.port}/health HTTP/1.1", host) == 200
    assert send(viewer, "GET http://evil.test/health HTTP/1.1", host) == 403


def test_it_listens_on_loopback_alone(viewer):
    found = {line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
             if line.split()[3] == "0A" and line.split()[1].endswith(f":{viewer.port:04X}")}
    assert found == {f"0100007F:{viewer.port:04X}"}


# Where a POST comes from

@pytest.mark.parametrize("headers, status", [
    ([], 404), (["Sec-Fetch-Site: same-origin"], 404), (["Sec-Fetch-Site: none"], 404),
    (["Origin: http://localhost:{port}"], 404),
    (["Sec-Fetch-Site: same-origin", "Origin: http://localhost:{port}"], 404),
    (["Sec-Fetch-Site: cross-site"], 403), (["Sec-Fetch-Site: same-site"], 403), (["Sec-Fetch-Site: "], 403),
    (["Origin: http://evil.test"], 403), (["Origin: null"], 403), (["Origin: http://localhost:1"], 403),
    (["Origin: http://localhost:{port}.evil.test"], 403), (["Origin: "], 403),
    (["Sec-Fetch-Site: same-origin", "Origin: http://evil.test"], 403),
    (["Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"], 400),
    (["Origin: http://localhost:{port}", "Origin: http://evil.test"], 400)])
def test_only_the_viewers_own_page_and_programs_may_post(viewer, headers, status):
    lines = [one.format(port=viewer.port) for one in headers]
    for body, more in (("", []), ('{"id":"no_such"}', ["Content-Type: application/json"])):
        target = "POST /api/run-analyzer" + ("" if body else "?id=no_such")
        assert send(viewer, target + " HTTP/1.1", f"Host: localhost:{viewer.port}", *lines, *more, body=body) == status


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_what_a_form_can_send_is_not_taken(viewer, kind):
    assert send(viewer, "POST /api/run-analyzer HTTP/1.1", f"Host: localhost:{viewer.port}", f"Content-Type: {kind}",
                body='{"id":"understanding"}') == 415


@pytest.mark.parametrize("method", ["GET", "OPTIONS", "POST"])
def test_no_answer_lets_another_site_read_it(viewer, method):
    for path in ("/api/status", "/", "/api/run-all-analyzers", "/nothing"):
        answer = ask(viewer.port, path, method, Origin="http://evil.test", Access_Control_Request_Method="POST")
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/", "/api/status", "/reports/html/index.html", "/static/viewer.js", "/nothing",
                                  "/api/rollup?by=provider&format=csv", "/reports", "/metrics"])
def test_every_answer_is_guarded_by_its_headers(viewer, path):
    headers = ask(viewer.port, path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")
    assert headers["cross-origin-opener-policy"] == "same-origin" and headers["x-frame-options"] == "DENY"


def test_a_report_is_served_under_the_policy_of_its_own_script_and_style(viewer):
    answer = ask(viewer.port, "/reports/html/understanding.html")
    inside = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', answer.body.decode()).group(1)
    policy = answer.headers["content-security-policy"]
    assert policy == inside.replace("&#x27;", "'") + "; frame-ancestors 'none'" and "sha256-" in policy


# Files

OUTSIDE = ["/reports/html/../../secret.html", "/reports/html/..%2f..%2fsecret.html", "/reports/html/%2e%2e/secret.html",
           "/reports/html/..%5c..%5csecret.html", "/reports/html/..\\..\\secret.html", "/reports/html//secret.html",
           "/reports/html/%252e%252e%252fsecret.html", "/reports/html/....//secret.html", "/static/../serve.py",
           "/static/..%2fserve.py", "/static/%2e%2e%2f%2e%2e%2fpyproject.toml", "/static//etc/passwd", "//etc/passwd",
           "/static/%00", "/static/viewer.js%00.html", "/reports/html/understanding.html%00", "/etc/passwd",
           "/reports/json/../../data/secret.json", "/reports/json/secret.json", "/reports/json/other.json",
           "/reports/html/other.html",
           "/reports/html/.hidden.html", "/reports/html/folder.html", "/reports/html/", "/static/", "/static",
           "/reports/html", "/reports/json/", "/.git/config", "/api/results/..%2f..%2fdata%2fsecret",
           "/data/calls.csv", "/api/results/understanding.json", "/static/index.html", "/reports/html/linked.html",
           "/static/%ff",
           "/reports/html/understanding%2ehtml/", "/reports/html/C:\\secret.html",
           "/reports/html/understanding.html.new"]


@pytest.mark.parametrize("path", OUTSIDE)
def test_only_known_files_are_served(viewer, path):
    for target in (path, path + "?x=1"):
        answer = parsed(raw(viewer.port, f"GET {target} HTTP/1.1\r\nHost: localhost:{viewer.port}\r\n"
                                         "Connection: close\r\n\r\n".encode()))
        assert answer.status in (400, 404) and SECRET.encode() not in answer.body


def test_a_link_out_of_the_folder_is_not_followed(viewer, tmp_path):
    page = viewer.reports / "html" / "understanding.html"
    kept = page.read_bytes()
    (tmp_path / "secret.html").write_text(SECRET)
    page.unlink()
    page.symlink_to(tmp_path / "secret.html")
    try:
        assert ask(viewer.port, "/reports/html/understanding.html").status == 404
    finally:
        page.unlink()
        page.write_bytes(kept)


def test_a_pipe_in_the_place_of_a_page_holds_nobody(viewer):
    page = viewer.reports / "html" / "performance.html"
    kept = page.read_bytes()
    page.unlink()
    os.mkfifo(page)
    try:
        assert ask(viewer.port, "/reports/html/performance.html").status == 404
    finally:
        page.unlink()
        page.write_bytes(kept)


@pytest.mark.parametrize("name", ["../secret.csv", "/etc/passwd", "secret", "calls.csv/", "..", "", "linked.csv",
                                  "no.csv", "calls.rejected.csv", "a\0.csv"])
def test_only_logs_of_the_data_folder_can_be_loaded(viewer, name):
    link = viewer.csv.parent / "linked.csv"
    if not link.is_symlink():
        link.symlink_to("/etc/passwd")
    (viewer.csv.parent / "calls.rejected.csv").write_text("x")
    assert viewer.post("/api/load-csv", {"name": name}).status == 404
    names = [one["name"] for one in ask(viewer.port, "/api/csv-files").document["files"]]
    assert names == ["calls.csv"]


def test_no_answer_names_a_folder(viewer):
    hidden = [f"{viewer.csv.parent}/", f"{ROOT}/", "/tmp/"]
    for path in ("/api/status", "/api/csv-files", "/nothing", "/api/results/nothing", "/reports/html/x.html",
                 "/metrics", "/api/openapi.json", "/api/rollup?by=x"):
        text = ask(viewer.port, path).body.decode()
        assert not [one for one in hidden if one in text], path


# Methods, parameters, forms of answers

@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW", "get"])
def test_other_methods_are_405_and_say_which_can_be_used(viewer, method):
    for path, allowed in (("/api/status", "GET, HEAD"), ("/", "GET, HEAD"), ("/api/run-all-analyzers", "POST")):
        answer = parsed(raw(viewer.port, f"{method} {path} HTTP/1.1\r\nHost: localhost:{viewer.port}\r\n"
                                         "Connection: close\r\n\r\n".encode()))
        assert (answer.status, answer.headers["allow"]) == (405, allowed)
    assert ask(viewer.port, "/api/run-all-analyzers").status == 405


@pytest.mark.parametrize("path", ["/api/status?x=1", "/api/rollup?by=provider&by=model", "/api/rollup?by",
                                  "/api/rollup", "/api/rollup?by=provider&limit=0",
                                  "/api/rollup?by=provider&limit=1_0", "/?x=%ff",
                                  "/api/rollup?by=provider&limit=50001",
                                  "/api/rollup?by=provider&format=xml",
                                  "/api/rollup?by=provider&where=x", "/api/rollup?by=provider&where=tier_price:x",
                                  "/api/rollup?by=provider&limit=%D9%A1", "/api/rollup?by=%zz",
                                  "/api/rollup?=x&by=day"])
def test_a_parameter_that_is_not_taken_is_400_with_a_reason(viewer, path):
    answer = ask(viewer.port, path)
    assert answer.status == 400 and answer.document["error"]


@pytest.mark.parametrize("body", [b"[]", b"{", b"nul", b'{"id": NaN}', b"\xff", b"[" * 60_000, b'{"no": 1}',
        b'{"id": 1}',
                                  b'{"id": ["understanding"]}', b'"x"'])
def test_a_body_that_is_not_taken_is_400_with_a_reason(viewer, body):
    answer = parsed(raw(viewer.port, b"POST /api/run-analyzer HTTP/1.1\r\nHost: localhost:%d\r\nConnection: close\r\n"
                        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (viewer.port,
                        len(body)) + body))
    assert answer.status == 400 and answer.document["error"]


@pytest.mark.parametrize("path", ["/", "/api/status", "/reports/html/understanding.html", "/api/results/understanding",
                                  "/static/viewer.js", "/api/rollup?by=day", "/manifest.json", "/api/openapi.json"])
def test_head_is_the_same_without_body_an_etag_saves_the_body_and_gzip_the_bytes(viewer, path):
    whole, head = ask(viewer.port, path), ask(viewer.port, path, "HEAD")
    assert (whole.status, head.status, head.body) == (200, 200, b"")
    same = {name: value for name, value in whole.headers.items() if name != "date"}
    assert same == {name: value for name, value in head.headers.items() if name != "date"}
    unchanged = ask(viewer.port, path, If_None_Match=f'"x", {whole.headers["etag"]}')
    assert (unchanged.status, unchanged.body) == (304, b"")
    assert ask(viewer.port, path, If_None_Match='W/"other"').status == 200
    packed = ask(viewer.port, path, Accept_Encoding="br, gzip;q=0.5")
    if "vary" in whole.headers:
        assert packed.headers["content-encoding"] == "gzip" and gzip.decompress(packed.body) == whole.body
        assert "content-encoding" not in ask(viewer.port, path, Accept_Encoding="gzip;q=0").headers


def test_a_failure_inside_is_a_500_that_tells_nothing_and_the_connection_goes_on():
    def fail(request, given):
        raise RuntimeError(SECRET)
    stream = io.StringIO()
    log = EventLog(stream, "json", True, lambda: 0.0)
    with serving(lambda request: None) as server:
        router = Router([Route("GET", "/fail", fail)])
        server.application = Application(router, Guard("127.0.0.1", server.port), RateLimit(0), log)
        line = f"GET /fail HTTP/1.1\r\nHost: localhost:{server.port}\r\n"
        answer = raw(server.port, f"{line}\r\n{line}Connection: close\r\n\r\n".encode())
    assert answer.count(b"HTTP/1.1 500 ") == 2 and SECRET.encode() not in answer and b"Traceback" not in answer
    told = [json.loads(one) for one in stream.getvalue().splitlines()]
    assert [one["error"] for one in told] == [SECRET, SECRET] and "Traceback" in told[0]["trace"]


@pytest.mark.parametrize("name", ["..", ".", "", ".git", "a/b", "a%2fb", "%2e%2e", "a%5cb", "a%00", "a b", "%e9", "%",
        "%zz",
                                  "a%", "-x", "a" * 101])
def test_what_is_no_plain_name_never_reaches_a_handler(name):
    router = Router([Route("GET", "/x/{name}", lambda request, given: None)])
    with pytest.raises(Refusal) as found:
        router.find(Request("GET", f"/x/{name}"))
    assert found.value.status == 404
    assert router.find(Request("GET", "/x/a%2Eb_c-1"))[1].text("name") == "a.b_c-1"


# Token, rate, and what the guard knows

def test_with_a_token_nothing_but_health_is_told_without_it(tmp_path):
    with Running(tmp_path, "--token", TOKEN, "--no-watch") as viewer:
        assert ask(viewer.port, "/health").status == 200
        for path in ("/", "/api/status", "/static/viewer.js", "/metrics", "/nothing", "/?token=wrong-token-wrong-1"):
            assert ask(viewer.port, path).status == 401, path
        assert ask(viewer.port, "/api/status", Authorization="Bearer " + TOKEN).status == 200
        assert ask(viewer.port, "/api/status", Authorization="Bearer " + TOKEN[:-1]).status == 401
        assert ask(viewer.port, "/api/status", Authorization="Basic " + TOKEN).status == 401
        entered = ask(viewer.port, f"/?token={TOKEN}")
        cookie = entered.headers["set-cookie"]
        assert (entered.status, entered.headers["location"]) == (303, "/") and TOKEN not in cookie
        assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
        assert ask(viewer.port, "/", Cookie="a=b; " + cookie.partition(";")[0]).status == 200
        assert ask(viewer.port, "/", Cookie="finops_token=" + TOKEN).status == 401
        assert viewer.post("/api/run-all-analyzers").status == 401
    assert TOKEN not in viewer.errors.read_text()


def test_more_requests_than_agreed_are_429_and_say_when_to_come_back(tmp_path):
    with Running(tmp_path, "--no-watch", env={"FINOPS_REQUESTS_PER_MINUTE": "5"}) as viewer:
        answers = [ask(viewer.port, "/health") for _ in range(7)]
    assert [one.status for one in answers] == [200] * 5 + [429] * 2
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 12


def test_the_allowance_comes_back_with_time_and_is_each_clients_own():
    now = [0.0]
    rate = RateLimit(60, lambda: now[0])
    for _ in range(60):
        rate.check("a")
    rate.check("b")
    with pytest.raises(Refusal) as refused:
        rate.check("a")
    assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "1"})
    now[0] = 1.01
    rate.check("a")
    with pytest.raises(Refusal):
        rate.check("a")
    now[0] = 7200.0
    for _ in range(60):
        rate.check("a")
    with pytest.raises(Refusal):
        rate.check("a")


def test_the_rate_limit_remembers_a_bounded_number_of_clients():
    rate = RateLimit(60, lambda: 0.0)
    for number in range(5000):
        rate.check(str(number))
    assert len(rate._left) <= 1024


@pytest.mark.parametrize("bound, allowed, host, known", [
    ("127.0.0.1", (), "10.0.0.5:8000", False), ("0.0.0.0", (), "10.0.0.5:8000", True), ("0.0.0.0", (),
    "[fe80::1]:8000", True),
    ("0.0.0.0", (), "10.0.0.5:80", False), ("0.0.0.0", (), "evil.test:8000", False), ("0.0.0.0", (), "localhost:8000",
    True),
    ("127.0.0.1", ("Reports.Example",), "reports.example", True), ("127.0.0.1", ("a.test",), "a.test:9", True),
    ("127.0.0.1", ("a.test",), "b.a.test", False), ("127.0.0.1", ("a.test:9",), "a.test:9", True),
    ("127.0.0.1", ("a.test:9",), "a.test:8", False), ("127.0.0.1", ("a.test",), "a.test:x", False)])
def test_hosts_by_what_is_bound_and_allowed(bound, allowed, host, known):
    assert Guard(bound, 8000, "", allowed).knows(host) is known
    request = Request("GET", "/", headers={"host": host})
    if not known:
        with pytest.raises(Refusal):
            Guard(bound, 8000, "", allowed).check(request, True)


@pytest.mark.parametrize("host, loopback", [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost",
        True),
                                            ("0.0.0.0", False), ("::", False), ("10.0.0.1", False), ("example.com",
                                            False)])
def test_what_counts_as_loopback(host, loopback):
    assert is_loopback(host) is loopback


def test_a_client_that_goes_away_in_the_middle_leaves_no_trace(viewer):
    for data in (b"", b"GET /api/status HTTP/1.1\r\n",
                 b"GET /reports/html/understanding.html HTTP/1.1\r\nHost: localhost:"):
        with socket.create_connection(("127.0.0.1", viewer.port)) as connection:
            connection.sendall(data)
    assert ask(viewer.port, "/health").status == 200
    assert "failure" not in viewer.errors.read_text()
