"""Live metering end to end: real SDKs and raw posts into a real viewer, its limits, and what a killed one keeps."""
from __future__ import annotations

import contextlib
import csv
import gzip
import importlib.util
import json
import os
import queue
import random
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter
from http.client import HTTPConnection, HTTPException
from typing import Any, Dict, List

import pytest
from test_contract import faults
from viewers import Running, ask, write_log

from calls.log_writer import LogWriter
from conftest import ROOT, read_calls, run, thoroughly
from metering_documents import completion

METER, SHORT, TRACES = "/meter/v2/ai/completions", "/v2/ai/completions", "/v1/traces"
TOKEN, VIEWER_TOKEN = "metering-0123456789", "watching-0123456789"
FAST = {"FINOPS_REQUESTS_PER_MINUTE": "0"}
NEEDED = ("revenium_metering", "revenium_middleware", "opentelemetry")

SEND_COMPLETION = """
import sys
sdk, address, number = sys.argv[1:]
if sdk == "revenium_metering":
    from revenium_metering import ReveniumMetering
else:
    from revenium_middleware._metering import ReveniumMetering
client = ReveniumMetering(api_key="hak_test", base_url=address + "meter/")
answer = client.ai.create_completion(
    completion_start_time="2026-11-20T10:00:01Z", cost_type="AI", input_token_count=1000, is_streamed=False,
    model="gpt-4o-mini", output_token_count=200, provider="OPENAI", request_duration=900,
    request_time="2026-11-20T10:00:00.123456Z", response_time="2026-11-20T10:00:01Z", stop_reason="END",
    total_token_count=1200, transaction_id="tx-" + sdk + number, organization_name="Acme, Inc.", product_name="chat",
    subscriber={"id": "u-1"}, task_type="summary")
print(answer.id, answer.resource_type)
"""
SEND_SPANS = """
import sys
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
address, compression, key = sys.argv[1:]
exporter = OTLPSpanExporter(address + "v1/traces", compression=Compression[compression], headers={"x-api-key": key})
provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
provider.add_span_processor(BatchSpanProcessor(exporter))
tracer = provider.get_tracer("test")
with tracer.start_as_current_span("request"):
    with tracer.start_as_current_span("chat") as span:
        span.set_attributes({
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "user.id": "u-2",
            "gen_ai.request.model": "claude-sonnet-4-5", "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 20,
            "gen_ai.usage.cache_read.input_tokens": 600})
provider.shutdown()
"""


@pytest.fixture(scope="module")
def viewer(tmp_path_factory):
    with Running(tmp_path_factory.mktemp("metering"), "--metering", env=FAST) as running:
        yield running


def rows(path) -> List[Dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def send(running: Running, number: Any = 1, path: str = METER, headers: Any = None, **changes: Any) -> Any:
    return ask(running.port, path, "POST", completion(number, **changes), **(headers or {}))


def announce(viewer: Running, path: str, size: int) -> int:
    """Say how long a body will be, and return the status that is answered before a byte of it is sent."""
    connection = HTTPConnection("127.0.0.1", viewer.port, timeout=10)
    try:
        connection.putrequest("POST", path)
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(size))
        connection.endheaders()
        return connection.getresponse().status
    finally:
        connection.close()


