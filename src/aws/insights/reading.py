"""What rules read of resources: facts and measured use, under the names that sources give them."""
from __future__ import annotations

import re
from decimal import Decimal
from typing import List, NamedTuple, Optional, Tuple

from aws.insights.findings import Finding, Scene, Standing
from aws.sources.base import Resource

INSTANCE, VOLUME, ADDRESS, SNAPSHOT = "ec2:instance", "ec2:volume", "ec2:elastic-ip", "ec2:snapshot"
GATEWAY, BALANCER, DATABASE, BUCKET, FUNCTION = (
    "ec2:natgateway", "elasticloadbalancing:loadbalancer", "rds:db", "s3:bucket", "lambda:function")
PEAKS = ("cpu_max_percent", "cpu_maximum_percent", "cpu_peak_percent")  # measures of the highest load
_TYPE = re.compile(r"(?:db\.|cache\.)?([a-z]+[0-9]+[a-z-]*)\.([a-z0-9-]+)\Z")
SIZES = ("nano", "micro", "small", "medium", "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "16xlarge", "32xlarge")


class Use(NamedTuple):
    """What a service, resource and usage type cost in a month; `resource` is empty where the source names none."""

    service: str
    resource: str
    usage_type: str
    monthly: Decimal


def fact(resource: Resource, *names: str) -> Optional[str]:
    """Return the first of some facts that is known, None where none is; an empty text is known."""
    return next((resource.facts[name] for name in names if name in resource.facts), None)


def measure(resource: Resource, *names: str) -> Optional[float]:
    """Return the first of some measures of use that is known, None where nobody measured."""
    return next((resource.use[name] for name in names if name in resource.use), None)


def uses(scene: Scene) -> List[Use]:
    """Return recent costs by service, resource and usage type: without the resource where the source has none."""
    rows = scene.costs("service", "resource", "usage_type")
    if rows:
        return [Use(row.keys[0], row.keys[1], row.keys[2], scene.monthly(row.amounts[0])) for row in rows
                if row.amounts[0] is not None]
    return [Use(row.keys[0], "", row.keys[1], scene.monthly(row.amounts[0]))
            for row in scene.costs("service", "usage_type") if row.amounts[0] is not None]


def family_and_size(instance_type: str) -> Optional[Tuple[str, str]]:
    """Return the family and size of an instance type, also of databases and caches; None for what is none."""
    match = _TYPE.match(instance_type)
    return (match.group(1), match.group(2)) if match else None


def about(finding: Finding, one: Standing) -> Finding:
    """Return a finding that is about a resource, with where it stands and what it costs."""
    resource = one.resource
    return finding._replace(service=resource.service, resource=resource.id, name=resource.name,
                            account=resource.account, region=resource.region, at_stake=one.monthly)


def called(resource: Resource) -> str:
    """Return a resource's name with its id behind it, as far as they differ."""
    return f"{resource.name} ({resource.id})" if resource.name and resource.name != resource.id else resource.id
