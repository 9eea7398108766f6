"""The rules: what each finds on bills made by hand, what it leaves alone, and that no dollar is counted twice."""
from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from bills import EC2, FIRST, LAST, RDS, S3, charge, company, days, service_of

from aws.asking import Choice
from aws.charges import Amounts
from aws.insights.ahead import derived_budget, look_ahead
from aws.insights.discounts import load_discounts
from aws.insights.findings import Finding, Purse, discover_insights, examine, kinds_of_findings
from aws.insights.generations import newer_than
from aws.insights.reading import ADDRESS, BALANCER, DATABASE, GATEWAY, INSTANCE, SNAPSHOT, VOLUME, family_and_size
from aws.insights.spikes import find_spikes
from aws.insights.untagged import keys_to_look_at
from aws.sources.base import Resource
from config import Settings

CENT = Decimal("0.01")


def findings(charges, resources=(), budget=None, **choice):
    return examine(service_of(charges, Choice(**choice), resources=resources), Settings(), budget).findings


def found(kind, *arguments, **more):
    return [one for one in findings(*arguments, **more) if one.kind == kind]


def steady(identity, cost="10", service=EC2, usage="BoxUsage:m5.xlarge", **more):
    """Return a resource's cost of every day."""
    return [charge(day, cost, service, usage_type=usage, resource=identity, **more) for day in days()]


def resource(identity, kind, service=EC2, use=None, **facts):
    return Resource(identity, kind, service, "the " + identity, facts=facts, use=use or {})


@pytest.mark.parametrize("kind, one, service", [
    ("idle_instance", resource("i-1", INSTANCE, use={"cpu_average_percent": 1.2}, state="running"), EC2),
    ("idle_database", resource("db", DATABASE, RDS, {"connections_average": 0.0}, state="available"), RDS),
    ("unattached_volume", resource("vol-1", VOLUME, attached_to="", size_gb="100"), EC2),
    ("unattached_volume", resource("vol-1", VOLUME, state="available"), EC2),
    ("unused_address", resource("eipalloc-1", ADDRESS, attached_to=""), EC2),
    ("idle_load_balancer", resource("lb", BALANCER, use={"requests": 0}), EC2),
    ("volume_of_stopped_instance", resource("vol-1", VOLUME, attached_to="i-off", size_gb="100"), EC2),
    ("idle_nat_gateway", resource("nat-1", GATEWAY, use={"bytes": 0}), EC2),
    ("old_snapshot", resource("snap-1", SNAPSHOT, created="2025-01-01"), EC2)])
def test_what_is_unused_saves_all_that_it_costs(kind, one, service):
    off = resource("i-off", INSTANCE, state="stopped")
    finding, = found(kind, steady(one.id, service=service, usage="X"), [one, off])
    assert (finding.resource, finding.name, finding.saving, finding.at_stake) == (one.id, "the " + one.id, 300, 300)
    assert finding.evidence and finding.confidence and one.id in finding.action


@pytest.mark.parametrize("one", [
    resource("i-1", INSTANCE, state="running"), resource("i-1", INSTANCE, use={"cpu_average_percent": 3.1}),
    resource("i-1", INSTANCE, use={"cpu_average_percent": 1.0, "cpu_max_percent": 80.0}),
    resource("i-1", INSTANCE, use={"cpu_average_percent": 1.0}, state="stopped"),
    resource("i-1", INSTANCE, use={"cpu_average_percent": 4.0, "cpu_max_percent": 12.0}),
    resource("i-1", INSTANCE, use={"cpu_average_percent": 5.1, "cpu_max_percent": 8.0}),
    resource("db", DATABASE, use={"connections_average": 0.4, "cpu_max_percent": 75.0}),  # a job at night
    resource("nat-1", GATEWAY, use={"processed_gb": 5.5}), resource("nat-1", GATEWAY, use={"bytes": 6e9}),
    resource("nat-1", GATEWAY, use={"connections": 0.5}),
    resource("db", DATABASE, use={"connections_average": 3.0}), resource("db", DATABASE),
    resource("vol-1", VOLUME, state="in-use"), resource("vol-1", VOLUME, attached_to="i-9", state="available"),
    resource("vol-1", VOLUME), resource("eipalloc-1", ADDRESS, attached_to="eni-1"),
    resource("lb", BALANCER), resource("lb", BALANCER, use={"requests": 50_000}),
    resource("snap-1", SNAPSHOT, created="2026-03-01"), resource("snap-1", SNAPSHOT, created="unknown")],
    ids=lambda one: f"{one.kind} {dict(one.facts)} {dict(one.use)}")
def test_what_is_used_or_was_not_measured_is_left_alone(one):
    assert [each for each in findings(steady(one.id, usage="X"), [one]) if each.rule == "unused"] == []


