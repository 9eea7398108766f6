"""A folder of deliveries is read once a billing period: the latest delivery, all of its files, and nothing twice."""
from __future__ import annotations

import json
import os
from decimal import Decimal

import pytest
from exporting import CUR, FOCUS, LEGACY, charges_of, source_of, total, write

from aws.charges import Amounts
from aws.exports.copies import SKETCH, Sketch
from errors import AwsError

SEPTEMBER, OCTOBER = "BILLING_PERIOD=2024-09", "BILLING_PERIOD=2024-10"
OLD, NEW = "2024-10-01T08:00:00.000Z-aaaa", "2024-10-02T08:00:00.000Z-0000"


def cost(amount, row=CUR):
    """Return a row that costs so much."""
    name = next(name for name in row if name in ("line_item_unblended_cost", "lineItem/UnblendedCost", "BilledCost"))
    return {**row, name: str(amount)}


def deliver(root, period, delivery, *amounts):
    """Write a delivery of Data Exports in a file for each amount, and its manifest; returns the names in S3."""
    below = f"{period}/{delivery}" if delivery else period
    keys = [f"data/{below}/bill-{number:05}.csv.gz" for number in range(1, len(amounts) + 1)]
    for key, amount in zip(keys, amounts):
        write(root / key, cost(amount))
    manifest(root / "metadata" / below, [f"s3://bucket/prefix/bill/{key}" for key in keys])
    return keys


