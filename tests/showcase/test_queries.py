"""The questions to a log, against figures that are added up from its rows here."""
from __future__ import annotations

import importlib
import json
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Dict, List

import pytest

from calls.record import HEADER, AICall
from calls.values import parse_timestamp
from conftest import ROOT, Log, read_truth, run, simulate
from console import run_command
from queries import cost_allocation
from scenarios.runaway_customer import LOG as RUNAWAY
from support.logs import simulate as simulated

FOLDER = ROOT / "showcase" / "queries"
NANO = 10 ** 9


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Log:
    path = tmp_path_factory.mktemp("queries") / "calls.csv"
    simulate(path, 2, "--seed", 10, "--start", "2026-05-01", "--days", 61, "--customers", 40)
    return Log(path)


def asked(name: str, log: Log, *options: object) -> Dict[str, Any]:
    ran = run(FOLDER / f"{name}.py", "--csv", log.path, "--json", *options)
    assert (ran.code, ran.err) == (0, ""), ran.err
    return json.loads(ran.out, parse_float=Decimal)


def day_of(call: AICall) -> str:
    return (date(1970, 1, 1) + timedelta(call.timestamp_ms // 86_400_000)).isoformat()


def sums(calls: List[AICall], *names: str) -> Dict[Any, Decimal]:
    found: Dict[Any, int] = defaultdict(int)
    for one in calls:
        found[tuple(getattr(one, name) for name in names)] += one.cost_nano or 0
    return {key: Decimal(nano) / NANO for key, nano in found.items()}


@pytest.mark.parametrize("owner", ["organization", "product", "feature"])
def test_cost_is_allocated_to_the_nano_dollar(small, owner):
    found = asked("cost_allocation", small, "--by", owner)
    caused = {(row[owner], row["model"]): Decimal(row["cost"]) for row in found["caused"]}
    assert caused == sums(small.calls, f"{owner}_id", "model")
    whole = sum(sums(small.calls, "customer_id").values())
    direct = {key[0]: cost for key, cost in sums(
        [one for one in small.calls if one.environment == "production"], f"{owner}_id").items()}
    assert {row[owner]: Decimal(row["direct"]) for row in found["charged"]} == direct
    assert sum(Decimal(row["charged"]) for row in found["charged"]) == whole == Decimal(found["total_cost"])
    for row in found["charged"]:  # the rest is shared out by direct cost
        fair = (whole - sum(direct.values())) * direct[row[owner]] / sum(direct.values())
        assert abs(Decimal(row["shared"]) - fair) <= Decimal(1) / NANO


@pytest.mark.parametrize("every, part", [("day", str), ("month", lambda day: day[:7]), ("week", lambda day: (
    date.fromisoformat(day) - timedelta(date.fromisoformat(day).weekday())).isoformat())])
def test_series_are_sums_of_whole_days(small, every, part):
    found = asked("time_series", small, "--every", every)
    days = sorted({day_of(one) for one in small.calls})
    whole = days[days[0] != "2026-05-01":][:found["days"]]  # a log's first or last day may be there in part only
    assert len(days) - found["days"] in (0, 1, 2)
    expected: Dict[str, List[int]] = {}
    for one in small.calls:
        if day_of(one) in whole:
            row = expected.setdefault(part(day_of(one)), [0, 0, 0])
            row[0], row[1], row[2] = row[0] + one.cost_nano, row[1] + 1, row[2] + one.total_tokens
    assert {row[every]: [int(Decimal(row["cost"]) * NANO), row["calls"], row["tokens"]] for row in found["series"]
            if row["calls"]} == expected
    assert sum(row["days"] for row in found["series"]) == found["days"]
    ahead = found["forecast"]
    assert 0 <= Decimal(ahead["low"]) <= Decimal(ahead["total"]) <= Decimal(ahead["high"])


def test_a_change_compares_mean_days(small):
    rows = asked("time_series", small, "--every", "month")["series"]
    before, now = (Decimal(row["cost"]) / row["days"] for row in rows[:2])
    assert rows[0]["change"] is None and abs(rows[1]["change"] - (now / before - 1)) < Decimal("1e-9")


def revenue_of(calls: List[AICall], first: str, last: str) -> Dict[str, Decimal]:
    """Return each customer's revenue in one month: the price of each day is that of most of its calls, or of before."""
    found = {}
    days = [(date.fromisoformat(first) + timedelta(number)).isoformat()
            for number in range((date.fromisoformat(last) - date.fromisoformat(first)).days + 1)]
    by_customer: Dict[str, Dict[str, int]] = defaultdict(dict)
    for one in calls:
        if first <= day_of(one) <= last:
            by_customer[one.customer_id][day_of(one)] = one.tier_price_nano
    for customer, prices in by_customer.items():
        active = [day for day in days if min(prices) <= day <= max(prices)]
        price, owed = 0, 0
        for day in active:
            price = prices.get(day, price)
            owed += price
        found[customer] = (Decimal(owed) / len(days) / NANO).quantize(Decimal("1e-9"))
    return found


def test_margins_are_revenue_less_cost_of_the_same_days(small, tmp_path):
    # May alone, with calls at both its ends so that it is whole: then the rule can be followed here.
    may = [one for one in small.calls if day_of(one) < "2026-06-01"]
    for number, text in enumerate(("2026-05-01T00:00:01Z", "2026-05-31T23:59:59Z")):
        may.append(may[number]._replace(call_id=f"edge-{number}", timestamp_ms=parse_timestamp(text)))
    first, last, path = "2026-05-01", "2026-05-31", tmp_path / "may.csv"
    path.write_text("\n".join([HEADER, *(",".join(one.to_row()) for one in may), ""]))
    found = asked("profitability", Log(path))
    costs = {key[0]: cost for key, cost in sums(may, "customer_id").items()}
    revenue = revenue_of(may, first, last)
    rows = {row["customer"]: row for row in found["margins"]}
    assert set(rows) == set(costs) and len(rows) > 20
    for name, row in rows.items():
        assert Decimal(row["cost"]) == costs[name]
        assert abs(Decimal(row["revenue"]) - revenue[name]) <= Decimal("1e-9"), name
        assert Decimal(row["margin"]) == Decimal(row["revenue"]) - costs[name]
        assert (row["class"] == "unprofitable") == (Decimal(row["margin"]) < 0)
    assert {row["customer"] for row in found["losses"]} == {
        name for name, row in rows.items() if row["class"] == "unprofitable"}
    assert Decimal(found["total"]["cost"]) == sum(costs.values())


@pytest.mark.parametrize("group, field", [("tier", "subscription_tier"), ("archetype", "customer_archetype")])
def test_margins_by_group_add_up_to_the_same(small, group, field):
    found = asked("profitability", small, "--by", group)
    assert {row[group] for row in found["margins"]} == {getattr(one, field) for one in small.calls}
    for name in ("cost", "revenue", "margin"):
        assert sum(Decimal(row[name]) for row in found["margins"]) == Decimal(found["total"][name])


def test_a_planted_runaway_is_among_the_anomalies(tmp_path):
    path = simulated(tmp_path / "calls.csv", RUNAWAY)
    (planted,) = (one for one in read_truth(path)[0]["incidents"] if one["kind"] == "runaway_loop")
    found = asked("anomalies", Log(path))
    for rows, customer, day in ((found["robust"], "value", "time"), (found["abuse"], "customer", "first")):
        assert [row for row in rows if row[customer] == planted["scope"]["customer_id"]
                and row[day][:10] == planted["start"][:10]]
    assert found["plain"]["found"] > 10 * len(found["robust"])


def test_a_question_to_no_log_makes_one_and_says_the_same_every_time(capsys):
    ran = run(FOLDER / "cost_allocation.py")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert "was spent" in lines[0] and lines[2] == "Charged by organization"
    assert lines[3].split() == ["Organization", "Direct", "Shared", "Unattributed", "Charged"]
    assert cost_allocation.main([]) == 0 and capsys.readouterr().out == ran.out


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("[a-z]*.py")))
def test_an_empty_log_and_a_wrong_one_are_told_of_in_words(name, tmp_path, capsys):
    command = importlib.import_module(f"queries.{name}").main
    more = ["--output", str(tmp_path / "out")] if name == "saved_charts" else []
    (tmp_path / "empty.csv").write_text(HEADER + "\n")
    assert run_command(command, ["--csv", str(tmp_path / "empty.csv"), *more]) == 0
    said = capsys.readouterr()
    assert said.out and said.err == ""
    (tmp_path / "wrong.csv").write_text("name,age\n")
    for path in ("wrong.csv", "missing.csv"):
        assert run_command(command, ["--csv", str(tmp_path / path), *more]) == 1
        said = capsys.readouterr()
        assert said.out == "" and len(said.err.splitlines()) == 1