@pytest.mark.parametrize("one", [
    resource("i-1", INSTANCE, use={"cpu_average_percent": 2.6, "cpu_max_percent": 16.0}),
    resource("db", DATABASE, use={"connections_average": 0.8, "cpu_average_percent": 4.0}),
    resource("nat-1", GATEWAY, use={"processed_gb": 0.6}), resource("nat-1", GATEWAY, use={"bytes": 9e8}),
    resource("lb", BALANCER, use={"requests": 2700})], ids=lambda one: one.kind)
def test_what_is_hardly_used_is_told_with_low_confidence(one):
    finding, = [each for each in findings(steady(one.id, usage="X"), [one]) if each.rule == "unused"]
    assert finding.confidence == "low" and finding.saving == 300


def test_a_quiet_machine_is_idle_where_its_highest_load_is_known_and_low():
    one = resource("i-1", INSTANCE, use={"cpu_average_percent": 4.2, "cpu_max_percent": 7.0})
    finding, = [each for each in findings(steady("i-1", usage="X"), [one]) if each.rule == "unused"]
    assert (finding.kind, finding.confidence) == ("idle_instance", "medium")


def test_what_is_gone_is_no_finding():
    volume = resource("vol-1", VOLUME, attached_to="")
    lines = [one for one in steady("vol-1", usage="X") if one.start < date(2026, 2, 1)] + steady("i-2")
    assert found("unattached_volume", lines, [volume]) == []


def test_addresses_are_told_by_the_bill_alone():
    lines = steady("", "0.24", "Amazon Virtual Private Cloud", "USE1-PublicIPv4:IdleAddress")
    finding, = found("unused_address", lines)
    assert (finding.saving, finding.service) == (Decimal("7.20"), "Amazon Virtual Private Cloud")


@pytest.mark.parametrize("use, finds", [
    ({"cpu_average_percent": 10.0, "cpu_max_percent": 35.0}, True), ({"cpu_average_percent": 10.0}, True),
    ({"cpu_average_percent": 10.0, "cpu_max_percent": 45.0}, False), ({"cpu_average_percent": 25.0}, False),
    ({"cpu_average_percent": 10.0, "memory_max_percent": 70.0}, False), ({}, False)])
def test_half_the_size_must_leave_room(use, finds):
    one = resource("i-1", INSTANCE, use=use, instance_type="m5.xlarge", state="running")
    got = found("oversized_instance", steady("i-1"), [one])
    assert bool(got) is finds
    if finds:
        assert got[0].saving == 150 and "m5.large" in got[0].action


def test_the_smallest_sizes_and_storage_are_not_halved():
    small = resource("i-1", INSTANCE, use={"cpu_average_percent": 9.0}, instance_type="t3.small")
    assert found("oversized_instance", steady("i-1", usage="BoxUsage:t3.small"), [small]) == []
    large = resource("db", DATABASE, RDS, {"cpu_average_percent": 9.0, "connections": 5.0},
                     instance_type="db.m5.2xlarge")
    lines = steady("db", "8", RDS, "InstanceUsage:db.m5.2xlarge") + steady("db", "4", RDS, "RDS:GP2-Storage")
    finding, = found("oversized_database", lines, [large])
    assert finding.saving == 120 and "db.m5.xlarge" in finding.action


@pytest.mark.parametrize("usage, kind, new, saving", [
    ("EBS:VolumeUsage.gp2", "old_volume", "gp3", "60"), ("EU-EBS:VolumeUsage.gp2", "old_volume", "gp3", "60"),
    ("EUC1-BoxUsage:c4.2xlarge", "old_instance", "c6i.2xlarge", "45"),
    ("InstanceUsage:db.m4.large", "old_database", "db.m6g.large", "27")])
def test_old_generations_are_told_by_the_usage_type(usage, kind, new, saving):
    finding, = found(kind, steady("x-1", usage=usage))
    assert finding.saving == Decimal(saving) and new in finding.action


@pytest.mark.parametrize("usage", ["EBS:VolumeUsage.gp3", "BoxUsage:m6i.large", "BoxUsage", "EBS:SnapshotUsage", "",
                                   "EBS:VolumeUsage", "DataTransfer-Out-Bytes"])
def test_what_is_not_old_is_left_alone(usage):
    newer = newer_than(usage, load_discounts())
    assert newer is None or not newer.share


def test_families_and_sizes_are_read_from_types():
    assert family_and_size("db.r6g.2xlarge") == ("r6g", "2xlarge")
    assert family_and_size("u-6tb1.metal") is None and family_and_size("") is None


