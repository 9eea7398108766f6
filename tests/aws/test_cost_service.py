"""The cost service: parts that add up, like compared with like, what is unknown or incomplete told as such."""
from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from bills import EC2, FIRST, LAST, RDS, S3, SUPPORT, BillSource, by, charge, company, days, service_of

from aws.asking import Choice
from aws.charges import Amounts, exact_sum
from aws.cost_service import CUT, DETAILS, NO_RESOURCE, NONE, UNATTRIBUTED, AWSCostService
from aws.queries import DAILY, MONTHLY, YEARLY
from aws.sources.base import ESTIMATED, Resource
from errors import UsageError

BILL = company()
WHOLE = exact_sum(one.amounts.unblended for one in BILL)


@pytest.fixture(scope="module")
def service():
    return service_of(BILL)


def total(rows, name="cost"):
    return exact_sum(row[name] for row in rows)


@pytest.mark.parametrize("granularity", [DAILY, MONTHLY, YEARLY])
@pytest.mark.parametrize("group_by", [(), ("service",), ("account", "region"), ("usage_type",), ("record_type",),
                                      ("resource",), ("tag:team",), ("category:none",)])
def test_the_groups_of_any_answer_add_up_to_the_bill(service, granularity, group_by):
    assert total(service.get_costs(granularity, group_by)) == WHOLE


def test_days_months_and_years_are_sums_of_each_other(service):
    daily, monthly, yearly = service.get_daily_costs(), service.get_monthly_costs(), service.get_yearly_costs()
    assert (len(daily), len(monthly), len(yearly)) == (105, 4, 1)
    for name in ("gross", "services", "support", "tax", "credits", "refunds", "net", "running"):
        assert total(daily, name) == total(monthly, name) == total(yearly, name), name
    assert total(daily, "net") == WHOLE


def test_gross_credits_refunds_tax_and_support_stand_apart(service):
    row = service.get_monthly_costs()[0]
    assert (row["support"], row["tax"], row["credits"], row["refunds"]) == (
        Decimal("100"), Decimal("55.55"), Decimal("-25"), Decimal("-1.50"))
    assert row["gross"] == row["services"] + 100 + Decimal("55.55")
    assert row["net"] == row["gross"] - Decimal("26.50")


def test_what_is_billed_once_a_month_is_no_use_of_a_day(service):
    first, second = service.get_daily_costs()[:2]
    assert first["gross"] - second["gross"] > 150
    assert abs(first["running"] - second["running"]) == 1


@pytest.mark.parametrize("today, last, whole", [
    ("2026-04-16", "2026-04-14", "001"), ("2026-05-02", "2026-04-15", "001"), ("2026-04-01", "2026-03-30", "000"),
    ("2026-04-02", "2026-03-31", "001")])
def test_months_that_are_not_wholly_told_are_marked(today, last, whole):
    bill = service_of(BILL, today=date.fromisoformat(today))
    assert bill.complete_last.isoformat() == last
    assert "".join(str(int(row["complete"])) for row in bill.get_monthly_costs()[:3]) == "11" + whole[-1]
    assert not bill.get_monthly_costs()[3]["complete"]


def test_a_range_that_begins_in_a_month_has_no_whole_one_of_it(service):
    bill = service_of(BILL, Choice(date(2026, 1, 2), date(2026, 3, 31)))
    assert [row["complete"] for row in bill.get_monthly_costs()] == [False, True, True]
    assert bill.get_monthly_costs()[0]["first"] == "2026-01-02"


def test_the_last_day_of_a_range_counts():
    assert total(service_of(BILL, Choice(FIRST, FIRST)).get_costs(DAILY)) == total(
        service_of(BILL).get_daily_costs()[:1], "net")


def test_estimated_periods_are_marked():
    bill = service_of([charge(FIRST, "1"), charge(LAST, "1", estimated=True)])
    assert [row["estimated"] for row in bill.get_monthly_costs()] == [False, False, False, True]


def test_services_are_compared_over_complete_days_of_equal_number(service):
    now, before = service.windows()
    assert (now, before) == ((date(2026, 3, 16), date(2026, 4, 14)), (date(2026, 2, 14), date(2026, 3, 15)))
    row = {one["service"]: one for one in service.get_costs_by_service()}
    assert (row[RDS]["now"], row[RDS]["before"], row[RDS]["change"]) == (Decimal(900), Decimal(900), 0.0)
    assert row[SUPPORT]["now"] == 0 and row[SUPPORT]["cost"] == 400
    assert row[EC2]["credits"] == -100 and row[EC2]["tax"] == Decimal("222.20")


@pytest.mark.parametrize("dimension", ["service", "account", "region", "usage_type", "tag:team"])
def test_a_breakdown_adds_up_and_its_changes_are_those_of_the_whole(service, dimension):
    rows = service.get_costs_by_service(dimension)
    assert total(rows) == WHOLE
    trend = service.trend()
    assert sum(row["now"] or 0 for row in rows) == trend.now
    assert sum(row["before"] or 0 for row in rows) == trend.before


def test_a_charge_without_a_value_is_shown_as_such(service):
    assert {row["region"] for row in service.get_costs_by_service("region")} == {"us-east-1", "eu-west-1", NONE}


class Losing(BillSource):
    """A source that loses what belongs to no group, as Cost Explorer does for accounts."""

    def costs(self, query):
        answer = super().costs(query)
        kept = [row for row in answer.rows if not query.group_by or row.keys[0] != "000000000002"]
        return answer._replace(rows=tuple(kept))


