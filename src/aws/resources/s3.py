"""Amazon S3: buckets."""
from __future__ import annotations

from typing import Iterator, Sequence, Tuple

from aws.live.failures import Failure
from aws.live.operations import GET_BUCKET_LOCATION, LIST_BUCKETS
from aws.resources.base import Look, Metric, Service, day_of
from aws.sources.base import Resource

STORAGE = "Amazon Simple Storage Service"
BUCKET = "s3:bucket"
_GB = 1 / 2 ** 30
_OLD_NAMES = {"": "us-east-1", "EU": "eu-west-1"}  # of locations, from the time before there were many


class S3(Service):
    """Buckets of an account with the region that each is in; tags come from the tagging API."""

    id = "s3"
    title = "Amazon S3"
    description = "Buckets, with how much each stores"
    client = "s3"
    everywhere = False
    part_names = ("buckets",)
    metrics = (Metric(BUCKET, "stored_gb", "AWS/S3", "BucketSizeBytes", "Average",
                      lambda one: {"BucketName": one.id, "StorageType": "StandardStorage"}, _GB),)

    def buckets(self, look: Look) -> Iterator[Resource]:
        """Yield the buckets; one whose region is denied is left without it."""
        for one in look.ask(LIST_BUCKETS):
            region = one.get("BucketRegion") or self._region(look, one["Name"])
            yield look.resource(one["Name"], BUCKET, STORAGE, created=day_of(one.get("CreationDate")))._replace(
                region=region)

    def usage(self, resource: Resource) -> Sequence[Tuple[str, float]]:
        """Return the gigabytes stored, where they were measured."""
        stored = resource.use.get("stored_gb", 0.0)
        return (("TimedStorage-ByteHrs", stored),) if stored else ()

    def _region(self, look: Look, bucket: str) -> str:
        try:
            answer = look.connections.answer(GET_BUCKET_LOCATION, look.place, {"Bucket": bucket})
        except Failure:
            return ""
        location = answer.get("LocationConstraint") or ""
        return _OLD_NAMES.get(location, location)
