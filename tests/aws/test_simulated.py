"""The simulated company: the same for the same seed, a bill whose parts fit together, and what was planted in it."""
from __future__ import annotations

import hashlib
import json
import subprocess
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import pytest

from aws.charges import METRICS, exact_sum
from aws.company.billing import span_of
from aws.queries import CostQuery
from aws.sources.base import SourceOptions, discover_sources
from aws.sources.simulated import SimulatedSource
from conftest import ROOT, thoroughly
from run import installed_pythons

TODAY = date(2026, 11, 20)
OCTOBER = (date(2026, 10, 1), date(2026, 10, 31))
DIGEST = """
import hashlib, json, sys
sys.path.insert(0, sys.argv[1])
from datetime import date
from aws.sources.base import SourceOptions
from aws.sources.simulated import SimulatedSource
source = SimulatedSource(SourceOptions(date(2026, 11, 20)))
digest = hashlib.sha256(json.dumps(source.truth()).encode())
for charge in source.ledger.charges():
    digest.update(repr(charge).encode())
print(digest.hexdigest())
"""


@pytest.fixture(scope="module")
def source():
    return SimulatedSource(SourceOptions(TODAY))


@pytest.fixture(scope="module")
def other():
    return SimulatedSource(SourceOptions(TODAY, seed=43))


@pytest.fixture(scope="module")
def ledger(source):
    return source.ledger


def by(ledger, *group_by, first=OCTOBER[0], last=OCTOBER[1], metric="unblended", **more):
    rows = ledger.costs(CostQuery(first, last, "monthly", (metric,), group_by, **more)).rows
    return {row.keys: row.amounts[0] for row in rows}


def test_it_is_found_by_its_presence():
    assert discover_sources()["simulated"] is SimulatedSource


@thoroughly
def test_the_same_seed_gives_the_same_digits_on_the_oldest_python(source):
    digest = hashlib.sha256(json.dumps(source.truth()).encode())
    for charge in source.ledger.charges():
        digest.update(repr(charge).encode())
    oldest = installed_pythons()[0]
    found = subprocess.check_output([str(oldest), "-c", DIGEST, str(ROOT / "src")], universal_newlines=True)
    assert found == digest.hexdigest() + "\n"


def test_another_seed_gives_other_ids_and_other_digits(ledger, other):
    assert not set(other.values("resource", *OCTOBER)) & {
        one for one in ledger.values("resource", *OCTOBER) if one.startswith("i-")}
    assert by(other.ledger) != by(ledger)


@pytest.mark.parametrize("today, first, last, open_from", [
    (date(2026, 11, 20), date(2025, 11, 1), date(2026, 11, 19), date(2026, 11, 1)),
    (date(2026, 3, 1), date(2025, 2, 1), date(2026, 2, 28), date(2026, 2, 1)),
    (date(2024, 3, 31), date(2023, 3, 1), date(2024, 3, 30), date(2024, 3, 1)),
    (date(2024, 3, 1), date(2023, 2, 1), date(2024, 2, 29), date(2024, 2, 1)),
    (date(2026, 1, 2), date(2025, 1, 1), date(2026, 1, 1), date(2025, 12, 1))])
def test_thirteen_months_end_yesterday_and_the_last_bills_are_open(today, first, last, open_from):
    assert span_of(today) == (first, last, open_from)


def test_it_tells_thirteen_months_in_all_metrics(source):
    assert source.period() == (date(2025, 11, 1), date(2026, 11, 19))
    assert source.metrics() == METRICS
    rows = source.costs(CostQuery(*source.period())).rows
    assert [row.estimated for row in rows] == [False] * 12 + [True]
    assert all(20_000 < row.amounts[0] < 40_000 for row in rows[:12])


def test_commitments_cost_the_same_by_what_is_billed_and_by_what_is_used(ledger):
    plan = [("SavingsPlanCoveredUsage",), ("SavingsPlanNegation",), ("SavingsPlanRecurringFee",)]
    billed, used = (by(ledger, "record_type", metric=metric) for metric in ("unblended", "amortized"))
    assert exact_sum(billed[one] for one in plan) == exact_sum(used[one] for one in plan) == Decimal("2194.8")
    assert billed["SavingsPlanNegation",] == -billed["SavingsPlanCoveredUsage",]
    assert used["SavingsPlanRecurringFee",] > 0 == used["SavingsPlanNegation",]
    assert (billed["RIFee",], used["RIFee",]) == (used["DiscountedUsage",], billed["DiscountedUsage",])