@pytest.mark.parametrize("usage, kind", [
    ("USE1-NatGateway-Bytes", "nat_traffic"), ("DataTransfer-Regional-Bytes", "zone_traffic"),
    ("USE1-USW2-AWS-Out-Bytes", "region_traffic"), ("EU-DataTransfer-Out-Bytes", "internet_traffic")])
def test_traffic_is_told_by_its_way_where_it_is_a_notable_part(usage, kind):
    finding, = found(kind, steady("", "10", usage=usage))
    assert (finding.saving, finding.at_stake) == (None, 300)
    assert found(kind, steady("", "0.1", usage=usage)) == []
    assert found(kind, steady("", "10", usage=usage) + steady("i-1", "2000")) == []


def test_the_steady_floor_that_is_left_is_worth_a_commitment():
    finding, = found("low_coverage", steady("i-1"))
    assert finding.saving == Decimal("81.00")  # 27 % of 300
    idle = resource("i-1", INSTANCE, use={"cpu_average_percent": 1.0}, state="running")
    assert found("low_coverage", steady("i-1"), [idle]) == []
    weekly = [charge(day, "70", usage_type="BoxUsage:m5.large") for day in days() if day.weekday() == 0]
    assert found("low_coverage", weekly) == []
    covered = steady("i-1", record_type="SavingsPlanCoveredUsage")
    assert found("low_coverage", covered) == []


def test_commitments_that_nobody_uses_are_told_amortized():
    lines = []
    for day in days():
        lines += [charge(day, "5", record_type="SavingsPlanCoveredUsage", amounts=Amounts(Decimal(5), Decimal(4))),
                  charge(day, "6", record_type="SavingsPlanRecurringFee", amounts=Amounts(Decimal(6), Decimal(2)))]
    finding, = found("unused_commitment", lines)
    assert (finding.saving, finding.at_stake) == (None, 60)
    assert "66.7 % are used" in finding.evidence
    assert found("unused_commitment", lines[::2]) == []


def spiky(extra="100", service=EC2, resource_id="i-bad"):
    lines = company()
    return lines + [charge(date(2026, 3, 10) + timedelta(days=place), extra, service, resource=resource_id,
                           usage_type="NatGateway-Bytes") for place in range(3)]


def test_a_spike_is_found_with_its_days_its_extra_cost_and_its_driver():
    finding, = found("spike", spiky())
    assert (finding.service, finding.resource, finding.name) == (EC2, "i-bad", "2026-03-10")
    assert abs(finding.at_stake - 300) < 15 and "from 2026-03-10 to 2026-03-12" in finding.action
    assert "99.3 % of that by resource i-bad" in finding.evidence


def test_months_fees_weekdays_and_small_changes_are_no_spikes():
    assert found("spike", company()) == [] == found("spike", spiky("3"))
    weekend = [charge(day, "50" if day.weekday() < 5 else "10") for day in days()]
    assert found("spike", weekend) == []


def test_a_new_level_is_no_spike_and_too_few_days_are_none():
    series = {"a": {day: Decimal(10 if day < date(2026, 2, 20) else 40) for day in days()}}
    assert find_spikes(series) == [] == find_spikes({}) == find_spikes({"a": {FIRST: Decimal(1)}})


def test_new_levels_hide_no_spike_and_are_none():
    """Services that grow by a half overnight made every day look usual, and their own first days like a spike."""
    steps = {name: {day: Decimal(round((100 if day < date(2026, 2, start) else factor) * (
        1 + 0.08 * ((day.toordinal() * 7919 + start) % 11 / 5 - 1)))) for day in days()}
        for start, (name, factor) in enumerate((("a", 150), ("b", 170), ("c", 300), ("d", 160)), 8)}
    steps["a"].update({date(2026, 3, day): Decimal(310) for day in (20, 21)})
    assert [(one.service, one.first, one.last) for one in find_spikes(steps)] == [
        ("a", date(2026, 3, 20), date(2026, 3, 21))]


def test_the_untagged_share_is_told_by_the_tag_that_covers_most():
    finding, = found("untagged", company())
    assert finding.name == "team" and "no tag team" in finding.evidence
    assert found("untagged", steady("i-1")) == [] == found("untagged", steady("i-1", tags={"team": "a"}))


@pytest.mark.parametrize("keys, chosen", [
    (["Name", "user:Team", "x"], ["user:Team"]), (["Name", "a", "b"], ["a", "b"]), (["Name"], []), ([], []),
    (["env", "owner", "team", "project", "app"], ["team", "owner", "project", "app"])])
def test_keys_that_tell_an_owner_come_first_and_few_are_asked_for(keys, chosen):
    assert keys_to_look_at(keys) == chosen


