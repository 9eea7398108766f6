"""The live source against moto's server, which others wrote: what stands there, rights, pages, and what it lacks."""
from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from datetime import date
from typing import NamedTuple

import pytest

from aws.queries import CostQuery
from aws.sources.base import SourceOptions
from aws.sources.live import LiveSource
from conftest import EVERYTHING, ROOT, free_port
from scripted_aws import Clock, page, period

PACKAGES = ("moto>=5.2", "flask", "flask-cors", "docker")  # the `server` extra brings three times as much
FIRST, LAST = date(2026, 3, 1), date(2026, 3, 15)
REGIONS = ("us-east-1", "eu-west-1")
POLICY = (ROOT / "src" / "aws" / "iam_policy.json").read_text(encoding="utf-8")


class Moto(NamedTuple):
    """The server, and how to reach it."""

    url: str

    def client(self, service, region="us-east-1", **keys):
        import boto3
        return boto3.client(service, region_name=region, endpoint_url=self.url, **keys)

    def post(self, path, body, kind="application/json"):
        asked = urllib.request.Request(self.url + path, body.encode(), {"Content-Type": kind})
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return answer.read()

    def source(self, folder, **options):
        return LiveSource(SourceOptions(LAST, endpoint_url=self.url, cache=str(folder), **dict(
            {"regions": REGIONS}, **options)), surroundings=Clock().surroundings)


@pytest.fixture(scope="module")
def server():
    """Return the address of a server in an environment of its own."""
    if not EVERYTHING or sys.version_info < (3, 10):
        pytest.skip("takes half a minute, an environment of its own and Python 3.10: set FINOPS_TEST_EVERYTHING")
    folder = ROOT / ".venv" / "moto"
    stamp = folder / "made-from"
    if not stamp.exists() or stamp.read_text() != repr(PACKAGES):
        for command in ([sys.executable, "-m", "venv", "--clear", folder],
                        [folder / "bin" / "pip", "install", "--quiet", *PACKAGES]):
            subprocess.run(list(map(str, command)), check=True, timeout=300, stdout=subprocess.DEVNULL)
        stamp.write_text(repr(PACKAGES))
    port = free_port()
    # It holds no key and reaches nothing: every answer comes from its own memory.
    process = subprocess.Popen([str(folder / "bin" / "moto_server"), "-H", "127.0.0.1", "-p", str(port)],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env=dict(os.environ, MOTO_EC2_LOAD_DEFAULT_AMIS="false"))  # a thousand in each region
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(url + "/moto-api/", timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield url
    finally:
        process.kill()  # it holds nothing worth a farewell, and takes its time for one
        process.wait()


@pytest.fixture
def moto(server, aws_keys):
    one = Moto(server)
    one.post("/moto-api/reset", "")
    yield one
    one.post("/moto-api/reset-auth", "1000000", "text/plain")  # no rights are checked any more


def furnish(moto):
    """Put something of everything into two regions."""
    ec2 = moto.client("ec2")
    ec2.run_instances(ImageId="ami-12345678", MinCount=2, MaxCount=2, InstanceType="m5.large", TagSpecifications=[
        {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "=cmd() <script>"}]}])
    ec2.create_volume(AvailabilityZone="us-east-1a", Size=50, VolumeType="gp2")
    moto.client("ec2", "eu-west-1").create_volume(AvailabilityZone="eu-west-1a", Size=80, VolumeType="gp3")
    ec2.allocate_address(Domain="vpc")
    moto.client("rds").create_db_instance(
        DBInstanceIdentifier="orders", DBInstanceClass="db.t3.medium", Engine="postgres", AllocatedStorage=20,
        MasterUsername="u", MasterUserPassword="a-long-password", Tags=[{"Key": "Team", "Value": "x"}])
    s3 = moto.client("s3")
    s3.create_bucket(Bucket="a-bucket")
    s3.put_bucket_tagging(Bucket="a-bucket", Tagging={"TagSet": [{"Key": "Team", "Value": "y"}]})
    moto.client("s3", "eu-west-1").create_bucket(
        Bucket="b-bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    role = moto.client("iam").create_role(RoleName="run", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    moto.client("lambda").create_function(FunctionName="resize", Role=role, Handler="a.b", Runtime="python3.13",
                                          Code={"ZipFile": b"x"}, Tags={"Team": "z"})


def person(moto, monkeypatch, policy):
    """Become somebody with the rights of a policy, which are checked from now on."""
    iam = moto.client("iam")
    iam.create_user(UserName="reader")
    iam.put_user_policy(UserName="reader", PolicyName="p", PolicyDocument=policy)
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    moto.post("/moto-api/reset-auth", "0", "text/plain")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])


def preload(moto, *pages):
    moto.post("/moto-api/static/ce/cost-and-usage-results", json.dumps({"results": list(pages)}))


