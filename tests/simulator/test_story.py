"""One story in one file: its size, order and rows, equal bytes on any number of workers, and chapters behind it."""
from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from datetime import date

import pytest

from calls.record import HEADER, REFUSED, AICall
from calls.values import parse_timestamp
from catalog.loader import load_catalog
from conftest import SIMULATE, read_calls, read_truth, run, simulate
from simulator.calendar import MS_PER_DAY, MS_PER_HOUR, day_of
from simulator.rows import BILLED_TIMEOUT, PATIENCE_MS, Pace, Tariff, render
from simulator.scenarios.burst_traffic import BurstTrafficSimulator

SIZE_TOLERANCE = 0.01  # the issue's own: of the size asked for
AT_HOME = 0.9  # of a customer's calls, at least; 2 % of sessions come from elsewhere, as do leaked keys
FEW_CALLS = 300  # of a customer: below, one long session elsewhere is a tenth of them
START = ("--start", "2026-01-01")


def test_the_20_mb_log_ends_within_one_percent_of_its_size(log):
    assert abs(log.path.stat().st_size / 20_000_000 - 1) <= SIZE_TOLERANCE


@pytest.mark.parametrize("workers", [2, 8])
def test_any_number_of_workers_writes_the_same_bytes_and_the_same_truth(log, tmp_path, workers):
    simulate(tmp_path / "calls.csv", 20, "--seed", 1, *START, "--workers", workers)
    assert (tmp_path / "calls.csv").read_bytes() == log.path.read_bytes()
    assert read_truth(tmp_path / "calls.csv")[0] == log.run


def test_seed_start_and_customers_each_change_the_calls(tmp_path):
    logs = []
    for number, changed in enumerate(([], ["--seed", 2], ["--start", "2026-01-02"], ["--customers", 400])):
        simulate(tmp_path / f"{number}.csv", 0.1, *START, "--days", 5, *changed)
        logs.append({call[1:] for call in read_calls(tmp_path / f"{number}.csv")})
    # Some calls may stay: a customer that is the same on the same day may draw the same.
    assert all(len(logs[0] & other) < 0.1 * len(logs[0]) for other in logs[1:])


def test_the_first_line_is_the_header_and_every_line_ends_with_a_newline(log):
    data = log.path.read_bytes()
    assert data.startswith(HEADER.encode("ascii") + b"\n") and data.endswith(b"\n")
    assert b"\r" not in data and b'"' not in data and data.count(b"\n") == len(log.calls) + 1


def test_no_call_id_occurs_twice(log):
    assert len({call.call_id for call in log.calls}) == len(log.calls) > 100_000


def test_every_row_passes_the_records_own_checks(log):
    assert [(call, call.faults()) for call in log.calls if call.faults()] == []


def test_rows_are_written_as_the_record_writes_them(log):
    with open(log.path, newline="", encoding="utf-8") as handle:
        rows = csv.reader(handle)
        next(rows)
        assert all(AICall.from_row(row).to_row() == row for _, row in zip(range(5000), rows))


def test_every_cost_is_the_price_in_force_that_day_to_the_ninth_place(log):
    catalog, wrong, kinds = load_catalog(), [], Counter()
    for call in log.calls:
        price = catalog.price_on(call.provider, call.model, day_of(call.timestamp_ms))
        allowed = ((price.cost_nano(call.input_tokens, call.output_tokens),) if call.status == "success" else
                   (0, price.cost_nano(call.input_tokens, 0)) if call.status == "timeout" else (0,))
        kinds[call.status in REFUSED, call.status, call.cost_nano > 0] += 1
        if call.cost_nano not in allowed:
            wrong.append(call)
    assert wrong == []
    assert kinds[False, "timeout", True] and kinds[False, "timeout", False]  # both kinds of timeout occur