def test_the_month_is_foretold_with_what_comes_once_and_held_against_its_budget():
    service = service_of(company())
    ahead = look_ahead(service)
    months = {row["first"][:7]: row["net"] for row in service.get_monthly_costs()}
    april = [row["net"] for row in service.get_daily_costs() if "2026-04-01" <= row["first"] <= "2026-04-14"]
    assert ahead.last_month == months["2026-03"] and ahead.to_date == sum(april)
    assert abs(ahead.month - (ahead.to_date + Decimal("108.6") * 16)) < 30
    assert ahead.low <= ahead.month <= ahead.high
    finding, = found("over_budget", company(), budget=Decimal(3000))
    assert finding.at_stake == (ahead.month - 3000).quantize(CENT) and "April" in finding.action
    assert found("over_budget", company(), budget=Decimal(5000)) == []


@pytest.mark.parametrize("last, reason", [(date(2026, 1, 31), "whole"), (date(2026, 1, 10), "short")])
def test_a_month_that_is_over_or_too_short_is_not_guessed(last, reason):
    service = service_of(company(), Choice(FIRST, last))
    ahead = look_ahead(service)
    if reason == "whole":
        assert ahead.to_date == service.get_monthly_costs()[0]["net"]
        assert ahead.month == ahead.low == ahead.high == ahead.to_date.quantize(CENT)
    else:
        assert (ahead.month, ahead.forecast, ahead.days) == (None, None, [])


def test_fees_are_still_to_come_as_far_as_the_month_has_none_and_credits_are_not_foretold():
    def month(*more):
        return look_ahead(service_of(company() + list(more))).month
    fee = charge(date(2026, 3, 31), "500", record_type="Fee")
    assert 500 <= month(fee) - month() < 510  # the tax on it too
    assert abs(month(fee, charge(date(2026, 4, 2), "500", record_type="Fee")) - month(fee)) < 30
    assert month(charge(date(2026, 3, 31), "-500", record_type="Credit")) == month()


def test_tax_and_support_of_a_month_that_runs_follow_its_services():
    lines = [charge(day, "100") for day in days()]
    lines += [charge(date(2026, month, 1), str(cost), record_type="Tax") for month, cost in ((3, 310), (4, 140))]
    assert look_ahead(service_of(lines)).month == 3300


def test_a_budget_is_derived_from_a_whole_month_and_from_nothing_else():
    assert derived_budget(Decimal("100")) == Decimal("110.00")
    assert derived_budget(None) is None is derived_budget(Decimal(0))


def test_growth_is_told_and_a_steady_bill_is_not():
    lines = [charge(day, str(10 if day < LAST - timedelta(days=30) else 15)) for day in days()]
    finding, = found("growth", lines)
    assert finding.at_stake == 150
    assert found("growth", company()) == []


def test_no_resource_and_no_service_saves_more_than_it_costs():
    one = resource("i-1", INSTANCE, use={"cpu_average_percent": 1.0}, instance_type="c4.xlarge", state="running")
    got = examine(service_of(steady("i-1", usage="BoxUsage:c4.xlarge"), resources=[one]), Settings())
    assert [each.kind for each in got.findings if each.saving] == ["idle_instance"]
    assert sum(each.saving or 0 for each in got.findings) == got.monthly_cost == 300
    assert {each.kind for each in got.overlapping} == {"oversized_instance", "old_instance"}
    assert all("by itself it would save" in each.overlap for each in got.overlapping)


def test_a_purse_grants_what_is_left_and_forgets_what_is_only_offered():
    purse = Purse({EC2: Decimal(100)}, {(EC2, "i-1"): Decimal(60)})
    finding = Finding("k", "a", "e", "high", Decimal(50), service=EC2, resource="i-1")
    assert purse.offer(finding) == finding == purse.offer(finding)
    purse.take(finding)
    assert purse.offer(finding).saving == 10 and purse.offer(finding).overlap
    assert purse.left(EC2) == 50 and purse.left(EC2, "i-2") == 0 == purse.left(S3)
    assert purse.offer(finding._replace(saving=None)).saving is None


def test_every_kind_has_a_name_and_belongs_to_one_rule():
    kinds = [kind for rule in discover_insights().values() for kind in rule.kinds]
    assert len(kinds) == len(set(kinds)) == len(kinds_of_findings()) > 15
    assert {one.kind for one in findings(spiky(), budget=Decimal(1))} <= set(kinds)


def test_a_bill_of_nothing_or_of_one_day_or_of_the_unknown_has_no_findings():
    assert findings([charge(FIRST, "0")]) == [] == findings([charge(FIRST, "5")])
    unknown = [charge(day, "0", amounts=Amounts(None, Decimal(1))) for day in days()]
    assert findings(unknown + [charge(FIRST, "1", S3)]) == []
