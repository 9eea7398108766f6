"""Amazon EC2: instances, volumes and their snapshots, public addresses, and NAT gateways."""
from __future__ import annotations

from typing import Iterator, Sequence, Tuple

from aws.live.operations import (
    DESCRIBE_ADDRESSES,
    DESCRIBE_GATEWAYS,
    DESCRIBE_INSTANCES,
    DESCRIBE_SNAPSHOTS,
    DESCRIBE_VOLUMES,
)
from aws.resources.base import Look, Metric, Service, day_of, tags_of
from aws.sources.base import Resource

COMPUTE, OTHER, ADDRESSES = ("Amazon Elastic Compute Cloud - Compute", "EC2 - Other", "Amazon Virtual Private Cloud")
INSTANCE, VOLUME, ADDRESS, SNAPSHOT, GATEWAY = (
    "ec2:instance", "ec2:volume", "ec2:elastic-ip", "ec2:snapshot", "ec2:natgateway")
_USAGE_OF_VOLUMES = {"standard": "EBS:VolumeUsage", "io1": "EBS:VolumeUsage.piops"}  # others: by their own name


class Ec2(Service):
    """What is there and not gone; of snapshots those of the account itself."""

    id = "ec2"
    title = "Amazon EC2"
    description = "Instances, volumes, snapshots, public addresses, NAT gateways"
    client = "ec2"
    part_names = ("instances", "volumes", "addresses", "snapshots", "gateways")
    metrics = tuple(Metric(INSTANCE, use, "AWS/EC2", "CPUUtilization", statistic, lambda one: {"InstanceId": one.id})
                    for use, statistic in (("cpu_average_percent", "Average"), ("cpu_max_percent", "Maximum"))) + (
        Metric(GATEWAY, "bytes", "AWS/NATGateway", "BytesOutToDestination", "Sum",
               lambda one: {"NatGatewayId": one.id}),)

    def instances(self, look: Look) -> Iterator[Resource]:
        """Yield the instances that are not terminated."""
        for reservation in look.ask(DESCRIBE_INSTANCES):
            for one in reservation["Instances"]:
                if one["State"]["Name"] not in ("terminated", "shutting-down"):
                    yield look.resource(one["InstanceId"], INSTANCE, COMPUTE, tags=tags_of(one.get("Tags")),
                                        instance_type=one["InstanceType"], state=one["State"]["Name"],
                                        created=day_of(one.get("LaunchTime")), platform=one.get("PlatformDetails"),
                                        lifecycle=one.get("InstanceLifecycle"))

    def volumes(self, look: Look) -> Iterator[Resource]:
        """Yield the volumes, with the instance that each is attached to."""
        for one in look.ask(DESCRIBE_VOLUMES):
            attached = [held["InstanceId"] for held in one.get("Attachments", ()) if held.get("InstanceId")]
            yield look.resource(one["VolumeId"], VOLUME, OTHER, tags=tags_of(one.get("Tags")),
                                size_gb=one["Size"], volume_type=one["VolumeType"], state=one["State"],
                                created=day_of(one.get("CreateTime")), attached_to=", ".join(attached),
                                iops=one.get("Iops"))

    def addresses(self, look: Look) -> Iterator[Resource]:
        """Yield the addresses, with what each is attached to."""
        for one in look.ask(DESCRIBE_ADDRESSES):
            attached = one.get("InstanceId") or one.get("NetworkInterfaceId") or ""
            yield look.resource(one.get("AllocationId") or one["PublicIp"], ADDRESS, ADDRESSES,
                                tags=tags_of(one.get("Tags")), public_ip=one["PublicIp"], attached_to=attached,
                                state="in-use" if attached else "available")

    def snapshots(self, look: Look) -> Iterator[Resource]:
        """Yield the account's own snapshots; their size is that of the volume, of which they store less."""
        for one in look.ask(DESCRIBE_SNAPSHOTS, OwnerIds=["self"]):
            yield look.resource(one["SnapshotId"], SNAPSHOT, OTHER, tags=tags_of(one.get("Tags")),
                                size_gb=one.get("VolumeSize"), state=one.get("State"),
                                created=day_of(one.get("StartTime")), made_of=one.get("VolumeId"))

    def gateways(self, look: Look) -> Iterator[Resource]:
        """Yield the NAT gateways that are not deleted."""
        for one in look.ask(DESCRIBE_GATEWAYS):
            if one.get("State") not in ("deleted", "deleting"):
                yield look.resource(one["NatGatewayId"], GATEWAY, OTHER, tags=tags_of(one.get("Tags")),
                                    state=one.get("State"), created=day_of(one.get("CreateTime")))

    def usage(self, resource: Resource) -> Sequence[Tuple[str, float]]:
        """Return what a resource is charged under: hours of its type, its gigabytes, or hours of an address."""
        facts = resource.facts
        if resource.kind == INSTANCE:
            kind = "SpotUsage" if facts.get("lifecycle") == "spot" else "BoxUsage"
            return ((f"{kind}:{facts['instance_type']}", 1.0),) if facts["state"] == "running" else ()
        if resource.kind == VOLUME:
            usage = _USAGE_OF_VOLUMES.get(facts["volume_type"], f"EBS:VolumeUsage.{facts['volume_type']}")
            return ((usage, float(facts["size_gb"])),)
        if resource.kind == SNAPSHOT:
            return (("EBS:SnapshotUsage", float(facts.get("size_gb", 0))),)
        if resource.kind == GATEWAY:
            return (("NatGateway-Hours", 1.0), ("NatGateway-Bytes", resource.use.get("bytes", 0.0)))
        return (("PublicIPv4:InUseAddress" if facts["attached_to"] else "PublicIPv4:IdleAddress", 1.0),)
