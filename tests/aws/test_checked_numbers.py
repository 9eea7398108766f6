"""Numbers in a text of somebody else's, checked against figures."""
from __future__ import annotations

from decimal import Decimal

import pytest

from aws.checked_numbers import MARK, check_numbers

FIGURES = {"total": Decimal("1234.56"), "share": 0.1184, "cpu_average_percent": 3.2, "change": Decimal("-45.6"),
           "findings": [{"title": "3 idle instances", "instance": "m5.large", "day": "2026-03-14",
                         "dollars_a_month": Decimal("99.90")}, {"size_gb": "500"}], "accounts": 2, "big": 2_345_678}


@pytest.mark.parametrize("text", [
    "It cost $1,234.56.", "It cost 1234.6 dollars", "about $1.2k", "about 1.23 thousand", "$1,235", "12% of it",
    "11.8 percent", "11.84%", "use is 3.2%", "use is 3%", "it fell by $45.60", "it fell by -45.6",
    "a change of \u221246", "3 instances of m5.large", "on 2026-03-14,", "in 2026-03", "$2.3M", "2.35 million",
    "2 findings", "500 GB", "1. First\n2. Second\n3) Third", "i-0123456789 and vol-99 and gp3 in us-east-1",
    "t3.2xlarge", "$99.9/month", "save $99.90-a-month", "none at all", ""])
def test_what_the_figures_hold_stays_as_it_is_however_it_is_rounded(text):
    assert check_numbers(text, FIGURES) == (text, ())


@pytest.mark.parametrize("text, unknown", [
    ("It cost $1,234.57.", "$1,234.57"), ("about $1.3k", "$1.3k"), ("13%", "13%"), ("on 2026-03-15", "2026-03-15"),
    ("saves $777 a month", "$777"), ("4 instances", "4"), ("$99.91", "$99.91"), ("(5,000)", "5,000"),
    ("1. Save 42 dollars", "42"), ("m5.large costs 70", "70")])
def test_what_no_figure_holds_is_marked(text, unknown):
    found = check_numbers(text, FIGURES)
    assert found.unknown == (unknown,) and found.text.replace(MARK, "", 1) == text
    assert unknown + MARK in found.text


def test_each_unknown_number_is_marked_where_it_stands():
    found = check_numbers("First 7, then $99.90.\nThen 8 and 7.", FIGURES)
    assert found.text == f"First 7{MARK}, then $99.90.\nThen 8{MARK} and 7{MARK}."
    assert found.unknown == ("7", "8", "7")


@pytest.mark.parametrize("figures", [None, {}, [True, None, float("nan"), float("inf")]])
def test_without_figures_every_number_is_unknown(figures):
    assert check_numbers("5 of 6", figures).unknown == ("5", "6")
