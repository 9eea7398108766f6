"""The configurations for a team, as the document has them, before a real viewer: nginx and Caddy, if installed."""
from __future__ import annotations

import base64
import contextlib
import gzip
import json
import os
import shutil
import ssl
import subprocess
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Tuple

import pytest

from browser.browsing import need
from conftest import EVERYTHING, ROOT, free_port
from documents import blocks
from viewer.viewers import Running, write_log

CHAPTER = ROOT / "specs" / "12-running-for-a-team.md"
NAME = "finops.example.com"
VIEWER, METERING = "viewer-token-of-the-web-server", "metering-token-of-programs"
PASSWORD = "correct horse"
WHO = {"Authorization": "Basic " + base64.b64encode(f"alice:{PASSWORD}".encode()).decode()}
PROGRAM = {"x-api-key": METERING, "Content-Type": "application/json"}
NGINX = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
CADDY = shutil.which("caddy")
OPENSSL = shutil.which("openssl")
COMPLETION = {
    "transactionId": "t-1", "model": "gpt-4o-mini", "provider": "OPENAI", "inputTokenCount": 10, "outputTokenCount": 5,
    "totalTokenCount": 15, "requestTime": "2026-01-05T09:00:00Z", "requestDuration": 80,
    "responseTime": "2026-01-05T09:00:00.080Z", "completionStartTime": "2026-01-05T09:00:00.050Z", "stopReason": "END",
    "isStreamed": False, "costType": "AI", "operationType": "CHAT"}


class Site(NamedTuple):
    """A web server before a viewer: its port, the one that leads to TLS, and its certificate."""

    port: int
    plain: int
    viewer: Running
    certificate: Path

    def ask(self, path: str, method: str = "GET", body: bytes = b"", name: str = NAME,
            **headers: str) -> Tuple[int, Dict[str, str], bytes]:
        """Ask over TLS, as a browser that was sent to the site by its name."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.connect()
        trusting = ssl.create_default_context(cafile=str(self.certificate))
        connection.sock = trusting.wrap_socket(connection.sock, server_hostname=NAME)
        given = {"Host": f"{name}:{self.port}", **{one.replace("_", "-"): text for one, text in headers.items()}}
        try:
            connection.request(method, path, body or None, given)
            answer = connection.getresponse()
            return answer.status, {one.lower(): text for one, text in answer.getheaders()}, answer.read()
        finally:
            connection.close()


def told(language: str) -> str:
    """Return the chapter's only block of a language."""
    [text] = [block.text for block in blocks(CHAPTER) if block.language == language]
    return text


def changed(text: str, changes: Dict[str, Any]) -> str:
    """Return a configuration with ports, paths and secrets of this test; all of them must be there."""
    for before, after in changes.items():
        assert before in text, before
        text = text.replace(before, str(after))
    return text


def certificate(folder: Path) -> None:
    subprocess.check_call([str(OPENSSL), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                           f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}", "-keyout", str(folder / "key.pem"),
                           "-out", str(folder / "cert.pem")], stderr=subprocess.DEVNULL)


def nginx(folder: Path, port: int, plain: int, viewer: int) -> List[str]:
    """Write the configuration of nginx, and return the command."""
    certificate(folder)
    hashed = subprocess.check_output([str(OPENSSL), "passwd", "-apr1", PASSWORD], universal_newlines=True).strip()
    (folder / "users").write_text(f"alice:{hashed}\n")
    site = changed(told("nginx"), {
        "127.0.0.1:8000": f"127.0.0.1:{viewer}", "listen 443": f"listen 127.0.0.1:{port}",
        "listen 80": f"listen 127.0.0.1:{plain}", "/etc/ssl/finops/": f"{folder}/", "VIEWER_TOKEN": VIEWER,
        "/etc/nginx/finops.users": folder / "users"})
    kinds = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in (
        "client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;" if hasattr(os, "geteuid") and os.geteuid() == 0 else ""  # who may read this test's folder
    (folder / "nginx.conf").write_text(f"{user}\ndaemon off;\npid {folder}/pid;\nevents {{}}\nhttp {{\n{kinds}"
                                       f"access_log off;\n{site}}}\n")
    return [str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "nginx.log")]


