"""What stands in the simulated company's accounts, told by `company.json`: resources with their use and their meters.

Each shape turns an entry into what AWS would bill it by: usage types, units, list prices, and how much a day.
"""
from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from simulator.chance import stream

COMPANY = Path(__file__).resolve().with_name("company.json")
COMPUTE, OTHER, NETWORK = "Amazon Elastic Compute Cloud - Compute", "EC2 - Other", "Amazon Virtual Private Cloud"
DATABASES, STORAGE, MODELS = ("Amazon Relational Database Service", "Amazon Simple Storage Service", "Amazon Bedrock")
CLEAR = "clear"  # of a plant; the others are subtle
STEADY, TRAFFIC, OFFICE = "steady", "traffic", "office"  # how use differs from day to day
HOME = "us-east-1"
_PREFIX = {HOME: "", "eu-west-1": "EU-"}  # of usage types
_LONG_PREFIX = {HOME: "USE1-", "eu-west-1": "EU-"}  # of the usage types that have one everywhere
_DAYS_OF_MONTH = 30  # that prices of a month are spread over
_SPREAD = 0.06  # up to which measures differ between one seed and another, to either side
_SPIKE_DAYS, _SPIKE_SPREAD = 5, 0.2  # by which a spike's day and size do


class Meter(NamedTuple):
    """What is used of an asset, day after day: how much at the end of the story, and at which price a unit."""

    usage_type: str
    operation: str
    unit: str
    price: Decimal
    daily: float
    pattern: str = STEADY


class Asset(NamedTuple):
    """Something that stands, or is used, in one account.

    `since` is how many days before the end it began (0: before the story). `growth` is by how much it grew over the
    story. `plant` names a kind of waste and the share of its cost that could be saved; `spike` is what happened, how
    many days before the end, for how many days, and how many times the usual; `severity` is how plain both are. A shape
    without a kind is no resource.
    """

    id: str
    kind: str
    service: str
    name: str
    account: str
    region: str
    tags: Mapping[str, str]
    facts: Mapping[str, str]
    use: Mapping[str, float]
    meters: Tuple[Meter, ...]
    since: int = 0
    growth: float = 0.0
    plan: bool = False
    reserved: bool = False
    plant: Optional[Tuple[str, float]] = None
    scope_plant: str = ""
    spike: Optional[Tuple[str, int, int, float]] = None
    severity: str = CLEAR


class Shaped(NamedTuple):
    """What a shape says of an entry: id, kind, service, facts, use and meters."""

    id: str
    kind: str
    service: str
    facts: Mapping[str, object]
    use: Dict[str, float]
    meters: Tuple[Meter, ...]


class Maker:
    """Makes the assets of a company; equal seeds, equal assets."""

    def __init__(self, seed: int, company: Optional[Dict[str, Any]] = None) -> None:
        """Read what the company has, or take another one, told in the same words."""
        self.company: Dict[str, Any] = company or json.loads(COMPANY.read_text(encoding="utf-8"))
        self.seed = seed

    def assets(self) -> List[Asset]:
        """Return all assets, in the order of the file."""
        return [one for number, entry in enumerate(self.company["assets"]) for one in self._all_of(entry, number)]

    def account(self, name: str) -> str:
        """Return an account's id."""
        return str(self.company["accounts"][name])

    def price(self, name: str) -> Decimal:
        """Return a list price."""
        return Decimal(self.company["prices"][name])

    def _all_of(self, entry: Mapping[str, Any], number: int) -> Iterator[Asset]:
        chance = stream(self.seed, "asset", number)
        for turn in range(entry.get("count", 1)):
            name = entry["name"] and (entry["name"] if entry.get("count", 1) == 1 else f"{entry['name']}-{turn + 1}")
            made = self._asset(dict(entry, name=name), chance)
            yield made
            if "disk" in entry:
                kind, size = entry["disk"]
                yield self._asset({
                    **{key: entry[key] for key in ("account", "region", "team", "since") if key in entry},
                    "shape": "volume", "name": name and f"{name}-root", "type": kind, "gb": size,
                    "attached_to": made.id, "plant": entry.get("disk_plant"),
                    "severity": entry.get("severity", CLEAR)}, chance)

    def _asset(self, entry: Mapping[str, Any], chance: Random) -> Asset:
        shaped = _SHAPES[entry["shape"]](self, entry, chance)
        return Asset(
            shaped.id, shaped.kind, shaped.service, entry["name"], self.account(entry["account"]), _region(entry),
            self._tags(entry, chance), {key: str(value) for key, value in shaped.facts.items()},
            dict(shaped.use, **_measured(entry, chance)), shaped.meters, entry.get("since", 0),
            entry.get("growth", 0.0), entry.get("plan", False), entry.get("reserved", False),
            tuple(entry["plant"]) if entry.get("plant") else None, entry.get("scope_plant", ""),
            _spike(entry, chance), entry.get("severity", CLEAR))

    def _tags(self, entry: Mapping[str, Any], chance: Random) -> Dict[str, str]:
        """Return the tags of an entry; an asset without a team has none but perhaps a name."""
        tags = {"Name": entry["name"]} if entry["name"] else {}
        if entry["team"]:
            tags["team"] = entry["team"]
            if chance.random() < 0.8:
                tags["environment"] = entry["account"] if entry["account"] in ("staging", "sandbox") else "production"
        return tags

    def arn(self, entry: Mapping[str, Any], service: str, rest: str) -> str:
        """Return an ARN of an entry's account and region."""
        return f"arn:aws:{service}:{_region(entry)}:{self.account(entry['account'])}:{rest}"


