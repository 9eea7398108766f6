"""Cells with any character come back from CSV as they were, on every Python."""
from __future__ import annotations

import csv
import io

import pytest

from exporters.call_rows import csv_text


@pytest.mark.parametrize("cell", ["a\rb", "a\nb", "a\r\nb", '"', ",", "", "ü"])
def test_a_cell_is_read_back_as_it_was_written(cell):
    text = csv_text([["one", cell], ["two", "x"]])
    assert list(csv.reader(io.StringIO(text, newline=""))) == [["one", cell], ["two", "x"]]
    assert text.endswith("two,x\n")