def caddy(folder: Path, port: int, plain: int, viewer: int) -> List[str]:
    """Write the configuration of Caddy, and return the command."""
    certificate(folder)
    hashed = subprocess.check_output([str(CADDY), "hash-password", "--plaintext", PASSWORD], universal_newlines=True)
    site = changed(told("caddyfile"), {
        "127.0.0.1:8000": f"127.0.0.1:{viewer}", "PASSWORD_HASH": hashed.strip(),
        NAME + " {": f"{NAME}:{port} {{\n\ttls {folder}/cert.pem {folder}/key.pem\n\tbind 127.0.0.1"})
    options = f"{{\n\tadmin off\n\thttp_port {plain}\n\thttps_port {port}\n}}\n"
    (folder / "Caddyfile").write_text(options + site)
    return [str(CADDY), "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


SERVERS = [pytest.param((nginx, NGINX and OPENSSL), id="nginx")]
if EVERYTHING:  # they are alike, and one will do for a quick look
    SERVERS.append(pytest.param((caddy, CADDY and OPENSSL), id="caddy"))


@pytest.fixture(scope="module", params=SERVERS)
def site(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    configured, installed = request.param
    need(installed, configured.__name__)
    folder = tmp_path_factory.mktemp("team")
    (folder / "data").mkdir()
    write_log(folder / "data" / "calls.csv", 300)
    tokens = {"FINOPS_VIEWER_TOKEN": VIEWER, "FINOPS_METERING_TOKEN": METERING}
    with Running(folder, "--allow-host", NAME, "--metering", env=tokens) as viewer:
        port, plain = free_port(), free_port()
        command = configured(folder, port, plain, viewer.port)
        with open(folder / "server.log", "w") as errors:
            server = subprocess.Popen(command, stdout=errors, stderr=errors, env={
                **os.environ, **tokens, "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)})
        try:
            up = Site(port, plain, viewer, folder / "cert.pem")
            until_up(up, server, folder / "server.log")
            yield up
        finally:
            server.terminate()
            server.wait(timeout=20)


def until_up(up: Site, server: Any, log: Path) -> None:
    """Wait until the web server is there, and all reports are fresh."""
    end = time.monotonic() + 60
    while True:
        assert server.poll() is None and time.monotonic() < end, log.read_text()
        with contextlib.suppress(ConnectionRefusedError):
            reports = json.loads(up.ask("/api/status", **WHO)[2].decode())["reports"]
            if all(one["exists"] and not one["stale"] for one in reports):
                return
        time.sleep(0.1)


@pytest.mark.parametrize("path", ["/", "/api/status", "/reports/html/index.html", "/static/viewer.js", "/metrics"])
def test_nothing_is_shown_without_a_password(site, path) -> None:
    wrong = {"Authorization": "Basic " + base64.b64encode(b"alice:wrong").decode()}
    for headers in ({}, wrong, {"Authorization": "Bearer wrong-token-of-20-letters"}):
        status, answered, body = site.ask(path, **headers)
        assert status == 401 and answered["www-authenticate"].startswith("Basic") and b"finops" not in body.lower()


def test_the_whole_page_is_served_by_name_with_its_policy_and_packed(site) -> None:
    for path, word in (("/", b"Revenium"), ("/static/viewer.js", b"status"), ("/static/report.css", b"{"),
                       ("/reports/html/understanding.html", b"<svg"), ("/api/openapi.json", b"openapi")):
        status, headers, body = site.ask(path, Accept_Encoding="gzip", **WHO)
        assert (status, headers["content-encoding"]) == (200, "gzip") and word in gzip.decompress(body), path
        assert headers["x-content-type-options"] == "nosniff" and "Accept-Encoding" in headers["vary"]
        assert headers["content-security-policy"].startswith("default-src 'none'")


def test_what_did_not_change_is_304(site) -> None:
    tag = site.ask("/api/openapi.json", **WHO)[1]["etag"]
    assert site.ask("/api/openapi.json", If_None_Match=tag, **WHO)[0] == 304


def test_another_name_is_refused_whoever_asks(site) -> None:
    status, _, body = site.ask("/", name="evil.test", **WHO)
    assert status in (200, 403) and b"Revenium" not in body  # Caddy serves its own names only, with an empty answer


def test_the_page_may_act_and_no_other_page_may(site) -> None:
    own = {"Origin": f"https://{NAME}:{site.port}", "Sec_Fetch_Site": "same-origin", **WHO}
    assert site.ask("/api/run-analyzer?id=understanding", "POST", **own)[0] == 202
    foreign = {"Origin": "https://evil.test", "Sec_Fetch_Site": "cross-site", **WHO}
    assert site.ask("/api/run-analyzer?id=understanding", "POST", **foreign)[0] == 403


@pytest.mark.parametrize("path", ["/meter/v2/ai/completions", "/v2/ai/completions"])
def test_programs_send_calls_with_their_own_token_and_without_a_password(site, path) -> None:
    body = json.dumps({**COMPLETION, "transactionId": "t" + path}).encode()
    assert site.ask(path, "POST", body, **PROGRAM)[0] == 201
    assert f"t{path}" in site.viewer.csv.read_text()
    for headers in ({}, {"x-api-key": VIEWER + "x"}, WHO):
        assert site.ask(path, "POST", body, Content_Type="application/json", **headers)[0] == 401
    assert site.ask("/api/status", **PROGRAM)[0] == 401  # their token opens nothing else


def test_spans_pass_and_bodies_have_a_bound(site) -> None:
    assert site.ask("/v1/traces", "POST", b'{"resourceSpans": []}', **PROGRAM)[0] == 200
    try:
        status = site.ask("/v1/traces", "POST", b" " * 4_500_000, **PROGRAM)[0]
    except OSError:  # closed before all was sent
        return
    assert status in (413, 502)  # Caddy 2.6 calls it a failure


def test_plain_http_leads_to_tls(site) -> None:
    connection = HTTPConnection("127.0.0.1", site.plain, timeout=10)
    connection.request("GET", "/reports", headers={"Host": NAME})
    answer = connection.getresponse()
    assert answer.status in (301, 308) and answer.getheader("Location") == f"https://{NAME}/reports"
    connection.close()
