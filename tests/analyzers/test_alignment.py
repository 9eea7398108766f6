from __future__ import annotations

import json
from decimal import Decimal

import pytest
from builders import call, dataset_of

from analyzers.attribution import kind_of
from analyzers.finops.alignment import AlignmentAnalyzer
from calls.values import NANO_PER_USD
from config import Settings

USD = NANO_PER_USD


def spent(dollars: float, organization: str = "org_1", day: str = "2026-01-01", **changes):
    return call(timestamp=f"{day}T12:00:00Z", organization_id=organization, cost_nano=int(dollars * USD), **changes)


def results_of(calls, **settings):
    results = AlignmentAnalyzer(dataset=dataset_of(calls), settings=Settings(**settings)).analyze()
    json.dumps(results, default=str, allow_nan=False)
    return results


def rows(table, key="organization"):
    return {row[key]: row for row in table}


MIXED = [spent(60, "org_1"), spent(20, "org_2", feature_id="agent"), spent(8, "org_2", environment="staging"),
         spent(4, "unknown"), spent(2, "Unattributed", environment="staging"),
         spent(6, "org_1", feature_id="shared")]


@pytest.mark.parametrize("names, environment, kind", [
    (("org_1", "assist", "chat"), "production", "direct"),
    (("org_1", "assist", "chat"), "Production", "direct"),
    (("org_1", "assist", "chat"), "staging", "shared"),
    (("org_1", "Shared", "chat"), "production", "unattributed"),
    (("unknown", "assist", "chat"), "staging", "unattributed"),
])
def test_a_cost_is_direct_only_with_all_names_and_in_production(names, environment, kind) -> None:
    assert kind_of(names, environment) == kind


def test_chargeback_charges_pools_by_direct_cost_and_everything_to_someone() -> None:
    back = results_of(MIXED)["chargeback"]["organization"]
    charges = rows(back["charges"])
    assert set(charges) == {"org_1", "org_2"}
    assert charges["org_1"]["direct"] == 66
    assert charges["org_1"]["shared"] == Decimal("6.139534884")  # 66 / 86 of 8
    assert charges["org_1"]["unattributed"] == Decimal("4.604651163")  # 66 / 86 of 6
    assert (back["pools"]["shared"]["cost"], back["pools"]["unattributed"]["cost"]) == (8, 6)
    assert (back["charged"], back["uncharged"], back["total_cost"]) == (100, 0, 100)


def test_showback_shows_cost_as_it_was_caused_with_the_nameless_among_them() -> None:
    shown = rows(results_of(MIXED)["showback"]["organization"])
    assert (shown["org_2"]["cost"], shown["org_2"]["production"], shown["org_2"]["other_environments"]) == (28, 20, 8)
    assert (shown["unknown"]["cost"], shown["unknown"]["attributed"]) == (4, False)
    assert sum(row["cost"] for row in shown.values()) == 100


def test_products_and_features_have_bills_of_their_own() -> None:
    back = results_of(MIXED)["chargeback"]
    features = rows(back["feature"]["charges"], "feature")
    assert (features["chat"]["direct"], features["agent"]["direct"]) == (64, 20)
    assert back["feature"]["pools"]["unattributed"]["cost"] == 6
    assert back["product"]["charges"][0]["charged"] == 100


def test_coverage_is_the_share_of_cost_with_all_names_in_production() -> None:
    results = results_of(MIXED)
    assert results["summary"]["coverage_percent"] == 80
    assert {row["kind"]: row["cost"] for row in results["coverage"]["by_kind"]} == {
        "direct": 80, "shared": 8, "unattributed": 12}
    assert {row["dimension"]: row["attributed_cost"] for row in results["coverage"]["by_dimension"]} == {
        "organization": 94, "product": 100, "feature": 94}
    assert results["pools"]["shared"][0]["environment"] == "staging"
    assert rows(results["pools"]["unattributed"], "missing")["organization"]["cost"] == 6


def test_coverage_by_day_is_of_the_days_own_cost_and_unknown_without_one() -> None:
    calls = [spent(3), spent(1, environment="staging"), spent(5, day="2026-01-03"),
             spent(5, organization="unattributed", day="2026-01-03")]
    assert [(one["day"], one["cost"], one["direct_cost"], one["share_of_cost"])
            for one in results_of(calls)["coverage"]["daily"]] == [
        ("2026-01-01", 4, 3, 0.75), ("2026-01-02", 0, 0, None), ("2026-01-03", 10, 5, 0.5)]


