"""How much resources are used, from CloudWatch: up to 500 figures in one request; a thousand cost a cent."""
from __future__ import annotations

from datetime import date, timedelta
from statistics import mean
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Sequence, Tuple

from aws.live.connections import Account, Connections, Place
from aws.live.failures import Failure
from aws.live.operations import GET_METRIC_DATA
from aws.resources.base import Metric, discover_services
from aws.sources.base import Resource
from errors import AwsError

MOST_FIGURES = 500  # in one request
MEASURED_DAYS = 14  # at the end of a period
_DAY_SECONDS = 86400
_OF_DAYS: Mapping[str, Callable[[Sequence[float]], float]] = {"Average": mean, "Sum": sum, "Maximum": max}


class _Figure(NamedTuple):
    """A metric of one resource."""

    metric: Metric
    resource: Resource


def measured(connections: Connections, accounts: Sequence[Account], resources: Sequence[Resource], first: date,
             last: date) -> Tuple[List[Resource], List[str]]:
    """Return the resources with their use over the last days of a period, and what could not be measured."""
    metrics = [metric for service in discover_services().values() for metric in service.metrics]
    figures: Dict[Place, List[_Figure]] = {}
    by_id = {account.id: account for account in accounts}
    for resource in resources:
        for metric in metrics:
            if metric.kind == resource.kind and resource.region and resource.account in by_id:
                figures.setdefault(Place(by_id[resource.account], resource.region), []).append(
                    _Figure(metric, resource))
    begin = max(first, last - timedelta(days=MEASURED_DAYS - 1))
    use: Dict[Tuple[str, str], Dict[str, float]] = {}
    failed: Dict[str, List[AwsError]] = {}
    for place, wanted in figures.items():
        try:
            for start in range(0, len(wanted), MOST_FIGURES):
                _measure(connections, place, wanted[start:start + MOST_FIGURES], begin, last, use)
        except AwsError as error:
            failed.setdefault(error.said_of(["it"], ["it"]) if isinstance(error, Failure) else str(error),
                              []).append(error)
    notes = [f"Use is not told in full: {_said(errors)}." for errors in failed.values()]
    return [one._replace(use={**one.use, **use.get((one.account, one.id), {})}) for one in resources], notes


def _said(errors: Sequence[AwsError]) -> str:
    alike = [one for one in errors if isinstance(one, Failure)]
    return alike[0].said_of([alike[0].action], {one.place for one in alike}) if alike else str(errors[0])


def _measure(connections: Connections, place: Place, figures: Sequence[_Figure], first: date, last: date,
             use: Dict[Tuple[str, str], Dict[str, float]]) -> None:
    connections.meter.figures(len(figures))
    found: Dict[str, List[float]] = {}
    for item in connections.ask(
            GET_METRIC_DATA, place, StartTime=first.isoformat(), EndTime=(last + timedelta(days=1)).isoformat(),
            MetricDataQueries=[_query(number, one) for number, one in enumerate(figures)]):
        found.setdefault(item["Id"], []).extend(map(float, item.get("Values", ())))
    for number, (metric, resource) in enumerate(figures):
        values = found.get(f"m{number}")
        if values:
            whole = _OF_DAYS[metric.statistic](values)
            use.setdefault((resource.account, resource.id), {})[metric.use] = whole * metric.scale


def _query(number: int, figure: _Figure) -> Mapping[str, Any]:
    metric = figure.metric
    dimensions = [{"Name": name, "Value": value} for name, value in metric.dimensions(figure.resource).items()]
    return {"Id": f"m{number}", "MetricStat": {
        "Metric": {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions},
        "Period": _DAY_SECONDS, "Stat": metric.statistic}}