def test_a_timed_out_call_with_a_long_prompt_costs_its_input_at_the_long_price():
    at = parse_timestamp("2026-01-01")
    tariff = Tariff(1_000_000, 2_000_000, 100, 3_000_000, 4_000_000)
    lines, _ = render([(at, 1000, "b,", ",a\n", [100, 101], [7, 7], tariff, Pace(1.0, 1.0, 1.0), 1.0,
                        (BILLED_TIMEOUT,), 0)], at + MS_PER_DAY)
    assert [line.split(",")[2:6] for line in lines] == [["100", "0", "100", "0.000100000"],
                                                        ["101", "0", "101", "0.000303000"]]


def test_no_client_waits_longer_than_its_patience():
    """An answer that takes longer ends as a timeout that costs its input; one that takes as long is a success."""
    at = parse_timestamp("2026-01-01")
    texts, tariff = ("b,", ",a\n"), Tariff(1_000_000, 2_000_000, 1 << 62, 0, 0)
    rows = []
    for slow in (0.5, 1.0, 2.0):  # the pool's first factors of luck lie around 1
        lines, _ = render([(at, 1000, *texts, [100] * 20, [7] * 20, tariff, Pace(PATIENCE_MS * slow, 0.0, 0.0), 0.0,
                            (), 0)], at + MS_PER_DAY)
        rows += [line.strip().split(",")[2:8] for line in lines]
    waited = [row for row in rows if row[5] == "timeout"]
    answered = [row for row in rows if row[5] == "success"]
    assert len(waited) > 10 and len(answered) > 10 and len(waited) + len(answered) == len(rows)
    assert max(int(row[4]) for row in answered) <= PATIENCE_MS
    assert all(PATIENCE_MS <= int(row[4]) < PATIENCE_MS + 1000 for row in waited)
    assert {tuple(row[:4]) for row in waited} == {("100", "0", "100", "0.000100000")}


def test_a_session_is_cut_at_the_end_of_the_calendar():
    end = parse_timestamp("2026-01-02")
    session = (end - 5000, 1000, "b,", ",a\n", [1] * 50, [1] * 50, Tariff(1, 1, 1 << 62, 0, 0), Pace(1.0, 1.0, 1.0),
               0.0, (), 0)
    lines, ends = render([session], end)
    assert 0 < len(lines) < 50 and ends == [len(lines)]
    assert all(parse_timestamp(line.split(",", 1)[0]) < end for line in lines)
    assert len(render([session], end + MS_PER_DAY)[0]) == 50


