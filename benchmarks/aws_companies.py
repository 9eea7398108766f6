"""Companies to score the rules on AWS cost with: of other sizes, with other things in them, and waste of other kinds.

What is waste was decided by what a thing is for, and its measures were drawn from wide ranges, before the rules were
run on any of it. Some of it nobody can tell from the bill: a standby machine idles as a forgotten one does, memory that
nobody measures may be full, and an old snapshot may be kept by law. What the rules say of these counts as wrong.
"""
from __future__ import annotations

import json
from random import Random
from typing import Any, Dict, Iterator, List, Tuple

from aws.company.assets import COMPANY

Entry = Dict[str, Any]

SIZES = (0.4, 1.0, 3.0)  # of companies: how many of everything there are
ACCOUNTS = ("management", "production", "staging", "data", "sandbox")
TEAMS = ("storefront", "orders", "search", "payments", "platform", "data", "ml", "")
CURRENT = ("m6i.large", "m6i.xlarge", "m6i.2xlarge", "m7g.large", "c6i.xlarge", "c6i.2xlarge", "r6i.xlarge",
           "r6i.2xlarge", "t3.medium", "t3.large", "m5.4xlarge", "c5.2xlarge")
LARGE = ("m6i.xlarge", "m6i.2xlarge", "c6i.xlarge", "c6i.2xlarge", "r6i.xlarge", "r6i.2xlarge", "m5.4xlarge",
         "c5.2xlarge")
DATABASES = ("db.r6g.xlarge", "db.r6g.large", "db.m6g.large", "db.m5.2xlarge")
# Linux on demand in us-east-1, and what the same size of a current family costs less.
OLD = {"m4.xlarge": ("0.2", 0.04), "m4.2xlarge": ("0.4", 0.04), "t2.large": ("0.0928", 0.103),
       "c4.xlarge": ("0.199", 0.146), "r4.xlarge": ("0.266", 0.053), "m3.xlarge": ("0.266", 0.278),
       "c3.xlarge": ("0.21", 0.19), "r3.xlarge": ("0.333", 0.243)}
_TRAFFIC = ("function", "table", "cdn", "model", "transfer", "logs", "queue")  # whose use follows people
WHAT = "something went wrong"


def company(number: int) -> Entry:
    """Return a company as `company.json` tells one; each number is another."""
    chance = Random(number)
    base: Entry = json.loads(COMPANY.read_text(encoding="utf-8"))
    prices = dict(base["prices"], **{name: price for name, (price, _) in OLD.items()})
    size = SIZES[number % len(SIZES)] * chance.uniform(0.7, 1.4)
    entries = [entry for make, usual in _MAKERS for _ in range(_count(chance, usual * size))
               for entry in make(chance, size)]
    _plant_spikes(chance, entries)
    plan = sum(float(prices[one["type"]]) for one in entries if one.get("plan")) * 0.72 * chance.uniform(0.9, 1.15)
    return dict(base, name=f"Company {number}", prices=prices, assets=[
        dict(one, name=f"{one['name']}-{place}" if one["name"] else "") for place, one in enumerate(entries)],
        savings_plan=dict(base["savings_plan"], hourly=f"{plan:.2f}"))


def _count(chance: Random, usual: float) -> int:
    """Return a whole number that is on average what is usual."""
    whole = chance.uniform(0.3, 1.7) * usual
    return int(whole) + (chance.random() < whole % 1)


def _place(chance: Random, name: str, shape: str) -> Entry:
    return {"shape": shape, "name": name, "account": chance.choice(ACCOUNTS), "team": chance.choice(TEAMS),
            "region": chance.choice(("us-east-1", "us-east-1", "eu-west-1"))}


def _machine(chance: Random, name: str, types: Tuple[str, ...], average: Tuple[float, float],
             peak: Tuple[float, float], **more: Any) -> Entry:
    cpu = chance.uniform(*average)
    return dict(_place(chance, name, "instance"), type=chance.choice(types), disk=["gp3", chance.randint(8, 300)],
                cpu=[round(cpu, 1), round(max(cpu * 1.3, chance.uniform(*peak)), 1)], **more)


