"""What stands in the accounts: each service's answers, a look at all of them whatever fails, and what it costs."""
from __future__ import annotations

import datetime
import threading
from datetime import date
from decimal import Decimal

import pytest

from aws.live.connections import Account, Place
from aws.live.costing import ResourceCosts
from aws.live.failures import DENIED, INVALID, Failure
from aws.live.inventory import look_around
from aws.live.measures import MOST_FIGURES, measured
from aws.live.meter import Meter
from aws.live.operations import (
    DESCRIBE_ADDRESSES,
    DESCRIBE_DATABASES,
    DESCRIBE_GATEWAYS,
    DESCRIBE_INSTANCES,
    DESCRIBE_SNAPSHOTS,
    DESCRIBE_VOLUMES,
    GET_BUCKET_LOCATION,
    GET_METRIC_DATA,
    GET_RESOURCES,
    LIST_APPLICATIONS,
    LIST_BUCKETS,
    LIST_FUNCTIONS,
    LIST_INDICES,
)
from aws.live.resource_costs import Line, shared_out
from aws.live.usage_types import split_usage_type
from aws.queries import CostQuery, CostRow, Costs
from aws.resources.base import discover_services
from aws.resources.tagged import SERVICE_OF_TYPE, identity_of, type_of
from aws.sources.base import ACTUAL, ESTIMATED, Resource
from errors import AwsError

MOMENT = datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.timezone.utc)
OWN, OTHER = Account("111111111111"), Account("222222222222", "arn:aws:iam::222222222222:role/r")
FIRST, LAST = date(2026, 1, 1), date(2026, 1, 31)
APP, INDEX = "a" * 36, "b" * 36
DATABASE = "arn:aws:rds:eu-west-1:111111111111:db:orders"
FUNCTION = "arn:aws:lambda:eu-west-1:111111111111:function:resize"

# As AWS answers; a test holds each against botocore's description of the operation.
ANSWERS = {
    DESCRIBE_INSTANCES: [{"Reservations": [{"Instances": [
        {"InstanceId": "i-1", "InstanceType": "m5.large", "State": {"Name": "running"}, "LaunchTime": MOMENT,
         "Tags": [{"Key": "Name", "Value": "web"}, {"Key": "Team", "Value": "a"}]},
        {"InstanceId": "i-2", "InstanceType": "m5.large", "State": {"Name": "terminated"}}]}], "NextToken": "more"},
        {"Reservations": [{"Instances": [
            {"InstanceId": "i-3", "InstanceType": "t3.small", "State": {"Name": "stopped"}}]}]}],
    DESCRIBE_VOLUMES: [{"Volumes": [
        {"VolumeId": "vol-1", "Size": 100, "VolumeType": "gp2", "State": "available", "CreateTime": MOMENT,
         "Attachments": []},
        {"VolumeId": "vol-2", "Size": 300, "VolumeType": "gp2", "State": "in-use", "Iops": 900,
         "Attachments": [{"InstanceId": "i-1"}]}]}],
    DESCRIBE_ADDRESSES: [{"Addresses": [
        {"PublicIp": "192.0.2.1", "AllocationId": "eipalloc-1"},
        {"PublicIp": "192.0.2.2", "AllocationId": "eipalloc-2", "NetworkInterfaceId": "eni-1"}]}],
    DESCRIBE_SNAPSHOTS: [{"Snapshots": [{"SnapshotId": "snap-1", "VolumeId": "vol-1", "VolumeSize": 100,
                                         "State": "completed", "StartTime": MOMENT}]}],
    DESCRIBE_GATEWAYS: [{"NatGateways": [{"NatGatewayId": "nat-1", "State": "available", "CreateTime": MOMENT},
                                         {"NatGatewayId": "nat-2", "State": "deleted"}]}],
    DESCRIBE_DATABASES: [{"DBInstances": [
        {"DBInstanceArn": DATABASE, "DBInstanceIdentifier": "orders", "DBInstanceClass": "db.t3.medium",
         "DBInstanceStatus": "available", "Engine": "postgres", "AllocatedStorage": 20, "StorageType": "gp3",
         "MultiAZ": True, "InstanceCreateTime": MOMENT, "TagList": [{"Key": "Team", "Value": "b"}]}]}],
    LIST_BUCKETS: [{"Buckets": [{"Name": "logs", "CreationDate": MOMENT, "BucketRegion": "eu-west-1"},
                                {"Name": "old"}]}],
    GET_BUCKET_LOCATION: [{"LocationConstraint": "EU"}],
    LIST_FUNCTIONS: [{"Functions": [{"FunctionName": "resize", "FunctionArn": FUNCTION, "Runtime": "python3.13",
                                     "MemorySize": 512, "LastModified": "2026-01-02T03:04:05.000+0000"}]}],
    LIST_APPLICATIONS: [{"applications": [{"applicationId": APP, "displayName": "Help", "status": "ACTIVE",
                                           "createdAt": MOMENT}]}],
    LIST_INDICES: [{"indices": [{"indexId": INDEX, "displayName": "Wiki", "status": "ACTIVE"}]}],
    GET_RESOURCES: [{"PaginationToken": "", "ResourceTagMappingList": [
        {"ResourceARN": "arn:aws:ec2:eu-west-1:111111111111:instance/i-1", "Tags": [{"Key": "Team", "Value": "z"}]},
        {"ResourceARN": "arn:aws:s3:::logs", "Tags": [{"Key": "Team", "Value": "c"}]},
        {"ResourceARN": FUNCTION, "Tags": [{"Key": "Name", "Value": "thumbs"}]},
        {"ResourceARN": "arn:aws:sqs:eu-west-1:111111111111:jobs", "Tags": []},
        {"ResourceARN": "arn:aws:dynamodb:eu-west-1:111111111111:table/users", "Tags": []}]}]}


