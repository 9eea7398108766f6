"""The OpenAPI document describes every endpoint, and every answer is as it says; questions are answered exactly."""
from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from decimal import Decimal
from typing import Any, List

import pytest
from viewers import Running, ask, write_log

from analyzers.base import discover_analyzers
from app.queries import Question, answer, parse_question
from app.viewer import Options, Viewer
from calls.record import HEADER
from config import ROOT, Settings
from conftest import EVERYTHING
from rollup.dataset import load_dataset
from simulator.story import discover_scenarios

KINDS = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict,
         "null": type(None)}


@pytest.fixture(scope="module")
def viewer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("viewer")
    (folder / "data").mkdir()
    write_log(folder / "data" / "calls.csv", 500)
    with Running(folder, env={"FINOPS_REQUESTS_PER_MINUTE": "0"}) as running:
        running.until_fresh(500)
        yield running


@pytest.fixture(scope="module")
def document(viewer):
    return ask(viewer.port, "/api/openapi.json").document


def faults(schema: Any, value: Any, whole: Any, place: str = "") -> List[str]:
    """Return where a value is not as its schema says: types, names, choices."""
    if "$ref" in schema:
        return faults(whole["components"]["schemas"][schema["$ref"].rpartition("/")[2]], value, whole, place)
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(isinstance(value, KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))
                         for kind in kinds):
        return [f"{place}: {value!r} is no {kinds}"]
    found = []
    if value not in schema.get("enum", [value]) or value != schema.get("const", value):
        found.append(f"{place}: {value!r} is not among the choices")
    if isinstance(value, dict):
        named = schema.get("properties", {})
        found += [f"{place}: {name} is missing" for name in schema.get("required", []) if name not in value]
        for name, one in value.items():
            inner = named.get(name, schema.get("additionalProperties", {}))
            found += [f"{place}: {name} is not described"] if inner is False else faults(
                inner, one, whole, f"{place}.{name}")
    if isinstance(value, list):
        found += [fault for one in value for fault in faults(schema.get("items", {}), one, whole, place + "[]")]
    return found


def test_the_document_and_the_table_of_routes_name_the_same_endpoints(document, tmp_path):
    viewer = Viewer(Options(tmp_path / "c.csv", tmp_path, "127.0.0.1", 0), Settings(), io.StringIO())
    viewer.release()
    pages = re.compile(r"/($|index\.html|static/|reports|manifest)")
    routes = {(one.method.lower(), one.path): one for one in viewer.router.routes if not pages.match(one.path)}
    described = {(method, path): one for path, methods in document["paths"].items() for method, one in methods.items()}
    assert set(routes) == set(described)
    for key, route in routes.items():
        named = {one["name"] for one in described[key].get("parameters", []) if one["in"] == "query"}
        body = described[key].get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        assert named | set(body.get("properties", {})) == {one.rstrip("*") for one in route.takes}, key
        assert (described[key].get("security") == []) == route.is_open, key


@pytest.mark.parametrize("path, asked", [
    ("/health", "/health"), ("/api/status", "/api/status"), ("/api/csv-files", "/api/csv-files"),
    ("/api/scenarios", "/api/scenarios"), ("/api/rollup", "/api/rollup?by=provider,day&where=status:success"),
    ("/api/results/{id}", "/api/results/understanding"), ("/api/results/{id}", "/api/results/nothing"),
    ("/api/rollup", "/api/rollup"), ("/api/rollup", "/api/rollup?by=hour,tier"),
    ("/api/aws/choices", "/api/aws/choices"), ("/api/aws/costs", "/api/aws/costs"),
    ("/api/aws/costs", "/api/aws/costs?granularity=daily&group_by=account,tag:team&metric=amortized&region=us-east-1"),
    ("/api/aws/costs", "/api/aws/costs?first=1999-01-01&last=1999-01-02"), ("/api/aws/costs", "/api/aws/costs?last="),
    ("/api/aws/costs", "/api/aws/costs?group_by=service,account,region"), ("/api/openapi.json",
    "/api/openapi.json")])
def test_every_answer_is_as_the_document_says(viewer, document, path, asked):
    found = ask(viewer.port, asked)
    described = document["paths"][path]["get"]["responses"][str(found.status)]["content"]["application/json"]["schema"]
    assert faults(described, found.document, document) == []


def test_every_act_is_as_the_document_says(viewer, document):
    for path, given, status in (("/api/run-analyzer?id=pricing", None, 202), ("/api/run-all-analyzers", None, 202),
                                ("/api/load-csv?name=no.csv", None, 404), ("/api/run-simulators", {"size": 0}, 400),
                                ("/api/stop-simulators", None, 409), ("/api/aws/reports", {"metric": "net"}, 202),
                                ("/api/aws/reports?first=soon", None, 400)):
        found = viewer.post(path, given)
        responses = document["paths"][path.partition("?")[0]]["post"]["responses"]
        assert found.status == status
        assert faults(responses[str(status)]["content"]["application/json"]["schema"], found.document, document) == []
    assert faults(document["components"]["schemas"]["Status"], viewer.status(), document) == []