def _memory(chance: Random, low: float, high: float, known: float) -> Entry:
    return {"memory": round(chance.uniform(low, high))} if chance.random() < known else {}


def _busy(chance: Random, size: float) -> Iterator[Entry]:
    yield _machine(chance, "app", CURRENT, (18, 70), (45, 99), plan=chance.random() < 0.4,
                   **_memory(chance, 25, 95, 0.5))


def _now_and_then(chance: Random, size: float) -> Iterator[Entry]:
    yield _machine(chance, "batch", CURRENT, (0.5, 5), (45, 99), **_memory(chance, 20, 90, 0.5))


def _full_of_memory(chance: Random, size: float) -> Iterator[Entry]:
    """Yield a machine that works little and is as large as its memory must be; that may not be measured."""
    yield _machine(chance, "cache-like", LARGE, (5, 17), (18, 39), **_memory(chance, 55, 95, 0.75))


def _standby(chance: Random, size: float) -> Iterator[Entry]:
    yield _machine(chance, "standby", LARGE, (0.4, 2.5), (1, 9))


def _forgotten(chance: Random, size: float) -> Iterator[Entry]:
    yield _machine(chance, "forgotten", CURRENT, (0.2, 4.5), (0.5, 12), plant=["idle_instance", 1],
                   since=chance.choice((0, 60, 200)), **_memory(chance, 3, 30, 0.5))


def _oversized(chance: Random, size: float) -> Iterator[Entry]:
    yield _machine(chance, "roomy", LARGE, (6, 18), (20, 39), plant=["oversized_instance", 0.5],
                   **_memory(chance, 8, 39, 0.7))


def _old(chance: Random, size: float) -> Iterator[Entry]:
    kind = chance.choice(sorted(OLD))
    yield dict(_machine(chance, "legacy", (kind,), (22, 70), (45, 95), plant=["old_instance", OLD[kind][1]],
                        **_memory(chance, 30, 90, 0.5)),
               disk=["gp2", chance.randint(20, 900)], disk_plant=["old_volume", 0.2])


def _stopped(chance: Random, size: float) -> Iterator[Entry]:
    yield dict(_place(chance, "stopped", "instance"), type=chance.choice(CURRENT), state="stopped",
               disk=["gp3", chance.randint(30, 900)], disk_plant=["volume_of_stopped_instance", 1])


def _loose(chance: Random, size: float) -> Iterator[Entry]:
    yield dict(_place(chance, "loose", "volume"), type=chance.choice(("gp3", "gp2", "io1")),
               gb=round(10 ** chance.uniform(1.3, 3.5)), plant=["unattached_volume", 1])


def _addresses(chance: Random, size: float) -> Iterator[Entry]:
    used = chance.random() < 0.6
    yield dict(_place(chance, "address", "address"), attached=used,
               **({} if used else {"plant": ["unused_address", 1]}))


def _snapshots(chance: Random, size: float) -> Iterator[Entry]:
    kind = chance.random()
    age = chance.randint(5, 170) if kind < 0.4 else chance.randint(200, 1500)
    yield dict(_place(chance, "snapshot", "snapshot"), gb=round(10 ** chance.uniform(1.7, 3.6)), created=age,
               **({"plant": ["old_snapshot", 1]} if 0.4 <= kind < 0.9 else {}))  # the rest is kept by law


def _gateways(chance: Random, size: float) -> Iterator[Entry]:
    idle = chance.random() < 0.3
    yield dict(_place(chance, "nat", "gateway"), gb=chance.choice((0, 0, 0.02)) if idle else chance.randint(5, 400),
               **({"plant": ["idle_nat_gateway", 1]} if idle else {}))


def _balancers(chance: Random, size: float) -> Iterator[Entry]:
    idle = chance.random() < 0.35
    requests = chance.choice((0, 0, chance.randint(5, 150))) if idle else round(10 ** chance.uniform(2.7, 6.7))
    yield dict(_place(chance, "lb", "balancer"), requests=requests,
               **({"plant": ["idle_load_balancer", 1]} if idle else {}))


