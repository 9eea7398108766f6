"""Planted incidents: all are there, in their windows, and the truth's calls and dollars are exactly what they added.

The ordinary traffic of a slice draws the same with and without incidents, so at equal scale a story can be told
twice and the difference is the incidents' doing.
"""
from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta
from typing import NamedTuple

import pytest
from simulator_logs import OFFSETS, START, settled, tables

from calls.record import AICall
from calls.values import parse_nano, parse_timestamp
from catalog.loader import load_catalog
from config import load_settings
from conftest import read_truth, simulate
from simulator import incidents
from simulator.calendar import MS_PER_DAY, MS_PER_HOUR, Calendar, local_hour
from simulator.chance import stream
from simulator.core import DAY_MINUTES, AICallSimulator
from simulator.customers import Lane, build_population, cohort_of
from simulator.incidents import KINDS, SEVERITIES, Disturbances, Incident, _stretches, no_disturbances, plan_incidents
from simulator.spec import StorySpec
from simulator.story import Story, discover_scenarios

SCALE = 0.06  # of the population's own rate: about the traffic of the 20 MB log
SESSION_HOURS = 3  # how long after an incident its last session may still run


class Twice(NamedTuple):
    """What one customer's calls are with and without incidents, and what the incidents say they added."""

    incident: Incident
    calls: list
    calls_without: list
    extra_calls: int
    extra_nano: int


def call_of(line: str) -> AICall:
    return AICall.from_row(line.split(","))


def told(cast, slices, disturbances):
    """Return all lines by customer, and what was booked on each incident."""
    lines, booked = defaultdict(list), defaultdict(lambda: [0, 0])
    for piece in slices:
        for scenario in cast:
            block = scenario.generate(piece, SCALE, "test", piece.number, disturbances)
            for line in b"".join(block.batches).decode().splitlines():
                lines[line.split(",", 3)[2]].append(line)
            for effect in block.effects:
                booked[effect.incident][0] += effect.calls
                booked[effect.incident][1] += effect.nano
    return lines, booked


@pytest.fixture(scope="module")
def story():
    spec = StorySpec(1, START, 90, 500, tuple(discover_scenarios()), 20_000_000, True, 221,
                     (cohort_of(500, START, 90),))
    return Story(spec, load_settings())


@pytest.fixture(scope="module")
def twice(story):
    """Return what each incident on a customer changed; storms hit many customers and are left out."""
    incidents = [one for one in story.incidents if one.customer_id]
    with_them, booked = told(story.cast, story.slices, Disturbances(incidents, tables()))
    without, nothing = told(story.cast, story.slices, no_disturbances)
    assert not nothing
    victims = {one.customer_id for one in incidents}
    numbers = {number: one.customer_id for number, one in enumerate(incidents)}
    assert len(victims) == len(incidents)  # each on another customer, so that their effects can be told apart
    assert all(len(with_them[name]) == len(lines) for name, lines in without.items() if name not in victims)
    return [Twice(incidents[number], list(map(call_of, with_them[name])), list(map(call_of, without[name])),
                  *booked[number]) for number, name in numbers.items()]


def test_without_incidents_none_are_planted(tmp_path):
    simulate(tmp_path / "calls.csv", 0.2, "--days", 9, "--no-incidents", "--start", "2026-01-01")
    [run] = read_truth(tmp_path / "calls.csv")
    assert run["incidents"] == [] and run["spec"]["incidents"] is False


def test_every_kind_and_every_severity_is_planted(log):
    assert Counter(one["kind"] for one in log.run["incidents"]) == dict.fromkeys(KINDS, 4)
    severities = Counter(one["severity"] for one in log.run["incidents"])
    assert set(severities) == set(SEVERITIES) and min(severities.values()) >= 4
    sizes = {name: {one["size"] for one in log.run["incidents"] if one["severity"] == name
                    and one["kind"] != "prompt_bloat"} for name in SEVERITIES}
    assert sizes == {"blatant": {8.0}, "strong": {4.0}, "clear": {2.0}, "mild": {1.0}, "subtle": {0.5}}


def test_every_incident_says_what_where_and_when_and_added_something(log):
    run, known = log.run, {call.customer_id for call in log.calls}
    for one in run["incidents"]:
        scope = one["scope"]
        assert run["start"] <= one["start"] < one["end"] <= run["end"]
        assert set(scope) == ({"provider", "region"} if one["kind"] == "retry_storm" else
                              {"customer_id", "feature_id", "region"} if one["kind"] == "leaked_key" else
                              {"customer_id", "feature_id"})
        assert scope.get("customer_id") in known | {None}
        assert bool(one["to_model"]) == (one["kind"] == "model_switch")
        assert parse_nano(one["extra_usd"]) == sum(pair[1] for pair in one["nano_by_day"].values()) > 0
        assert one["extra_calls"] == sum(pair[0] for pair in one["nano_by_day"].values())
        assert bool(one["extra_calls"]) == (one["kind"] not in ("prompt_bloat", "model_switch"))
        assert all(one["start"][:10] <= day <= one["end"][:10] for day in one["nano_by_day"])