def test_what_the_source_gives_to_no_group_is_a_row_of_its_own():
    rows = AWSCostService(Losing(BILL)).get_costs(MONTHLY, ("account",))
    assert total(rows) == WHOLE
    lost = {row["first"]: row["cost"] for row in rows if row["account"] == UNATTRIBUTED}
    assert lost["2026-01-01"] == Decimal("20.05") * 31
    rest = [row for row in AWSCostService(Losing(BILL)).get_costs_by_service("account")
            if row["account"] == UNATTRIBUTED]
    assert [row["cost"] for row in rest] == [Decimal("20.05") * 105]


@pytest.mark.parametrize("name", [EC2, S3, RDS, SUPPORT])
def test_every_detail_of_a_service_adds_up_to_it(service, name):
    found = service.get_service_detailed_costs(name)
    costs = {row["service"]: row["cost"] for row in service.get_costs_by_service()}
    for detail in DETAILS:
        assert total(found[f"by_{detail}"]) == found["cost"] == costs[name], detail


def test_resources_and_what_none_carries_add_up_to_services(service):
    rows = service.get_resource_level_cost_breakdown()
    assert total(rows) == exact_sum(one.amounts.unblended for one in BILL
                                    if one.record_type not in ("Tax", "Credit", "Refund"))
    assert by(rows, "resource")["i-2",] == Decimal("20.05") * 105
    assert {row["service"] for row in rows if row["resource"] == NO_RESOURCE} == {S3, SUPPORT}
    assert rows == sorted(rows, key=lambda row: -row["cost"])


def test_resources_of_one_service_can_be_asked_for(service):
    assert {row["resource"] for row in service.get_resource_level_cost_breakdown(S3)} == {"logs", NO_RESOURCE}
    assert [row["name"] for row in service.get_actual_resource_names(EC2)] == ["i-1", "i-2", "vol-1"]


def test_estimates_never_come_to_more_than_their_service():
    lines = [charge(day, "10", RDS) for day in days()]
    found = [Resource(f"db-{place}", "rds:db", RDS, cost=Decimal(900), cost_basis=ESTIMATED) for place in range(3)]
    rows = service_of(lines, resources=found).get_resource_level_cost_breakdown()
    assert [row["cost"] for row in rows] == [Decimal(350)] * 3 and {row["basis"] for row in rows} == {CUT}
    assert total(service_of(lines, resources=found[:1]).get_resource_level_cost_breakdown()) == 1050
    unknown = [found[0]._replace(cost=None, cost_basis="")]
    assert [row["cost"] for row in service_of(lines, resources=unknown).get_resource_level_cost_breakdown()] == [
        Decimal(1050), None]


def test_negative_amounts_are_kept(service):
    row = service.get_costs(MONTHLY, ("record_type",), (FIRST, date(2026, 1, 31)))
    assert {one["record_type"]: one["cost"] for one in row}["Credit"] == -25


def test_the_unknown_is_unknown_in_every_sum_that_it_is_part_of():
    bill = service_of([charge(FIRST, "1"), charge(LAST, "0", S3, amounts=Amounts(None, Decimal(1)))])
    assert [row["net"] for row in bill.get_monthly_costs()] == [1, 0, 0, None]
    assert {row["service"]: row["cost"] for row in bill.get_costs_by_service()} == {EC2: 1, S3: None}
    assert bill.total().net is None


def test_another_metric_is_another_view_of_the_same_bill():
    lines = [charge(day, "0", amounts=Amounts(Decimal(2), Decimal("1.5"))) for day in days()]
    bill = service_of(lines, Choice(metric="amortized"))
    assert bill.total().net == Decimal("157.5")
    assert bill.by_metric() == [{"metric": "amortized", "cost": Decimal("157.5")},
                                {"metric": "unblended", "cost": Decimal(210)}]


@pytest.mark.parametrize("choice, reason", [
    (Choice(metric="net"), "--metric net.*unblended, amortized"), (Choice(FIRST, date(2025, 1, 1)), "swap"),
    (Choice(date(2027, 1, 1), date(2027, 1, 2)), "2026-01-01 to 2026-04-15")])
def test_what_the_source_cannot_tell_is_refused_with_what_it_can(choice, reason):
    with pytest.raises(UsageError, match=reason):
        service_of(BILL, choice).total()


@pytest.mark.parametrize("granularity, group_by", [("hourly", ()), ("daily", ("nothing",)), ("daily", ("tag:",))])
def test_an_unknown_granularity_or_dimension_is_refused(service, granularity, group_by):
    with pytest.raises(UsageError, match="there are"):
        service.get_costs(granularity, group_by)


def test_filters_hold_for_every_method():
    bill = service_of(BILL, Choice(where={"service": (S3,), "account": ("000000000001",)}))
    expected = Decimal("12.000000000001") * 105 - Decimal("1.50") * 4
    assert bill.total().net == total(bill.get_costs(DAILY, ("account",))) == expected
    assert total(bill.get_costs_by_service("region")) == expected
    assert [row["service"] for row in bill.get_actual_resource_names()] == [S3]
    assert total(bill.get_resource_level_cost_breakdown()) == expected + 6


def test_the_same_question_is_put_to_the_source_once(service):
    bill = service_of(BILL)
    for _ in range(2):
        bill.get_monthly_costs(), bill.get_daily_costs(), bill.get_costs_by_service(), bill.total(), bill.trend()
    assert len(bill.source.asked) == 1


def test_no_days_are_named_and_the_last_six_months_are_looked_at():
    lines = [charge(day, "1") for day in days(date(2025, 1, 1), LAST)]
    assert service_of(lines).days == (date(2025, 11, 1), LAST)


def test_the_rules_findings_are_recommendations_with_dollars_evidence_and_confidence(service):
    found = service.generate_ai_recommendations()
    assert found and all(row["evidence"] and row["confidence"] in ("high", "medium", "low") for row in found)