def post(running: Running, path: str, body: bytes, **headers: str) -> Any:
    connection = HTTPConnection("127.0.0.1", running.port, timeout=30)
    with contextlib.closing(connection):
        connection.request("POST", path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()


def script(text: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-c", text, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          universal_newlines=True, timeout=60)
    assert done.returncode == 0 and not done.stderr.replace("\n", "").endswith("failed"), done.stderr
    return done.stdout


sdks = pytest.mark.skipif(any(importlib.util.find_spec(one) is None for one in NEEDED),
                          reason="the SDKs of the test extra need Python 3.8")


# Programs that know nothing of this toolkit

def shown_within_two_refreshes(running: Running, count: int) -> None:
    """Wait until log, status and all reports tell of so many calls; the round under way may have missed the last."""
    before = running.status()["regeneration"]["rounds"]
    status = running.until_fresh(count)
    assert status["regeneration"]["calls"] == count
    assert status["regeneration"]["rounds"] - before <= 2


@sdks
def test_calls_of_the_sdks_are_in_the_log_the_status_and_the_reports_within_two_refreshes(tmp_path):
    with Running(tmp_path, "--metering") as running:
        running.until_fresh(0)
        address = f"http://127.0.0.1:{running.port}/"
        for count, sdk in enumerate(NEEDED[:2], 1):
            for _ in range(2):  # a program that was started again sends its call again
                assert script(SEND_COMPLETION, sdk, address, "7") == f"tx-{sdk}7 metering\n"
            shown_within_two_refreshes(running, count)
        for count, compression in enumerate(("NoCompression", "Gzip", "Deflate"), 3):
            script(SEND_SPANS, address, compression, "any")
            shown_within_two_refreshes(running, count)
        assert running.status()["metering"] is True
        found = rows(running.csv)
        assert [one["call_id"][:5] for one in found] == ["tx-re"] * 2 + ["otel-"] * 3
        assert [one["cost_usd"] for one in found] == ["0.000270000"] * 2 + ["0.001680000"] * 3
        assert {(one["customer_id"], one["organization_id"], one["product_id"]) for one in found} == {
            ("u-1", "Acme, Inc.", "chat"), ("u-2", "unattributed", "shop")}
        counted = ask(running.port, "/api/rollup?by=provider,model").document["rows"]
        assert [(one["model"], one["calls"], one["cost_usd"]) for one in counted] == [
            ("claude-sonnet-4-5", 3, "0.005040000"), ("gpt-4o-mini", 2, "0.000540000")]
        report = ask(running.port, "/api/results/understanding").document
        assert "claude-sonnet-4-5" in json.dumps(report) and "gpt-4o-mini" in json.dumps(report)
        assert "claude-sonnet-4-5" in ask(running.port, "/reports/html/understanding.html").body.decode()


@sdks
def test_the_sdks_hear_of_a_refusal(viewer):
    text = SEND_COMPLETION.replace("input_token_count=1000", "input_token_count=-1").replace(
        "answer =", "from revenium_metering import BadRequestError\ntry:\n  answer =").replace(
        "print(answer.id, answer.resource_type)", "except BadRequestError as error:\n  print(error.body['fields'])")
    out = script(text, "revenium_metering", f"http://127.0.0.1:{viewer.port}/", "bad")
    assert out == "{'inputTokenCount': \"'-1' is negative\"}\n"


# Answers

def test_both_addresses_take_a_call_once(viewer):
    first, again = send(viewer, "both"), send(viewer, "both", SHORT)
    assert (first.status, again.status) == (201, 200)
    assert first.document["id"] == again.document["id"] == "tx-both"
    assert set(first.document) == {"id", "label", "resourceType", "signature", "created", "updated", "_links"}
    assert [one["call_id"] for one in rows(viewer.csv)].count("tx-both") == 1


def test_every_faulty_field_has_its_reason_and_nothing_is_written(viewer):
    before = viewer.csv.read_bytes()
    found = send(viewer, "faulty", model=None, requestTime="soon", totalCost=-1)
    assert found.status == 400 and set(found.document["fields"]) == {"model", "requestTime", "totalCost"}
    assert found.document["error"].startswith("3 fields cannot be used: ")
    for body in (b"", b"[]", b"{", b'{"a": NaN}', b"\xff"):
        assert post(viewer, METER, body, Content_Type="application/json")[0] == 400
    assert viewer.csv.read_bytes() == before


def trace(*attributes: Dict[str, Any]) -> Dict[str, Any]:
    spans = [{"traceId": "a" * 32, "spanId": f"{random.getrandbits(64):016x}",
              "startTimeUnixNano": "1795000000000000000", "endTimeUnixNano": "1795000001000000000", "attributes": [
                  {"key": key, "value": {"intValue": value} if isinstance(value, int) else {"stringValue": value}}
                  for key, value in one.items()]} for one in attributes]
    return {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}


CHAT = {"gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o-mini", "gen_ai.usage.prompt_tokens": 10,
        "gen_ai.usage.completion_tokens": 5}


def test_a_trace_is_answered_as_otlp_says(viewer):
    before = len(rows(viewer.csv))
    assert ask(viewer.port, TRACES, "POST", trace(CHAT, {"a": "b"})).document == {}
    found = ask(viewer.port, TRACES, "POST", trace(CHAT, dict(CHAT, **{"gen_ai.usage.prompt_tokens": -1})))
    assert found.status == 200 and found.document == {"partialSuccess": {
        "rejectedSpans": "1", "errorMessage": "gen_ai.usage.prompt_tokens '-1' is negative"}}
    assert len(rows(viewer.csv)) == before + 2
    assert ask(viewer.port, TRACES, "POST", {"resourceSpans": 5}).status == 400
    status, headers, body = post(viewer, TRACES, b"\xff", Content_Type="application/x-protobuf")
    assert (status, headers["Content-Type"], body[:2]) == (400, "application/x-protobuf", b"\x08\x03")
    status, headers, body = post(viewer, TRACES, b"", Content_Type="application/x-protobuf")
    assert (status, headers["Content-Type"], body) == (200, "application/x-protobuf", b"")


def test_answers_are_as_the_document_says(viewer):
    document = ask(viewer.port, "/api/openapi.json").document
    for path, body, status in (
            (METER, completion("said"), 201), (SHORT, completion("said"), 200), (METER, completion("x", model=5), 400),
            (METER, [], 400), (TRACES, trace(CHAT), 200), (TRACES, trace(dict(CHAT, **{"user.id": 5})), 200),
            (TRACES, {"resourceSpans": {}}, 400), (TRACES, {"unknown": 1}, 200)):
        found = ask(viewer.port, path, "POST", body)
        said = document["paths"][path]["post"]["responses"][str(status)]["content"]["application/json"]["schema"]
        assert found.status == status and faults(said, found.document, document) == [], (path, body)


def test_packed_bodies_are_unpacked_and_bounded(viewer):
    body = json.dumps(completion("packed")).encode()
    kind = {"Content_Type": "application/json"}
    assert post(viewer, METER, gzip.compress(body), Content_Encoding="gzip", **kind)[0] == 201
    assert post(viewer, METER, zlib.compress(body), Content_Encoding="deflate", **kind)[0] == 200
    assert post(viewer, METER, gzip.compress(body)[:-9], Content_Encoding="gzip", **kind)[0] == 400
    assert post(viewer, METER, body, Content_Encoding="gzip", **kind)[0] == 400
    assert post(viewer, METER, gzip.compress(body) + b"x", Content_Encoding="gzip", **kind)[0] == 400
    assert post(viewer, METER, body, Content_Encoding="br", **kind)[0] == 415
    bomb = gzip.compress(b" " * 50_000_000)
    assert len(bomb) < 65_536 and post(viewer, METER, bomb, Content_Encoding="gzip", **kind)[0] == 413


def test_a_body_may_be_long_but_not_without_end(viewer):
    kind = {"Content_Type": "application/json"}
    large = json.dumps(completion("large", outputResponse="x" * 3_000_000)).encode()
    assert post(viewer, METER, large, **kind)[0] == 201
    assert announce(viewer, METER, 4_000_001) == 413
    assert post(viewer, "/api/run-all-analyzers", b" " * 65_537, **kind)[0] == 413


def test_what_a_page_of_another_site_sends_is_refused(viewer):
    body = json.dumps(completion("page")).encode()
    assert post(viewer, METER, body, Content_Type="text/plain")[0] == 415
    assert post(viewer, METER, body, Content_Type="application/json", Origin="http://evil.example")[0] == 403
    assert post(viewer, METER, body, Content_Type="application/json", Host="evil.example")[0] == 403
    assert post(viewer, METER, body, Content_Type="application/x-protobuf")[0] == 415
    assert "tx-page" not in viewer.csv.read_text()


def test_unpriced_and_unattributed_calls_are_shown_as_such(tmp_path):
    with Running(tmp_path, "--metering") as running:
        assert send(running, 1, model="brand-new").status == 201
        owned = {"organizationName": "o", "productName": "p", "taskType": "f", "subscriber": {"id": "c"}}
        assert send(running, 2, **owned).status == 201
        assert send(running, 3).status == 201
        running.until_fresh(3)
        counted = ask(running.port, "/api/rollup?by=model").document["rows"]
        assert {one["model"]: (one["calls"], one["unpriced"], one["cost_usd"]) for one in counted} == {
            "brand-new": (1, 1, None), "gpt-4o-mini": (2, 0, "0.000540000")}
        summary = ask(running.port, "/api/results/alignment").document["summary"]
        assert (summary["total_calls"], summary["unpriced_calls"], summary["coverage_percent"]) == (3, 1, 50.0)
        assert summary["unattributed_cost"] == summary["direct_cost"] == "0.00027"
        assert "finops_metered_calls_total 3\n" in ask(running.port, "/metrics").body.decode()


# Who may send

def test_metering_is_off_unless_it_is_asked_for(tmp_path):
    write_log(tmp_path / "calls.csv", 3)
    before = (tmp_path / "calls.csv").read_bytes()
    with Running(tmp_path, csv="calls.csv") as running:
        for path in (METER, SHORT, TRACES):
            found = ask(running.port, path, "POST", completion())
            assert found.status == 404 and "--metering" in found.document["error"]
        assert running.status()["metering"] is False
        with LogWriter(running.csv):
            pass  # nobody holds it
    assert (tmp_path / "calls.csv").read_bytes() == before


def test_a_token_is_asked_for_where_there_is_one(tmp_path):
    with Running(tmp_path, "--metering", "--metering-token", TOKEN) as running:
        kind = {"Content_Type": "application/json"}
        assert send(running).status == send(running, headers={"x_api_key": "wrong"}).status == 401
        assert send(running, 1, headers={"x_api_key": TOKEN}).status == 201
        assert send(running, 2, headers={"Authorization": f"Bearer {TOKEN}"}).status == 201
        assert ask(running.port, TRACES, "POST", trace(CHAT)).status == 401
        assert post(running, METER, b" " * 65_537, **kind)[0] == 413  # who may not send may send little
        assert post(running, METER, b" " * 65_537, x_api_key=TOKEN, **kind)[0] == 400
        assert len(read_calls(running.csv)) == 2


def test_the_viewers_token_serves_for_metering_and_not_the_other_way_round(tmp_path):
    with Running(tmp_path, "--metering", env={"FINOPS_VIEWER_TOKEN": VIEWER_TOKEN}) as running:
        assert send(running).status == 401
        assert send(running, headers={"x_api_key": VIEWER_TOKEN}).status == 201
    with Running(tmp_path, "--metering", env={"FINOPS_VIEWER_TOKEN": VIEWER_TOKEN,
                                              "FINOPS_METERING_TOKEN": TOKEN}) as running:
        assert send(running, 2, headers={"x_api_key": VIEWER_TOKEN}).status == 401
        assert send(running, 2, headers={"Authorization": f"Bearer {TOKEN}"}).status == 201
        assert ask(running.port, "/api/status", Authorization=f"Bearer {TOKEN}").status == 401


@pytest.mark.parametrize("options, env, word", [
    (["--metering", "--metering-token", "short"], {}, "--metering-token"),
    (["--metering", "--simulate", "1"], {}, "--simulate and --metering"),
    (["--metering", "--host", "0.0.0.0"], {}, "--token"), (["--metering", "--metering-sync", "often"], {}, "often"),
    (["--metering"], {"FINOPS_METERING_SYNC": "often"}, "FINOPS_METERING_SYNC"),
    (["--metering"], {"FINOPS_METERING_BODY_MB": "1000"}, "FINOPS_METERING_BODY_MB")])
def test_options_that_cannot_be_used_are_named(tmp_path, monkeypatch, options, env, word):
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    ran = run(ROOT / "viewer" / "serve.py", *options, "--port", "0", "--csv", tmp_path / "c.csv", "--reports", tmp_path)
    assert ran.code == 2 and word in ran.err and len(ran.err.splitlines()) <= 2


def test_real_calls_have_a_log_of_their_own_unless_another_is_named(tmp_path):
    environment = dict(os.environ, FINOPS_CSV_PATH=str(tmp_path / "simulated.csv"))
    with subprocess.Popen([sys.executable, str(ROOT / "viewer" / "serve.py"), "--metering", "--port", "0", "--reports",
                           str(tmp_path / "reports")], env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, universal_newlines=True) as process:
        said = [process.stdout.readline() for _ in range(2)]
        process.terminate()
        assert process.wait(10) == 0
    assert said[1] == f"metering calls into {tmp_path / 'metered_calls.csv'}\n"
    assert read_calls(tmp_path / "metered_calls.csv") == [] and not (tmp_path / "simulated.csv").exists()


# The log in other hands

def test_a_log_that_another_process_writes_is_not_metered_into(tmp_path):
    write_log(tmp_path / "calls.csv", 3)
    with LogWriter(tmp_path / "calls.csv"):
        ran = run(ROOT / "viewer" / "serve.py", "--metering", "--port", "0", "--csv", tmp_path / "calls.csv",
                  "--reports", tmp_path / "reports")
    assert ran.code == 1 and "is being written by another process" in ran.err and len(ran.err.splitlines()) == 1


def test_simulators_do_not_write_the_log_that_is_metered_into(viewer):
    found = viewer.post("/api/run-simulators", {"size": 0.1})
    assert found.status == 409 and "metered" in found.document["error"]


def test_a_log_that_cannot_be_written_is_told_and_taken_up_again(tmp_path):
    with Running(tmp_path, "--metering") as running:
        assert send(running, 1).status == 201
        kept = running.csv.read_bytes()
        running.csv.write_text("name,age\n")
        found = send(running, 2)
        assert (found.status, found.headers["retry-after"]) == (503, "2")
        assert str(tmp_path) not in found.document["error"] and "metering failed" in running.errors.read_text()
        running.csv.write_bytes(kept)
        assert [send(running, number).status for number in (2, 1)] == [201, 200]
        assert [one.call_id for one in read_calls(running.csv)] == ["tx-1", "tx-2"]


# Killed and stopped

class Senders:
    """Threads that post completions over kept connections; a call that was not answered is sent again."""

    def __init__(self, count: int, threads: int) -> None:
        self.answered: Counter = Counter()
        self.created: Counter = Counter()
        self._left: queue.Queue = queue.Queue()
        for number in range(count):
            self._left.put(f"k{number}")
        self.port = 0
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]

    def start(self, port: int) -> None:
        self.port = port
        for one in self._threads:
            one.start()

    def join(self) -> None:
        for one in self._threads:
            one.join(300)
            assert not one.is_alive()

    def _run(self) -> None:
        connection = HTTPConnection("127.0.0.1", 0)
        while True:
            try:
                number = self._left.get_nowait()
            except queue.Empty:
                return connection.close()
            status = 0
            while status not in (200, 201):
                if connection.port != self.port:
                    connection.close()
                    connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
                try:
                    connection.request("POST", METER, json.dumps(completion(number)),
                                       {"Content-Type": "application/json"})
                    answer = connection.getresponse()
                    answer.read()
                    status = answer.status
                except (OSError, HTTPException):
                    connection.close()
                    time.sleep(0.05)
            with self._lock:
                self.answered[number] += 1
                self.created[number] += status == 201


def killed_while_posting(folder, count: int, threads: int, kills: int, sync: str, *more: str) -> None:
    """Post so many calls while the viewer is killed and started again; then look at the log."""
    senders, chance = Senders(count, threads), random.Random(1)
    options = ("--metering", "--metering-sync", sync, *more)
    running = Running(folder, *options, env=FAST)
    senders.start(running.port)
    for kill in range(kills):
        share = (kill + chance.uniform(0.3, 0.9)) / kills
        while len(senders.answered) < share * count:
            time.sleep(0.001)
        running.process.kill()
        running.process.wait()
        running.process.stdout.close()
        seen = set(senders.answered.copy())
        on_disk = {one["call_id"] for one in rows(running.csv) if one["customer_archetype"]}
        assert {f"tx-{one}" for one in seen} <= on_disk, "an answered call is lost"
        running = Running(folder, *options, env=FAST)
        senders.port = running.port
    with running:
        senders.join()
        again = random.Random(2).sample(sorted(senders.answered), 50)
        assert {send(running, one).status for one in again} == {200}  # known, though written before the kills
        assert running.end() == 0
    written = Counter(one.call_id for one in read_calls(running.csv))
    assert set(written) == {f"tx-k{number}" for number in range(count)} and set(written.values()) == {1}
    assert max(senders.created.values()) == 1
    assert not running.csv.with_name("calls.csv.metering").exists()


@pytest.mark.parametrize("sync", ["always", "never"])
def test_a_killed_viewer_loses_no_answered_call_and_doubles_none(tmp_path, sync):
    killed_while_posting(tmp_path, 800, 8, 2, sync)


@thoroughly  # what the test above proves, for longer
def test_ten_thousand_calls_from_many_senders_outlive_four_kills(tmp_path):
    killed_while_posting(tmp_path, 10_000, 32, 4, "always", "--no-watch")


def test_a_viewer_that_is_ended_answers_what_it_took(tmp_path):
    senders = Senders(1500, 8)
    running = Running(tmp_path, "--metering", "--no-watch", env=FAST)
    senders.start(running.port)
    while len(senders.answered) < 300:
        time.sleep(0.001)
    with running:
        assert running.end() == 0
    with Running(tmp_path, "--metering", "--no-watch", env=FAST) as running:
        senders.port = running.port
        senders.join()
        written = Counter(one.call_id for one in read_calls(running.csv))
    assert len(written) == 1500 and set(written.values()) == {1}
