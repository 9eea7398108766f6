"""The descriptions of pages: what they name is in the results, and they can be drawn of any log."""
from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

import pytest
from builders import call, dataset_of

import blocks as b
from analyzers.base import Analyzer, discover_analyzers
from analyzers.wording import NO_CALLS
from calls.record import HEADER, AICall
from config import Settings
from conftest import ROOT, run, simulate
from generators.files import as_json
from generators.html_generator import HTMLReportGenerator, Page
from generators.site import homes
from page_places import is_there, named
from rollup.dataset import Dataset, load_dataset

ANALYZERS = discover_analyzers()
LARGEST_PAGE = 200_000  # bytes
DOLLAR = 1_000_000_000
HOSTILE = "</script><img src=x onerror=alert(1)>\u202e=cmd|'\"& \u2028"
TRACE = "TIMESTAMP,ContextTokens,GeneratedTokens\n" + "".join(
    f"2024-05-{day:02d} {hour:02d}:00:00.000000+00:00,{100 * hour + 1},{10 + hour}\n"
    for day in range(10, 14) for hour in range(24))


def steady(days: int = 28, hours: Sequence[int] = (0, 8, 16, 23), **changes: Any) -> List[AICall]:
    """Return a call at each of these hours of the days of a February."""
    return [call(call_id=f"c-{'-'.join(map(str, changes.values()))}-{day}-{hour}",
                 timestamp=f"2026-02-{day:02d}T{hour:02d}:30Z", **changes)
            for day in range(1, days + 1) for hour in hours]