class FakeConnections:
    """Connections that give `ANSWERS`, or fail where a test says so."""

    def __init__(self, failing=(), regions=("eu-west-1",)):
        self.meter = Meter(50)
        self.home = "eu-west-1"
        self.asked = []
        self._failing = dict(failing)
        self._regions = regions
        self._lock = threading.Lock()

    def regions(self, account):
        return list(self._regions), []

    def serves(self, service, regions):
        return [one for one in regions if (service, one) not in self._failing]

    def answer(self, operation, place, parameters):
        return next(self.pages(operation, place, parameters))

    def pages(self, operation, place, parameters):
        with self._lock:
            self.asked.append((operation, place, parameters))
        for key in ((operation, place.region), operation):
            if key in self._failing:
                raise self._failing[key]
        yield from ANSWERS.get(operation, [{}])

    def ask(self, operation, place, **parameters):
        for page in self.pages(operation, place, parameters):
            yield from page.get(operation.items) or ()


def found(connections, *accounts, progress=lambda what, share: None):
    inventory = look_around(connections, accounts or (OWN,), progress)
    return {one.id: one for one in inventory.resources}, inventory.notes


@pytest.mark.parametrize("operation", sorted(ANSWERS), ids=lambda operation: operation.name)
def test_the_answers_of_these_tests_have_the_shapes_that_aws_describes(aws_keys, operation):
    import boto3
    from botocore import xform_name
    from botocore.stub import Stubber
    parameters = {"applicationId": APP} if operation is LIST_INDICES else (
        {"Bucket": "old"} if operation is GET_BUCKET_LOCATION else (
            {"ResourceTypeFilters": sorted(SERVICE_OF_TYPE)} if operation is GET_RESOURCES else {}))
    client = boto3.client(operation.service)
    with Stubber(client) as stub:
        for page in ANSWERS[operation]:
            stub.add_response(xform_name(operation.name), page, parameters)
            getattr(client, xform_name(operation.name))(**parameters)


def test_every_service_says_what_to_ask_and_measures_only_kinds_that_it_finds():
    kinds = {one.kind for one in found(FakeConnections())[0].values()}
    for service in discover_services().values():
        one = service()
        assert len(one.parts()) == len(one.part_names) > 0 and one.client
        assert {metric.kind for metric in one.metrics} <= kinds


