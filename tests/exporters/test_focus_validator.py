"""The FOCUS exports before the FinOps Foundation's own validator, in an environment of its own with Python 3.12."""
from __future__ import annotations

import csv
import subprocess
import xml.etree.ElementTree as ElementTree
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple, Set

import pytest
from odd_log import CALLS, write_log

from aws.charges import Amounts, Charge
from aws.exports.focus_rows import FocusWriter
from aws.ledger import Ledger
from aws.sources.base import SourceOptions
from aws.sources.export import ExportSource
from conftest import EVERYTHING, ROOT, read_calls, run, simulate
from exporters.focus import COLUMNS
from run import installed_pythons

EXPORT = ROOT / "src" / "export_calls.py"
PACKAGES = ("focus-validator==2.2.1", "pyarrow<20")  # the newest pyarrow wants another numpy than the validator brings
CRITERIA = ("ACCOUNT_NAMING_SUPPORTED", "PUBLIC_PRICE_LIST_SUPPORTED", "UNIT_PRICING_SUPPORTED",
            "USAGE_MEASUREMENT_SUPPORTED", "SUB_ACCOUNT_SUPPORTED", "TAGGING_SUPPORTED", "REGION_SUPPORTED")
# It takes an invoice by "Amazon Web Services, Inc." for one of a third party, since the provider is "AWS": both
# names are its own, and kept as they were read.
ISSUER = {"BilledCost-C-005-C", "BilledCost-C-000-M"}
EITHER = {"InvoiceId-C-004-C", "InvoiceId-C-005-C"}  # must be null, must not be null: two arms of one rule
INSTALL_SECONDS = 300


class Score(NamedTuple):
    """What the validator found."""

    passed: int
    failed: Set[str]
    skipped: int


@pytest.fixture(scope="module")
def validator() -> Path:
    """Return the validator's program, installed on first use; the tests are skipped where that cannot be."""
    if not EVERYTHING:
        pytest.skip("takes a minute, and an environment of its own: set FINOPS_TEST_EVERYTHING")
    pythons = [one for one in installed_pythons() if "3.12" in str(one)]
    folder = ROOT / ".venv" / "focus"
    stamp = folder / "made-from"
    try:
        if not pythons:
            raise RuntimeError("focus-validator needs Python 3.12, which is not installed")
        if not stamp.exists() or stamp.read_text() != repr(PACKAGES):
            for command in ([pythons[0], "-m", "venv", "--clear", folder],
                            [folder / "bin" / "pip", "install", "--quiet", *PACKAGES]):
                subprocess.run(list(map(str, command)), check=True, timeout=INSTALL_SECONDS, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
            stamp.write_text(repr(PACKAGES))
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        (pytest.fail if EVERYTHING else pytest.skip)(f"no focus-validator: {error}")
    return folder / "bin" / "focus-validator"


def score(validator: Path, data: Path) -> Score:
    """Validate a file; the program's exit code is 0 even where rules fail, so its report is read."""
    inside = next(validator.parent.parent.glob("lib/python3*/site-packages"))  # it opens a list by a relative path
    report = data.with_suffix(".xml")
    subprocess.run([str(validator), "--data-file", str(data), "--validate-version", "1.2.0.1", "--block-download",
                    "--applicability-criteria", ",".join(CRITERIA), "--output-type", "unittest",
                    "--output-destination", str(report)], cwd=str(inside), check=True, timeout=300,
                   stdout=subprocess.DEVNULL)
    root = ElementTree.parse(report).getroot()
    counts = {name: int(root.attrib[name]) for name in ("tests", "failures", "errors", "skipped")}
    failed = {case.attrib["name"].partition(" ")[0] for case in root.iter("testcase")
              if case.find("failure") is not None or case.find("error") is not None}
    return Score(counts["tests"] - counts["failures"] - counts["errors"] - counts["skipped"], failed,
                 counts["skipped"])


@pytest.mark.slow
def test_the_export_passes_239_rules_and_fails_only_one_that_cannot_be_kept(validator: Path, tmp_path: Path) -> None:
    simulate(tmp_path / "simulated.csv", 1, "--seed", 1, "--start", "2026-01-01")
    # The validator takes only ASCII for text, while FOCUS asks to keep names as they were given.
    odd = [one._replace(customer_id=one.customer_id.replace("ü", "u")) for one in CALLS]
    write_log(tmp_path / "log.csv", [*read_calls(tmp_path / "simulated.csv"), *odd])
    data = tmp_path / "focus.csv"
    ran = run(EXPORT, "--csv", tmp_path / "log.csv", "--to", "focus-1.2", "--output", data)
    assert ran.code == 0, ran.err
    found = score(validator, data)
    assert found.failed <= EITHER and found.passed >= 239, found

    with open(data, newline="", encoding="utf-8") as handle:  # and the validator does say what is wrong
        place = COLUMNS.index("CommitmentDiscountStatus")
        rows = [row[:place] + row[place + 1:] for row in csv.reader(handle)]
    worse = tmp_path / "worse.csv"
    with open(worse, "w", newline="", encoding="utf-8") as handle:
        csv.writer(handle).writerows(rows)
    assert len(score(validator, worse).failed - EITHER) == 5


def _bill() -> Ledger:
    """Return a bill with a charge of every kind, some hostile texts, and an account that looks like a number."""
    kinds = {"Usage": ("2.5", "2.5"), "SavingsPlanCoveredUsage": ("2.5", "1.5"), "DiscountedUsage": ("0", "1"),
             "SavingsPlanNegation": ("-2.5", "0"), "Tax": ("3", "3"), "Credit": ("-1", "-1"), "Refund": ("-1", "-1"),
             "Fee": ("100", "100"), "RIFee": ("10", "1"), "SavingsPlanRecurringFee": ("4", "0.5"),
             "SavingsPlanUpfrontFee": ("5", "0"), "EdpDiscount": ("-0.5", "-0.5"), "Something new": ("1", "1")}
    ledger, first = Ledger(), date(2026, 1, 1)
    for kind, (cost, amortized) in kinds.items():
        known = dict(account="012345678901", service="Amazon Elastic Compute Cloud - Compute", record_type=kind,
                     tags=(("Team", "<script>"), ("evil", "=cmd()")))
        if amortized in ("2.5", "1.5", "1"):
            for unit in ("Hrs", "GB-Mo", "Lambda-GB-Second"):
                amounts = Amounts(*map(Decimal, (cost, amortized, cost, amortized, cost, "24")))
                ledger.add(Charge(first, first + timedelta(1), amounts=amounts, unit=unit, region="us-east-1",
                                  usage_type="BoxUsage:m5.large", instance_type="m5.large", resource="i-0abc",
                                  operation="=SUM(A1)", **known))
        else:
            ledger.add(Charge(first, first + timedelta(31),
                              amounts=Amounts(*map(Decimal, (cost, amortized, cost, amortized, cost))), **known))
    return ledger


@pytest.mark.slow
def test_a_bill_of_aws_passes_the_same_rules_and_so_does_one_that_was_read(validator: Path, tmp_path: Path) -> None:
    sample = ExportSource(SourceOptions(date(2026, 1, 1), str(ROOT / "tests" / "samples" / "focus_sample_1.0.csv")))
    for name, ledger, kept in (("every-kind", _bill(), set()), ("sample", sample.ledger, ISSUER)):
        data = tmp_path / f"{name}.csv"
        FocusWriter().write(ledger, data)
        found = score(validator, data)
        assert found.failed <= EITHER | kept and found.passed >= 239 - len(kept), (name, found)
