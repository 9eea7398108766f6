"""The examples of metering, run as a newcomer runs them: into a real viewer, with the official SDKs and without."""
from __future__ import annotations

import csv
import importlib.util
import os
import socket
import subprocess
import sys
import threading
import time
from decimal import Decimal
from pathlib import Path
from typing import Any, Dict, List

import pytest

import instrumentation.revenium_async as in_background
from conftest import EVERYTHING, ROOT, Ran, run
from instrumentation.revenium_batch import Batcher
from metering_documents import completion
from support.delivery import Delivery
from support.practice import endpoint_of
from support.sender import REVENIUM, HttpSender, SendError
from support.spool import Spool
from viewer.viewers import Running, ask

FOLDER = ROOT / "showcase" / "instrumentation"
NAMES = sorted(path.stem for path in FOLDER.glob("revenium_*.py"))
HAS_SDKS = all(importlib.util.find_spec(one) for one in ("revenium_metering", "opentelemetry"))
WAYS = ["--plain", pytest.param("", marks=pytest.mark.skipif(not HAS_SDKS, reason="the SDKs need Python 3.8"))]
MILLION = 1_000_000
# Dollars per million tokens, in and out, as the vendors publish them; a batch costs half.
LIST = {"gpt-4o-mini": ("0.15", "0.60"), "gpt-4.1-mini": ("0.40", "1.60"), "claude-haiku-4-5": ("1", "5"),
        "gemini-2.5-flash": ("0.30", "2.50")}


@pytest.fixture(scope="module")
def viewer(tmp_path_factory):
    with Running(tmp_path_factory.mktemp("showcase"), "--metering", env={"FINOPS_REQUESTS_PER_MINUTE": "0"}) as running:
        yield running


def example(name: str, viewer: Running, *options: str) -> Ran:
    path = FOLDER / f"{name}.py"
    ran = run(path, "--endpoint", f"http://127.0.0.1:{viewer.port}/meter", *(one for one in options if one))
    assert ran.code == 0 and not ran.err, ran.err
    return ran