def test_everything_that_stands_there_is_found_once_with_what_its_service_tells():
    resources, notes = found(FakeConnections())
    assert notes == ()
    assert set(resources) == {"i-1", "i-3", "vol-1", "vol-2", "eipalloc-1", "eipalloc-2", "snap-1", "nat-1",
                              DATABASE, "logs", "old", FUNCTION, APP, INDEX, "arn:aws:sqs:eu-west-1:111111111111:jobs",
                              "arn:aws:dynamodb:eu-west-1:111111111111:table/users"}
    assert resources["i-1"].facts == {"instance_type": "m5.large", "state": "running", "created": "2026-01-02"}
    assert (resources["vol-1"].facts["attached_to"], resources["vol-2"].facts["attached_to"]) == ("", "i-1")
    assert (resources["eipalloc-1"].facts["state"], resources["eipalloc-2"].facts["attached_to"]) == (
        "available", "eni-1")
    assert resources[DATABASE].facts["multi_az"] == "yes" and resources[DATABASE].name == "orders"
    assert (resources["logs"].region, resources["old"].region) == ("eu-west-1", "eu-west-1")
    assert resources[INDEX].facts["attached_to"] == APP
    assert {one.account for one in resources.values()} == {OWN.id}


def test_tags_come_from_the_service_first_and_else_from_the_tagging_api():
    resources, _ = found(FakeConnections())
    assert resources["i-1"].tags == {"Name": "web", "Team": "a"}
    assert resources["logs"].tags == {"Team": "c"}
    assert (resources[FUNCTION].name, resources[FUNCTION].tags) == ("resize", {"Name": "thumbs"})


def test_all_pages_regions_and_accounts_are_asked():
    connections = FakeConnections(regions=("eu-west-1", "us-east-1"))
    found(connections, OWN, OTHER)
    places = [place for operation, place, _ in connections.asked if operation is DESCRIBE_INSTANCES]
    assert sorted(places) == [Place(account, region) for account in (OWN, OTHER)
                              for region in ("eu-west-1", "us-east-1")]
    assert len([1 for operation, _, _ in connections.asked if operation is LIST_BUCKETS]) == 2  # once an account


def test_a_denied_action_and_a_failing_region_stop_nothing_else_and_are_told():
    denied, other = (Failure(f"AWS denies {action} in x: allow it", DENIED, "AccessDenied", action, "x")
                     for action in ("ec2:DescribeVolumes", "lambda:ListFunctions"))
    broken = Failure("AWS did not answer rds:DescribeDBInstances in eu-west-1 (500)", "busy", "500",
                     "rds:DescribeDBInstances", "eu-west-1")
    failing = {DESCRIBE_VOLUMES: denied, LIST_FUNCTIONS: other, (DESCRIBE_DATABASES, "eu-west-1"): broken}
    resources, notes = found(FakeConnections(failing, regions=("eu-west-1", "us-east-1")))
    assert {"i-1", "eipalloc-1", DATABASE} <= set(resources) and "vol-1" not in resources
    assert sorted(notes) == [
        "Not told in full: Amazon EC2, AWS Lambda, since AWS denies ec2:DescribeVolumes, lambda:ListFunctions in "
        "eu-west-1, us-east-1: allow it.",
        "Not told in full: Amazon RDS, since AWS did not answer rds:DescribeDBInstances in eu-west-1 (500)."]


def test_what_came_before_a_failure_is_kept_and_a_closed_service_is_told_to_be_normal():
    closed = Failure("AWS denies qbusiness:ListIndices: allow it", DENIED)
    resources, notes = found(FakeConnections({LIST_INDICES: closed}))
    assert APP in resources and INDEX not in resources
    assert notes == ("Not told in full: Amazon Q Business, since AWS denies qbusiness:ListIndices: allow it, which is "
                     "normal: AWS closed it to new customers on 2026-07-31.",)


def test_a_bucket_whose_region_is_denied_is_found_without_it():
    assert found(FakeConnections({GET_BUCKET_LOCATION: Failure("no", DENIED)}))[0]["old"].region == ""


def test_progress_comes_to_the_whole():
    shares = []
    found(FakeConnections(), progress=lambda what, share: shares.append(share))
    assert shares == sorted(shares) and shares[-1] == 1


def test_use_is_averaged_over_days_or_added_up():
    connections = FakeConnections()
    resources = list(found(connections)[0].values())
    ids = {}

    def figures(operation, place, parameters):
        for one in parameters["MetricDataQueries"]:
            metric = one["MetricStat"]["Metric"]
            ids[metric["MetricName"]] = metric["Dimensions"]
            yield {"MetricDataResults": [{"Id": one["Id"], "Values": [10.0, 2.0 ** 31]}]}

    connections.pages = figures
    result, notes = measured(connections, [OWN], resources, FIRST, LAST)
    use = {one.id: one.use for one in result}
    assert use[FUNCTION] == {"invocations": 10 + 2.0 ** 31, "milliseconds": 10 + 2.0 ** 31}
    assert use["i-1"] == {"cpu_average_percent": (10 + 2.0 ** 31) / 2, "cpu_max_percent": 2.0 ** 31}
    assert use["vol-1"] == {} and notes == []
    assert use["logs"]["stored_gb"] == pytest.approx(1.0)
    assert ids["DatabaseConnections"] == [{"Name": "DBInstanceIdentifier", "Value": "orders"}]
    assert connections.meter.spending()["cents"] == 1


