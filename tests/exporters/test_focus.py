"""The FOCUS export, held to what it promises and to what FOCUS asks for and its validator does not look at."""
from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Dict, List

import pytest
from odd_log import CALLS, ODD, call, write_log

from calls.values import format_nano
from conftest import ROOT, run
from exporters.focus import COLUMNS, plain_decimal

EXPORT = ROOT / "src" / "export_calls.py"
MANDATORY = (
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd",
    "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargePeriodEnd", "ChargePeriodStart",
    "ContractedCost", "EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity", "PricingUnit",
    "ProviderName", "PublisherName", "ServiceCategory", "ServiceName")
MAY_BE_NULL = {"AvailabilityZone", "ChargeClass", "CommitmentDiscountStatus", "InvoiceId", "RegionId", "RegionName",
               "ListUnitPrice", "ContractedUnitPrice", "PricingCurrencyContractedUnitPrice",
               "PricingCurrencyListUnitPrice", "SkuPriceId", "SkuPriceDetails"}
COSTS = [name for name in COLUMNS if name.endswith("Cost")]
DECIMALS = COSTS + [name for name in COLUMNS if name.endswith(("UnitPrice", "Quantity"))]
TIME = re.compile(r"(\d{4})-(\d\d)-\d\dT00:00:00Z\Z")


def exported(log: Path, *options: object) -> List[Dict[str, str]]:
    ran = run(EXPORT, "--csv", log, "--to", "focus-1.2", *options)
    assert ran.code == 0, ran.err
    return list(csv.DictReader(io.StringIO(ran.out)))


def faults(rows: List[Dict[str, str]]) -> List[str]:
    """Return what breaks FOCUS 1.2 or this export's own promises; empty for a sound export."""
    found = [f"{name} is missing" for name in MANDATORY if name not in rows[0]]
    for row in rows:
        found += [f"{name} is null" for name, text in row.items() if not text and name not in MAY_BE_NULL]
        found += [f"{name} {row[name]} is no plain decimal" for name in DECIMALS
                  if row[name] and not re.match(r"\d+\.\d+\Z", row[name])]
        found += [f"{name} {row[name]} is no time" for name in row if name.endswith(("PeriodStart", "PeriodEnd"))
                  and not TIME.match(row[name])]
        start, end = row["BillingPeriodStart"], row["BillingPeriodEnd"]
        year, month = map(int, start.split("-")[:2])
        if (start[8:10], end[:10]) != ("01", f"{year + month // 12}-{month % 12 + 1:02d}-01"):
            found.append(f"billing period {start} to {end} is no month")
        if not start <= row["ChargePeriodStart"] < row["ChargePeriodEnd"] <= end:
            found.append(f"charge period {row['ChargePeriodStart']} is outside its billing period")
        if row["ListUnitPrice"] and Decimal(row["ListUnitPrice"]) * Decimal(row["PricingQuantity"]) != Decimal(
                row["ListCost"]):
            found.append(f"unit price times quantity is not {row['ListCost']}")
        if Decimal(row["PricingQuantity"]) * 1_000_000 != Decimal(row["ConsumedQuantity"]):
            found.append(f"quantities {row['PricingQuantity']} and {row['ConsumedQuantity']} differ")
        if len({row["ProviderName"], row["PublisherName"], row["InvoiceIssuerName"]}) > 1:
            found.append("who sold and who bills differ")
        details = json.loads(row["SkuPriceDetails"] or "{}")
        found += [f"{name} is no key of FOCUS 1.2" for name in details if not name.startswith("x_")]
        found += ["a tag is no text" for one in json.loads(row["Tags"]).values() if not isinstance(one, str)]
        found += [f"{row[name]!r} in {name} is a formula" for name in row if row[name][:1] in tuple("=+-@\t\r")
                  and row[name]]
        found += [f"{row[name]} in {name} reads as a number" for name in ("BillingAccountId", "SubAccountId", "SkuId",
                                                                          "ResourceId") if row[name][0].isdigit()]
    skus: Dict[str, set] = {}
    for row in rows:
        skus.setdefault(row["SkuPriceId"], set()).add(row["SkuId"])
    return found + [f"{price} belongs to {len(ids)} SKUs" for price, ids in skus.items() if price and len(ids) > 1]


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    write_log(tmp_path / "odd.csv", CALLS)
    return tmp_path / "odd.csv"


def test_an_odd_log_becomes_a_sound_export_whose_sums_are_the_log_s(odd: Path) -> None:
    rows = exported(odd)
    assert tuple(rows[0]) == COLUMNS and faults(rows) == []
    assert sum(Decimal(row["BilledCost"]) for row in rows) == Decimal(
        format_nano(sum(one.cost_nano or 0 for one in CALLS)))
    assert sum(Decimal(row["ConsumedQuantity"]) for row in rows) == sum(one.total_tokens for one in CALLS)
    sums = Counter()
    for row in rows:
        sums.update({name: int(row[name]) for name in COLUMNS[-3:]})
    assert sums == {"x_CallCount": len(CALLS), "x_FailedCallCount": 1, "x_UnpricedCallCount": 1}