@pytest.mark.parametrize("days", [1, 2, 7, 90])
def test_incidents_lie_inside_the_calendar_however_short_it_is(days):
    catalog = load_catalog()
    calendar = Calendar(START, days * 24)
    for seed in range(1, 16):
        people = build_population(catalog, seed, cohort_of(500, START, days))
        planned = plan_incidents(catalog, calendar, people, stream(seed, "incidents"))
        assert len({one.kind for one in planned}) >= len(KINDS) - 1  # a victim may have no dearer model to switch to
        outside = [one for one in planned if not calendar.start_ms <= one.start_ms < one.end_ms <= calendar.end_ms]
        assert outside == []


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "retry_storm"])
def test_the_truth_says_to_the_call_and_the_nano_dollar_what_an_incident_added(twice, kind):
    found = [one for one in twice if one.incident.kind == kind]
    assert len(found) == 4
    for one in found:
        nano = sum(call.cost_nano for call in one.calls) - sum(call.cost_nano for call in one.calls_without)
        assert (len(one.calls) - len(one.calls_without), nano) == (one.extra_calls, one.extra_nano)
        assert one.extra_nano > 0


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "retry_storm"])
def test_an_incident_touches_only_its_feature_in_its_window(twice, kind):
    for incident, calls, calls_without, _, _ in (one for one in twice if one.incident.kind == kind):
        plain = Counter(call[1:] for call in calls_without)
        changed = [call for call in calls if not plain[call[1:]]]
        assert changed
        for call in changed:
            assert call.feature_id == incident.feature_id
            assert incident.start_ms <= call.timestamp_ms < incident.end_ms + SESSION_HOURS * MS_PER_HOUR


def test_bloated_prompts_are_longer_by_the_size_of_their_incident(twice):
    for incident, calls, calls_without, _, _ in (one for one in twice if one.incident.kind == "prompt_bloat"):
        plain = Counter(call[1:] for call in calls_without)
        bloated = Counter(call[1:] for call in calls)
        taken = [sum(call[7] * count for call, count in part.items())
                 for part in (bloated - plain, plain - bloated)]
        assert taken[0] / taken[1] == pytest.approx(1 + incident.size, rel=0.01)  # prompts are whole tokens


def test_a_switched_feature_answers_from_the_dearer_model_alone(twice):
    for incident, calls, calls_without, _, _ in (one for one in twice if one.incident.kind == "model_switch"):
        plain = Counter(call[1:] for call in calls_without)
        changed = [call for call in calls if not plain[call[1:]]]
        assert {call.model for call in changed} == {incident.model.model}
        start = incident.start_ms + SESSION_HOURS * MS_PER_HOUR
        during = [call.model for call in calls if start <= call.timestamp_ms < incident.end_ms
                  and call.feature_id == incident.feature_id]
        assert set(during) <= {incident.model.model}