def test_with_nobody_to_charge_the_cost_stays_in_the_pool_and_is_shown() -> None:
    back = results_of([spent(5, "unknown")])["chargeback"]["organization"]
    assert (back["charges"], back["uncharged"], back["pools"]["unattributed"]["cost"]) == ([], 5, 5)


def test_with_no_direct_cost_pools_are_charged_by_calls_and_else_equally() -> None:
    only_staging = [spent(3, "org_1", environment="staging"), spent(1, "org_2", environment="staging")]
    charges = rows(results_of(only_staging)["chargeback"]["organization"]["charges"])
    assert (charges["org_1"]["charged"], charges["org_2"]["charged"]) == (2, 2)
    free = [spent(0, "org_1"), spent(0, "org_1"), spent(0, "org_2"), spent(9, "org_2", environment="test")]
    charges = rows(results_of(free)["chargeback"]["organization"]["charges"])
    assert (charges["org_1"]["charged"], charges["org_2"]["charged"]) == (6, 3)


def test_fair_share_holds_cost_against_calls_and_customers() -> None:
    calls = [spent(9, "org_1", customer_id="a")] + [spent(1, "org_2", customer_id=name) for name in "bcd"]
    shares = rows(results_of(calls)["fair_share"])
    assert (shares["org_1"]["share_of_cost"], shares["org_1"]["share_of_calls"]) == (0.75, 0.25)
    assert (shares["org_1"]["share_of_customers"], shares["org_1"]["cost_to_calls"]) == (0.25, 3)
    assert (shares["org_1"]["standing"], shares["org_2"]["standing"]) == ("above", "below")


# January and February whole (310 and 280 dollars), March to the 10th (100 dollars).
QUARTER = ([spent(10, "org_1", f"2026-01-{day:02d}") for day in range(1, 32)]
           + [spent(7.5, "org_1", f"2026-02-{day:02d}") for day in range(1, 29)]
           + [spent(2.5, "org_2", f"2026-02-{day:02d}") for day in range(1, 29)]
           + [spent(5, "org_1", f"2026-03-{day:02d}") for day in range(1, 11)]
           + [spent(5, "org_2", f"2026-03-{day:02d}") for day in range(1, 11)])


@pytest.mark.parametrize("calls, budget, headline", [
    ([], 0, "The log holds no calls yet."),
    ([spent(1)._replace(cost_nano=None)], 0, "No cost is known for the 1 call, so there is nothing to charge."),
    (MIXED, 0, "80.0 % of $100.00 has a direct owner, $8.00 is shared platform cost and $12.00 has no owner."),
    ([spent(5, "unknown")], 0, "None of $5.00 has a direct owner, $5.00 has no owner."),
    (QUARTER, 310, "All of $690.00 has a direct owner; 2026-03 used 100.0 % of its budget to date, and 1 organisation "
                   "is over theirs."),
    (QUARTER[:87], 0, "All of $590.00 has a direct owner; 2026-02 used 82.1 % of its derived budget."),
])
def test_the_headline_tells_coverage_and_the_months_budget(calls, budget, headline) -> None:
    assert results_of(calls, monthly_budget_usd=budget)["headline"] == headline


def test_only_whole_months_are_compared() -> None:
    results = results_of(QUARTER)
    assert [(row["month"], row["whole"], row["cost"]) for row in results["months"]] == [
        ("2026-01", True, 310), ("2026-02", True, 280), ("2026-03", False, 100)]
    assert [row["change"] for row in results["months"]] == [None, -30 / 310, None]
    changed = rows(results["organization_months"]["organizations"])
    assert (changed["org_1"]["difference"], changed["org_2"]["difference"]) == (-100, 70)
    assert changed["org_2"]["change"] is None