def test_a_simulated_log_becomes_a_sound_export_whose_sums_are_the_log_s(log, tmp_path: Path) -> None:
    days = ("--from", "2026-01-31", "--until", "2026-02-01")
    rows = exported(log.path, *days)
    wanted = [one for one in log.calls if one.to_row()[1][:10] in ("2026-01-31", "2026-02-01")]
    assert faults(rows) == [] and len({row["BillingPeriodStart"] for row in rows}) == 2
    assert sum(Decimal(row["BilledCost"]) for row in rows) == Decimal(format_nano(sum(
        one.cost_nano or 0 for one in wanted)))
    assert sum(int(row["x_CallCount"]) for row in rows) == len(wanted) > 100
    keys = [tuple(row[name] for name in ("ChargePeriodStart", "BillingAccountId", "SubAccountId", "Tags", "RegionId",
                                         "SkuId")) for row in rows]
    assert len(keys) == len(set(keys))


def test_a_cell_is_split_by_list_cost_and_keeps_its_list_price(odd: Path) -> None:
    into, out = [row for row in exported(odd, "--where", "customer=acme", "--until", "2026-03-01")
                 if row["ResourceName"] == "gpt-4o"]
    assert (into["ListUnitPrice"], into["ListCost"], into["ConsumedQuantity"]) == ("2.5", "0.005", "2000.0")
    assert (out["ListUnitPrice"], out["ListCost"], out["PricingQuantity"]) == ("10.0", "0.002", "0.0002")
    assert out["BilledCost"] == format_nano(1_000_010 * 2 // 7).rstrip("0")
    assert Decimal(into["BilledCost"]) + Decimal(out["BilledCost"]) == Decimal("0.001000010")
    assert (into["SkuMeter"], out["SkuMeter"]) == ("Input Tokens", "Output Tokens")
    assert into["ChargePeriodEnd"] == into["BillingPeriodEnd"] == "2026-03-01T00:00:00Z"


def test_a_model_without_a_price_has_null_unit_prices_and_its_cost_split_by_tokens(odd: Path) -> None:
    rows = exported(odd, "--where", "model=own")
    assert {row["ListUnitPrice"] + row["SkuPriceId"] + row["SkuPriceDetails"] for row in rows} == {""}
    assert sorted((row["SubAccountName"], row["BilledCost"], row["ListCost"], row["x_UnpricedCallCount"])
                  for row in rows) == [
        ("1234", "0.000454545", "0.000454545", "0"), ("1234", "0.004545456", "0.004545456", "0"),
        ("acme", "0.0", "0.0", "0"), ("acme", "0.0", "0.0", "1")]
    assert {row["SubAccountId"] for row in rows} == {"acme", "customer-1234"}


def test_names_that_are_formulas_numbers_or_truth_values_are_made_harmless(odd: Path) -> None:
    row = exported(odd, "--where", "model=@m")[0]
    assert (row["SubAccountName"], row["SubAccountId"]) == ("'" + ODD, "customer-" + ODD)
    assert json.loads(row["Tags"])["product_id"] == ODD and row["ResourceId"] == "openai/@m"
    other = exported(odd, "--where", "organization=20260101")[0]
    assert (other["BillingAccountId"], other["SubAccountId"]) == ("org-20260101", "customer-true")
    assert other["RegionId"] == ""


def test_a_call_is_charged_by_the_price_of_its_day(tmp_path: Path) -> None:
    from calls.values import parse_timestamp
    days = ("2025-06-09", "2025-06-10")
    write_log(tmp_path / "o3.csv", [call(day, model="o3", timestamp_ms=parse_timestamp(day)) for day in days])
    rows = [row for row in exported(tmp_path / "o3.csv") if row["SkuMeter"] == "Input Tokens"]
    assert [row["ListUnitPrice"] for row in rows] == ["10.0", "2.0"]
    assert len({row["SkuPriceId"] for row in rows}) == 2 and len({row["SkuId"] for row in rows}) == 1


@pytest.mark.parametrize("column,text", [
    ("BilledCost", "1E-7"), ("ListCost", "0.1"), ("ChargePeriodEnd", "2027-05-01T00:00:00Z"), ("PricingQuantity", "1"),
    ("BillingPeriodEnd", "2026-02-28T00:00:00Z"), ("InvoiceIssuerName", "x"), ("SkuPriceDetails", '{"ModelId": "a"}'),
    ("SubAccountName", "=1"), ("BillingAccountId", "12"), ("ServiceName", ""), ("SkuId", "another"),
    ("RegionId", "-1"), ("Tags", '{"a": 1}')])
def test_the_check_finds_what_it_is_for(odd: Path, column: str, text: str) -> None:
    rows = exported(odd)
    assert rows[0]["ResourceName"] == "gpt-4o"
    rows[0][column] = text
    assert faults(rows)


@pytest.mark.parametrize("whole,places,text", [(0, 9, "0.0"), (1, 9, "0.000000001"), (25 * 10**8, 9, "2.5"),
                                               (120000, 0, "120000.0"), (10**21, 12, "1000000000.0")])
def test_decimals_are_plain(whole: int, places: int, text: str) -> None:
    assert plain_decimal(whole, places) == text
