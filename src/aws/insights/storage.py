"""Storage that is kept ready for use and hardly used: told by what its requests cost beside what it costs to keep.

Infrequent Access lists at 45 % less a gigabyte than Standard; what is read then costs extra, so only what is hardly
asked for is told, and the saving is that of the storage alone.
"""
from __future__ import annotations

from decimal import Decimal
from typing import Dict, Iterator, Mapping, Tuple

from analyzers.base import HIGH, MEDIUM
from analyzers.wording import money
from aws.insights.findings import Finding, Insight, Purse, Scene, Standing
from aws.insights.reading import BUCKET, about, measure, uses

STANDARD, REQUESTS, TRANSFER = "TimedStorage-ByteHrs", "Requests-", "DataTransfer-Out-Bytes"
RARELY = Decimal("0.005")  # of what storage costs: less for requests and traffic means that hardly anybody reads
LEAST_MONTHLY = Decimal("20.00")  # of storage, that is worth a rule for its life cycle


class StorageInsight(Insight):
    """Buckets whose objects could go to a cheaper storage class."""

    id = "storage"
    title = "Storage classes"
    description = "Buckets in the standard class whose objects hardly anybody asks for"
    rank = 40
    kinds: Mapping[str, str] = {"storage_class": "Storage class"}

    def find(self, scene: Scene, purse: Purse) -> Iterator[Finding]:
        """Yield buckets that are kept in the standard class and hardly read."""
        kept, read = _costs(scene)
        for one in scene.of_kind(BUCKET):
            key = (one.resource.service, one.resource.id)
            stored = kept.get(key, Decimal(0))
            if stored >= LEAST_MONTHLY and read.get(key, Decimal(0)) < RARELY * stored:
                yield _finding(scene, one, stored, read.get(key, Decimal(0)))


def _finding(scene: Scene, one: Standing, stored: Decimal, read: Decimal) -> Finding:
    requests = measure(one.resource, "requests")
    return about(Finding(
        "storage_class",
        f"Let a life cycle rule move {one.resource.name} to Infrequent Access, or to Intelligent-Tiering",
        f"keeping it in the standard class costs {money(stored)} a month, reading and writing it {money(read)}"
        + (f"; {requests:,.0f} requests were counted" if requests is not None else ""),
        HIGH if requests == 0 else MEDIUM), one)._replace(saving=(
            stored * scene.discounts.share("storage", "infrequent_access")).quantize(Decimal("0.01")))


def _costs(scene: Scene) -> Tuple[Dict[Tuple[str, str], Decimal], Dict[Tuple[str, str], Decimal]]:
    """Return what keeping costs in the standard class, and what requests and traffic cost, by service and resource."""
    kept: Dict[Tuple[str, str], Decimal] = {}
    read: Dict[Tuple[str, str], Decimal] = {}
    for use in uses(scene):
        sums = kept if use.usage_type.endswith(STANDARD) else read if (
            REQUESTS in use.usage_type or TRANSFER in use.usage_type) else None
        if sums is not None and use.resource:
            key = (use.service, use.resource)
            sums[key] = sums.get(key, Decimal(0)) + use.monthly
    return kept, read
