"""AWS Lambda: functions."""
from __future__ import annotations

from typing import Iterator, Sequence, Tuple

from aws.live.operations import LIST_FUNCTIONS
from aws.resources.base import Look, Metric, Service, day_of
from aws.sources.base import Resource

LAMBDA = "AWS Lambda"
FUNCTION = "lambda:function"


class Functions(Service):
    """Functions, under their ARN as bills name them; tags come from the tagging API."""

    id = "lambda"
    title = "AWS Lambda"
    description = "Functions, with how often each was called"
    client = "lambda"
    part_names = ("functions",)
    metrics = tuple(Metric(FUNCTION, use, "AWS/Lambda", name, "Sum", lambda one: {"FunctionName": one.name})
                    for use, name in (("invocations", "Invocations"), ("milliseconds", "Duration")))

    def functions(self, look: Look) -> Iterator[Resource]:
        """Yield the functions."""
        for one in look.ask(LIST_FUNCTIONS):
            yield look.resource(one["FunctionArn"], FUNCTION, LAMBDA, one["FunctionName"],
                                runtime=one.get("Runtime"), memory_mb=one.get("MemorySize"),
                                changed=day_of(one.get("LastModified")))

    def usage(self, resource: Resource) -> Sequence[Tuple[str, float]]:
        """Return the memory-seconds and the calls, where they were measured."""
        seconds = float(resource.facts.get("memory_mb", 0)) * resource.use.get("milliseconds", 0.0)
        calls = resource.use.get("invocations", 0.0)
        return tuple((end, weight) for end, weight in (("Lambda-GB-Second", seconds), ("Request", calls)) if weight)
