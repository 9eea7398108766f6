"""One ledger several ways: from exports of it, through boto3, and as the AWS CLI prints it: equal decimals."""
from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from aws.charges import COST_METRICS, METRICS
from aws.exports.cur_rows import CurWriter
from aws.exports.focus_rows import FocusWriter
from aws.ledger import Ledger
from aws.queries import CostQuery
from aws.sources.base import SourceOptions
from aws.sources.export import ExportSource
from aws.sources.simulated import SimulatedSource
from conftest import EVERYTHING, ROOT
from cost_explorer import CostExplorer
from cost_explorer_endpoint import Endpoint

TODAY, FIRST, LAST = date(2026, 11, 20), date(2026, 10, 1), date(2026, 11, 19)
NAMES = dict(zip(METRICS, ("UnblendedCost", "AmortizedCost", "NetUnblendedCost", "NetAmortizedCost", "BlendedCost",
                           "UsageQuantity")))
CLI, INSTALL_SECONDS = "awscli>=1.45", 300
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_DEFAULT_REGION": "us-east-1",
        "NO_PROXY": "*", "no_proxy": "*"}


def group(*keys, kind="DIMENSION"):
    return [{"Type": kind, "Key": key} for key in keys]


@pytest.fixture(scope="module")
def ledger():
    """Return the last two months of the simulated company."""
    whole = SimulatedSource(SourceOptions(TODAY)).ledger
    return Ledger(one for one in whole.charges() if one.start >= FIRST)


@pytest.fixture(scope="module")
def endpoint(ledger):
    with Endpoint(CostExplorer(ledger, TODAY, page=700)) as endpoint:
        yield endpoint


QUESTIONS = {
    "totals": (CostQuery(FIRST, LAST, "monthly", COST_METRICS), []),
    "services": (CostQuery(FIRST, LAST, "monthly", COST_METRICS, ("service", "record_type")),
                 group("SERVICE", "RECORD_TYPE")),
    "days": (CostQuery(FIRST, LAST, "daily", METRICS, ("account", "usage_type")),
             group("LINKED_ACCOUNT", "USAGE_TYPE")),
    "teams": (CostQuery(date(2026, 10, 15), date(2026, 11, 10), "monthly", COST_METRICS,
                        ("tag:team", "category:Division")),
              group("team", kind="TAG") + group("Division", kind="COST_CATEGORY"))}


def request(query, groups):
    period = {"Start": query.first.isoformat(), "End": (query.last + timedelta(1)).isoformat()}
    return dict({"TimePeriod": period, "Granularity": query.granularity.upper(),
                 "Metrics": [NAMES[one] for one in query.metrics]}, **({"GroupBy": groups} if groups else {}))


def read(periods, query):
    """Return amounts by first day and keys, as the ledger spells them."""
    found = {}
    for period in periods:
        groups = period["Groups"] or ([{"Keys": [], "Metrics": period["Total"]}] if not query.group_by else [])
        for one in groups:
            keys = tuple("" if key.startswith("No") and key[2:3].isupper() else key.rpartition("$")[2]
                         for key in one["Keys"])
            amounts = [one["Metrics"][NAMES[name]] for name in query.metrics]
            found[period["TimePeriod"]["Start"], keys] = tuple(
                None if amount["Unit"] == "N/A" else Decimal(amount["Amount"]) for amount in amounts)
    return found


def expected(ledger, query):
    return {(row.first.isoformat(), row.keys): row.amounts for row in ledger.costs(query).rows}


@pytest.mark.parametrize("writer", [CurWriter, FocusWriter])
def test_an_export_of_the_ledger_reads_back_with_its_digits(ledger, tmp_path, writer):
    path = tmp_path / "bill.csv"
    writer().write(ledger, path)
    source = ExportSource(SourceOptions(TODAY, str(path)))
    assert source.metrics() == ledger.metrics() and source.period() == ledger.period()
    for query, _ in QUESTIONS.values():
        assert source.costs(query).rows == ledger.costs(query).rows
    by_resource = CostQuery(FIRST, LAST, "daily", METRICS, ("resource", "operation", "instance_type", "region"))
    assert source.costs(by_resource).rows == ledger.costs(by_resource).rows


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(QUESTIONS))
def test_boto3_reads_the_digits_of_the_ledger_page_by_page(ledger, endpoint, monkeypatch, name):
    boto3 = pytest.importorskip("boto3", reason="boto3 is there from Python 3.10")
    for key, value in KEYS.items():
        monkeypatch.setenv(key, value)
    client = boto3.session.Session().client("ce", endpoint_url=endpoint.url)
    query, groups = QUESTIONS[name]
    periods, token, pages = [], {}, 0
    while token is not None:
        answer = client.get_cost_and_usage(**request(query, groups), **token)
        periods += answer["ResultsByTime"]
        token, pages = ({"NextPageToken": answer["NextPageToken"]} if "NextPageToken" in answer else None), pages + 1
    assert read(periods, query) == expected(ledger, query)
    assert (pages > 1) == (name == "days")
    client.close()


@pytest.fixture(scope="module")
def aws_cli() -> Path:
    """Return the AWS CLI in an environment of its own, installed on first use."""
    if not EVERYTHING:
        pytest.skip("takes a minute, and an environment of its own: set FINOPS_TEST_EVERYTHING")
    folder = ROOT / ".venv" / "awscli"
    stamp = folder / "made-from"
    if not stamp.exists() or stamp.read_text() != CLI:
        for command in ([sys.executable, "-m", "venv", "--clear", folder],
                        [folder / "bin" / "pip", "install", "--quiet", CLI]):
            subprocess.run(list(map(str, command)), check=True, timeout=INSTALL_SECONDS, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        stamp.write_text(CLI)
    return folder / "bin" / "aws"


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(QUESTIONS))
def test_the_aws_cli_prints_the_digits_of_the_ledger(ledger, endpoint, aws_cli, name):
    query, groups = QUESTIONS[name]
    question = request(query, groups)
    periods, token = [], ""
    while True:
        done = subprocess.run(
            [str(aws_cli), "ce", "get-cost-and-usage", "--endpoint-url", endpoint.url, "--output", "json",
             "--cli-input-json", json.dumps(dict(question, **({"NextPageToken": token} if token else {})))],
            env={**os.environ, **KEYS}, check=True, timeout=120, stdout=subprocess.PIPE)
        answer = json.loads(done.stdout.decode())
        periods += answer["ResultsByTime"]
        token = answer.get("NextPageToken", "")
        if not token:
            break
    assert read(periods, query) == expected(ledger, query)