def test_customers_keep_organisation_tier_archetype_and_price_through_the_log(log):
    kept = defaultdict(set)
    for call in log.calls:
        kept[call.customer_id].add((call.organization_id, call.subscription_tier, call.tier_price_nano,
                                    call.customer_archetype))
    assert {name for name, seen in kept.items() if len(seen) > 1} == set()
    assert {(tier, nano // 10 ** 9) for seen in kept.values() for _, tier, nano, _ in seen} == {
        ("starter", 29), ("pro", 99), ("enterprise", 299)}


def test_customers_call_from_their_home_region(log):
    leaked = {one["scope"]["customer_id"] for one in log.run["incidents"] if one["kind"] == "leaked_key"}
    regions = defaultdict(Counter)
    for call in log.calls:
        regions[call.customer_id][call.region] += 1
    home = {name: max(count.values()) / sum(count.values()) for name, count in regions.items()
            if name not in leaked and sum(count.values()) >= FEW_CALLS}
    assert len(home) > 60
    at_home = sum(max(count.values()) for count in regions.values())
    assert at_home / len(log.calls) > 0.96
    assert sum(share >= AT_HOME for share in home.values()) / len(home) > 0.95
    assert sum(share < 1 for share in home.values()) > 20  # and yet people travel


def test_no_call_lies_outside_the_calendar(log):
    stamps = [call.timestamp_ms for call in log.calls]
    assert parse_timestamp("2026-01-01") <= min(stamps) < parse_timestamp("2026-01-02")
    assert parse_timestamp("2026-03-31") <= max(stamps) < parse_timestamp("2026-04-01")
    assert len({stamp // MS_PER_DAY for stamp in stamps}) == 90


def test_the_file_grows_in_time_order_of_its_slices(log):
    """A slice is a day: each begins behind the one before, and holds sessions that began on its day."""
    data, position = log.path.read_bytes(), len(HEADER) + 1
    assert len(log.run["slice_bytes"]) == 90
    for number, size in enumerate(log.run["slice_bytes"]):
        rows = data[position:position + size].decode("ascii").splitlines()
        stamps = [parse_timestamp(row.split(",", 2)[1]) for row in (rows[0], rows[-1])]
        day = parse_timestamp("2026-01-01") + number * MS_PER_DAY
        every = [row.split(",", 2)[1] for row in rows]
        assert day_of(parse_timestamp(min(every))) == day_of(day)
        assert parse_timestamp(max(every)) < day + 2 * MS_PER_DAY
        assert day <= stamps[0] < day + 12 * MS_PER_HOUR  # the first scenario's first call
        position += size
    assert position == len(data)


def test_all_scenarios_take_turns_in_every_slice_with_equal_shares_of_the_calls(log):
    names = list(log.run["rows"])
    assert len(names) == 12 and sum(log.run["rows"].values()) == len(log.calls)
    owner = log.run["organizations"]
    counts = Counter(owner[call.organization_id] for call in log.calls)
    assert counts == log.run["rows"]
    # Equal in expectation; the spike of a few days and its few big customers stray by a sixth.
    assert all(count / len(log.calls) == pytest.approx(1 / 12, rel=0.25) for count in counts.values())
    days = Counter((owner[call.organization_id], day_of(call.timestamp_ms)) for call in log.calls)
    assert all(sum((name, day_of(parse_timestamp("2026-01-01") + number * MS_PER_DAY)) in days
                   for number in range(90)) >= 85 for name in names)
    assert len(set(owner.values())) == 12


def test_every_customer_who_left_is_in_the_truth_with_the_day_and_is_not_seen_again(log):
    left = {one["customer_id"]: parse_timestamp(one["at"]) for one in log.run["left"]}
    joined = {one["customer_id"]: parse_timestamp(one["at"]) for one in log.run["joined"]}
    assert len(left) > 30 and len(joined) > 30
    # Only a session that began before the customer left may still end.
    over_hour = [call for call in log.calls if call.timestamp_ms >= left.get(call.customer_id, 1 << 62) + MS_PER_HOUR]
    early = [call for call in log.calls if call.timestamp_ms < joined.get(call.customer_id, 0)]
    assert over_hour == [] and early == []
    gone = max(left.values())
    assert len({call.customer_id for call in log.calls if call.timestamp_ms >= gone}) > 100


@pytest.fixture(scope="module")
def chapters(tmp_path_factory):
    """Return a log of three chapters: a story, its continuation, and one of another seed; with its truth."""
    path = tmp_path_factory.mktemp("chapters") / "calls.csv"
    simulate(path, 3, "--seed", 5, *START, "--days", 30)
    first = path.read_bytes()
    simulate(path, 6, "--seed", 5, "--days", 30, "--append")
    simulate(path, 7, "--seed", 6, "--days", 10, "--append")
    assert path.read_bytes().startswith(first)
    return read_calls(path), read_truth(path)


def told_in(chapters, number):
    """Return the calls of one chapter."""
    calls, runs = chapters
    return [call for call in calls if call.call_id.split("-")[1] == runs[number]["run"]]


def test_chapters_follow_each_other_with_ids_of_their_own_up_to_their_sizes(chapters):
    calls, runs = chapters
    assert [one["start"][:10] for one in runs] == ["2026-01-01", "2026-01-31", "2026-03-02"]
    assert all(one["complete"] for one in runs)
    assert len({call.call_id for call in calls}) == len(calls)
    for number, one in enumerate(runs):
        told = told_in(chapters, number)
        assert len(told) == sum(one["rows"].values()) > 3000
        assert parse_timestamp(one["start"]) <= min(call.timestamp_ms for call in told)
        assert max(call.timestamp_ms for call in told) < parse_timestamp(one["end"])
        size = one["spec"]["begin_bytes"] + sum(one["slice_bytes"])
        assert abs(size / one["spec"]["target_bytes"] - 1) <= SIZE_TOLERANCE


def test_in_a_later_chapter_who_left_stays_away_and_who_joined_is_there_from_its_start(chapters):
    _, runs = chapters
    left, joined = ({one["customer_id"] for one in runs[0][what]} for what in ("left", "joined"))
    before, later = ({call.customer_id for call in told_in(chapters, number)} for number in (0, 1))
    assert left & before and not left & later
    assert not (left | joined) & {one["customer_id"] for one in runs[1]["joined"]}
    assert not left & {one["customer_id"] for one in runs[1]["left"]}
    stayed = (joined - left) & before
    first_days = {call.customer_id for call in told_in(chapters, 1)
                  if call.timestamp_ms < parse_timestamp("2026-02-10")}
    assert len(stayed) > 25 and len(stayed & first_days) / len(stayed) > 0.6  # some call on few days


def test_in_a_later_chapter_others_leave_and_newcomers_take_the_places_of_who_left(chapters):
    _, runs = chapters
    left = {one["customer_id"] for one in runs[0]["left"]}
    newcomers = {one["customer_id"] for one in runs[1]["joined"]}
    assert len(newcomers) == len(left) and min(newcomers) == "cust_0501"
    assert {one["customer_id"] for one in runs[1]["left"]} - left - newcomers
    seen = [call for call in told_in(chapters, 1) if call.customer_id in newcomers]
    assert len({call.customer_id for call in seen}) > len(newcomers) / 2
    came = {one["customer_id"]: parse_timestamp(one["at"]) for one in runs[1]["joined"]}
    assert all(call.timestamp_ms >= came[call.customer_id] for call in seen)


def test_through_chapters_customers_stay_who_they_are_and_organisations_keep_their_scenario(chapters):
    _, runs = chapters
    kept, regions = defaultdict(set), defaultdict(lambda: (Counter(), Counter()))
    for number in (0, 1):
        for call in told_in(chapters, number):
            kept[call.customer_id].add((call.organization_id, call.subscription_tier, call.customer_archetype))
            regions[call.customer_id][number][call.region] += 1
    assert {name for name, seen in kept.items() if len(seen) > 1} == set()
    homes = [[found.most_common(1)[0][0] for found in both] for both in regions.values()
             if min(sum(found.values()) for found in both) > 40]
    assert len(homes) > 50 and sum(one != other for one, other in homes) <= 1  # a long trip, or a leaked key
    owners = [one["organizations"] for one in runs]
    assert all(owners[1][name] == owners[0][name] for name in owners[0])


def test_a_chapter_of_another_seed_has_customers_and_organisations_of_its_own(chapters):
    _, runs = chapters
    people = [{call.customer_id for call in told_in(chapters, number)} for number in range(3)]
    assert not people[2] & (people[0] | people[1]) and len(people[2]) > 200
    assert not set(runs[2]["organizations"]) & (set(runs[0]["organizations"]) | set(runs[1]["organizations"]))


def test_a_chapters_days_are_not_those_of_the_chapter_before(chapters):
    """The same seed again is not the same chance: who calls on the first day differs."""
    first_days = [{call.customer_id for call in told_in(chapters, number) if call.timestamp_ms < start + MS_PER_DAY}
                  for number, start in ((0, parse_timestamp("2026-01-01")), (1, parse_timestamp("2026-01-31")))]
    assert len(first_days[0] & first_days[1]) < 0.75 * min(map(len, first_days))


def test_a_model_that_is_withdrawn_between_chapters_is_replaced(tmp_path):
    path = tmp_path / "calls.csv"
    simulate(path, 1, "--seed", 5, "--start", "2025-01-01", "--days", 20)
    simulate(path, 2, "--seed", 5, "--start", "2026-03-01", "--days", 20, "--append")
    catalog = load_catalog()
    models = [{(call.provider, call.model) for call in told_in((read_calls(path), read_truth(path)), number)}
              for number in (0, 1)]
    withdrawn = {one for one in models[0] if (catalog.find(*one).retired or date.max) < date(2026, 3, 1)}
    assert withdrawn and not withdrawn & models[1]


def test_a_run_that_ended_just_under_its_size_is_not_given_a_tiny_chapter(tmp_path):
    path = tmp_path / "calls.csv"
    simulate(path, 1, *START, "--days", 3)
    before, size = path.read_bytes(), path.stat().st_size
    ran = run(SIMULATE, (size + 9_000) / 1e6, "--days", 3, "--append", "--output", path)
    assert ran.code == 2 and ran.err == f"error: {path} has 1.0 MB already: give a size above that, in MB\n"
    assert path.read_bytes() == before and len(read_truth(path)) == 1
    simulate(path, (size + 20_000) / 1e6, "--days", 3, "--append")
    assert len(read_truth(path)) == 2


def test_a_truth_of_another_version_is_one_line_that_says_what_to_do(tmp_path):
    path = tmp_path / "calls.csv"
    simulate(path, 0.1, *START, "--days", 3)
    truth = path.with_suffix(".truth.json")
    document = json.loads(truth.read_text(encoding="utf-8"))
    del document["runs"][0]["spec"]["cohorts"]
    truth.write_text(json.dumps(document), encoding="utf-8")
    ran = run(SIMULATE, 0.2, "--days", 3, "--append", "--output", path)
    assert ran.code == 1 and ran.err.count("\n") == 1 and str(truth) in ran.err and "--overwrite" in ran.err


def test_call_ids_stay_unique_over_appended_runs_of_other_seeds_and_scenarios(tmp_path):
    path = tmp_path / "calls.csv"
    simulate(path, 0.2, "--seed", 1, *START, "--days", 3)
    simulate(path, 0.4, "--seed", 2, *START, "--days", 3, "--append")
    simulate(path, 0.6, "--seed", 1, *START, "--days", 3, "--append", "--scenarios", "viral_spike")
    simulate(path, 0.8, "--seed", 1, *START, "--days", 3, "--append", "--scenarios", "viral_spike")
    calls = read_calls(path)
    assert len(read_truth(path)) == 4 and len({call.call_id for call in calls}) == len(calls) > 2000


def test_a_killed_run_that_is_gone_on_with_is_the_file_of_an_uninterrupted_one(log, tmp_path):
    path = tmp_path / "calls.csv"
    command = [sys.executable, str(SIMULATE), "20", "--seed", "1", *START, "--output", str(path), "--quiet"]
    victim = subprocess.Popen(command + ["--workers", "2"], stdout=subprocess.DEVNULL)
    while victim.poll() is None and not (path.exists() and path.stat().st_size >= 4e6):
        time.sleep(0.005)
    victim.send_signal(signal.SIGKILL)
    assert victim.wait() == -signal.SIGKILL
    ended = run(SIMULATE, 20, "--seed", 1, *START, "--output", path, "--append", "--json")
    assert ended.code == 0 and '"resumed": true' in ended.out
    assert path.read_bytes() == log.path.read_bytes()
    assert [{**one, "run": ""} for one in read_truth(path)] == [{**log.run, "run": ""}]


def test_the_seeds_example_writes_two_days_of_bursts(tmp_path):
    path = tmp_path / "burst.csv"
    sim = BurstTrafficSimulator(output_path=str(path), seed=42)
    sim.write_csv_header()
    assert path.read_bytes() == HEADER.encode("ascii") + b"\n"
    rows = sim.run(duration_hours=48, base_calls_per_hour=60)
    calls = read_calls(path)
    assert len(calls) == rows and len({call.call_id for call in calls}) == rows
    assert all(not call.faults() for call in calls)
    stamps = [call.timestamp_ms for call in calls]
    assert max(stamps) - min(stamps) < 48 * MS_PER_HOUR and max(stamps) < time.time() * 1000
    # 60 an hour where the volume is 1; the customers' days alone stray by a half over so short a time.
    expected = 60 * sum(sim.volume(sim.calendar.moment(sim.calendar.start_ms + hour * MS_PER_HOUR))
                        for hour in range(48))
    assert 0.4 * expected < rows < 2 * expected
    assert BurstTrafficSimulator(path, 42).run(duration_hours=2, base_calls_per_hour=60) > 0
    assert len({call.call_id for call in read_calls(path)}) == len(read_calls(path)) > rows