@pytest.mark.slow
def test_everything_that_stands_there_is_found_in_all_regions(moto, tmp_path):
    furnish(moto)
    inventory = moto.source(tmp_path).inventory(FIRST, LAST)
    kinds = sorted(one.kind for one in inventory.resources)
    assert kinds == ["ec2:elastic-ip"] + ["ec2:instance"] * 2 + ["ec2:volume"] * 4 + ["lambda:function", "rds:db"] + [
        "s3:bucket"] * 2
    named = {one.name: one for one in inventory.resources}
    assert named["=cmd() <script>"].facts["instance_type"] == "m5.large"
    assert (named["a-bucket"].tags, named["b-bucket"].region) == ({"Team": "y"}, "eu-west-1")
    assert (named["orders"].tags, named["resize"].tags) == ({"Team": "x"}, {"Team": "z"})
    assert {one.region for one in inventory.resources} == set(REGIONS)


@pytest.mark.slow
def test_what_moto_does_not_have_is_told_and_stops_nothing(moto, tmp_path):
    source = moto.source(tmp_path)
    inventory = source.inventory(FIRST, LAST)
    told = " ".join(inventory.notes)
    assert "Not told in full: Amazon Q Business, since" in told and "2026-07-31" in told
    assert "ce:GetCostAndUsageWithResources" in told
    from aws.bedrock import summarise
    note = summarise([], {}, source.options, surroundings=Clock().surroundings).note
    assert note.startswith("Written by the rules alone, since AWS did not answer bedrock:ListFoundationModels")


@pytest.mark.slow
def test_all_regions_are_asked_where_none_is_named(moto, tmp_path):
    moto.client("ec2", "ap-south-1").create_volume(AvailabilityZone="ap-south-1a", Size=1, VolumeType="gp3")
    inventory = moto.source(tmp_path, regions=()).inventory(FIRST, LAST)
    assert [one.region for one in inventory.resources] == ["ap-south-1"]


@pytest.mark.slow
def test_pages_of_costs_are_followed_and_a_second_look_asks_nothing(moto, tmp_path):
    preload(moto, page(period("2026-03-01", "2026-03-16", ("a", "Usage", "10.10")), token="more"),
            page(period("2026-03-01", "2026-03-16", ("a", "Credit", "-4.05"), ("b", "Usage", "1"))))
    query = CostQuery(FIRST, LAST, group_by=("service",))
    source = moto.source(tmp_path)
    assert [(row.keys, str(row.amounts[0])) for row in source.costs(query).rows] == [(("a",), "6.05"), (("b",), "1")]
    assert source.spending()["paid_requests"] == 2
    again = moto.source(tmp_path)
    assert again.costs(query).rows == source.costs(query).rows and again.spending()["paid_requests"] == 0


@pytest.mark.slow
def test_the_policy_in_the_documents_is_enough(moto, tmp_path, monkeypatch):
    furnish(moto)
    preload(moto, page(period("2026-03-01", "2026-03-16", ("a", "Usage", "1"))))
    person(moto, monkeypatch, POLICY)
    source = moto.source(tmp_path)
    assert len(source.costs(CostQuery(FIRST, LAST, group_by=("service",))).rows) == 1
    inventory = source.inventory(FIRST, LAST)
    assert {"ec2:instance", "ec2:volume", "ec2:elastic-ip", "rds:db", "s3:bucket"} <= {
        one.kind for one in inventory.resources}
    # moto checks these two under names that AWS does not have.
    assert not any("denies" in one for one in inventory.notes if "tag:GetResources" not in one
                   and "cloudwatch:GetMetricData" not in one), inventory.notes


@pytest.mark.slow
@pytest.mark.parametrize("action, lost", [("ec2:DescribeVolumes", "ec2:volume"), ("rds:DescribeDBInstances", "rds:db"),
                                          ("s3:ListAllMyBuckets", "s3:bucket")])
def test_a_right_that_is_taken_away_costs_what_it_was_for_and_no_more(moto, tmp_path, monkeypatch, action, lost):
    furnish(moto)
    person(moto, monkeypatch, POLICY.replace(f'"{action}"', '"ec2:DescribeTags"'))
    inventory = moto.source(tmp_path).inventory(FIRST, LAST)
    kinds = {one.kind for one in inventory.resources}
    assert kinds & {"ec2:instance", "ec2:volume", "rds:db", "s3:bucket"} == {
        "ec2:instance", "ec2:volume", "rds:db", "s3:bucket"} - {lost}
    assert any("denies" in one and action in one for one in inventory.notes)


@pytest.mark.slow
def test_accounts_are_reached_by_roles(moto, tmp_path):
    roles = tuple(f"arn:aws:iam::{number * 12}:role/FinOpsCostReader" for number in "12")
    source = moto.source(tmp_path, roles=roles)
    assert [one.id for one in source.explorer._accounts] == ["1" * 12, "2" * 12]