def _instance(maker: Maker, entry: Mapping[str, Any], chance: Random) -> Shaped:
    kind = entry["type"]
    meter = Meter(f"{_prefix(entry)}BoxUsage:{kind}", "RunInstances", "Hrs", maker.price(kind), 24,
                  entry.get("pattern", STEADY))
    state = entry.get("state", "running")
    return Shaped("i-" + _hex(chance), "ec2:instance", COMPUTE, {"instance_type": kind, "state": state}, {},
                  (meter,) if state == "running" else ())


def _volume(maker: Maker, entry: Mapping[str, Any], chance: Random) -> Shaped:
    kind, attached = entry["type"], entry.get("attached_to", "")
    usage = "EBS:VolumeUsage." + {"io1": "piops"}.get(kind, kind)
    meter = Meter(_prefix(entry) + usage, f"CreateVolume-{kind.title()}", "GB-Mo", maker.price(kind), _monthly(entry))
    facts = {"size_gb": entry["gb"], "volume_type": kind, "attached_to": attached,
             "state": "in-use" if attached else "available"}
    return Shaped("vol-" + _hex(chance), "ec2:volume", OTHER, facts, {}, (meter,))


def _address(maker: Maker, entry: Mapping[str, Any], chance: Random) -> Shaped:
    used = entry.get("attached", False)
    meter = Meter(f"{_prefix(entry)}PublicIPv4:{'InUse' if used else 'Idle'}Address",
                  "AllocateAddressVPC", "Hrs", maker.price("address"), 24)
    facts = {"attached_to": "eni-" + _hex(chance) if used else "", "state": "in-use" if used else "available",
             "public_ip": f"203.0.113.{chance.getrandbits(7) + 1}"}
    return Shaped("eipalloc-" + _hex(chance), "ec2:elastic-ip", NETWORK, facts, {}, (meter,))


def _snapshot(maker: Maker, entry: Mapping[str, Any], chance: Random) -> Shaped:
    meter = Meter(_prefix(entry) + "EBS:SnapshotUsage", "CreateSnapshot", "GB-Mo", maker.price("snapshot"),
                  _monthly(entry))
    facts = {"size_gb": entry["gb"], "created_days_ago": entry["created"]}
    return Shaped("snap-" + _hex(chance), "ec2:snapshot", OTHER, facts, {}, (meter,))


def _gateway(maker: Maker, entry: Mapping[str, Any], chance: Random) -> Shaped:
    meters = [Meter(_prefix(entry) + "NatGateway-Hours", "NatGateway", "Hrs", maker.price("nat_hours"), 24)]
    if entry["gb"]:
        meters.append(Meter(_prefix(entry) + "NatGateway-Bytes", "NatGateway", "GB", maker.price("nat_gb"),
                            entry["gb"], TRAFFIC))
    return Shaped("nat-" + _hex(chance), "ec2:natgateway", OTHER, {"state": "available"},
                  {"processed_gb": float(entry["gb"] * _DAYS_OF_MONTH)}, tuple(meters))


def _balancer(maker: Maker, entry: Mapping[str, Any], chance: Random) -> Shaped:
    meters = [Meter(_prefix(entry) + "LoadBalancerUsage", "LoadBalancing:Application", "Hrs",
                    maker.price("balancer_hours"), 24)]
    if entry["requests"]:
        meters.append(Meter(_prefix(entry) + "LCUUsage", "LoadBalancing:Application", "LCU-Hrs",
                            maker.price("balancer_units"), entry["requests"] / 40_000, TRAFFIC))
    identity = maker.arn(entry, "elasticloadbalancing", f"loadbalancer/app/{entry['name']}/{_hex(chance)}")
    return Shaped(identity, "elasticloadbalancing:loadbalancer", "Amazon Elastic Load Balancing", {},
                  {"requests": float(entry["requests"] * _DAYS_OF_MONTH)}, tuple(meters))


