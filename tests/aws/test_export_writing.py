"""A bill that is written as CUR 2.0 or FOCUS 1.2 and read again gives the same answers, whatever is in it."""
from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from exporting import answers, source_of
from hypothesis import HealthCheck, given, settings, strategies as st

from aws.charges import CREDIT, FEE, TAX, USAGE, ZERO, Amounts, Charge
from aws.exports.cells import NULLS
from aws.exports.cur import NEGATION, RECURRING, SPREAD, UPFRONT, USED
from aws.exports.cur_rows import CurWriter
from aws.exports.focus_rows import FocusWriter, focus_unit
from aws.exports.services import service_code, service_name
from aws.ledger import Ledger
from aws.queries import DIMENSIONS

WRITERS = [CurWriter, FocusWriter]
KINDS = [USAGE, TAX, FEE, CREDIT, "Refund", "EdpDiscount", NEGATION, RECURRING, UPFRONT, *SPREAD]
SERVICES = ["Amazon Elastic Compute Cloud - Compute", "EC2 - Other", "Amazon Simple Storage Service", "AmazonS3",
            "AmazonEC2", "Amazon S3", "Tax", "<script>alert(1)</script>", "=SUM(A1)", "Ünïcode, \"quoted\""]
JANUARY = date(2026, 1, 1)
DAY = timedelta(1)

# An apostrophe before a formula's first character is what a guard looks like, so nobody can tell it from a text.
texts = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=12).filter(
    lambda text: text not in NULLS - {""} and not text.startswith("'"))
money = st.decimals(-10 ** 9, 10 ** 9, places=11)
pairs = st.dictionaries(texts.filter(bool), texts, max_size=3).map(lambda found: tuple(sorted(found.items())))


@st.composite
def charges(draw, net):
    """Return a charge as reports have them, with or without net costs."""
    kind, cost, other = draw(st.sampled_from(KINDS)), draw(money), draw(money)
    amortized = (other if kind in SPREAD or kind == RECURRING else
                 ZERO if kind in (NEGATION, UPFRONT) or (kind == FEE and draw(st.booleans())) else cost)
    after = draw(money)
    spread = amortized is not cost
    net_amortized = after if amortized is cost else draw(money) if spread and amortized else ZERO
    used = draw(st.none() | money) if kind in USED else None
    unit = draw(st.sampled_from(["Hrs", "GB-Mo", "Lambda-GB-Second"])) if kind in USED else ""
    start = JANUARY + timedelta(draw(st.integers(0, 70)))
    return Charge(
        start, start + timedelta(draw(st.sampled_from([1, 31, 365]))),
        draw(st.sampled_from(["000000000012", "123456789012", "acme"])), draw(st.sampled_from(SERVICES)),
        Amounts(cost, amortized, after if net else None, net_amortized if net else None, draw(st.none() | money), used),
        draw(texts), draw(st.sampled_from(["USE1-BoxUsage:m5.large", "EBS:VolumeUsage.gp3", "", "-x"])), draw(texts),
        draw(st.sampled_from(["", "m5.large"])), kind, draw(texts), unit, "EUR", draw(pairs),
        draw(pairs))


@st.composite
def bills(draw):
    """Return a few charges, of which the days of some are estimated."""
    found = draw(st.lists(charges(draw(st.booleans())), min_size=1, max_size=6))
    late = draw(st.dates(JANUARY, JANUARY + timedelta(70)))
    return Ledger(one._replace(estimated=one.start >= late) for one in found)


@pytest.mark.parametrize("writer", WRITERS)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ledger=bills())
def test_what_is_written_and_read_again_gives_equal_answers(tmp_path, writer, ledger):
    made = writer()
    made.write(ledger, tmp_path / "export.csv")
    again = source_of(tmp_path / "export.csv").ledger
    assert again.notes == []
    assert made.notes == {}
    assert sorted(map(repr, again.charges())) == sorted(map(repr, ledger.charges()))
    assert answers(again, *DIMENSIONS) == answers(ledger, *DIMENSIONS)


@given(st.sampled_from(["AWS", "Microsoft", "=x"]), st.sampled_from(["", "Red Hat"]), st.sampled_from(["", "Reseller"]))
def test_focus_keeps_who_provides_publishes_and_invoices(provider, publisher, issuer):
    ledger = bill(provider=provider, publisher=publisher, issuer=issuer)
    with TemporaryDirectory() as folder:
        FocusWriter().write(ledger, Path(folder) / "a.csv")
        assert list(source_of(Path(folder) / "a.csv").ledger.charges()) == list(ledger.charges())


def bill(**more):
    """Return a bill of one charge."""
    values = {"amounts": Amounts(*[Decimal("12.5")] * 2), "unit": "GB", **more}
    return Ledger([Charge(JANUARY, JANUARY + DAY, "012345678901", "Amazon Simple Storage Service", **values)])


def rows_of(writer, ledger):
    """Return the rows of a written bill, by column."""
    return list(csv.DictReader("".join(writer.lines(ledger.charges(), ledger.metrics())).splitlines(True)))