def test_figures_are_asked_for_by_the_hundreds_and_paid_by_the_thousand():
    connections = FakeConnections()
    many = [Resource(f"bucket-{number}", "s3:bucket", "s", account=OWN.id, region="eu-west-1")
            for number in range(MOST_FIGURES * 2 + 1)]
    measured(connections, [OWN], many, FIRST, LAST)
    assert [len(one["MetricDataQueries"]) for _, _, one in connections.asked] == [500, 500, 1]
    assert connections.asked[0][2]["StartTime"] == "2026-01-18" and connections.asked[0][2]["EndTime"] == "2026-02-01"
    assert connections.meter.spending()["cents"] == 2


def test_use_that_is_denied_or_too_dear_is_left_open_with_a_note():
    resources = list(found(FakeConnections())[0].values())
    denied = FakeConnections({GET_METRIC_DATA: Failure("denied", DENIED)})
    result, notes = measured(denied, [OWN], resources, FIRST, LAST)
    assert [one.use for one in result] == [{}] * len(result) and notes == ["Use is not told in full: denied."]
    both = [resource._replace(region=region) for resource in resources for region in ("eu-west-1", "us-east-1")]
    places = FakeConnections({(GET_METRIC_DATA, region): Failure(
        f"AWS denies c:G in {region}", DENIED, "", "c:G", region) for region in ("eu-west-1", "us-east-1")})
    assert measured(places, [OWN], both, FIRST, LAST)[1] == [
        "Use is not told in full: AWS denies c:G in eu-west-1, us-east-1."]
    poor = FakeConnections()
    poor.meter = Meter(0)
    assert "--max-api-calls 0" in measured(poor, [OWN], resources, FIRST, LAST)[1][0] and poor.asked == []


@pytest.mark.parametrize("usage_type, region, rest", [
    ("BoxUsage:m5.large", "us-east-1", "BoxUsage:m5.large"), ("USE1-Request", "us-east-1", "Request"),
    ("EUC1-EBS:VolumeUsage.gp3", "eu-central-1", "EBS:VolumeUsage.gp3"), ("EU-BoxUsage:t3.nano", "eu-west-1",
                                                                         "BoxUsage:t3.nano"),
    ("TimedStorage-ByteHrs", "us-east-1", "TimedStorage-ByteHrs"), ("", "us-east-1", "")])
def test_a_usage_type_tells_its_region(usage_type, region, rest):
    assert split_usage_type(usage_type) == (region, rest)


def test_each_line_is_shared_out_by_weight_and_never_more_of_it():
    resources = list(found(FakeConnections())[0].values())
    lines = [Line("EC2 - Other", "EBS:VolumeUsage.gp2", "eu-west-1", Decimal("10.00001")),
             Line("EC2 - Other", "EBS:VolumeUsage.gp2", "us-east-1", Decimal(99)),
             Line("EC2 - Other", "NatGateway-Hours", "eu-west-1", Decimal(30)),
             Line("Amazon Elastic Compute Cloud - Compute", "BoxUsage:m5.large", "eu-west-1", Decimal(7)),
             Line("Amazon Elastic Compute Cloud - Compute", "BoxUsage:t3.small", "eu-west-1", Decimal(7)),
             Line("Amazon Virtual Private Cloud", "PublicIPv4:IdleAddress", "eu-west-1", Decimal("3.6")),
             Line("Amazon Relational Database Service", "Multi-AZUsage:db.t3.medium", "eu-west-1", Decimal(50)),
             Line("Amazon Relational Database Service", "RDS:Multi-AZ-GP3-Storage", "eu-west-1", Decimal(4)),
             Line("Amazon Q Business", "IndexHours", "eu-west-1", Decimal(100)),
             Line("AWS Lambda", "Lambda-GB-Second", "eu-west-1", Decimal(-1))]
    assert {identity: cost for (_, identity), cost in shared_out(resources, lines).items()} == {
        "vol-1": Decimal("2.5000"), "vol-2": Decimal("7.5000"), "i-1": 7, "nat-1": 30, "eipalloc-1": Decimal("3.6"),
        DATABASE: 54, INDEX: 100}