def _database(maker: Maker, entry: Mapping[str, Any], chance: Random) -> Shaped:
    kind = entry["type"]
    meters = (Meter(f"{_prefix(entry)}InstanceUsage:{kind}", "CreateDBInstance:0014", "Hrs", maker.price(kind), 24),
              Meter(_prefix(entry) + "RDS:GP3-Storage", "CreateDBInstance:0014", "GB-Mo", maker.price("db_gp3"),
                    _monthly(entry)))
    facts = {"instance_type": kind, "engine": "postgres", "size_gb": entry["gb"], "volume_type": "gp3",
             "multi_az": "no", "state": "available"}
    return Shaped(maker.arn(entry, "rds", f"db:{entry['name']}"), "rds:db", DATABASES, facts,
                  {"connections_average": float(entry["connections"])}, meters)


def _bucket(maker: Maker, entry: Mapping[str, Any], chance: Random) -> Shaped:
    rare = entry.get("class") == "STANDARD_IA"
    usage, price = ("TimedStorage-SIA-ByteHrs", "s3_ia") if rare else ("TimedStorage-ByteHrs", "s3_standard")
    meters = [Meter(_prefix(entry) + usage, "StandardIAStorage" if rare else "StandardStorage", "GB-Mo",
                    maker.price(price), _monthly(entry))]
    if entry["requests"]:
        meters.append(Meter(_prefix(entry) + "Requests-Tier1", "PutObject", "Requests", maker.price("s3_requests"),
                            entry["requests"] / 4, TRAFFIC))
    use = {"stored_gb": float(entry["gb"]), "requests": float(entry["requests"] * _DAYS_OF_MONTH)}
    return Shaped(entry["name"], "s3:bucket", STORAGE, {"storage_class": entry.get("class", "STANDARD")}, use,
                  tuple(meters))


def _function(maker: Maker, entry: Mapping[str, Any], chance: Random) -> Shaped:
    meters = (Meter(_prefix(entry) + "Lambda-GB-Second", "Invoke", "Lambda-GB-Second", maker.price("lambda_seconds"),
                    entry["seconds"], TRAFFIC),
              Meter(_prefix(entry) + "Request", "Invoke", "Request", maker.price("lambda_requests"),
                    entry["requests"], TRAFFIC))
    use = {"invocations": float(entry["requests"] * _DAYS_OF_MONTH)}
    return Shaped(maker.arn(entry, "lambda", f"function:{entry['name']}"), "lambda:function", "AWS Lambda",
                  {"runtime": "python3.12", "memory_mb": 512}, use, meters)


def _table(maker: Maker, entry: Mapping[str, Any], chance: Random) -> Shaped:
    meters = (Meter(_prefix(entry) + "ReadRequestUnits", "PayPerRequestThroughput", "ReadRequestUnits",
                    maker.price("dynamo_reads"), entry["reads"], TRAFFIC),
              Meter(_prefix(entry) + "WriteRequestUnits", "PayPerRequestThroughput", "WriteRequestUnits",
                    maker.price("dynamo_writes"), entry["writes"], TRAFFIC),
              Meter(_prefix(entry) + "TimedStorage-ByteHrs", "StandardStorage", "GB-Mo", maker.price("dynamo_gb"),
                    _monthly(entry)))
    return Shaped(maker.arn(entry, "dynamodb", f"table/{entry['name']}"), "dynamodb:table", "Amazon DynamoDB", {}, {},
                  meters)


def _cdn(maker: Maker, entry: Mapping[str, Any], chance: Random) -> Shaped:
    meters = (Meter("US-DataTransfer-Out-Bytes", "GET", "GB", maker.price("cdn_gb"), entry["gb"], TRAFFIC),
              Meter("US-Requests-Tier2-HTTPS", "GET", "Requests", maker.price("cdn_requests"), entry["requests"],
                    TRAFFIC))
    identity = f"arn:aws:cloudfront::{maker.account(entry['account'])}:distribution/{entry['name']}"
    return Shaped(identity, "cloudfront:distribution", "Amazon CloudFront", {}, {}, meters)


def _cache(maker: Maker, entry: Mapping[str, Any], chance: Random) -> Shaped:
    kind = entry["type"]
    meter = Meter(f"{_prefix(entry)}NodeUsage:{kind}", "CreateCacheCluster:0002", "Hrs", maker.price(kind), 24)
    return Shaped(maker.arn(entry, "elasticache", f"cluster:{entry['name']}"), "elasticache:cluster",
                  "Amazon ElastiCache", {"instance_type": kind}, {}, (meter,))


