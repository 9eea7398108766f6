"""The stories, told as a newcomer has them told, against figures that are added up from the same logs here."""
from __future__ import annotations

import csv
import hashlib
import importlib
import io
import json
import re
from collections import defaultdict
from decimal import Decimal
from typing import Any, Dict, List, NamedTuple

import pytest

from calls.record import HEADER, AICall
from conftest import ROOT, Log, run
from console import run_command
from rollup.dataset import load_dataset
from scenarios import chargeback_month, model_migration, runaway_customer, unprofitable_customers
from support.logs import DEMONSTRATION, Simulated, simulate

FOLDER = ROOT / "showcase" / "scenarios"
NAMES = sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))
NANO = 10 ** 9
HOUR, DAY = 3_600_000, 86_400_000


class Story(NamedTuple):
    """A story's figures, and the log that it tells them of: the one that it makes itself when it is given none."""

    found: Any
    log: Log


def told(name: str, *options: object) -> Any:
    ran = run(FOLDER / f"{name}.py", "--json", *options)
    assert (ran.code, ran.err) == (0, ""), ran.err
    return json.loads(ran.out, parse_float=Decimal)


def story(name: str, tmp_path_factory, wanted: Simulated, *options: object) -> Story:
    path = simulate(tmp_path_factory.mktemp("story") / "simulated_calls.csv", wanted)
    return Story(told(name, "--csv", path, *options), Log(path))


def month_of(call: AICall) -> str:
    return call.to_row()[1][:7]


