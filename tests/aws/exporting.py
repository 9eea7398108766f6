"""Small exports for tests: rows under a header, written as AWS would, and read as the source reads them."""
from __future__ import annotations

import csv
import gzip
import io
from datetime import date

from aws.charges import USAGE_METRIC
from aws.queries import CostQuery
from aws.sources.base import SourceOptions
from aws.sources.export import ExportSource

TODAY = date(2026, 11, 28)
FIRST, LAST = date(2000, 1, 1), date(2050, 12, 31)

# A row of each format, with the columns that matter; tests change single cells.
CUR = {"line_item_usage_start_date": "2026-01-05T00:00:00.000Z", "line_item_usage_end_date": "2026-01-06T00:00:00.000Z",
       "line_item_usage_account_id": "001234567890", "line_item_line_item_type": "Usage",
       "line_item_product_code": "AmazonS3", "line_item_usage_type": "TimedStorage-ByteHrs",
       "line_item_operation": "StandardStorage", "line_item_unblended_cost": "1.25",
       "line_item_currency_code": "USD"}
LEGACY = {"lineItem/UsageStartDate": "2026-01-05T00:00:00Z", "lineItem/UsageEndDate": "2026-01-06T00:00:00Z",
          "lineItem/UsageAccountId": "001234567890", "lineItem/LineItemType": "Usage",
          "lineItem/ProductCode": "AmazonS3", "lineItem/UsageType": "TimedStorage-ByteHrs",
          "lineItem/Operation": "StandardStorage", "lineItem/UnblendedCost": "1.25", "lineItem/CurrencyCode": "USD"}
FOCUS = {"ChargePeriodStart": "2026-01-05T00:00:00Z", "ChargePeriodEnd": "2026-01-06T00:00:00Z",
         "SubAccountId": "001234567890", "ServiceName": "Amazon Simple Storage Service", "BilledCost": "1.25",
         "BillingCurrency": "USD"}


def csv_of(*rows):
    """Return rows as CSV under the columns of all of them."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write(path, *rows, head=""):
    """Write rows into a file, zipped where its name says so; returns the path."""
    data = (head + csv_of(*rows)).encode("utf-8")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def source_of(path, progress=lambda what, share: None):
    """Return the source that reads a path."""
    return ExportSource(SourceOptions(TODAY, str(path)), progress)


def charges_of(path):
    """Return the charges of an export, as the ledger adds them up."""
    return list(source_of(path).ledger.charges())


def one_charge(path, *rows, **more):
    """Return the only charge of rows written to a path."""
    charge, = charges_of(write(path, *rows, **more))
    return charge


def total(path, metric="unblended"):
    """Return what an export comes to."""
    rows = source_of(path).costs(CostQuery(FIRST, LAST, "yearly", (metric,))).rows
    assert len(rows) == 1
    return rows[0].amounts[0]


def answers(ledger, *dimensions):
    """Return the answers of a bill to queries of all metrics by each dimension and by pairs of them."""
    metrics = [one for one in ledger.metrics() if one != USAGE_METRIC] + [USAGE_METRIC]
    return [ledger.costs(CostQuery(*ledger.period(), granularity, tuple(metrics), group)).rows
            for granularity in ("daily", "monthly") for group in [(), *((name,) for name in dimensions), dimensions]]
