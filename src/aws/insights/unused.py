"""What nobody uses and everybody pays for: idle machines and databases, volumes and addresses without a user."""
from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Dict, Iterator, Mapping, Optional, Tuple

from analyzers.base import HIGH, LOW, MEDIUM
from analyzers.wording import money
from aws.insights.findings import Finding, Insight, Purse, Scene, Standing
from aws.insights.reading import (
    ADDRESS,
    BALANCER,
    DATABASE,
    GATEWAY,
    INSTANCE,
    PEAKS,
    SNAPSHOT,
    VOLUME,
    about,
    called,
    fact,
    measure,
    uses,
)

IDLE_CPU = 3.0  # percent on average: below, only the machine itself works
QUIET_CPU = 5.0  # percent on average: below, it may be so too, where the highest is known and low
IDLE_PEAK, DOUBTFUL_PEAK = 10.0, 20.0  # percent, where the highest is known: beyond the second it works now and then
FEW_CONNECTIONS = 1.0  # on average: below, nobody but a monitor may be connected
FEW_GB = 5.0  # through a gateway in that time: what clocks and agents come to
FEW_REQUESTS = 5000.0  # in the time that was measured, a month at most: what scanners and health checks come to
OLD_SNAPSHOT_DAYS = 180
IDLE_ADDRESS = ("IdleAddress", "ElasticIP:AdditionalAddress")

_CONNECTED = dict.fromkeys(("connections", "connections_average"), (0.0, "{:.2f} connections"))
_NOBODY = {"idle_load_balancer": "scanners and health checks", "idle_nat_gateway": "clocks and agents"}


class UnusedInsight(Insight):
    """Resources that cost money and do nothing."""

    id = "unused"
    title = "Idle and unattached resources"
    description = "Machines and databases that idle, volumes, addresses and gateways without a user, old snapshots"
    rank = 10
    kinds: Mapping[str, str] = {
        "idle_instance": "Idle instance", "idle_database": "Idle database", "idle_load_balancer": "Idle load balancer",
        "idle_nat_gateway": "Idle NAT gateway", "unattached_volume": "Unattached volume",
        "volume_of_stopped_instance": "Volume of a stopped instance",
        "unused_address": "Unused address", "old_snapshot": "Old snapshot"}

    def find(self, scene: Scene, purse: Purse) -> Iterator[Finding]:
        """Yield what is unused, and saves all that it costs when it goes."""
        stopped = {one.resource.id: called(one.resource) for one in scene.of_kind(INSTANCE)
                   if fact(one.resource, "state") == "stopped"}
        for one in scene.resources:
            finding = _unused(one, scene.recent.days[1]) or _of_a_stopped_instance(one, stopped)
            if finding and one.monthly:
                yield about(finding, one)._replace(saving=one.monthly)
        yield from _addresses(scene)


def _unused(one: Standing, today: date) -> Optional[Finding]:
    kind, resource = one.resource.kind, one.resource
    if kind == INSTANCE:
        return _idle_instance(one)
    if kind == DATABASE:
        return _idle_database(one)
    if kind == VOLUME and _is_alone(one):
        return Finding("unattached_volume", f"Take a snapshot of the volume {called(resource)} and delete it",
                       "nothing is attached to it" + _size(one), HIGH)
    if kind == ADDRESS and _is_alone(one):
        return Finding("unused_address", f"Release the address {called(resource)}", "nothing is attached to it", HIGH)
    if kind == BALANCER or kind.startswith(BALANCER + "/"):
        return _silent(one, "idle_load_balancer", "load balancer", {
            "requests": (FEW_REQUESTS, "{:,.0f} requests"), **_CONNECTED})
    if kind == GATEWAY:
        return _silent(one, "idle_nat_gateway", "NAT gateway", {
            "bytes": (FEW_GB * 1e9, "{:,.0f} bytes"), "gb": (FEW_GB, "{:.1f} GB"), **_CONNECTED,
            "processed_gb": (FEW_GB, "{:.1f} GB")})
    if kind == SNAPSHOT:
        return _old_snapshot(one, today)
    return None


