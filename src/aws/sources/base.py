"""The contract of a source of AWS cost."""
from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple, Type

import aws.sources
from aws.charges import AWS
from aws.queries import CostQuery, Costs
from discovery import discover

ACTUAL, ESTIMATED = "actual", "estimated"  # how a resource's cost is known


class Resource(NamedTuple):
    """Something that stands in an account and may cost money.

    `kind` is the tagging API's (`ec2:instance`, `s3:bucket`); `facts` are what its service's API tells (instance type,
    state, size in GB ...), as texts; `use` what was measured of it over the period (`cpu_average_percent`,
    `connections` ...), absent where nobody measured. `cost` is in the source's currency over the period asked, with
    `cost_basis` saying whether it is of the bill or an estimate; None is unknown.
    """

    id: str
    kind: str
    service: str
    name: str = ""
    account: str = ""
    region: str = ""
    tags: Mapping[str, str] = {}
    facts: Mapping[str, str] = {}
    use: Mapping[str, float] = {}
    cost: Optional[Decimal] = None
    cost_basis: str = ""


class Inventory(NamedTuple):
    """The resources that were found, and in sentences what could not be looked at."""

    resources: Tuple[Resource, ...]
    notes: Tuple[str, ...] = ()


class SourceOptions(NamedTuple):
    """How a source is set up; each takes what concerns it. `today` is handed in, never fetched."""

    today: date
    path: str = ""  # of an export: a file or folder
    seed: int = 42  # of a simulated company
    profile: str = ""  # live: of the AWS configuration
    roles: Tuple[str, ...] = ()  # live: to assume, one an account
    regions: Tuple[str, ...] = ()  # live: to look for resources in; empty means all
    endpoint_url: str = ""  # live: of a stand-in for AWS
    max_api_calls: int = 50  # live: paid requests before it stops
    dry_run: bool = False  # live: count requests, make none
    cache: str = ""  # live: folder of answers kept; empty means the default


Progress = Callable[[str, float], None]  # told what is done now, and the share (0 to 1) that is done


class Source:
    """Base of all sources: a subclass sets `id`, `title`, `description`, and answers.

    Asking is repeatable: the same query gives the same digits until `refresh`. Raises `AwsError` (errors.py) with
    what to do when the source cannot be read at all; what is only partly missing goes into notes.
    """

    id = ""
    title = ""
    description = ""

    def __init__(self, options: SourceOptions, progress: Progress = lambda what, share: None) -> None:
        """Remember how it is set up; nothing is read or asked before the first question."""
        self.options = options
        self.progress = progress

    def period(self) -> Tuple[date, date]:
        """Return the first and last day that the source can tell of."""
        raise NotImplementedError

    def metrics(self) -> Tuple[str, ...]:
        """Return the metrics that it knows."""
        raise NotImplementedError

    def costs(self, query: CostQuery) -> Costs:
        """Answer a query; a metric or dimension that it does not know is a `UsageError` that names those it does."""
        raise NotImplementedError

    def values(self, dimension: str, first: date, last: date) -> List[str]:
        """Return the values of a dimension (or `tag:KEY`) that have charges in a period, sorted."""
        raise NotImplementedError

    def providers(self, first: date, last: date) -> List[str]:
        """Return whose charges a period holds, sorted."""
        return [AWS]

    def tag_keys(self, first: date, last: date) -> List[str]:
        """Return the keys of tags that charges of a period carry, sorted."""
        raise NotImplementedError

    def inventory(self, first: date, last: date) -> Inventory:
        """Return the resources that stood in a period, with what they cost where that is known."""
        raise NotImplementedError

    def forecast(self, last: date, metric: str, where: Mapping[str, Tuple[str, ...]]) -> Optional[Decimal]:
        """Return what the source itself foretells from today to a last day, both included; None where it does not."""
        return None

    def spending(self) -> Dict[str, int]:
        """Return what asking came to: `paid_requests`, `cached_answers` and such; empty where asking is free."""
        return {}


def discover_sources() -> Dict[str, Type[Source]]:
    """Return all sources by id: every file below `aws/sources/` is one."""
    return discover(aws.sources, Source)
