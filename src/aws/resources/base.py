"""The contract of a service whose resources can be looked for, and the words of what is told of them.

`facts` are texts under these names, where they apply: `instance_type` (of databases too), `state`, `created` (a day),
`size_gb`, `volume_type`, `attached_to` (empty: nothing), `public_ip`, `engine`, `multi_az` (yes, no), `memory_mb`,
`runtime`. `use` is measured over the last days of the period: `cpu_average_percent`, `cpu_max_percent`,
`connections_average`, `invocations`, `milliseconds`, `stored_gb`, `bytes`.
"""
from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, Iterator, Mapping, NamedTuple, Optional, Sequence, Tuple, Type

import aws.resources
from aws.live.connections import Connections, Item, Place
from aws.live.operations import Operation
from aws.sources.base import Resource
from discovery import discover


class Look(NamedTuple):
    """A look into one region of one account."""

    connections: Connections
    place: Place

    def ask(self, operation: Operation, **parameters: Any) -> Iterator[Item]:
        """Yield the items of all pages of an answer; raises `Failure`."""
        return self.connections.ask(operation, self.place, **parameters)

    def resource(self, identity: str, kind: str, service: str, name: str = "", tags: Mapping[str, str] = {},
                 **facts: object) -> Resource:
        """Return a resource of this account and region; facts that are None are left out."""
        told = {key: str(value) for key, value in facts.items() if value is not None}
        return Resource(identity, kind, service, name or tags.get("Name", "") or identity, self.place.account.id,
                        self.place.region, tags, told)


Part = Callable[[Look], Iterable[Resource]]  # may raise `Failure` in the midst: what it gave before is kept


class Metric(NamedTuple):
    """A figure of CloudWatch that says how a kind of resource is used.

    `dimensions` turn a resource into the dimensions of the metric. `statistic` is taken of each day, and once more of
    the days: Average, Sum or Maximum. `scale` multiplies.
    """

    kind: str
    use: str
    namespace: str
    name: str
    statistic: str
    dimensions: Callable[[Resource], Dict[str, str]]
    scale: float = 1.0


class Service:
    """Base of all services: a subclass sets `id`, `title`, `description`, and says what to ask.

    `part_names` are methods that each make one request and yield resources: one that is denied stops no other.
    """

    id = ""
    title = ""
    description = ""
    rank = 100
    client = ""  # boto3's name, for the regions that have the service
    everywhere = True  # False: one answer holds all regions
    normal = ""  # why a failure is to be expected, as a sentence's end
    part_names: Tuple[str, ...] = ()
    metrics: Tuple[Metric, ...] = ()

    def parts(self) -> Sequence[Part]:
        """Return what is to be asked."""
        return [getattr(self, name) for name in self.part_names]

    def usage(self, resource: Resource) -> Sequence[Tuple[str, float]]:
        """Return the usage types, without a region, that a resource causes, with its weight among all that cause them.

        An empty one is all usage of the resource's service. Nothing: no estimate is made.
        """
        return ()


def tags_of(pairs: Optional[Iterable[Mapping[str, str]]]) -> Dict[str, str]:
    """Return tags from AWS's lists of keys and values, in either case of spelling."""
    return {one.get("Key", one.get("key", "")): one.get("Value", one.get("value", "")) for one in pairs or ()}


def day_of(moment: object) -> Optional[str]:
    """Return the day of a moment, which boto3 gives as a `datetime` or as text; None where there is none."""
    return str(moment)[:10] if moment else None


def discover_services() -> Dict[str, Type[Service]]:
    """Return all services by id: every file below `aws/resources/` is one."""
    return discover(aws.resources, Service)