def _idle_instance(one: Standing) -> Optional[Finding]:
    cpu, peak = measure(one.resource, "cpu_average_percent"), measure(one.resource, *PEAKS)
    if fact(one.resource, "state") not in (None, "running") or cpu is None or cpu >= QUIET_CPU:
        return None
    if (cpu >= IDLE_CPU and (peak is None or peak >= IDLE_PEAK)) or (peak is not None and peak >= DOUBTFUL_PEAK):
        return None
    sure = MEDIUM if peak is None or cpu >= IDLE_CPU else HIGH if peak < IDLE_PEAK else LOW
    return Finding("idle_instance", f"Stop the instance {called(one.resource)}, and delete it when nobody misses it",
                   f"its processor was {cpu:.1f} % busy on average"
                   + (f", {peak:.1f} % at most" if peak is not None else ""), sure)


def _idle_database(one: Standing) -> Optional[Finding]:
    connections = measure(one.resource, "connections_average", "connections")
    if connections is None or connections >= FEW_CONNECTIONS:
        return None
    cpu, peak = measure(one.resource, "cpu_average_percent"), measure(one.resource, *PEAKS)
    if connections and peak is not None and peak >= DOUBTFUL_PEAK:
        return None  # a job at night is connected for a short time, and then at work
    return Finding("idle_database", f"Take a last snapshot of the database {called(one.resource)} and delete it",
                   "nobody was connected to it" if not connections else
                   f"{connections:.2f} connections were open on average"
                   + (f", and its processor was {cpu:.1f} % busy" if cpu is not None else ""),
                   HIGH if not connections else LOW)


def _silent(one: Standing, kind: str, word: str, measures: Mapping[str, Tuple[float, str]]) -> Optional[Finding]:
    """Return what hardly anything goes through, by the first measure known, with its limit and its words."""
    name = next((name for name in measures if name in one.resource.use), None)
    if name is None or one.resource.use[name] > measures[name][0]:
        return None
    traffic = one.resource.use[name]
    if traffic:
        return Finding(kind, f"Ask whose the {word} {called(one.resource)} is, and delete it when nobody knows",
                       f"it took {measures[name][1].format(traffic)} in the time that was measured, no more than "
                       f"{_NOBODY[kind]} make", LOW)
    return Finding(kind, f"Delete the {word} {called(one.resource)}", "nothing went through it", HIGH)


def _of_a_stopped_instance(one: Standing, stopped: Mapping[str, str]) -> Optional[Finding]:
    attached = fact(one.resource, "attached_to") if one.resource.kind == VOLUME else None
    if not attached or attached not in stopped:
        return None
    return Finding("volume_of_stopped_instance",
                   f"Take a snapshot of the volume {called(one.resource)}, and delete it with the instance it hangs on",
                   f"the instance {stopped[attached]} is stopped; its volume is paid for all the same" + _size(one),
                   MEDIUM)


def _old_snapshot(one: Standing, today: date) -> Optional[Finding]:
    created = fact(one.resource, "created")
    try:
        age = (today - date(*map(int, (created or "")[:10].split("-")))).days
    except (TypeError, ValueError):
        return None
    if age < OLD_SNAPSHOT_DAYS:
        return None
    return Finding("old_snapshot", f"Delete the snapshot {called(one.resource)}, or archive it",
                   f"it was made {age} days ago", MEDIUM)


def _is_alone(one: Standing) -> bool:
    """Tell whether something that is made to be attached is known to be attached to nothing."""
    attached = fact(one.resource, "attached_to", "attachment", "association", "associated_with")
    return attached == "" or attached is None and fact(one.resource, "state") == "available"


def _size(one: Standing) -> str:
    size = fact(one.resource, "size_gb")
    return f"; it has {size} GB" if size else ""


def _addresses(scene: Scene) -> Iterator[Finding]:
    """Yield idle addresses that only the usage type of a bill tells, of a source that knows no address by itself."""
    known = {one.resource.id for one in scene.of_kind(ADDRESS) if one.monthly and _is_alone(one)}
    sums: Dict[Tuple[str, str], Decimal] = {}
    for use in uses(scene):
        if any(word in use.usage_type for word in IDLE_ADDRESS) and use.resource not in known and use.monthly > 0:
            key = (use.service, use.resource)
            sums[key] = sums.get(key, Decimal(0)) + use.monthly
    for (service, resource), cost in sorted(sums.items()):
        what = f"the address {resource}" if resource else "the public addresses that nothing uses"
        yield Finding("unused_address", f"Release {what}",
                      f"{money(cost)} a month are billed as idle addresses", HIGH, cost, cost, service, resource)