def rows(viewer: Running) -> List[Dict[str, str]]:
    with open(viewer.csv, newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def metered(name: str, viewer: Running, way: str) -> Any:
    """Run an example; return what it printed, and the rows that it added."""
    before = len(rows(viewer))
    out = example(name, viewer, way).out
    found = rows(viewer)[before:]
    assert len({one["call_id"] for one in found}) == len(found)
    return out, found


def list_cost(row: Dict[str, str], share: str = "1") -> Decimal:
    into, out = map(Decimal, LIST[row["model"]])
    cost = (int(row["input_tokens"]) * into + int(row["output_tokens"]) * out) / MILLION * Decimal(share)
    return cost.quantize(Decimal("1e-9"))


@pytest.mark.parametrize("way", WAYS)
def test_one_call_arrives_as_it_was_described(viewer, way):
    out, (row,) = metered("revenium_basic", viewer, way)
    assert f"/meter took {row['call_id']}: gpt-4o-mini, 7 tokens in, 47 out" in out
    assert [row[name] for name in ("customer_id", "organization_id", "product_id", "feature_id", "environment",
                                   "status", "latency_ms", "provider")] == [
        "cust_0042", "Acme, Inc.", "helpdesk", "chat", "production", "success", str(300 + 12 * 47), "openai"]
    assert Decimal(row["cost_usd"]) == list_cost(row) == Decimal("0.000029250")


@pytest.mark.parametrize("way", WAYS)
def test_calls_that_are_handed_over_all_arrive_with_their_own_tags(viewer, way):
    out, found = metered("revenium_async", viewer, way)
    assert "took 50 calls; 0 wait, 0 were refused" in out and len(found) == 50
    assert sorted(one["customer_id"] for one in found) == sorted(f"cust_{number % 7:04d}" for number in range(50))


@pytest.mark.parametrize("way", WAYS)
def test_a_batch_job_arrives_whole_and_at_half_the_price(viewer, way):
    out, found = metered("revenium_batch", viewer, way)
    assert "took 60 calls in 3 batches (25 + 25 + 10)" in out and len(found) == 60
    assert all(Decimal(one["cost_usd"]) == list_cost(one, "0.5") for one in found)


@pytest.mark.parametrize("way", WAYS)
def test_an_outage_loses_no_call_and_doubles_none(viewer, way):
    out, found = metered("revenium_error_handling", viewer, way)
    *outage, first, again, refused = out.splitlines()
    assert outage == ["call 0: spooled; pauses: 0.25 s, 0.50 s; circuit open"] + [
        f"call {number}: spooled; pauses: none; circuit open" for number in (1, 2, 3)]
    assert first == again == "the endpoint is back: 4 of 4 waiting calls were taken, 0 wait"
    assert refused.startswith("refused for good: ") and "outputTokenCount '-1' is negative" in refused
    assert sorted(one["status"] for one in found) == ["rate_limit"] + ["success"] * 3
    assert next(one["cost_usd"] for one in found if one["status"] == "rate_limit") == "0.000000000"


@pytest.mark.parametrize("way", WAYS)
def test_who_pays_what_arrives_with_every_call(viewer, way):
    out, found = metered("revenium_metadata", viewer, way)
    assert [(one["organization_id"], one["customer_id"], one["feature_id"], one["subscription_tier"],
             one["tier_price_usd"], one["region"]) for one in found] == [
        (*who, feature, *plan, "eu-west-1") for who, plan in (
            (("Acme, Inc.", "cust_0042"), ("pro", "99")), (("Umbra GmbH", "cust_0077"), ("starter", "29")))
        for feature in ("chat", "summary")]
    assert all(Decimal(one["cost_usd"]) == list_cost(one) for one in found)
    assert "not sent: organization_id is missing" in out


@pytest.mark.parametrize("way", WAYS)
def test_spans_arrive_as_calls(viewer, way):
    out, found = metered("revenium_otel", viewer, way)
    assert ("OpenTelemetry's SDK" if not way else "the standard library") in out
    assert [(one["provider"], one["model"], one["customer_id"], one["feature_id"], one["input_tokens"],
             one["output_tokens"], one["latency_ms"]) for one in found] == [
        ("google", "gemini-2.5-flash", "cust_0042", "translation", str(tokens), str(40 + tokens),
         str(300 + 12 * (40 + tokens))) for tokens in (3, 6, 2)]
    assert all(Decimal(one["cost_usd"]) == list_cost(one) for one in found)


def test_all_of_it_is_in_status_and_reports(viewer):
    example("revenium_metadata", viewer, "--plain")
    found = rows(viewer)
    viewer.until_fresh(len(found))
    whole = sum(Decimal(one["cost_usd"]) for one in found)
    for report in ("understanding", "alignment", "profitability"):
        summary = ask(viewer.port, f"/api/results/{report}").document["summary"]
        assert (summary["total_calls"], Decimal(summary["total_cost"])) == (len(found), whole)
    charged = ask(viewer.port, "/api/results/alignment").document["chargeback"]["organization"]["charges"]
    assert {"Acme, Inc.", "Umbra GmbH"} == {one["organization"] for one in charged}
    assert "Umbra GmbH" in ask(viewer.port, "/reports/html/alignment.html").body.decode()


# Without a viewer, and with a wrong address

def unused_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


# They share how they find their endpoint: by default two of them show it.
@pytest.mark.parametrize("name", NAMES if EVERYTHING else ["revenium_basic", "revenium_otel"])
def test_without_a_viewer_an_example_brings_its_own(name, tmp_path):
    path = FOLDER / f"{name}.py"
    port = unused_port()
    environment = {key: value for key, value in os.environ.items() if not key.startswith("REVENIUM_")}
    environment.update(FINOPS_VIEWER_PORT=str(port), FINOPS_CSV_PATH=str(tmp_path / "no.csv"))
    ran = run(path, "--plain", env=environment)
    assert ran.err == (f"note: no viewer listens at http://127.0.0.1:{port}/meter, so this example brings its own and "
                       "throws its log away\n")
    assert ran.code == 0 and ran.out and list(tmp_path.iterdir()) == []


def test_an_address_that_is_given_is_taken_or_told_in_one_line():
    path = FOLDER / "revenium_basic.py"
    ran = run(path, "--endpoint", "http://127.0.0.1:9/meter", "--plain")
    assert (ran.code, ran.out) == (1, "") and "cannot reach http://127.0.0.1:9/meter" in ran.err
    assert len(ran.err.splitlines()) == 1
    ran = run(path, "--endpoint", "nowhere")
    assert (ran.code, len(ran.err.splitlines())) == (2, 1)


@pytest.mark.parametrize("given, environment, address, key", [
    ("http://a/meter", {"REVENIUM_METERING_BASE_URL": "http://b/meter"}, "http://a/meter", ""),
    ("", {"REVENIUM_METERING_BASE_URL": "http://b/meter", "REVENIUM_METERING_API_KEY": "k"}, "http://b/meter", "k"),
    ("", {"REVENIUM_METERING_API_KEY": "k"}, REVENIUM, "k")])
def test_the_address_comes_from_the_option_the_environment_or_the_key(given, environment, address, key):
    with endpoint_of(given, environment) as endpoint:
        assert endpoint == (address, key)


# What the examples are built of

class Slow(HttpSender):
    """A sender that answers when the test lets it."""

    def __init__(self) -> None:
        self.gate, self.sent = threading.Event(), []

    def send(self, document: Any) -> str:
        assert self.gate.wait(10)
        self.sent.append(document["transactionId"])
        return document["transactionId"]

    def close(self) -> None:
        pass


def test_handing_over_never_waits_and_what_does_not_fit_is_on_the_disk(tmp_path):
    sender, spool = Slow(), Spool(tmp_path / "spool")
    with in_background.BackgroundMeter(Delivery(sender, spool), most=3) as meter:
        began = time.perf_counter()
        for number in range(10):
            meter.submit(completion(number))
        assert time.perf_counter() - began < 2 and sender.sent == []
        sender.gate.set()
    assert meter.sent == len(sender.sent) in (3, 4) and meter.sent + len(spool) == 10 and meter.faults == []


def test_a_call_that_is_refused_does_not_end_the_thread(tmp_path):
    class Refusing(Slow):
        def send(self, document: Any) -> str:
            if document["transactionId"] == "tx-1":
                raise SendError("no", 400)
            return super().send(document)

    sender = Refusing()
    sender.gate.set()
    with in_background.BackgroundMeter(Delivery(sender, Spool(tmp_path / "spool"))) as meter:
        for number in range(3):
            meter.submit(completion(number))
    assert sender.sent == ["tx-0", "tx-2"] and meter.faults == ["no"]


def test_a_batch_is_sent_when_it_is_full_or_old_and_keeps_what_was_not_taken():
    now, sender = [0.0], Slow()
    sender.gate.set()
    batcher = Batcher(sender, most=3, seconds=5.0, clock=lambda: now[0])
    for number in range(4):
        batcher.add(completion(number))
    assert batcher.batches == [3]
    now[0] = 5.0
    batcher.add(completion(4))
    assert batcher.batches == [3, 2]

    def failing(document: Any) -> str:
        if document["transactionId"] == "tx-6":
            raise SendError("down")
        return "id"

    sender.send = failing
    batcher.add(completion(5))
    batcher.add(completion(6))
    with pytest.raises(SendError):
        batcher.flush()
    sender.send = Slow.send.__get__(sender)
    batcher.flush()
    batcher.flush()
    assert batcher.batches == [3, 2, 1, 1] and sender.sent[-1] == "tx-6"


def test_a_program_that_is_killed_sends_what_it_kept_when_it_is_started_again(viewer, tmp_path):
    keeping = ("import os, sys\nfrom pathlib import Path\n"
               "from instrumentation.revenium_error_handling import calls_to_meter\n"
               "from support.spool import Spool\nspool = Spool(Path(sys.argv[1]))\n"
               "[spool.keep(call) for call in calls_to_meter(3)]\nos._exit(9)\n")
    rooms = os.pathsep.join(str(ROOT / one) for one in ("showcase", "viewer", "src"))
    killed = subprocess.run([sys.executable, "-c", keeping, str(tmp_path / "spool")],
                            env=dict(os.environ, PYTHONPATH=rooms), timeout=60)
    assert killed.returncode == 9
    before, spool = len(rows(viewer)), Spool(Path(tmp_path / "spool"))
    with endpoint_of(f"http://127.0.0.1:{viewer.port}/meter", {}) as endpoint, HttpSender(endpoint) as sender:
        assert Delivery(sender, spool).resend() == 3
    assert len(rows(viewer)) - before == 3 and len(spool) == 0