@pytest.mark.parametrize("writer", WRITERS)
def test_texts_that_would_be_formulas_are_guarded_and_amounts_stay_numbers(writer, tmp_path):
    ledger = bill(resource="=cmd()", operation="@SUM(A1)", tags=(("=key", "+1"),),
                  amounts=Amounts(Decimal(-3), Decimal(-3)))
    row, = rows_of(writer(), ledger)
    assert not [text for text in row.values() if text[:1] in ("=", "+", "@", "\t", "\r")]
    assert [text for text in row.values() if text[:1] == "-"] == ["-3.0"] * (1 if writer is CurWriter else 5)
    assert "'=cmd()" in row.values()


@pytest.mark.parametrize("key", ["aws:", "aws_team", "user_", "user:team", "user_aws:team", "user_aws_team"])
@pytest.mark.parametrize("writer", WRITERS)
def test_names_that_look_like_the_prefixes_of_reports_are_kept(writer, key, tmp_path):
    ledger = bill(tags=((key, "1"),), categories=((key, "2"),))
    writer().write(ledger, tmp_path / "a.csv")
    assert list(source_of(tmp_path / "a.csv").ledger.charges()) == list(ledger.charges())


def test_a_bill_without_net_costs_is_written_without_net_columns():
    net = bill(amounts=Amounts(*[Decimal(1)] * 4))
    assert "line_item_net_unblended_cost" not in rows_of(CurWriter(), bill())[0]
    assert rows_of(CurWriter(), net)[0]["line_item_net_unblended_cost"] == "1.0"


@pytest.mark.parametrize("writer", WRITERS)
def test_a_charge_of_unknown_cost_is_left_out_and_said_so(writer):
    made = writer()
    assert rows_of(made, bill(amounts=Amounts(usage=Decimal(1)))) == []
    assert (made.charges, made.notes) == (0, {"charges have no known cost and are left out": 1})


def test_an_amortized_cost_that_cur_cannot_say_is_noted():
    made = CurWriter()
    rows_of(made, bill(amounts=Amounts(Decimal(1), Decimal(2))))
    assert list(made.notes.values()) == [1]


def test_an_unknown_amortized_cost_is_empty_in_focus_and_noted():
    made = FocusWriter()
    row, = rows_of(made, bill(amounts=Amounts(Decimal(1))))
    assert (row["BilledCost"], row["EffectiveCost"]) == ("1.0", "")
    assert made.notes == {"charges have no known amortized cost: their EffectiveCost is empty": 1}


def test_amounts_are_written_with_all_digits_and_no_exponent():
    row, = rows_of(FocusWriter(), bill(amounts=Amounts(Decimal("1E-20"), Decimal("1E+5"))))
    assert (row["BilledCost"], row["EffectiveCost"]) == ("0.00000000000000000001", "100000.0")


@pytest.mark.parametrize("name, usage_type, code", [
    ("Amazon Elastic Compute Cloud - Compute", "BoxUsage:m5.large", "AmazonEC2"),
    ("Amazon Elastic Compute Cloud - Compute", "", "AmazonEC2"), ("EC2 - Other", "EBS:VolumeUsage", "AmazonEC2"),
    ("EC2 - Other", "BoxUsage", "EC2Other"), ("Amazon Simple Storage Service", "", "AmazonS3"),
    ("AmazonS3", "", ""), ("Some Product", "", "SomeProduct")])
def test_a_service_has_the_code_of_which_its_name_is_made_again(name, usage_type, code):
    assert service_code(name, usage_type) == (code, name)
    assert service_name(*service_code(name, usage_type), usage_type) == name


def test_a_file_is_there_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "new" / "focus.csv"
    FocusWriter().write(bill(), path)
    before = path.read_bytes()
    monkeypatch.setattr(FocusWriter, "rows", lambda self, charge: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        FocusWriter().write(bill(), path)
    assert [(one.name, one.read_bytes()) for one in path.parent.iterdir()] == [("focus.csv", before)]


def test_maps_of_cur_have_the_prefixes_that_aws_gives():
    row, = rows_of(CurWriter(), bill(tags=(("Team", "a"), ("aws:createdBy", "me"))))
    assert json.loads(row["resource_tags"]) == {"user_Team": "a", "aws_createdBy": "me"}


@pytest.mark.parametrize("unit, focus", [
    ("GB-Mo", "GB-Months"), ("Hrs", "Hours"), ("Lambda-GB-Second", "GB-Seconds"), ("LCU-Hrs", "LCU-Hours"),
    ("Requests", "Requests"), ("GB", "GB"), ("1000 Requests", "1000 Requests"), ("API/Calls", "API Calls"), ("-", "")])
def test_units_are_spelled_as_focus_wants_them(unit, focus):
    assert focus_unit(unit) == focus


def test_what_a_purchase_costs_amortized_is_a_row_of_its_own():
    rows = rows_of(FocusWriter(), bill(record_type="RIFee", amounts=Amounts(Decimal(10), Decimal(2))))
    assert [(row["ChargeCategory"], row["BilledCost"], row["EffectiveCost"], row["x_RecordType"]) for row in rows] == [
        ("Purchase", "10.0", "0.0", "RIFee"), ("Usage", "0.0", "2.0", "RIFee")]


@pytest.mark.parametrize("writer", WRITERS)
def test_a_guard_is_taken_off_when_read(writer, tmp_path):
    writer().write(bill(resource="=cmd()", operation="-x", region="@r"), tmp_path / "a.csv")
    charge, = source_of(tmp_path / "a.csv").ledger.charges()
    assert (charge.resource, charge.operation, charge.region) == ("=cmd()", "-x", "@r")