def _transfer(maker: Maker, entry: Mapping[str, Any], chance: Random) -> Shaped:
    usage, operation, price = {
        "out": ("DataTransfer-Out-Bytes", "RunInstances", "out_gb"),
        "between": (_LONG_PREFIX[_region(entry)] + "EUW1-AWS-Out-Bytes", "PublicIP-Out", "between_gb"),
        "regional": ("DataTransfer-Regional-Bytes", "InterZone-Out", "regional_gb")}[entry["way"]]
    meter = Meter(_prefix(entry) + usage, operation, "GB", maker.price(price), entry["gb"], TRAFFIC)
    return Shaped("", "", OTHER, {}, {}, (meter,))


def _logs(maker: Maker, entry: Mapping[str, Any], chance: Random) -> Shaped:
    meters = (Meter("USE1-DataProcessing-Bytes", "PutLogEvents", "GB", maker.price("logs_gb"), entry["gb"], TRAFFIC),
              Meter("USE1-CW:MetricMonitorUsage", "MetricStorage:AWS/EC2", "Metrics", maker.price("metrics"),
                    entry["metrics"] / _DAYS_OF_MONTH))
    return Shaped("", "", "AmazonCloudWatch", {}, {}, meters)


def _model(maker: Maker, entry: Mapping[str, Any], chance: Random) -> Shaped:
    meters = tuple(Meter(f"USE1-Claude-{word}-tokens", "InvokeModelInference", "Tokens",
                         maker.price(f"bedrock_{side}"), entry[side], OFFICE)
                   for side, word in (("in", "input"), ("out", "output")))
    return Shaped(maker.arn(entry, "bedrock", f"application-inference-profile/{entry['name']}"),
                  "bedrock:application-inference-profile", MODELS, {}, {}, meters)


def _users(maker: Maker, entry: Mapping[str, Any], chance: Random) -> Shaped:
    meter = Meter("USE1-QBusiness-Pro-Users", "Subscription", "User-Mo", maker.price("q_users"),
                  entry["users"] / _DAYS_OF_MONTH)
    return Shaped(maker.arn(entry, "qbusiness", f"application/{_hex(chance)}"), "qbusiness:application", "Amazon Q",
                  {"state": "ACTIVE"}, {}, (meter,))


def _cluster(maker: Maker, entry: Mapping[str, Any], chance: Random) -> Shaped:
    meter = Meter("USE1-AmazonEKS-Hours:perCluster", "CreateOperation", "Hrs", maker.price("cluster_hours"), 24)
    return Shaped(maker.arn(entry, "eks", f"cluster/{entry['name']}"), "eks:cluster",
                  "Amazon Elastic Container Service for Kubernetes", {}, {}, (meter,))


def _queue(maker: Maker, entry: Mapping[str, Any], chance: Random) -> Shaped:
    meter = Meter("USE1-Requests-RBP", "SendMessage", "Requests", maker.price("queue"), entry["requests"], TRAFFIC)
    return Shaped(maker.arn(entry, "sqs", entry["name"]), "sqs:queue", "Amazon Simple Queue Service", {}, {}, (meter,))


_SHAPES: Dict[str, Callable[[Maker, Mapping[str, Any], Random], Shaped]] = {
    "instance": _instance, "volume": _volume, "address": _address, "snapshot": _snapshot, "gateway": _gateway,
    "balancer": _balancer, "database": _database, "bucket": _bucket, "function": _function, "table": _table,
    "cdn": _cdn, "cache": _cache, "transfer": _transfer, "logs": _logs, "model": _model, "users": _users,
    "cluster": _cluster, "queue": _queue}


def _region(entry: Mapping[str, Any]) -> str:
    return str(entry.get("region", HOME))


def _prefix(entry: Mapping[str, Any]) -> str:
    return _PREFIX[_region(entry)]


def _monthly(entry: Mapping[str, Any]) -> float:
    return float(entry["gb"]) / _DAYS_OF_MONTH


def _measured(entry: Mapping[str, Any], chance: Random) -> Dict[str, float]:
    """Return what was measured of a machine: its processor on average and at most, and its memory at most."""
    cpu: Sequence[float] = entry.get("cpu", ())
    found = dict(zip(("cpu_average_percent", "cpu_max_percent"), cpu))
    if "memory" in entry:
        found["memory_max_percent"] = entry["memory"]
    return {name: round(min(100.0, value * _varied(chance, _SPREAD)), 2) for name, value in found.items()}


def _spike(entry: Mapping[str, Any], chance: Random) -> Optional[Tuple[str, int, int, float]]:
    if "spike" not in entry:
        return None
    what, before_end, days, factor = entry["spike"]
    return (what, before_end + int(chance.random() * _SPIKE_DAYS), days,
            round(factor * _varied(chance, _SPIKE_SPREAD), 2) if entry.get("severity", CLEAR) == CLEAR else factor)


def _varied(chance: Random, spread: float) -> float:
    return 1.0 + spread * (2 * chance.random() - 1)


def _hex(chance: Random) -> str:
    return f"0{chance.getrandbits(64):016x}"
