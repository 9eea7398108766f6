"""Every format is read by its header, with any optional column missing, exactly, and without a row lost in silence."""
from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from exporting import CUR, FOCUS, LEGACY, charges_of, csv_of, one_charge, source_of, total, write

from aws.charges import Amounts
from aws.exports.base import discover_formats
from aws.exports.legacy_cur import snake_case
from errors import AwsError, FinOpsError, UsageError

COST = {"line_item_unblended_cost": "10"}
NET = {"line_item_net_unblended_cost": "8"}


def cur(path, **cells):
    """Return the amounts of a CUR 2.0 row with some cells changed."""
    return one_charge(path / "a.csv", {**CUR, **cells}).amounts


def refusal(path):
    """Return what is said of an export that cannot be read."""
    with pytest.raises(AwsError) as caught:
        charges_of(path)
    text = str(caught.value)
    assert "\n" not in text and str(path.name) in text
    return text


@pytest.mark.parametrize("row", [CUR, LEGACY, FOCUS], ids=["cur", "legacy", "focus"])
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "no-ending"])
@pytest.mark.parametrize("head", ["", "\ufeff"], ids=["plain", "byte-order mark"])
def test_formats_are_told_apart_by_their_header_and_tell_the_same(tmp_path, row, name, head):
    found = one_charge(tmp_path / name, row, head=head)
    assert (found.start, found.end) == (date(2026, 1, 5), date(2026, 1, 6))
    assert (found.account, found.service) == ("001234567890", "Amazon Simple Storage Service")
    assert found.amounts == Amounts(Decimal("1.25"), *([None] if row is FOCUS else [Decimal("1.25")]))


def test_there_is_a_format_for_each_kind_of_export():
    assert sorted(discover_formats()) == ["cur-2.0", "focus", "legacy-cur"]


@pytest.mark.parametrize("legacy, name", [
    ("lineItem/UsageStartDate", "line_item_usage_start_date"), ("product/regionCode", "product_region_code"),
    ("savingsPlan/SavingsPlanEffectiveCost", "savings_plan_savings_plan_effective_cost"),
    ("reservation/ReservationARN", "reservation_reservation_a_r_n"), ("bill/InvoiceId", "bill_invoice_id"),
    ("reservation/UnusedRecurringFee", "reservation_unused_recurring_fee"),
    ("resourceTags/user:CostCenter", "resource_tags/user:CostCenter"), ("product/servicecode", "product_servicecode")])
def test_a_legacy_column_has_the_name_of_cur_2_in_another_spelling(legacy, name):
    assert snake_case(legacy) == name


@pytest.mark.parametrize("kind, cells, expected", [
    ("Usage", {}, "10"), ("Tax", {}, "10"), ("Credit", {}, "10"), ("Brand new type", {}, "10"),
    ("SavingsPlanCoveredUsage", {"savings_plan_savings_plan_effective_cost": "7"}, "7"),
    ("SavingsPlanCoveredUsage", {}, None), ("SavingsPlanNegation", {}, "0"), ("SavingsPlanUpfrontFee", {}, "0"),
    ("SavingsPlanRecurringFee", {"savings_plan_total_commitment_to_date": "9",
                                 "savings_plan_used_commitment": "8.75"}, "0.25"),
    ("SavingsPlanRecurringFee", {"savings_plan_total_commitment_to_date": "9"}, None),
    ("DiscountedUsage", {"reservation_effective_cost": "6"}, "6"),
    ("RIFee", {"reservation_unused_amortized_upfront_fee_for_billing_period": "1",
               "reservation_unused_recurring_fee": "2"}, "3"),
    ("RIFee", {"reservation_unused_recurring_fee": "2"}, "2"), ("RIFee", {}, None), ("Fee", {}, "10"),
    ("Fee", {"reservation_reservation_a_r_n": "arn:aws:ec2:us-east-1:1:reserved-instances/1"}, "0")])
def test_the_amortized_cost_follows_the_line_type(tmp_path, kind, cells, expected):
    found = cur(tmp_path, line_item_line_item_type=kind, **COST, **cells)
    assert found.unblended == 10
    assert found.amortized == (None if expected is None else Decimal(expected))
    assert (found.net, found.net_amortized) == (None, None)


@pytest.mark.parametrize("kind, cells, expected", [
    ("Usage", {}, "8"), ("SavingsPlanNegation", {}, "0"),
    ("DiscountedUsage", {"reservation_net_effective_cost": "5"}, "5"),
    ("SavingsPlanRecurringFee", {
        "savings_plan_total_commitment_to_date": "9", "savings_plan_used_commitment": "6",
        "savings_plan_recurring_commitment_for_billing_period": "10",
        "savings_plan_net_recurring_commitment_for_billing_period": "9"}, "2.7"),
    ("SavingsPlanRecurringFee", {"savings_plan_total_commitment_to_date": "9",
                                 "savings_plan_used_commitment": "6"}, None)])