class Bill:
    """Answers as Cost Explorer would: by resource, by service, and by usage type."""

    def __init__(self, told=None, refuse=None, usage=()):
        self.told, self.refuse, self.usage, self.asked = told or {}, list(refuse or ()), usage, []

    def __call__(self, query: CostQuery) -> Costs:
        self.asked.append(query)
        if "resource" in query.group_by:
            if self.refuse:
                raise self.refuse.pop(0)
            groups = self.told
        elif query.group_by == ("service",):
            groups = {("Amazon Elastic Compute Cloud - Compute",): Decimal(60)}
        else:
            groups = dict(self.usage)
        return Costs(query, "USD", tuple(CostRow(query.first, query.last, key, (cost,))
                                         for key, cost in groups.items()))


COMPUTE = "Amazon Elastic Compute Cloud - Compute"
TOLD = {(COMPUTE, "i-1"): Decimal(10), (COMPUTE, "i-3"): Decimal(2), (COMPUTE, ""): Decimal(8)}
RECENT = (date(2026, 1, 18), LAST)
USAGE = {(COMPUTE, "EU-BoxUsage:m5.large"): Decimal(1000), ("EC2 - Other", "EU-EBS:VolumeUsage.gp2"): Decimal(4)}


def costed(bill, first=FIRST, last=LAST):
    costs = ResourceCosts(bill, RECENT, first, last)
    resources = costs.of(list(found(FakeConnections())[0].values()))
    return {one.id: (one.cost, one.cost_basis) for one in resources if one.cost is not None}, costs.notes


def test_within_the_last_fourteen_days_costs_are_actual():
    costs, notes = costed(Bill(TOLD, usage=USAGE), RECENT[0])
    assert costs == {"i-1": (10, ACTUAL), "i-3": (2, ACTUAL), "vol-1": (1, ESTIMATED), "vol-2": (3, ESTIMATED)}
    assert notes == []


def test_over_a_longer_period_the_part_of_the_last_days_is_taken_and_called_an_estimate():
    costs, _ = costed(Bill(TOLD, usage=USAGE))
    assert costs == {"i-1": (30, ESTIMATED), "i-3": (6, ESTIMATED), "vol-1": (1, ESTIMATED), "vol-2": (3, ESTIMATED)}


def test_without_resource_level_data_usage_types_are_shared_out_and_a_note_says_so():
    costs, notes = costed(Bill(refuse=[Failure("AWS has nothing", "unknown thing")], usage=USAGE))
    assert costs == {"i-1": (1000, ESTIMATED), "vol-1": (1, ESTIMATED), "vol-2": (3, ESTIMATED)}
    assert "switch on resource-level data" in notes[0]


def test_where_aws_takes_no_other_service_compute_alone_is_asked_for():
    bill = Bill(TOLD, [Failure("AWS does not take the question", INVALID)], USAGE)
    assert costed(bill)[0]["i-1"] == (30, ESTIMATED)
    assert [one.where["service"] for one in bill.asked if "resource" in one.group_by][1] == (COMPUTE,)


def test_too_many_paid_requests_are_no_failure_to_work_around():
    with pytest.raises(AwsError, match="too many"):
        costed(Bill(refuse=[AwsError("too many")]))


@pytest.mark.parametrize("arn, kind, identity", [
    ("arn:aws:ec2:eu-west-1:1:instance/i-1", "ec2:instance", "i-1"), ("arn:aws:s3:::a.b", "s3:bucket", "a.b"),
    ("arn:aws:sqs:eu-west-1:1:jobs", "sqs", "arn:aws:sqs:eu-west-1:1:jobs"),
    (DATABASE, "rds:db", DATABASE), ("arn:aws:apigateway:us-east-1::/restapis/x", "apigateway:restapis",
                                     "arn:aws:apigateway:us-east-1::/restapis/x")])
def test_an_arn_tells_type_and_id(arn, kind, identity):
    assert (type_of(arn), identity_of(arn)) == (kind, identity)
    assert kind in SERVICE_OF_TYPE
