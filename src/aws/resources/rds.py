"""Amazon RDS: database instances."""
from __future__ import annotations

from typing import Iterator, Sequence, Tuple

from aws.live.operations import DESCRIBE_DATABASES
from aws.resources.base import Look, Metric, Service, day_of, tags_of
from aws.sources.base import Resource

DATABASES = "Amazon Relational Database Service"
DATABASE = "rds:db"


class Rds(Service):
    """Database instances, under their ARN as bills name them."""

    id = "rds"
    title = "Amazon RDS"
    description = "Database instances"
    client = "rds"
    part_names = ("databases",)
    metrics = tuple(Metric(DATABASE, use, "AWS/RDS", name, statistic, lambda one: {"DBInstanceIdentifier": one.name})
                    for use, name, statistic in (("cpu_average_percent", "CPUUtilization", "Average"),
                                                 ("cpu_max_percent", "CPUUtilization", "Maximum"),
                                                 ("connections_average", "DatabaseConnections", "Average")))

    def databases(self, look: Look) -> Iterator[Resource]:
        """Yield the database instances."""
        for one in look.ask(DESCRIBE_DATABASES):
            yield look.resource(one["DBInstanceArn"], DATABASE, DATABASES, one["DBInstanceIdentifier"],
                                tags_of(one.get("TagList")), instance_type=one["DBInstanceClass"],
                                state=one.get("DBInstanceStatus"), engine=one.get("Engine"),
                                size_gb=one.get("AllocatedStorage"), volume_type=one.get("StorageType"),
                                multi_az="yes" if one.get("MultiAZ") else "no",
                                created=day_of(one.get("InstanceCreateTime")))

    def usage(self, resource: Resource) -> Sequence[Tuple[str, float]]:
        """Return hours of the database's class, and its gigabytes."""
        facts = resource.facts
        twice = facts["multi_az"] == "yes"
        storage = f"{'Multi-AZ-' if twice else ''}{facts.get('volume_type', '').upper()}-Storage"
        return ((f"{'Multi-AZUsage' if twice else 'InstanceUsage'}:{facts['instance_type']}", 1.0),
                (f"RDS:{storage}", float(facts.get("size_gb", 0))))