def test_net_costs_are_told_where_the_report_has_them(tmp_path, kind, cells, expected):
    found = cur(tmp_path, line_item_line_item_type=kind, **COST, **NET, **cells)
    assert found.net == 8
    assert found.net_amortized == (None if expected is None else Decimal(expected))


def test_rows_of_split_cost_are_dropped_and_counted(tmp_path):
    rows = [{**CUR, "line_item_operation": name} for name in ("EKSPod-EC2", "ECSTask-EC2", "RunInstances")]
    path = write(tmp_path / "a.csv", *rows)
    assert total(path) == Decimal("1.25")
    assert source_of(path).ledger.notes == ["2 split-cost rows (EKS pods, ECS tasks) were left out: they repeat the "
                                            "cost of the instances they ran on."]


@pytest.mark.parametrize("start, end, days", [
    ("2024-09-01 00:00:00", "2024-10-01 00:00:00", 30), ("2024-09-01T00:00:00Z", "2024-09-30T23:59:59Z", 30),
    ("2024-09-01T00:00:00+00:00", "2024-09-01T01:00:00+00:00", 1), ("2024-09-01", "2024-09-02", 1),
    ("2024-09-01T23:00:00.000Z", "2024-09-02T00:00:00.000Z", 1), ("2024-09-01T00:00:00Z", "", 1),
    ("2024-09-01 00:00:00 UTC", "2024-09-01 00:00:00 UTC", 1), ("2024-02-01", "2024-03-01", 29)])
def test_days_are_read_in_all_spellings_and_the_end_does_not_belong(tmp_path, start, end, days):
    found = one_charge(tmp_path / "a.csv", {**CUR, "line_item_usage_start_date": start,
                                            "line_item_usage_end_date": end})
    assert (found.start.day, found.days) == (1, days)


def test_a_tax_of_a_month_stays_one_charge(tmp_path):
    found = one_charge(tmp_path / "a.csv", {**CUR, "line_item_line_item_type": "Tax",
                                            "line_item_usage_start_date": "2026-01-01T00:00:00Z",
                                            "line_item_usage_end_date": "2026-01-31T23:59:59Z",
                                            "line_item_usage_amount": "1"})
    assert (found.days, found.record_type, found.amounts.usage) == (31, "Tax", None)


@pytest.mark.parametrize("cells, provider, publisher, issuer", [
    ({}, "AWS", "", ""), ({"ProviderName": "NULL", "PublisherName": "NULL"}, "AWS", "", ""),
    ({"ProviderName": "AWS", "PublisherName": "AWS", "InvoiceIssuerName": "AWS"}, "AWS", "", ""),
    ({"ProviderName": "AWS", "PublisherName": "Red Hat", "InvoiceIssuerName": "EMEA"}, "AWS", "Red Hat", "EMEA"),
    ({"ServiceProviderName": "Google", "InvoiceIssuerName": "Reseller"}, "Google", "", "Reseller"),
    ({"ServiceProviderName": "OpenAI", "ProviderName": "Microsoft"}, "OpenAI", "", "")])
def test_who_provides_publishes_and_invoices_is_told_by_the_names_of_all_versions(tmp_path, cells, provider, publisher,
                                                                                  issuer):
    found = one_charge(tmp_path / "a.csv", {**FOCUS, **cells})
    assert (found.provider, found.publisher, found.issuer) == (provider, publisher, issuer)


@pytest.mark.parametrize("null", ["", "NULL", "None", "null"])
def test_nulls_are_unknown_and_no_texts(tmp_path, null):
    found = one_charge(tmp_path / "a.csv", {**FOCUS, "RegionId": null, "EffectiveCost": null, "Tags": null,
                                            "ResourceId": null})
    assert (found.region, found.amounts.amortized, found.tags, found.resource) == ("", None, (), "")


@pytest.mark.parametrize("bad, reason", [
    ({"line_item_unblended_cost": "1,25"}, "line_item_unblended_cost is no number"),
    ({"line_item_unblended_cost": "nan"}, "line_item_unblended_cost is no number"),
    ({"line_item_unblended_cost": "1_0"}, "line_item_unblended_cost is no number"),
    ({"line_item_unblended_cost": ""}, "line_item_unblended_cost is empty"),
    ({"line_item_unblended_cost": "1E+400"}, "line_item_unblended_cost has more digits than any bill"),
    ({"line_item_unblended_cost": "1E-400"}, "line_item_unblended_cost has more digits than any bill"),
    ({"line_item_usage_start_date": "2026-02-30"}, "line_item_usage_start_date is no date"),
    ({"line_item_usage_start_date": "01/05/2026"}, "line_item_usage_start_date is no date"),
    ({"line_item_usage_start_date": ""}, "line_item_usage_start_date is no date"),
    ({"line_item_usage_start_date": "2026-03-01"}, "line_item_usage_start_date comes after its end")])
