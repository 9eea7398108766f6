"""Amazon Q Business: applications and their indices."""
from __future__ import annotations

from typing import Iterator, Sequence, Tuple

from aws.live.operations import LIST_APPLICATIONS, LIST_INDICES
from aws.resources.base import Look, Service, day_of
from aws.sources.base import Resource

Q_BUSINESS = "Amazon Q Business"
APPLICATION, INDEX = "qbusiness:application", "qbusiness:index"


class QBusiness(Service):
    """Applications, each with its indices, which are charged by the hour whether used or not."""

    id = "qbusiness"
    title = "Amazon Q Business"
    description = "Applications and indices"
    client = "qbusiness"
    normal = "which is normal: AWS closed it to new customers on 2026-07-31"
    part_names = ("applications",)

    def applications(self, look: Look) -> Iterator[Resource]:
        """Yield each application and then its indices."""
        for one in look.ask(LIST_APPLICATIONS):
            application = one["applicationId"]
            yield look.resource(application, APPLICATION, Q_BUSINESS, one.get("displayName", ""),
                                state=one.get("status"), created=day_of(one.get("createdAt")))
            for index in look.ask(LIST_INDICES, applicationId=application):
                yield look.resource(index["indexId"], INDEX, Q_BUSINESS, index.get("displayName", ""),
                                    state=index.get("status"), created=day_of(index.get("createdAt")),
                                    attached_to=application)

    def usage(self, resource: Resource) -> Sequence[Tuple[str, float]]:
        """Return an even part of all that the service costs, for each index."""
        return (("", 1.0),) if resource.kind == INDEX else ()