def test_a_leaked_key_calls_from_its_foreign_region_in_the_owners_night(twice):
    for incident, calls, calls_without, extra, _ in (one for one in twice if one.incident.kind == "leaked_key"):
        home = Counter(call.region for call in calls_without).most_common(1)[0][0]
        assert incident.region != home
        leaked = Counter(call[1:] for call in calls) - Counter(call[1:] for call in calls_without)
        assert sum(leaked.values()) == extra
        hours = Counter()
        for call, count in leaked.items():
            assert call[14] == incident.region
            hours[local_hour(call[0] // MS_PER_HOUR * MS_PER_HOUR, OFFSETS[home])] += count
        # Sessions begin between midnight and five; the last of a night may run on a little.
        assert sum(hours[hour] for hour in range(5)) > 0.8 * extra and not any(hours[hour] for hour in range(8, 24))


def test_rate_limit_hammering_is_mostly_refused(twice):
    for _, calls, calls_without, extra, _ in (one for one in twice if one.incident.kind == "rate_limit_hammering"):
        more = [sum(call.status == "rate_limit" for call in part) for part in (calls, calls_without)]
        assert (more[0] - more[1]) / extra > 0.6  # 85 % are expected of as few as a dozen calls


def test_a_retry_storm_adds_the_retries_that_the_truth_counts(story):
    storms = [one for one in story.incidents if one.kind == "retry_storm"]
    slices = [piece for piece in story.slices if any(one.start_ms - MS_PER_DAY < piece.start_ms < one.end_ms
                                                     for one in storms)]
    with_them, booked = told(story.cast, slices, Disturbances(storms, tables()))
    without, _ = told(story.cast, slices, no_disturbances)
    count = [sum(map(len, lines.values())) for lines in (with_them, without)]
    assert count[0] - count[1] == sum(calls for calls, _ in booked.values()) > 0


def test_a_retry_storm_shows_as_failures_and_slowness_in_its_provider_and_region(log):
    for storm in (one for one in log.run["incidents"] if one["kind"] == "retry_storm"):
        start, end = parse_timestamp(storm["start"]), parse_timestamp(storm["end"])
        place = storm["scope"]["provider"], storm["scope"]["region"]
        inside = [call for call in log.calls if (call.provider, call.region) == place
                  and start <= call.timestamp_ms < end]
        failed = sum(call.status != "success" for call in inside) / len(inside)
        before = [call for call in log.calls if call.provider == place[0] and call.region == place[1]
                  and start - 7 * MS_PER_DAY <= call.timestamp_ms < start]
        usual = sum(call.status != "success" for call in before) / len(before)
        # The mildest storm fails half of its calls; sessions from before the storm dilute that.
        assert failed > 0.25 and failed > 4 * usual
    blatant = next(one for one in log.run["incidents"] if one["kind"] == "retry_storm"
                   and one["severity"] == "blatant")
    assert blatant["size"] == 8.0


def test_a_runaway_loop_multiplies_its_customers_calls_in_the_log(log):
    for loop in (one for one in log.run["incidents"] if one["kind"] == "runaway_loop"):
        start, end = parse_timestamp(loop["start"]), parse_timestamp(loop["end"])
        stamps = [call.timestamp_ms for call in log.calls if call.customer_id == loop["scope"]["customer_id"]]
        during = sum(start <= at < end + SESSION_HOURS * MS_PER_HOUR for at in stamps)
        assert during >= loop["extra_calls"] > 0
        days = log.run["spec"]["days"]
        if loop["severity"] in ("blatant", "strong"):
            usual = (len(stamps) - loop["extra_calls"]) / days
            assert loop["extra_calls"] > 2 * usual


class OnLongPrompts(AICallSimulator):
    """Everybody codes with a model whose long prompts have other prices."""

    id = "on_long_prompts"

    def prepare(self, people, chance):
        def limit(model):
            longer = model.price_on(self.calendar.start).long_context
            return longer.above_input_tokens if longer else 1 << 62
        self.model = min(self.models_on_sale(), key=limit)
        self.limit = limit(self.model)
        return [one._replace(lanes=(Lane(self.feature("code_assistant"), self.model, 1.0),)) for one in people]


def test_what_a_bloat_added_is_exact_where_prompts_pass_the_long_context_limit():
    """Prompts beyond the limit would have cost the long price without the incident, too."""
    scenario = settled(OnLongPrompts, days=30, start=load_catalog().as_of + timedelta(1))
    victim = max(scenario.customers, key=lambda one: one.mean_calls)
    calendar = scenario.calendar
    bloat = Incident("incident_001", "prompt_bloat", "clear", calendar.start_ms, calendar.end_ms, 1.0,
                     victim.customer_id, "code_assistant")
    slices = calendar.slices(DAY_MINUTES)
    with_it, booked = told([scenario], slices, Disturbances([bloat], tables()))
    without, _ = told([scenario], slices, no_disturbances)
    calls, calls_without = ([call_of(line) for line in lines[victim.customer_id]] for lines in (with_it, without))
    assert sum(call.input_tokens > scenario.limit for call in calls_without) > 10
    assert sum(call.cost_nano for call in calls) - sum(call.cost_nano for call in calls_without) == booked[0][1]


@pytest.mark.parametrize("night", [(0, 5), (2, 6), (22, 24)])
def test_a_leaked_key_is_used_in_the_night_hours_of_its_owner(monkeypatch, night):
    monkeypatch.setattr(incidents, "NIGHT_HOURS", night)
    calendar = Calendar(START, 5 * 24)
    leak = Incident("one", "leaked_key", "clear", calendar.start_ms, calendar.end_ms, 2.0)
    for offset in OFFSETS.values():
        found = [stretch for piece in calendar.slices(DAY_MINUTES) for stretch in _stretches(leak, piece, offset)]
        hours = {local_hour(at, offset) for first, last, _ in found for at in range(first, last, MS_PER_HOUR)}
        assert hours == set(range(*night))
        assert sum(share for _, _, share in found) == pytest.approx(5, abs=0.5)


def test_the_calls_that_incidents_will_add_are_foreseen_for_the_size_of_each_slice(story, twice):
    """Of the kinds that add calls of their own; a retry storm's depend on who is hit."""
    foreseen = sum(scenario.expected_extra(piece, story._disturbances) for scenario in story.cast
                   for piece in story.slices)
    kinds = ("runaway_loop", "leaked_key", "rate_limit_hammering")
    added = sum(one.extra_calls for one in twice if one.incident.kind in kinds)
    # Chance of few sessions each: 12 incidents, whose numbers of calls spread by more than their mean.
    assert 0.5 < added / (foreseen * SCALE) < 2
