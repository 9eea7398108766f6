from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from builders import call, dataset_of
from hypothesis import given, settings, strategies as st

from analyzers.common import periods, usd, whole_days
from analyzers.decompose import Parts, Use, decompose
from analyzers.finops.understanding import BREAKDOWNS, CAUSES, UnderstandingAnalyzer, _is_most
from calls.values import parse_timestamp
from generators.files import as_json

uses = st.dictionaries(
    st.sampled_from([("openai", "a"), ("openai", "b"), ("azure", "a")]),
    st.builds(lambda good, bad, weighted, nano: Use(good + bad, good, weighted if good else 0, nano),
              st.integers(0, 10 ** 6), st.integers(0, 10 ** 4), st.integers(1, 10 ** 15), st.integers(0, 10 ** 15))
    .filter(lambda use: use.calls))


def at(day: int, hour: int = 12) -> int:
    return parse_timestamp("2026-01-01") + (day * 24 + hour) * 3_600_000


def results_of(calls):
    return UnderstandingAnalyzer(dataset=dataset_of(calls)).analyze()


@given(uses, uses)
@settings(max_examples=300)
def test_the_parts_of_a_change_add_up_to_it_exactly(before, after) -> None:
    parts = decompose(before, after)
    assert parts.total == sum(use.nano for use in after.values()) - sum(use.nano for use in before.values())


def test_each_cause_alone_is_found_as_that_cause() -> None:
    model = ("openai", "a")
    before = {model: Use(100, 80, 8000, 8000)}
    assert decompose(before, {model: Use(150, 120, 12_000, 12_000)}) == Parts(volume=4000)
    assert decompose(before, {model: Use(100, 40, 4000, 4000)}) == Parts(failed_calls=-4000)
    assert decompose(before, {model: Use(100, 80, 12_000, 12_000)}) == Parts(tokens_per_call=4000)
    assert decompose(before, {model: Use(100, 80, 8000, 9000)}) == Parts(price=1000)
    two = {model: Use(50, 50, 5000, 5000), ("openai", "b"): Use(50, 50, 5000, 15_000)}
    shifted = {model: Use(90, 90, 9000, 9000), ("openai", "b"): Use(10, 10, 1000, 3000)}
    assert decompose(two, shifted) == Parts(model_mix=-8000)


def test_the_seeds_example_works_as_written(log) -> None:
    analyzer = UnderstandingAnalyzer(str(log.path))
    results = analyzer.analyze()
    cost = sum(one.cost_nano for one in log.calls)
    assert results["summary"]["total_cost"] == Decimal(cost) / 10 ** 9
    assert f"Total cost: ${results['summary']['total_cost']:.2f}" == f"Total cost: ${cost / 1e9:.2f}"
    dearest = max({one.provider for one in log.calls},
                  key=lambda name: sum(one.cost_nano for one in log.calls if one.provider == name))
    assert results["by_provider"][0]["provider"] == dearest


def test_every_breakdown_adds_up_to_the_total(log) -> None:
    results = UnderstandingAnalyzer(str(log.path)).analyze()
    for name in BREAKDOWNS:
        rows = results[f"by_{name}"]
        assert sum(row["cost"] for row in rows) == results["summary"]["total_cost"], name
        assert sum(row["calls"] for row in rows) == len(log.calls), name
        assert rows == sorted(rows, key=lambda row: -row["cost"])


def test_changes_by_organization_feature_and_model_add_up_to_the_same_difference(log) -> None:
    results = UnderstandingAnalyzer(str(log.path)).analyze()
    summary, changed = results["summary"], results["what_changed"]
    difference = summary["current_cost"] - summary["previous_cost"]
    for name in ("organization", "feature", "model"):
        rows = changed[f"by_{name}"]
        assert sum(row["change"] for row in rows) == difference
        assert all(row["change"] == sum(row[part] for part in Parts._fields) for row in rows)


def test_a_partial_first_and_last_day_are_left_out_of_periods() -> None:
    calls = [call(call_id=f"{day}-{hour}", timestamp_ms=at(day, hour)) for day in range(20) for hour in range(24)]
    dataset = dataset_of(calls[10:-10])
    assert whole_days(dataset.rollup)[0] == "2026-01-02" and whole_days(dataset.rollup)[-1] == "2026-01-19"
    pair = periods(dataset.rollup)
    assert pair and (pair.current.first, pair.current.last) == ("2026-01-13", "2026-01-19")
    assert (pair.previous.first, pair.previous.last) == ("2026-01-06", "2026-01-12")


def test_a_period_is_at_most_thirty_days() -> None:
    calls = [call(call_id=str(day), timestamp_ms=at(day)) for day in range(100)]
    pair = periods(dataset_of(calls).rollup)
    assert pair and len(pair.current.days) == len(pair.previous.days) == 30
    assert pair.current.first == (date(2026, 1, 1) + timedelta(days=70)).isoformat()


