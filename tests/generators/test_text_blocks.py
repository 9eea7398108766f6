"""Figures and words: cards, facts, notes, alerts, recommendations and comparisons."""
from __future__ import annotations

import re

import pytest

import blocks as b
from generators.html_generator import HTMLReportGenerator
from generators.text_blocks import chip, figure


@pytest.fixture
def page():
    generator = HTMLReportGenerator(homes={"customer": "profitability"})
    generator.begin("spend", generator.homes)
    return generator


def text(markup: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", markup)).strip()


@pytest.mark.parametrize("share, rise, meaning, said", [
    (0.1, b.BAD, "bad", "\u25b2 +10.0 %"), (0.1, b.GOOD, "good", "\u25b2 +10.0 %"),
    (-0.1, b.BAD, "good", "\u25bc \u221210.0 %"), (-0.1, b.GOOD, "bad", "\u25bc \u221210.0 %"),
    (0.1, b.NEUTRAL, "neutral", "\u25b2 +10.0 %"), (0, b.BAD, "neutral", "\u25cf 0.0 %")])
def test_a_change_says_its_direction_in_words_and_what_it_means(share, rise, meaning, said):
    markup = chip(share, rise)
    assert text(markup) == said and f'"chip {meaning}"' in markup


def test_an_unknown_change_is_left_out_and_an_unknown_figure_is_told_apart():
    assert chip(None, b.BAD) == ""
    assert text(figure(None, b.MONEY)) == "unknown" and "muted" in figure(None, b.MONEY)


def test_a_card_shows_its_figure_with_all_digits_its_change_its_interval_and_its_link(page):
    card = b.Card("forecast.total", "Next 30 days", b.MONEY, change="change", rise=b.BAD, low="forecast.low",
                  high="forecast.high", note="an estimate", report="understanding")
    markup = page.card(card, {"forecast": {"total": "336.6123", "low": "240.39", "high": "432.83"}, "change": 0.5})
    assert text(markup) == "Next 30 days $336.61 \u25b2 +50.0 % $240.39 to $432.83 an estimate"
    assert 'title="336.6123"' in markup and 'href="understanding.html"' in markup


def test_a_card_without_its_value_says_unknown(page):
    card = b.Card("forecast.total", "Next", low="forecast.low", high="forecast.high")
    assert text(page.card(card, {"forecast": None})) == "Next unknown"


def test_facts_show_single_values_by_name_and_link_ids(page):
    markup = page.facts(b.Facts("top"), {"top": {"customer": "c1", "cost": "2", "days": 3, "rows": [1]}})
    assert text(markup) == "Customer c1 Cost $2.00 Days 3"
    assert 'href="profitability.html#customer-c1"' in markup


def test_facts_can_be_named_and_titled(page):
    markup = page.facts(b.Facts("top", names=(b.Column("cost", "Spend", b.COUNT), "inner.days")),
                        {"top": {"cost": "2", "inner": {"days": 3}}})
    assert text(markup).startswith("Spend 2 ") and text(markup).endswith(" 3")


@pytest.mark.parametrize("found, said", [
    ("one rule", "one rule"), (["a", "b"], "a b"), ([], "none yet"), (None, "none yet")])
def test_notes_are_the_words_of_the_results_or_a_written_state(page, found, said):
    assert text(page.notes(b.Notes("notes", empty="none yet"), {"notes": found})) == said


def test_alerts_come_worst_first_and_say_how_many_are_left_out(page):
    rows = [{"severity": severity, "text": severity + " one", "cost": "1"}
            for severity in ("low", "critical", "odd", "high")]
    markup = page.alerts(b.Alerts("alerts", most=3), {"alerts": rows})
    assert re.findall(r"\w+ one", text(markup)) == ["critical one", "high one", "low one"] and "1 more" in text(markup)


def test_an_alert_of_unheard_severity_cannot_write_its_own_class(page):
    markup = page.alerts(b.Alerts("alerts"), {"alerts": [{"severity": 'x" onclick="y', "text": "t"}]})
    assert "severity-other" in markup and 'onclick="' not in markup


def test_recommendations_carry_their_dollars_evidence_and_certainty(page):
    rows = [{"action": "Switch", "monthly_usd": "12.5", "evidence": "seen", "confidence": "high"},
            {"action": "Watch", "monthly_usd": None, "evidence": "seen too", "confidence": "low"}]
    assert text(page.recommendations(b.Recommendations(), {"recommendations": rows})) == (
        "What to do Switch seen $12.50 a month high Watch seen too not in dollars low")


def test_a_long_list_of_recommendations_is_folded_but_whole(page):
    rows = [{"action": f"Step {place}", "monthly_usd": None, "evidence": "seen", "confidence": "low"}
            for place in range(9)]
    markup = page.recommendations(b.Recommendations(), {"recommendations": rows})
    open_part, _, folded = markup.partition("<details")
    assert (open_part.count("class=\"action\""), folded.count("class=\"action\"")) == (6, 3) and "3 more" in folded
    assert "<details" not in page.recommendations(b.Recommendations(), {"recommendations": rows[:7]})


def test_a_comparison_shows_now_before_and_the_change(page):
    block = b.Comparison("growth", rows=(("Calls", "calls.now", "calls.before"), ("Cost", "cost.now", "cost.before"),
                                         ("Gone", "x", "y")), rise=b.BAD)
    markup = page.comparison(block, {"growth": {"calls": {"now": 90, "before": 100},
                                                "cost": {"now": "5", "before": None}}})
    assert text(markup).endswith("Calls 90 100 \u25bc \u221210.0 % Cost $5.00 unknown")


def test_the_time_of_an_alert_stands_apart_from_its_words(page):
    rows = [{"severity": "high", "text": "twice the level before", "time": "2026-01-02"}]
    markup = page.alerts(b.Alerts("alerts", text=("text", "time")), {"alerts": rows})
    assert '<span class="note">(2026-01-02)</span>' in markup and "twice the level before" in text(markup)