def test_a_set_budget_is_split_by_the_last_whole_month_and_held_against_the_same_days() -> None:
    budget = results_of(QUARTER, monthly_budget_usd=310)["budget"]
    assert (budget["month"], budget["days"], budget["split_by"], budget["derived"]) == ("2026-03", 10, "2026-02", False)
    assert (budget["budget"], budget["budget_to_date"], budget["actual"], budget["over"]) == (310, 100, 100, 0)
    owners = rows(budget["organizations"])
    assert (owners["org_1"]["budget"], owners["org_1"]["budget_to_date"]) == (Decimal("232.5"), 75)
    assert (owners["org_1"]["standing"], owners["org_2"]["standing"]) == ("within", "over")
    assert (owners["org_2"]["over"], owners["org_2"]["used"]) == (25, 2)


def test_without_a_set_budget_last_month_and_a_tenth_is_taken_and_flagged() -> None:
    budget = results_of(QUARTER)["budget"]
    assert (budget["derived"], budget["budget"]) == (True, 308)
    assert budget["budget_to_date"] == Decimal("99.354838710")


def test_a_single_month_can_be_held_against_a_set_budget_only() -> None:
    january = QUARTER[:31]
    assert results_of(january)["budget"] is None
    budget = results_of(january, monthly_budget_usd=300)["budget"]
    assert (budget["split_by"], budget["over"], budget["organizations"][0]["over"]) == ("2026-01", 10, 10)


def test_without_a_whole_month_owners_have_no_budget_rather_than_none_spent() -> None:
    budget = results_of(QUARTER[5:20], monthly_budget_usd=310)["budget"]
    assert (budget["split_by"], budget["budget_to_date"], budget["actual"]) == (None, 150, 150)
    assert budget["organizations"][0]["budget"] is None and budget["organizations"][0]["standing"] is None


def test_a_new_organisation_is_unbudgeted() -> None:
    late = [spent(5, "org_3", f"2026-03-{day:02d}") for day in range(1, 11)]
    owner = rows(results_of(QUARTER + late)["budget"]["organizations"])["org_3"]
    assert (owner["budget"], owner["standing"], owner["used"]) == (0, "unbudgeted", None)


def test_an_overrun_is_stated_for_the_whole_month_and_a_derived_budget_is_less_sure() -> None:
    for budget, sure in ((310, "medium"), (0, "low")):
        advice, = (one for one in results_of(QUARTER, monthly_budget_usd=budget)["recommendations"]
                   if "org_2" in one["action"] and "budget" in one["action"])
        assert advice["confidence"] == sure
    assert advice["monthly_usd"] == Decimal("78.00")  # 50 - 77 x 10 / 31, for 31 days
    assert "(derived, not set)" in advice["evidence"]


def test_unowned_cost_is_recommended_to_be_assigned_and_not_called_a_saving() -> None:
    named = [one for one in results_of(MIXED * 2)["recommendations"] if "owner" in one["evidence"]]
    assert len(named) == 1  # a shared pool below a tenth of cost is not worth a talk
    assert "assigned, not saved" in named[0]["evidence"]


def test_unpriced_calls_are_shown() -> None:
    results = results_of([spent(1)._replace(cost_nano=None), spent(1)])
    assert results["summary"]["unpriced_calls"] == 1
    assert results["chargeback"]["organization"]["charges"][0]["unpriced"] == 1


def test_small_logs_give_sensible_results() -> None:
    for calls in ([], [call()], [call()] * 3, [spent(1), spent(1, day="2026-01-02")], [call(cost_nano=0)]):
        results = results_of(calls)
        assert results["summary"]["total_calls"] == len(calls)
        assert results["months"] == [] or results["months"][0]["change"] is None
    assert results_of([])["summary"]["coverage_percent"] is None


def test_nothing_of_a_simulated_logs_cost_is_dropped(log) -> None:
    results = AlignmentAnalyzer(log.path).analyze()
    whole = results["summary"]["total_cost"]
    for dimension in ("organization", "product", "feature"):
        back = results["chargeback"][dimension]
        assert sum(row["charged"] for row in back["charges"]) + back["uncharged"] == whole
        assert sum(row["cost"] for row in results["showback"][dimension]) == whole
    assert sum(row["cost"] for row in results["coverage"]["by_kind"]) == whole
    assert sum(row["direct_cost"] for row in results["coverage"]["daily"]) == results["summary"]["direct_cost"]
    production = sum(one.cost_nano for one in log.calls if one.environment == "production")
    assert results["summary"]["direct_cost"] == Decimal(production) / USD
    assert sum(row["share_of_cost"] for row in results["fair_share"]) == pytest.approx(1)