def troubled() -> List[AICall]:
    """Return what a well-run log has none of: a spike, calls of nobody, all kinds of failures, unknown costs."""
    calls = [one for place in range(8) for one in steady(cost_nano=DOLLAR // 4, customer_id=f"cust_{place}")]
    calls += [call(call_id=f"spike-{place}", timestamp=f"2026-02-20T{place % 24:02d}:10:00Z", customer_id="cust_1",
                   cost_nano=DOLLAR // 4) for place in range(160)]
    calls += steady(organization_id="unattributed", customer_id="cust_8")
    for status in ("timeout", "rate_limit", "auth_error", "server_error"):
        calls += steady(3, status=status, customer_id="cust_9", output_tokens=0)
    return calls + steady(4, cost_nano=None, model="house-model")


def improvable() -> List[AICall]:
    """Return what could be done better: prompts to cache, regions that are slow, prices that miss use."""
    calls = steady(hours=range(24), customer_id="reader", feature_id="read", input_tokens=50_000, model="gpt-5-mini",
                   cost_nano=12_600_000)
    calls += steady(hours=range(24), customer_id="near", region="us-east-1", latency_ms=900)
    calls += steady(hours=range(24), customer_id="far", region="us-west-2", latency_ms=4000)
    for place in range(10):
        calls += steady(customer_id=f"small_{place}", tier_price_nano=29 * DOLLAR, subscription_tier="starter")
    return calls + steady(2, customer_id="dear", tier_price_nano=999 * DOLLAR, subscription_tier="enterprise")


def damaged(path: Path) -> Dataset:
    """Return a log with bad rows, days without a call, and a customer of two kinds."""
    calls = [one for one in steady(20, cost_nano=None, model="gpt-4o") if one.to_row()[1][:10] != "2026-02-10"]
    calls += steady(3, customer_archetype="light")
    rows = [one.to_row() for one in calls] + [["bad"] * 19, ["short"]]
    path.write_text("\n".join([HEADER, *map(",".join, rows)]) + "\n", encoding="utf-8")
    return load_dataset(path)


class Logs:
    """Some logs, counted, and what analysers find in them."""

    def __init__(self, folder: Path) -> None:
        """Simulate one, import one, and make the others by hand."""
        simulate(folder / "sample.csv", 5, "--seed", 3, "--start", "2026-01-01")
        (folder / "trace.csv").write_text(TRACE, encoding="utf-8")
        ran = run(ROOT / "src" / "import_calls.py", folder / "trace.csv", "--provider", "azure", "--model", "gpt-4o",
                  "--output", folder / "azure.csv", "-q")
        assert ran.code == 0, ran.err
        names = dict.fromkeys(("customer_id", "organization_id", "feature_id", "model", "provider"), HOSTILE)
        self.datasets: Dict[str, Dataset] = {
            "empty": dataset_of([]), "one row": dataset_of([call()]), "one day": dataset_of(steady(1)),
            "nothing known": dataset_of([call(cost_nano=None, latency_ms=None)]),
            "troubled": dataset_of(troubled()), "improvable": dataset_of(improvable()),
            "damaged": damaged(folder / "damaged.csv"), "hostile": dataset_of(steady(region="x" * 10_000, **names)),
            "sample": load_dataset(folder / "sample.csv"), "azure": load_dataset(folder / "azure.csv")}
        self._results: Dict[Tuple[str, str], Dict[str, Any]] = {}

    def results(self, identity: str, log: str) -> Dict[str, Any]:
        """Return what an analyser finds in a log."""
        if (identity, log) not in self._results:
            analyzer = ANALYZERS[identity](dataset=self.datasets[log], settings=Settings(monthly_budget_usd=20.0))
            self._results[identity, log] = analyzer.analyze()
        return self._results[identity, log]


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Logs:
    return Logs(tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="session")
def generator() -> HTMLReportGenerator:
    """Return a generator that knows all pages."""
    found = list(ANALYZERS.values())
    return HTMLReportGenerator([Page(one.id, one.title, one.category) for one in found], homes(found))


def described(analyzer: Any) -> Tuple[Any, ...]:
    """Return all blocks and cards that an analyser describes its page and its highlights with."""
    return (*b.walk(analyzer.page), *analyzer.highlights)


@pytest.mark.parametrize("identity", ANALYZERS)
def test_every_place_that_a_page_names_holds_something_in_some_log(identity: str, logs: Logs) -> None:
    places = {place for block in described(ANALYZERS[identity]) for place in named(block) if any(place)}
    found = [logs.results(identity, name) for name in ("sample", "troubled", "improvable", "damaged")]
    assert places
    assert sorted(place for place in places if not any(is_there(place, results) for results in found)) == []


@pytest.mark.parametrize("identity", ANALYZERS)
def test_a_page_is_drawn_of_any_log_from_memory_as_from_its_file(identity: str, logs: Logs,
                                                                generator: HTMLReportGenerator) -> None:
    for name in logs.datasets:
        results = logs.results(identity, name)
        page = generator.page(ANALYZERS[identity], results)
        assert page == generator.page(ANALYZERS[identity], json.loads(as_json(results))), name
        assert HOSTILE not in page, name
        assert len(page.encode("utf-8")) <= LARGEST_PAGE, name


@pytest.mark.parametrize("identity", ANALYZERS)
def test_highlights_are_drawn_of_any_log(identity: str, logs: Logs, generator: HTMLReportGenerator) -> None:
    for name in logs.datasets:
        generator.begin("index", generator.homes)
        for one in ANALYZERS[identity].highlights:
            results = logs.results(identity, name)
            assert generator.card(one, results) if isinstance(one, b.Card) else generator.draw(one, results)


@pytest.mark.parametrize("identity", ANALYZERS)
def test_a_headline_is_a_sentence_and_claims_nothing_of_an_empty_log(identity: str, logs: Logs) -> None:
    assert logs.results(identity, "empty")["headline"] in (None, NO_CALLS)
    for name in logs.datasets:
        headline = logs.results(identity, name)["headline"]
        assert headline is None or headline.endswith(".") and "None" not in headline.replace("None of ", ""), name
    assert len(logs.results(identity, "sample")["headline"]) > len(NO_CALLS)


@pytest.mark.parametrize("identity", ANALYZERS)
def test_a_page_answers_top_down_figures_first_and_says_why_a_part_is_empty(identity: str) -> None:
    page = ANALYZERS[identity].page
    assert isinstance(page[0], b.Cards) and 3 <= len(page[0].cards) <= 6
    charts = [block for block in b.walk(page) if isinstance(block, b.Chart)]
    assert 2 <= len(charts) <= 8
    assert all(block.title for block in b.walk(page) if isinstance(block, (b.Chart, b.Table, b.Section)))


def test_every_id_has_one_home() -> None:
    keys = Counter(block.key for analyzer in ANALYZERS.values() for block in b.walk(analyzer.page)
                   if isinstance(block, b.Table) and block.key)
    assert set(keys) >= {"customer", "organization", "feature", "model", "provider", "region"}
    assert set(keys.values()) == {1}


def test_the_summary_has_what_a_finance_lead_asks_first() -> None:
    told = {identity: [one.path for one in analyzer.highlights] for identity, analyzer in ANALYZERS.items()
            if analyzer.highlights}
    assert set(told) >= {"understanding", "profitability", "realtime", "abuse_detection", "optimization", "alignment",
                         "churn_growth"}
    assert {"summary.current_cost", "forecast.total", "what_changed.drivers"} <= set(told["understanding"])


def test_each_figure_of_the_summary_has_a_course_in_a_log_of_some_length(logs: Logs,
                                                                         generator: HTMLReportGenerator) -> None:
    drawn = {}
    for identity, analyzer in ANALYZERS.items():
        generator.begin("index", generator.homes)
        for one in analyzer.highlights:
            results = logs.results(identity, "sample")
            drawn[one.path] = generator.card(one, results) if isinstance(one, b.Card) else generator.draw(one, results)
    assert len(drawn) >= 9
    assert [path for path, markup in drawn.items() if 'class="spark" role="img"' not in markup] == []
    assert len(re.findall('class="spark"', drawn["what_changed.drivers"])) == 3


class Misnamed(Analyzer):
    """An analyser whose page names what is not there; it has no id and so is not discovered."""

    page = (b.Bars("by_provider", "Spend", label="provider", values=("costs",)),
            b.Table("by_provider", "Spend", columns=("provider", "cots"), key="model"), b.Notes("note"),
            b.Cards(cards=(b.Card("summary.spend", "Spend", change="summary.chnge", spark="daily.costs"),)))


def test_what_is_not_there_is_noticed(logs: Logs) -> None:
    results = logs.results("understanding", "sample")
    missing = {place[:2] for block in described(Misnamed) for place in named(block) if not is_there(place, results)}
    assert missing == {("by_provider", "costs"), ("by_provider", "cots"), ("by_provider", "model"), ("note", ""),
                       ("summary.spend", ""), ("summary.chnge", ""), ("daily", "costs")}