def on_whole_days(calls: List[AICall]) -> List[AICall]:
    """Return calls without those of a first or last day of which an hour or more is missing."""
    times = [one.timestamp_ms for one in calls]
    first, last = min(times), max(times)
    first, last = -(-(first - HOUR) // DAY) * DAY, (last + HOUR) // DAY * DAY
    return [one for one in calls if first <= one.timestamp_ms < last]


# Story 1

@pytest.fixture(scope="module")
def repricing(tmp_path_factory):
    return story("unprofitable_customers", tmp_path_factory, unprofitable_customers.LOG)


def test_losses_are_found_and_end_with_the_new_prices(repricing):
    found, log = repricing
    assert len(found["losses"]) >= 2 and found["outcome"]
    month = found["month"]
    earlier = on_whole_days([one for one in log.calls if month_of(one) < month])
    for row in found["losses"]:
        before = [one for one in earlier if one.customer_id == row["customer"]]
        assert sum(one.cost_nano for one in before) == int(Decimal(row["cost"]) * NANO)
        assert Decimal(row["revenue"]) < Decimal(row["cost"])
        assert {one.tier_price_nano for one in before} == {int(Decimal(row["tier_price"]) * NANO)}
    prices = {row["customer"]: Decimal(row["new_price"]) for row in found["decisions"]}
    for row in found["outcome"]:
        own = [one for one in log.calls if one.customer_id == row["customer"] and month_of(one) == month]
        days = {one.timestamp_ms // DAY for one in own}
        share = Decimal(max(days) - min(days) + 1) / (30 if month.endswith("09") else 31)
        cost = Decimal(sum(one.cost_nano for one in own)) / NANO
        assert Decimal(row["cost"]) == cost
        assert abs(Decimal(row["new_margin"]) - (prices[row["customer"]] * share - cost)) < Decimal("1e-8")
        assert Decimal(row["old_margin"]) < Decimal(row["new_margin"])
    still = sum(Decimal(row["new_margin"]) < 0 for row in found["outcome"])
    assert found["headline"].endswith(f"and {still} loss is left.") and still == 1  # whose use went on growing


def test_only_repriced_customers_earn_more(repricing):
    found, _ = repricing
    gain = sum(Decimal(row["new_margin"]) - Decimal(row["old_margin"]) for row in found["outcome"])
    assert Decimal(found["all_after"]["margin"]) - Decimal(found["all_before"]["margin"]) == gain > 0
    assert found["all_after"]["cost"] == found["all_before"]["cost"]
    assert found["all_after"]["calls"] == found["all_before"]["calls"]


# Story 2

@pytest.fixture(scope="module")
def migration(tmp_path_factory):
    return story("model_migration", tmp_path_factory, model_migration.LOG)


def prices() -> Dict[Any, Any]:
    """Read each model's first list price per million tokens from the catalogue's files, without its loader."""
    found = {}
    for path in (ROOT / "src" / "catalog" / "providers").glob("*.json"):
        document = json.loads(path.read_text(encoding="utf-8"))
        for model in document["models"]:
            price = model["prices"][-1]
            found[document["provider"], model["model"]] = (Decimal(price["input"]), Decimal(price["output"]))
    return found


def test_what_moved_is_priced_at_the_model_it_came_from(migration):
    found, log = migration
    began: Dict[Any, Any] = {}
    lanes: Dict[Any, List[AICall]] = defaultdict(list)
    for one in sorted(log.calls, key=lambda call: call.timestamp_ms):
        if one.status == "success":
            lanes[one.customer_id, one.feature_id].append(one)
    for lane, calls in lanes.items():
        first_day = [one for one in calls if one.timestamp_ms // DAY == calls[0].timestamp_ms // DAY]
        began[lane] = min((one.provider, one.model) for one in first_day)  # of a day's models the first by name
    known = prices()
    sums: Dict[Any, List[Any]] = defaultdict(lambda: [0, 0, Decimal(0)])
    for lane, calls in lanes.items():
        into, out = known[began[lane]]
        for one in calls:
            if (one.provider, one.model) != began[lane] and one.cost_nano:
                row = sums[began[lane][1], one.model]
                row[0], row[1] = row[0] + 1, row[1] + one.cost_nano
                row[2] += (one.input_tokens * into + one.output_tokens * out) / 10 ** 6
    rows = {(row["from_model"], row["to_model"]): row for row in found["moves"]}
    assert set(rows) >= set(sums) and len(sums) >= 4
    for key, (calls, cost, would_cost) in sums.items():
        row = rows[key]
        assert row["calls"] == calls and Decimal(row["cost"]) == Decimal(cost) / NANO
        assert abs(Decimal(row["would_cost"]) - would_cost) <= Decimal("1e-5")  # each day is rounded to the nano-dollar
        assert Decimal(row["saved"]) == Decimal(row["would_cost"]) - Decimal(row["cost"])


def test_the_part_that_saves_pays_the_work_back_and_the_whole_does_not(migration):
    found, _ = migration
    assert found["paid_back"] is None and re.fullmatch(r"2026-0[789]-\d\d", found["good_paid_back"])
    last = found["months"][-1]
    saved = [Decimal(row["saved"]) for row in found["moves"]]
    assert Decimal(last["all_moves"]) == sum(saved) < 0
    assert Decimal(last["good_moves"]) == sum(one for one in saved if one > 0) > Decimal(found["one_time"])
    assert "Without moving" in found["headline"] and found["good_paid_back"] in found["headline"]


def test_work_that_costs_more_is_paid_back_later_or_never(migration):
    _, log = migration
    rollup = load_dataset(log.path).rollup
    days = [model_migration.tell(rollup, dollars * NANO)["good_paid_back"] for dollars in (1, 40, 100_000)]
    assert days[0] < days[1] and days[2] is None
    ran = run(FOLDER / "model_migration.py", "--one-time", "much")
    assert ran.code == 2 and "--one-time" in ran.err and len(ran.err.splitlines()) == 1


# Story 3

@pytest.fixture(scope="module")
def runaway(tmp_path_factory):
    return story("runaway_customer", tmp_path_factory, runaway_customer.LOG)


def test_the_runaway_is_the_one_that_was_planted_and_is_noticed_while_it_runs(runaway):
    found, log = runaway
    (planted,) = (one for one in log.run["incidents"] if one["kind"] == "runaway_loop")
    assert found["customer"] == planted["scope"]["customer_id"]
    assert planted["start"][:13] <= found["began"][:13] <= planted["end"][:13]
    assert abs(Decimal(found["excess"]) / Decimal(planted["extra_usd"]) - 1) < Decimal("0.1")
    *unnoticed, last = found["hours"]
    assert last["noticed"] and not any(row["noticed"] for row in unnoticed)
    assert last["hour"] < planted["end"][:13]
    for row in found["hours"]:
        own = [one for one in log.calls if one.customer_id == found["customer"]
               and one.to_row()[1][:13] == row["hour"]]
        assert row["calls"] == len(own) and int(Decimal(row["cost"]) * NANO) == sum(one.cost_nano for one in own)


def test_a_cap_spares_what_is_beyond_it(runaway):
    found, log = runaway
    (cap,) = found["caps"]
    began = found["began"][:13]
    hours: Dict[str, List[AICall]] = defaultdict(list)
    for one in sorted(log.calls, key=lambda call: call.timestamp_ms):
        if one.customer_id == found["customer"]:
            hours[one.to_row()[1][:13]].append(one)
    most = max(20, 2 * max(len(calls) for hour, calls in hours.items() if hour < began))
    beyond = [one for hour, calls in hours.items() if hour >= began for one in calls[most:]]
    assert (cap["calls_an_hour"], cap["calls_spared"]) == (most, len(beyond))
    assert int(Decimal(cap["cost_spared"]) * NANO) == sum(one.cost_nano for one in beyond) > 0


# Story 4

@pytest.fixture(scope="module")
def closing(tmp_path_factory):
    folder = tmp_path_factory.mktemp("closing")
    return (*story("chargeback_month", tmp_path_factory, DEMONSTRATION, "--output", folder), folder)


def test_the_statement_charges_the_month_to_the_nano_dollar(closing):
    found, log, folder = closing
    month = found["month"]
    data = (folder / f"chargeback-{month}.csv").read_bytes()
    assert hashlib.sha256(data).hexdigest() == found["sha256"] and found["path"].endswith(f"chargeback-{month}.csv")
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8"), newline="")))
    assert [row["organization"] for row in rows] == [row["organization"] for row in found["statement"]]
    own: Dict[str, int] = defaultdict(int)
    for one in log.calls:
        if month_of(one) == month and one.environment == "production":
            own[one.organization_id] += one.cost_nano
    assert {row["organization"]: int(Decimal(row["direct"]) * NANO) for row in rows} == own
    whole = sum(one.cost_nano for one in log.calls if month_of(one) == month)
    assert sum(int(Decimal(row["charged"]) * NANO) for row in rows) == whole == int(Decimal(found["charged"]) * NANO)
    assert all(Decimal(row["charged"]) == sum(Decimal(row[name]) for name in ("direct", "shared", "unattributed"))
               for row in rows)


def test_closing_again_gives_the_same_statement_and_late_calls_the_difference(closing):
    found, log, _ = closing
    assert told("chargeback_month", "--csv", log.path) == {**found, "path": None}
    late = [one for one in log.calls if month_of(one) == found["month"]][:chargeback_month.LATE]
    assert int(sum(Decimal(row["correction"]) for row in found["corrections"]) * NANO) == sum(
        one.cost_nano for one in late)
    assert {one.organization_id for one in late} & {row["organization"] for row in found["corrections"]}
    for row in found["corrections"]:
        assert Decimal(row["now"]) - Decimal(row["closed"]) == Decimal(row["correction"]) != 0


def test_names_in_the_statement_are_harmless_in_a_spreadsheet():
    bill = dict.fromkeys(chargeback_month.COLUMNS[2:], 0)
    assert b"'=cmd()" in chargeback_month.as_csv("2026-01", {"=cmd()": bill})


# All of them

@pytest.mark.parametrize("name, fixture", [
    ("unprofitable_customers", "repricing"), ("model_migration", "migration"), ("runaway_customer", "runaway"),
    ("chargeback_month", "closing")])
def test_a_story_is_told_in_words_without_anything_given(name, fixture, request):
    ran = run(FOLDER / f"{name}.py")
    assert (ran.code, ran.err) == (0, "")
    first, *rest = ran.out.splitlines()
    assert first == request.getfixturevalue(fixture)[0]["headline"] and first.endswith(".")
    assert [line for line in rest if line.startswith("3. ")]


def test_every_story_is_looked_at_here():
    assert NAMES == ["chargeback_month", "model_migration", "runaway_customer", "unprofitable_customers"]


@pytest.mark.parametrize("name", NAMES)
def test_a_log_that_cannot_carry_the_story_is_told_of(name, tmp_path, capsys):
    (tmp_path / "calls.csv").write_text(HEADER + "\n")
    code = run_command(importlib.import_module(f"scenarios.{name}").main, ["--csv", str(tmp_path / "calls.csv")])
    said = capsys.readouterr()
    if code:
        assert (code, said.out, len(said.err.splitlines())) == (1, "", 1) and "whole calendar month" in said.err
    else:
        assert said.err == "" and said.out
