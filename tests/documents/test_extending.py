"""The guide for extending, followed to the letter in a copy of the toolkit: what it says is written, then run."""
from __future__ import annotations

import csv
import json
import re
import shutil
from decimal import Decimal
from pathlib import Path
from typing import List

import pytest

from calls.record import AICall
from conftest import ROOT, read_calls
from documents import Block, blocks, commands, obey, reader_environment, scratch_copy

pytestmark = pytest.mark.skipif(not shutil.which("bash"), reason="the guide's commands are for a POSIX shell")
GUIDE = ROOT / "specs" / "11-extending.md"
PLACE = re.compile(r"(?:Write|Put at the end of|Put into) `([^`]+)`(?: before `([^`]+)`)?:")


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the copy after every step of the guide."""
    copy = scratch_copy(tmp_path_factory.mktemp("extended") / "toolkit")
    for block in blocks(GUIDE):
        if block.language == "bash":
            for command in commands(block):
                obey(command, copy, reader_environment(), f"{GUIDE.name}:{block.line}")
        else:
            put(copy, block)
    return copy


def put(copy: Path, block: Block) -> None:
    """Write a block where the sentence before it says."""
    place = PLACE.search(block.before)
    assert place, f"{GUIDE.name}:{block.line}: the sentence before this block names no place"
    path, anchor = copy / place.group(1), place.group(2)
    if block.before.startswith("Write"):
        assert not path.exists(), path
        path.write_text(block.text, encoding="utf-8")
        return
    text = path.read_text(encoding="utf-8")
    at = text.index(anchor) if anchor else len(text)
    assert not anchor or text.count(anchor) == 1, f"{anchor} stands more than once in {path.name}"
    path.write_text(text[:at] + block.text + text[at:], encoding="utf-8")


def calls(path: Path) -> List[AICall]:
    with open(path, newline="", encoding="utf-8") as handle:
        assert next(csv.reader(handle))
    return read_calls(path)


def test_the_scenario_writes_calls_as_it_says(followed) -> None:
    hours = [call.timestamp_ms // 3_600_000 % 24 for call in calls(followed / "data" / "lunch.csv")]
    assert len(hours) > 3_000
    assert hours.count(12) < 0.5 * min(hours.count(11), hours.count(13)) < hours.count(11)


def test_the_analyser_is_listed_and_its_amounts_add_up(followed) -> None:
    results = json.loads((followed / "reports" / "json" / "hours_of_the_day.json").read_text(encoding="utf-8"))
    assert sum(Decimal(row["cost"]) for row in results["hours"]) == Decimal(results["summary"]["total_cost"]) > 0
    assert len(results["hours"]) == 24 and results["headline"].startswith("Most is spent")
    assert "hours_of_the_day.html" in (followed / "reports" / "html" / "index.html").read_text(encoding="utf-8")


def test_the_importer_takes_every_row_and_knows_which_has_no_price(followed) -> None:
    found = calls(followed / "data" / "gateway_calls.csv")
    assert [one.customer_id for one in found] == ["search", "support", "support"]
    assert [one.cost_nano for one in found] == [1200 * 150 + 300 * 600, 800 * 150 + 150 * 600, None]


def test_the_provider_prices_its_model_by_the_day(followed) -> None:
    priced = calls(followed / "data" / "priced.csv")[2]
    assert (priced.provider, priced.model, priced.cost_nano) == ("house", "house-model", 640 * 200 + 90 * 400)


def test_the_chart_is_drawn_with_its_sentence(followed) -> None:
    page = (followed / "reports" / "html" / "hours_of_the_day.html").read_text(encoding="utf-8")
    figure = page[page.index('class="block figure chart-dots"'):]
    figure = figure[:figure.index("</figure>")]
    assert figure.count("<circle") == 24 and 'class="message"' in figure and "Cost by hour, on one scale" in figure