def _databases(chance: Random, size: float) -> Iterator[Entry]:
    """Yield a database that is used, idle, too large, or used by a job at night alone."""
    kind, entry = chance.random(), dict(_place(chance, "db", "database"), type=chance.choice(DATABASES),
                                        gb=chance.randint(20, 1500))
    cpu = chance.uniform(22, 60)
    if kind < 0.5:
        entry.update(connections=round(10 ** chance.uniform(0.3, 2.5)), cpu=[cpu, min(99, cpu * 1.9)])
    elif kind < 0.7:
        entry.update(connections=chance.choice((0, 0, round(chance.uniform(0.05, 0.95), 2))),
                     cpu=[chance.uniform(1, 5), chance.uniform(5, 12)], plant=["idle_database", 1])
    elif kind < 0.85:
        entry.update(type="db.m5.2xlarge", connections=chance.randint(4, 60), plant=["oversized_database", 0.5],
                     cpu=[chance.uniform(5, 16), chance.uniform(18, 38)], **_memory(chance, 10, 38, 0.6))
    else:
        entry.update(connections=round(chance.uniform(0.1, 0.9), 2), cpu=[chance.uniform(3, 9), chance.uniform(50, 95)])
    yield entry


def _buckets(chance: Random, size: float) -> Iterator[Entry]:
    rare = chance.random() < 0.35
    gb = round(10 ** chance.uniform(3.0, 4.9 if size > 1 else 4.2))
    yield dict(_place(chance, "bucket", "bucket"), gb=gb, growth=chance.choice((0, 0, 0.4, 1.0)),
               requests=round(gb * (chance.uniform(0, 0.05) if rare else chance.uniform(10, 1000))),
               **({"plant": ["storage_class", 0.45]} if rare else {}))


def _traffic(chance: Random, size: float) -> Iterator[Entry]:
    """Yield something whose use follows people."""
    kind = chance.choice(_TRAFFIC)
    scale = size * 10 ** chance.uniform(-0.7, 0.7)
    measures = {"function": {"requests": 800_000, "seconds": 400_000},
                "table": {"reads": 6e7, "writes": 1.5e7, "gb": round(90 * scale) + 1},
                "cdn": {"gb": 500, "requests": 1.2e7}, "model": {"in": 6e6, "out": 1e6}, "transfer": {"gb": 200},
                "logs": {"gb": 30, "metrics": 900}, "queue": {"requests": 2e7}}[kind]
    more = {"way": chance.choice(("out", "between", "regional"))} if kind == "transfer" else {}
    yield dict(_place(chance, "" if kind in ("transfer", "logs") else kind, kind), **more, **{
        name: value if name == "gb" and kind == "table" else value * scale for name, value in measures.items()},
        growth=chance.choice((0, 0, 0.3, 1.5)), since=chance.choice((0, 0, 0, 150)))


def _others(chance: Random, size: float) -> Iterator[Entry]:
    yield dict(_place(chance, "cache", "cache"), type="cache.r6g.large")
    yield _place(chance, "cluster", "cluster")


_MAKERS = ((_busy, 16), (_now_and_then, 3), (_full_of_memory, 2.5), (_standby, 0.5), (_forgotten, 3), (_oversized, 3),
           (_old, 2), (_stopped, 0.7), (_loose, 3), (_addresses, 4), (_snapshots, 3), (_gateways, 2), (_balancers, 4),
           (_databases, 6), (_buckets, 5), (_traffic, 9), (_others, 1))


def _plant_spikes(chance: Random, entries: List[Entry]) -> None:
    """Let some things cost many times the usual for a few days, at times that do not meet."""
    able = [one for one in entries if one["shape"] in _TRAFFIC]
    ends = chance.sample(range(8, 160, 9), 9)
    for one, end in zip(chance.sample(able, min(len(able), chance.randint(1, 5))), ends):
        if not one["since"] or end + 30 < one["since"]:
            one["spike"] = [WHAT, end, chance.randint(1, 4), round(10 ** chance.uniform(0.25, 1.3), 2)]