def test_a_bad_row_is_set_aside_and_counted_by_reason(tmp_path, bad, reason):
    path = write(tmp_path / "a.csv", CUR, {**CUR, **bad}, {**CUR, **bad})
    assert total(path) == Decimal("1.25")
    assert source_of(path).ledger.notes == [
        f"2 rows set aside, which no sum holds: {reason} (first: a.csv, line 3)."]


@pytest.mark.parametrize("line, reason, count", [
    ("1,2\n", "row has not the header's columns", "1 row"),
    ('"2026-01-05\n', "row has not the header's columns", "2 row"),
    ("a\0b\n", "", "1 row"), (f"{'x' * (2 << 20)}\n", "row is too long", "1 row")])
def test_a_damaged_line_costs_no_more_than_itself_or_is_counted(tmp_path, line, reason, count):
    path = tmp_path / "a.csv"
    path.write_text(csv_of(CUR, CUR) + line + csv_of(CUR).splitlines()[1] + "\n", encoding="utf-8")
    note, = source_of(path).ledger.notes
    assert note.startswith(count) and reason in note
    assert total(path) == Decimal("2.5" if count == "2 row" else "3.75")


def test_bytes_that_are_no_text_do_not_cost_a_row_its_money(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(csv_of({**CUR, "line_item_resource_id": "QQ"}).encode().replace(b"QQ", b"\xff\xfe"))
    assert total(path) == Decimal("1.25")


@pytest.mark.parametrize("text", ["{", "[1]", "x", '{"a":' * 9999])
def test_tags_that_are_no_map_cost_no_row_and_are_noted(tmp_path, text):
    path = write(tmp_path / "a.csv", {**CUR, "resource_tags": text})
    assert total(path) == Decimal("1.25")
    assert "1 different tags or cost categories are no JSON object" in source_of(path).ledger.notes[0]


def test_tags_have_the_names_that_people_gave_them_in_every_format(tmp_path):
    cells = [(CUR, {"resource_tags": '{"user_Team": "a", "aws_createdBy": "me"}', "cost_category": '{"Unit": "x"}'}),
             (LEGACY, {"resourceTags/user:Team": "a", "resourceTags/aws:createdBy": "me", "costCategory/Unit": "x",
                       "resourceTags/user:None": ""}),
             (FOCUS, {"Tags": '{"Team": "a", "aws:createdBy": "me"}', "x_CostCategories": '{"Unit": "x"}'})]
    for row, more in cells:
        found = one_charge(tmp_path / "a.csv", {**row, **more})
        assert (found.tags, found.categories) == ((("Team", "a"), ("aws:createdBy", "me")), (("Unit", "x"),))


@pytest.mark.parametrize("cells, service", [
    ({"product_servicecode": "AmazonEC2", "line_item_usage_type": "EUC1-BoxUsage:m5.large"},
     "Amazon Elastic Compute Cloud - Compute"),
    ({"product_servicecode": "AmazonEC2", "line_item_usage_type": "EUC1-EBS:VolumeUsage.gp3"}, "EC2 - Other"),
    ({"product_servicecode": "AWSDataTransfer", "line_item_product_code": "AmazonEC2"}, "AWS Data Transfer"),
    ({"line_item_product_code": "4zyx", "product_product_name": "Some Software"}, "Some Software"),
    ({"line_item_product_code": "4zyx", "product": '{"product_name": "Some Software"}'}, "Some Software"),
    ({"line_item_product_code": "AmazonNew"}, "AmazonNew")])
def test_services_have_the_names_of_cost_explorer_where_they_are_known(tmp_path, cells, service):
    assert one_charge(tmp_path / "a.csv", {**CUR, **cells}).service == service


@pytest.mark.parametrize("cells, kind", [
    ({}, "Usage"), ({"ChargeCategory": "Tax"}, "Tax"), ({"ChargeCategory": "Adjustment"}, "Adjustment"),
    ({"CommitmentDiscountStatus": "Used", "CommitmentDiscountType": "Savings Plan"}, "SavingsPlanCoveredUsage"),
    ({"CommitmentDiscountStatus": "Used", "CommitmentDiscountCategory": "Usage"}, "DiscountedUsage"),
    ({"CommitmentDiscountStatus": "Unused", "CommitmentDiscountCategory": "Spend"}, "SavingsPlanRecurringFee"),
    ({"CommitmentDiscountStatus": "Unused"}, "RIFee"), ({"ChargeCategory": "Purchase"}, "Fee"),
    ({"ChargeCategory": "Purchase", "CommitmentDiscountId": "a", "ChargeFrequency": "Recurring"}, "RIFee"),
    ({"ChargeCategory": "Purchase", "CommitmentDiscountId": "a", "CommitmentDiscountCategory": "Spend"},
     "SavingsPlanUpfrontFee")])
def test_rows_of_focus_have_the_line_type_that_they_stand_for(tmp_path, cells, kind):
    assert one_charge(tmp_path / "a.csv", {**FOCUS, **cells}).record_type == kind


def test_newer_names_of_focus_and_other_providers_are_read_as_they_are(tmp_path):
    row = {**FOCUS, "ServiceProviderName": "Microsoft", "HostProviderName": "Microsoft", "ServiceName": "Storage",
           "SkuPriceDetails": '{"InstanceType": "D2s"}', "PricingQuantity": "3", "PricingUnit": "Hours"}
    found = one_charge(tmp_path / "a.csv", row)
    assert (found.service, found.instance_type, found.unit, found.amounts.usage) == ("Storage", "D2s", "Hours", 3)


def test_an_empty_invoice_marks_what_may_still_change(tmp_path):
    assert one_charge(tmp_path / "a.csv", {**CUR, "bill_invoice_id": ""}).estimated
    assert not one_charge(tmp_path / "a.csv", {**CUR, "bill_invoice_id": "42"}).estimated
    assert not one_charge(tmp_path / "a.csv", CUR).estimated


@pytest.mark.parametrize("data, said", [
    (b"a,b\n1,2\n", "is no AWS cost export"), (b"", "is no AWS cost export"), (b"\0\0\0\0", "is no AWS cost export"),
    (b"PAR1abcd", "is Parquet, which needs more than the standard library: choose CSV"),
    (b"PK\x03\x04", "is a ZIP archive: unpack it"), (b"\x1f\x8b\x08\x00", "ends in its middle or is damaged"),
    (b"\x1f\x8bxxxxxxxxxxxxxxx", "is damaged: fetch it again"),
    (b"line_item_unblended_cost\n1\n", "is CUR 2.0, but lacks the column line_item_usage_start_date"),
    (b"BilledCost,ChargePeriodStart\n1,2024-01-01\n", "is FOCUS, but lacks the column ServiceName"),
    (csv_of(CUR).split("\n")[0].encode(), "holds no charges; choose another export"),
    (csv_of({**CUR, "line_item_unblended_cost": "x"}).encode(), "holds no charges: 1 row set aside")])
def test_what_cannot_be_read_is_refused_in_one_line_that_says_what_to_do(tmp_path, data, said):
    path = tmp_path / "bill"
    path.write_bytes(data)
    assert said in refusal(path)


def test_a_missing_file_and_a_missing_path_are_refused(tmp_path):
    assert "no such file or folder: check the path" in refusal(tmp_path / "nothing")
    with pytest.raises(UsageError, match="give its file or folder"):
        source_of("").period()


def test_a_zipped_file_that_was_cut_is_refused_rather_than_half_counted(tmp_path):
    rows = [{**CUR, "line_item_resource_id": f"i-{number * 7919 % 10007}"} for number in range(3000)]
    path = write(tmp_path / "a.csv.gz", *rows)
    data = path.read_bytes()
    path.write_bytes(data[:len(data) // 2])
    assert "ends in its middle or is damaged" in refusal(path)
    path.write_bytes(data[:-8] + b"\0" * 8)
    assert "is damaged" in refusal(path)


def test_two_currencies_are_refused_by_name(tmp_path):
    path = write(tmp_path / "a.csv", CUR, {**CUR, "line_item_currency_code": "EUR"})
    with pytest.raises(FinOpsError, match="in USD and in EUR"):
        charges_of(path)


def test_resources_are_found_in_the_charges_with_their_cost(tmp_path):
    path = write(tmp_path / "a.csv", {**CUR, "line_item_resource_id": "my-bucket"})
    bucket, = source_of(path).inventory(date(2026, 1, 1), date(2026, 1, 31)).resources
    assert (bucket.kind, bucket.cost, bucket.cost_basis) == ("s3:bucket", Decimal("1.25"), "actual")


def test_progress_tells_the_file_and_never_goes_back(tmp_path):
    for name, operation in (("a.csv", "Get"), ("b.csv.gz", "Put")):
        write(tmp_path / name, *[{**CUR, "line_item_operation": operation}] * 20000)
    told = []
    source_of(tmp_path, lambda what, share: told.append((what, share))).period()
    shares = [share for _, share in told]
    assert {what for what, _ in told} == {"reading a.csv", "reading b.csv.gz"}
    assert shares == sorted(shares) and shares[0] >= 0 and shares[-1] <= 1