def test_a_discount_is_a_line_of_its_own_and_within_net_cost(ledger):
    where = {"service": ("Amazon CloudFront",)}
    billed, net = (by(ledger, "record_type", where=where, metric=metric) for metric in ("unblended", "net"))
    assert billed["BundledDiscount",] == -billed["Usage",] / 10
    assert (net["BundledDiscount",], net["Usage",]) == (0, billed["Usage",] * 9 / 10)


def test_credits_refunds_tax_support_and_fees_are_there_and_told_apart(ledger):
    kinds = by(ledger, "record_type", first=date(2025, 11, 1))
    assert {"Credit", "Refund", "Tax", "Fee"} <= {kind for kind, in kinds}
    assert kinds["Credit",] < 0 and kinds["Refund",] == Decimal("-86.42")
    long = Counter(one.record_type for one in ledger.charges() if one.days > 1)
    assert set(long) == {"Tax", "Fee", "RIFee"}
    assert {"Tax", "AWS Support (Business)", "EC2 - Other"} <= {name for name, in by(ledger, "service")}


def test_tags_have_gaps_and_categories_follow_teams(ledger):
    teams = by(ledger, "tag:team", where={"record_type": ("Usage",)})
    share = teams["",] / exact_sum(teams.values())
    assert Decimal("0.02") < share < Decimal("0.2") and len(teams) > 6
    assert set(by(ledger, "category:Division")) == {("",), ("Commerce",), ("Insight",), ("Shared",)}
    assert all(len(account) == 12 for account, in by(ledger, "account"))


def test_resources_cost_what_the_bill_says_and_tell_what_was_measured(source):
    found = source.inventory(*OCTOBER).resources
    whole = by(source.ledger, where={"resource": tuple(one.id for one in found)},
               without={"record_type": ("Credit", "Refund")})
    assert exact_sum(one.cost for one in found) == whole[()]
    assert {one.name for one in found if one.kind in ("ec2:instance", "rds:db") and not one.use} == {
        "vpn", "gpu-lab-off"}  # one that nobody measures, and one that is stopped
    assert next(one for one in found if one.name == "gpu-lab-off").cost == 0
    snapshot = next(one for one in found if one.name == "shop-db-before-2023")
    assert snapshot.facts["created"] == "2024-08-21"


def test_what_was_planted_is_in_the_bill_and_the_inventory(source):
    truth = json.loads(json.dumps(source.truth()))
    kinds = Counter(one["kind"] for one in truth["planted"])
    assert {"idle_instance", "oversized_instance", "old_instance", "unattached_volume", "old_volume", "unused_address",
            "idle_load_balancer", "idle_nat_gateway", "old_snapshot", "idle_database", "oversized_database",
            "storage_class", "spike", "nat_traffic", "zone_traffic", "internet_traffic", "low_coverage",
            "unused_commitment", "untagged"} <= set(kinds)
    assert all(Decimal(one.get("monthly_usd", one.get("extra_usd"))) > 0 for one in truth["planted"])
    found = {(one.account, one.id) for one in source.inventory(*OCTOBER).resources}
    assert all((one["account"], one["resource"]) in found for one in truth["planted"] if one.get("resource"))


def test_a_spike_stands_out_of_the_days_around_it(source):
    for one in (one for one in source.truth()["planted"] if one["kind"] == "spike"):
        first, last = map(date.fromisoformat, (one["first"], one["last"]))
        before = (first - timedelta(14), first - timedelta(1))
        where = {"service": (one["service"],)}
        rows = [source.costs(CostQuery(*days, "daily", ("unblended",), (), where)).rows
                for days in ((first, last), before)]
        usual = max(row.amounts[0] for row in rows[1])
        assert min(row.amounts[0] for row in rows[0]) > usual * Decimal("1.3"), one


def test_some_plants_are_subtle_and_seeds_move_spikes_and_measures(source, other):
    planted = source.truth()["planted"]
    assert Counter(one.get("severity") for one in planted)["subtle"] == 5
    spikes, others = ([(one["first"], one["extra_usd"]) for one in planted if one["kind"] == "spike"] for planted in
                      (planted, other.truth()["planted"]))
    assert len(spikes) == len(others) == 5 and not set(spikes) & set(others)


def test_progress_is_told_up_to_its_end():
    told = []
    source = SimulatedSource(SourceOptions(TODAY), lambda what, share: told.append(share))
    assert told == []  # nothing is made before the first question
    source.period()
    assert told == sorted(told) and len(told) > 10 and told[-1] == 1.0