def test_unpriced_calls_are_shown_and_never_free() -> None:
    results = results_of([call(call_id="1", cost_nano=None), call(call_id="2", cost_nano=7)])
    assert results["summary"]["unpriced_calls"] == 1 and results["summary"]["total_cost"] == usd(7)
    assert any("have no cost" in one["evidence"] for one in results["recommendations"])


def test_empty_single_and_uniform_logs_give_sensible_results() -> None:
    for calls in ([], [call()], [call(call_id=str(number)) for number in range(50)]):
        results = results_of(calls)
        assert results["summary"]["total_calls"] == len(calls) and results["what_changed"] is None
        json.loads(as_json(results))


def test_a_page_holds_the_figures_and_no_markup_of_the_log(tmp_path: Path) -> None:
    hostile = "</script><img src=x onerror=alert(1)>\x00"
    analyzer = UnderstandingAnalyzer(dataset=dataset_of([call(customer_id=hostile)]))
    text = Path(analyzer.generate_html_report(tmp_path / "page.html")).read_text(encoding="utf-8")
    assert "<img" not in text and "&lt;img src=x" in text and "\x00" not in text


def test_the_headline_tells_spend_change_and_cause_as_the_results_have_them(log) -> None:
    results = UnderstandingAnalyzer(str(log.path)).analyze()
    summary, changed = results["summary"], results["what_changed"]
    sign = 1 if changed["total"]["change"] > 0 else -1
    part = max(Parts._fields, key=lambda name: sign * changed["total"][name])
    first = max(changed["by_organization"], key=lambda row: sign * row[part])
    assert results["headline"].startswith(
        f"Spend was ${summary['current_cost']:,.2f} in the 30 days to {summary['current_period']['last']}, "
        f"{'up' if sign > 0 else 'down'} {abs(summary['cost_change']):.1%}".replace("%", " %"))
    assert CAUSES[part][sign > 0] in results["headline"] and f" at {first['organization']}." in results["headline"]


def test_headlines_claim_no_more_than_the_log_holds() -> None:
    def headline(calls):
        return results_of(calls)["headline"]

    def twice(before, after, **changes):
        return [call(call_id=f"c-{day}-{number}", timestamp_ms=at(day, hour), **(changes if day else {}))
                for day, count in ((0, before), (1, after)) for number, hour in enumerate([0, 23] * (count // 2))]

    assert headline([]) == "The log holds no calls yet."
    assert headline([call()]).startswith("Spend was $0.00060 for 1 call; the log is too short to compare")
    assert headline([call(cost_nano=None), call(call_id="c-2", cost_nano=None)]).startswith("What the 2 calls cost is")
    assert headline(twice(4, 6)) == ("Spend was $0.0036 in the day to 2026-01-02, up 50.0 %: mostly more calls, most "
                                     "of it at org_1.")
    assert headline(twice(4, 4)) == ("Spend was $0.0024 in the day to 2026-01-02, about as much as in the same time "
                                     "before.")
    assert "down 50.0 %: mostly lower prices" in headline(twice(4, 4, cost_nano=300_000))
    unpriced = [*twice(4, 6), call(call_id="c-x", timestamp_ms=at(1), cost_nano=None)]
    assert headline(unpriced).endswith("1 call without a known price cannot be in it.")


def test_causes_of_the_whole_change_add_up_to_it(log) -> None:
    changed = UnderstandingAnalyzer(str(log.path)).analyze()["what_changed"]
    assert [(row["cause"], row["change"]) for row in changed["by_cause"]] == [
        (name, changed["total"][name]) for name in Parts._fields]
    assert sum(row["change"] for row in changed["by_cause"]) == changed["total"]["change"]


def test_the_drivers_are_the_largest_changes_with_their_days(log) -> None:
    results = UnderstandingAnalyzer(str(log.path)).analyze()
    changed, days = results["what_changed"], [row["day"] for row in results["daily"][-60:]]
    drivers = changed["drivers"]
    assert [(one["organization"], one["change"]) for one in drivers] == [
        (row["organization"], row["change"]) for row in changed["by_organization"][:3]]
    for one in drivers:
        assert [row["day"] for row in one["daily"]] == days
        assert sum(row["cost"] for row in one["daily"][:30]) == one["previous_cost"]
        assert sum(row["cost"] for row in one["daily"][30:]) == one["current_cost"]
        assert one["current_cost"] - one["previous_cost"] == one["change"]


def test_a_cause_is_called_most_only_when_it_is() -> None:
    assert _is_most({"a": Decimal(6), "b": Decimal(4), "c": Decimal(-9)}, "a")
    assert not _is_most({"a": Decimal(6), "b": Decimal(4), "c": Decimal(3)}, "a")