def test_the_measure_of_answers_finds_faults():
    schema = {"type": "object", "properties": {"a": {"type": ["integer", "null"]}}, "required": ["a"],
              "additionalProperties": False}
    assert faults(schema, {"a": None}, {}) == [] == faults(schema, {"a": 1}, {})
    assert all(faults(schema, value, {}) for value in ({}, {"a": "1"}, {"a": True}, {"a": 1, "b": 1}, [], None))
    assert faults({"type": "array", "items": {"enum": [1]}}, [1, 2], {})


def test_the_document_lists_the_analysers_and_scenarios_that_there_are(document):
    schemas = document["components"]["schemas"]
    assert schemas["AnalyzerId"]["enum"] == list(discover_analyzers())
    assert schemas["ScenarioId"]["enum"] == list(discover_scenarios())


@pytest.mark.skipif(not EVERYTHING or sys.version_info < (3, 10), reason=(
    "takes minutes, an environment of its own and Python 3.10: set FINOPS_TEST_EVERYTHING"))
def test_a_machine_that_tries_everything_finds_no_fault(viewer):
    python = ROOT / ".venv" / "api" / "bin" / "python"
    if not python.exists():
        subprocess.check_call([sys.executable, "-m", "venv", str(python.parent.parent)])
        subprocess.check_call([str(python), "-m", "pip", "install", "--quiet", "schemathesis>=4"])
    done = subprocess.run(
        [str(python.parent / "schemathesis"), "run", f"http://127.0.0.1:{viewer.port}/api/openapi.json",
         "--max-examples", "30", "--seed", "1"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env=dict(os.environ, NO_PROXY="*", no_proxy="*"))
    assert done.returncode == 0, done.stdout.decode()[-6000:]
    assert b"Tested: 18" in done.stdout


# Questions to the counts

def question(by: str, *where: str, form: str = "json", limit: str = "100") -> Question:
    return parse_question(by, where, form, limit)


def test_counts_are_those_of_the_log_to_the_nano_dollar(viewer):
    rollup = load_dataset(viewer.csv, use_checkpoint=False).rollup
    found = ask(viewer.port, "/api/rollup?by=day,customer&where=customer:cus-3&where=customer:cus-4&limit=9").document
    groups = rollup.by("day", "customer", where={"customer": ("cus-3", "cus-4")})
    assert (found["total_rows"], found["truncated"], len(found["rows"])) == (len(groups), len(groups) > 9, 9)
    for one, group in zip(found["rows"], groups):
        assert (one["day"], one["customer"]) == group.key and one["calls"] == group.measures.calls
        assert Decimal(one["cost_usd"]) * 10 ** 9 == group.measures.cost_nano
    assert found["log"] == {"name": "calls.csv", "bytes": viewer.csv.stat().st_size, "calls": 500}


def test_csv_holds_the_same_and_no_cell_that_a_spreadsheet_would_run(tmp_path):
    path = write_log(tmp_path / "calls.csv", 3)
    with open(path, "a") as handle:
        for number, name in enumerate(("=1+1", "@x", "-2", "+3", "\tx", "plain")):
            row = dict(zip(HEADER.split(","), path.read_text().splitlines()[1].split(",")), call_id=f"x{number}")
            handle.write(",".join(dict(row, customer_id=name, cost_usd="").values()) + "\n")
    dataset = load_dataset(path)
    body, kind = answer(question("customer,tier_price", form="csv"), dataset)
    rows = list(csv.DictReader(io.StringIO(body.decode("utf-8"))))
    assert kind.startswith("text/csv")
    assert {"'=1+1", "'@x", "'-2", "'+3", "'\tx", "plain"} <= {one["customer"] for one in rows}
    unknown = [one for one in rows if one["customer"] == "plain"][0]
    assert (unknown["cost_usd"], unknown["calls"], unknown["unpriced"]) == ("", "1", "1")
    assert {one["tier_price"] for one in rows} == {"99.000000000"}


def test_what_no_call_knew_is_null_not_zero(tmp_path):
    path = write_log(tmp_path / "calls.csv", 1)
    path.write_text(path.read_text().replace("0.001000000,90", ","))
    found = json.loads(answer(question("provider"), load_dataset(path)).body.decode())["rows"][0]
    assert (found["cost_usd"], found["mean_latency_ms"], found["unpriced"], found["untimed"]) == (None, None, 1, 1)


def test_a_tiers_price_is_asked_for_in_dollars(tmp_path):
    dataset = load_dataset(write_log(tmp_path / "calls.csv", 4))
    for text, rows in (("99", 1), ("99.00", 1), ("98", 0)):
        assert len(json.loads(answer(question("tier", f"tier_price:{text}"), dataset).body.decode())["rows"]) == rows


@pytest.mark.parametrize("by, where, error", [
    ("", (), ValueError), ("nope", (), ValueError), ("day,day", (), ValueError), ("day", ("x",), ValueError),
    ("day", ("nope:1",), ValueError), ("hour,tier", (), LookupError), ("hour", ("archetype:heavy",), LookupError)])
def test_what_is_not_counted_is_refused_with_what_is(by, where, error):
    with pytest.raises(error) as found:
        question(by, *where)
    assert len(str(found.value)) > 20