def manifest(folder, keys, name="dataFiles"):
    """Write the manifest of a delivery."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bill-Manifest.json").write_text(json.dumps({"executionId": "x", name: keys}), encoding="utf-8")


def refusal(path):
    """Return what is said of a folder that cannot be read."""
    with pytest.raises(AwsError) as caught:
        charges_of(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_files_of_a_plain_folder_and_those_below_are_all_read(tmp_path):
    write(tmp_path / "a.csv", cost(1))
    write(tmp_path / "b.csv.gz", cost(2))
    write(tmp_path / "more" / "c.csv", cost(4))
    (tmp_path / "notes.txt").write_text("no bill")
    write(tmp_path / ".hidden.csv", cost(8))
    assert total(tmp_path) == 7


def test_overwritten_deliveries_are_read_in_all_their_files_over_all_periods(tmp_path):
    deliver(tmp_path, SEPTEMBER, "", 1, 2)
    deliver(tmp_path, OCTOBER, "", 4)
    assert total(tmp_path) == 7
    assert source_of(tmp_path).ledger.notes == []


def test_a_file_that_the_manifest_no_longer_lists_does_not_count(tmp_path):
    deliver(tmp_path, SEPTEMBER, "", 1, 2, 4)
    deliver(tmp_path, SEPTEMBER, "", 8)
    assert total(tmp_path) == 8
    assert source_of(tmp_path).ledger.notes == ["2 files of 2024-09 left out: of earlier deliveries."]


@pytest.mark.parametrize("order", [(OLD, NEW), (NEW, OLD)], ids=["in order", "fetched the other way round"])
def test_of_kept_deliveries_only_the_latest_counts(tmp_path, order):
    for delivery in order:
        deliver(tmp_path, SEPTEMBER, delivery, *{OLD: (1, 2), NEW: (4, 8)}[delivery])
    assert total(tmp_path) == 12
    assert source_of(tmp_path).ledger.notes == ["2 files of 2024-09 left out: of earlier deliveries."]


def test_the_manifest_of_the_period_itself_says_which_delivery_is_the_latest(tmp_path):
    for name, amount in (("1a2b", 1), ("0c9d", 2), ("ffff", 4)):
        folder = tmp_path / "20240901-20241001" / name
        write(folder / "bill-1.csv.gz", cost(amount, LEGACY))
        manifest(folder, [f"p/bill/20240901-20241001/{name}/bill-1.csv.gz"], "reportKeys")
    manifest(tmp_path / "20240901-20241001", ["p/bill/20240901-20241001/0c9d/bill-1.csv.gz"], "reportKeys")
    assert total(tmp_path) == 2


def test_without_manifests_the_latest_delivery_by_date_counts(tmp_path):
    for delivery, amount in ((OLD, 1), (NEW, 2)):
        deliver(tmp_path, SEPTEMBER, delivery, amount)
    assert total(tmp_path / "data") == 2
    assert total(tmp_path / "data" / SEPTEMBER) == 2
    assert total(tmp_path / "data" / SEPTEMBER / OLD) == 1


def test_deliveries_that_nothing_dates_are_refused(tmp_path):
    for name in ("1a2b", "0c9d"):
        write(tmp_path / "20240901-20241001" / name / "bill-1.csv", cost(1, LEGACY))
    assert "holds 2 deliveries of 2024-09 and no manifest that says which is the latest" in refusal(tmp_path)


def test_a_delivery_of_which_a_file_is_missing_is_refused_rather_than_half_counted(tmp_path):
    deliver(tmp_path, SEPTEMBER, "", 1, 2)
    os.remove(tmp_path / "data" / SEPTEMBER / "bill-00002.csv.gz")
    assert "lists bill-00002.csv.gz, which is not there: fetch the whole delivery again" in refusal(tmp_path)


def test_files_of_an_old_delivery_do_not_stand_in_for_those_of_the_latest(tmp_path):
    deliver(tmp_path, SEPTEMBER, OLD, 1)
    keys = deliver(tmp_path, SEPTEMBER, NEW, 2)
    os.remove(tmp_path / keys[0])
    assert "lists bill-00001.csv.gz, which is not there" in refusal(tmp_path)


@pytest.mark.parametrize("text, said", [("{", "is no JSON, so nobody knows which files count"), ("[" * 99999, "JSON")])
def test_a_damaged_manifest_is_refused(tmp_path, text, said):
    deliver(tmp_path, SEPTEMBER, "", 1)
    (tmp_path / "metadata" / SEPTEMBER / "bill-Manifest.json").write_text(text)
    assert said in refusal(tmp_path)


@pytest.mark.parametrize("text", ["{}", "[]", '{"dataFiles": []}', '{"dataFiles": [1]}'])
def test_a_manifest_of_something_else_says_nothing(tmp_path, text):
    deliver(tmp_path, SEPTEMBER, "", 1, 2)
    (tmp_path / "metadata" / SEPTEMBER / "bill-Manifest.json").write_text(text)
    assert total(tmp_path) == 3


def test_a_manifest_beside_its_files_is_heeded_whatever_the_folder_is_called(tmp_path):
    write(tmp_path / "new.csv", cost(1))
    write(tmp_path / "old.csv", cost(2))
    manifest(tmp_path, ["s3://bucket/bill/data/" + SEPTEMBER + "/new.csv"])
    assert total(tmp_path) == 1
    assert "1 file in " in source_of(tmp_path).ledger.notes[0]


def test_a_manifest_reaches_no_file_outside_of_the_folder(tmp_path):
    write(tmp_path / "secret.csv", cost(100))
    write(tmp_path / "bill" / "a.csv", cost(1))
    manifest(tmp_path / "bill", ["../secret.csv"])
    assert "lists secret.csv, which is not there" in refusal(tmp_path / "bill")


def test_one_period_in_two_exports_is_refused(tmp_path):
    for name in ("finance", "engineering"):
        deliver(tmp_path / name, SEPTEMBER, "", 1)
    said = refusal(tmp_path)
    assert "holds 2024-09 in two exports" in said and "finance" in said and "engineering" in said
    assert total(tmp_path / "finance") == 1


def test_two_formats_in_one_folder_are_refused(tmp_path):
    write(tmp_path / "a.csv", cost(1))
    write(tmp_path / "b.csv", cost(1, FOCUS))
    assert "holds CUR 2.0 (a.csv) and FOCUS (b.csv): the bill would count twice" in refusal(tmp_path)


def test_an_unzipped_copy_beside_its_archive_counts_once(tmp_path):
    write(tmp_path / "a.csv", cost(1))
    write(tmp_path / "a.csv.gz", cost(1))
    assert total(tmp_path) == 1
    assert source_of(tmp_path).ledger.notes == ["a.csv.gz left out: the same is there without compression."]


def test_files_of_one_period_may_have_different_columns(tmp_path):
    folder = tmp_path / "data" / SEPTEMBER
    write(folder / "1.csv", cost(1))
    write(folder / "2.csv", {**cost("0.5"), "line_item_net_unblended_cost": "0.25", "resource_tags": '{"user_a": "b"}'})
    assert total(tmp_path) == Decimal("1.5")
    assert total(tmp_path, "net") is None  # of the first file nobody knows it


def test_a_folder_of_parquet_and_an_empty_folder_are_refused(tmp_path):
    assert "holds no cost export" in refusal(tmp_path)
    (tmp_path / "a.parquet").write_bytes(b"PAR1....")
    assert "is Parquet" in refusal(tmp_path)


def bill(hours=range(240), month=9, **cells):
    """Return a row for each hour of a month, of two instances."""
    return [{**CUR, "line_item_usage_start_date": f"2024-{month:02}-{1 + hour // 24:02}T{hour % 24:02}:00:00Z",
             "line_item_usage_end_date": f"2024-{month:02}-{1 + hour // 24:02}T{hour % 24:02}:59:59Z",
             "line_item_resource_id": name, "identity_line_item_id": f"{name}{hour}", **cells}
            for hour in hours for name in ("i-1", "i-2")]


@pytest.mark.parametrize("second", ["bill (1).csv", "a/bill.csv", "old.csv.gz"])
def test_a_copy_under_another_name_counts_once_and_a_note_says_so(tmp_path, second):
    write(tmp_path / "bill.csv", *bill())
    write(tmp_path / second, *bill())
    assert total(tmp_path) == 600
    note, = source_of(tmp_path).ledger.notes
    assert "bill.csv" in note and note.endswith("holds the same.")


def test_a_plain_copy_beside_a_delivery_counts_once(tmp_path):
    deliver(tmp_path, SEPTEMBER, "", 1)
    write(tmp_path / "september.csv", cost(1))
    assert total(tmp_path) == 1


@pytest.mark.parametrize("again", [
    bill()[::-1], bill(identity_line_item_id="new"), bill(bill_invoice_id="final"), bill(range(300)), bill(range(60)),
    bill(range(200)) + bill(month=10)], ids=["in another order", "with new ids", "once final", "a day later", "a part",
                                               "and October"])
def test_a_bill_that_was_fetched_twice_is_refused(tmp_path, again):
    write(tmp_path / "august.csv", *bill(month=8))
    write(tmp_path / "first.csv", *bill())
    write(tmp_path / "second.csv", *again)
    said = refusal(tmp_path)
    assert "first.csv and second.csv" in said and "of the rows of 2024-09 in common: the bill would count twice" in said


def split(rows, count, how):
    """Return rows in some files' worth of them."""
    return {"one after the other": [rows[part * len(rows) // count:(part + 1) * len(rows) // count]
                                    for part in range(count)],
            "in turns": [rows[part::count] for part in range(count)],
            "by account": [[{**row, "line_item_usage_account_id": f"{part:012}"} for row in rows]
                           for part in range(count)],
            "by month": [[{**row, "line_item_usage_start_date": row["line_item_usage_start_date"].replace(
                "-09-", f"-{part + 1:02}-"), "line_item_usage_end_date": row["line_item_usage_end_date"].replace(
                    "-09-", f"-{part + 1:02}-")} for row in rows] for part in range(count)]}[how]


@pytest.mark.parametrize("how", ["one after the other", "in turns", "by account", "by month"])
def test_parts_of_a_bill_count_all(tmp_path, how):
    """Rows that differ in nothing but the hour may stand in any of the files."""
    parts = split(bill(), 3, how)
    for number, rows in enumerate(parts):
        write(tmp_path / f"part-{number}.csv", *rows)
    assert total(tmp_path) == sum(map(len, parts)) * Decimal("1.25")
    assert source_of(tmp_path).ledger.notes == []


def test_a_few_equal_charges_are_no_copy(tmp_path):
    fee = bill(range(1), line_item_line_item_type="Fee")
    write(tmp_path / "a.csv", *bill(), *fee)
    write(tmp_path / "b.csv", *fee)
    assert total(tmp_path) == 605


def test_sketches_of_large_files_tell_copies_from_parts():
    amounts = Amounts(Decimal(1))

    def sketch(rows):
        made = Sketch()
        for row in rows:
            made.add(row * 2654435761 % 2 ** 32, "2026-01-01", amounts)
        return made

    whole, most, part, other = map(sketch, (range(50_000), range(10_000, 50_000), range(3_000), range(50_000, 90_000)))
    assert all(len(one.lowest["2026-01"]) < 2 * SKETCH for one in (whole, most, part, other))
    assert whole.common(most, "2026-01")[1] == 1 and whole.common(part, "2026-01")[1] == 1
    assert whole.common(other, "2026-01") == (0, 0)
    assert 0.4 < sketch(range(20_000)).common(sketch(range(10_000, 30_000)), "2026-01")[1] < 0.6
