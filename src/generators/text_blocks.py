"""The blocks that are words and figures: cards, facts, notes, alerts, recommendations and comparisons."""
from __future__ import annotations

from dataclasses import replace
from typing import Any, Iterator, List, Mapping, Optional, Tuple, Union

import blocks as b
from generators.courses import course
from generators.formats import NUMERIC, full, kind_of, number, show, words
from generators.page_parts import TABLES, PageParts, at
from generators.templates import Markup, join, parts

FIRST_RECOMMENDATIONS = 6  # of which more are folded by the page's script
WORST_FIRST = ("critical", "high", "medium", "low")
_EMPTY = "Nothing to show: the log holds no data for this."
_NOTHING = Markup("")


class TextBlocks(PageParts):
    """Draws each kind of block by the method of its name."""

    def cards(self, block: b.Cards, results: Any) -> Markup:
        """Return a row of figures."""
        here = at(results, block.path)
        return _part("cards", cards=join(self.card(card, here) for card in block.cards), heading=heading(block))

    def card(self, card: b.Card, results: Any, href: str = "") -> Markup:
        """Return one figure with its change, interval, course and link (`href`: not to the card's report)."""
        value = at(results, card.path)
        kind = card.kind or kind_of(card.path.replace(".", "_"), value)
        href = href or (f"{card.report}.html" if card.report else "")
        title = _part("card_link", href=href, title=card.title) if href else _part("card_title", title=card.title)
        words_only = "" if kind in NUMERIC and value is not None else " words"
        return _part("card", title=title, value=figure(value, kind), words=words_only, chip=_chip(card, results),
                     interval=_interval(card, kind, results), note=_optional("note", card.note),
                     spark=course(card, results))

    def card_rows(self, block: b.CardRows, results: Any) -> Markup:
        """Return a card for each of the first rows, linked to the row of the id that is its title."""
        rows = [row for row in self.rows(block, results) if isinstance(row, Mapping)][:block.most]
        if not rows:
            return self.empty(block)
        cards = (self.card(replace(block.card, title=show(row.get(block.name))), row,
                           self.link(block.name, row.get(block.name)) or "") for row in rows)
        return _part("cards", cards=join(cards), heading=heading(block))

    def facts(self, block: b.Facts, results: Any) -> Markup:
        """Return named values as a list of terms."""
        here = at(results, block.path)
        terms = [_part("term", name=column.title or words(column.name), value=self._cell(column, value))
                 for column, value in _named(block, here)]
        return _part("facts", heading=heading(block), terms=join(terms)) if terms else self.empty(block)

    def _cell(self, column: b.Column, value: Any) -> Markup:
        text = figure(value, column.kind or kind_of(column.name, value))
        href = self.link(column.name, value)
        return _part("link", href=href, text=text) if href else text

    def notes(self, block: b.Notes, results: Any) -> Markup:
        """Return texts of the results as paragraphs."""
        found = at(results, block.path)
        texts = [found] if isinstance(found, str) else list(found or [])
        return _part("notes", heading=heading(block), notes=join(_part("paragraph", text=text) for text in texts)) \
            if texts else self.empty(block)

    def alerts(self, block: b.Alerts, results: Any) -> Markup:
        """Return rows with a severity as a list, the worst first, and how many are left out."""
        rows = [row for row in self.rows(block, results) if isinstance(row, Mapping)]
        rows.sort(key=lambda row: _severity_rank(row.get(block.severity)))
        if not rows:
            return self.empty(block)
        more = len(rows) - block.most
        return _part("alerts", heading=heading(block), more=_optional("more", f"{more:,} more" if more > 0 else ""),
                     alerts=join(self._alert(block, row) for row in rows[:block.most]))

    def _alert(self, block: b.Alerts, row: Mapping[str, Any]) -> Markup:
        severity = row.get(block.severity)
        texts = [self._said(name, row[name]) for name in block.text if row.get(name) is not None]
        value = figure(row.get(block.value), kind_of(block.value)) if row.get(block.value) is not None else _NOTHING
        return _part("alert", badge=figure(severity, b.BADGE), severity=_token(severity), text=join(texts), value=value)

    def _said(self, name: str, value: Any) -> Markup:
        """Return a part of an alert's sentence; its time stands apart, so that it is not read as part of the words."""
        text = self._cell(b.Column(name), value)
        return _part("when", text=text) if kind_of(name, value) in (b.DAY, b.TIME) else text

    def choices(self, block: b.Choices, results: Any) -> Markup:
        """Return a form of fields, each with what is chosen now."""
        found = at(results, block.path)
        if not isinstance(found, Mapping):
            return self.empty(block)
        fields = [_several(row, found["button"]) if row.get("kind") == "several" else
                  _part("field", name=row["name"], title=row["title"], input=_input(row)) for row in found["fields"]]
        return _part("choices", heading=heading(block), action=found["action"], button=found["button"],
                     fields=join(fields))

    def recommendations(self, block: b.Recommendations, results: Any) -> Markup:
        """Return what to do, the most dollars first, as the results order it."""
        rows = self.rows(block, results)
        if not rows:
            return _part("no_recommendation", text=block.empty or "Nothing to recommend on this evidence.")
        items = [_part("recommendation", action=row.get("action"), evidence=row.get("evidence"),
                       confidence=figure(row.get("confidence"), b.BADGE), dollars=_worth(row.get("monthly_usd")))
                 for row in rows]
        rest = items[FIRST_RECOMMENDATIONS:] if len(items) > FIRST_RECOMMENDATIONS + 1 else []
        more = _part("more_recommendations", count=f"{len(rest):,}", items=join(rest)) if rest else _NOTHING
        return _part("recommendations", title=block.title or "What to do", more=more,
                     items=join(items[:len(items) - len(rest)]))

    def comparison(self, block: b.Comparison, results: Any) -> Markup:
        """Return figures of now beside those of before, with their change."""
        here = at(results, block.path)
        lines = [self._compared(block, title, at(here, now), at(here, before), now)
                 for title, now, before in block.rows]
        lines = [line for line in lines if line]
        self.used.update([TABLES] if lines else [])
        return _part("comparison", heading=heading(block), now=block.names[0], before=block.names[1],
                     lines=join(lines)) if lines else self.empty(block)

    def _compared(self, block: b.Comparison, title: str, now: Any, before: Any, path: str) -> Markup:
        if now is None and before is None:
            return _NOTHING
        kind = block.kind or kind_of(path.replace(".", "_"), now if now is not None else before)
        old, new = number(before), number(now)
        share = (new - old) / old if new is not None and old else None
        return _part("compared", title=title, now=figure(now, kind), before=figure(before, kind),
                     chip=chip(share, block.rise))

    def empty(self, block: b.Block) -> Markup:
        """Return the written state of a block that has nothing to show."""
        return _part("empty", heading=heading(block), text=block.empty or _EMPTY)


def heading(block: b.Block) -> Markup:
    """Return a block's title and sentence, as far as it has them."""
    title = _optional("block_title", block.title)
    about = _optional("about", block.about)
    return join([title, about]) if title or about else _NOTHING


def figure(value: Any, kind: str) -> Markup:
    """Return a value as people read it, with all its digits on hover, unknown told apart, badges coloured."""
    if value is None:
        return _part("unknown", text=show(None))
    text = show(value, kind)
    if kind == b.BADGE:
        return _part("badge", token=_token(value), text=text.replace("_", " "))
    digits = full(value, kind)
    return _part("figure", full=digits, text=text) if digits and digits != text else _part("plain", text=text)


def chip(share: Any, rise: str) -> Markup:
    """Return a signed change with an arrow and what it means; nothing for an unknown one."""
    exact = number(share)
    if exact is None:
        return _NOTHING
    meaning = b.NEUTRAL if not exact or rise == b.NEUTRAL else \
        rise if exact > 0 else (b.GOOD if rise == b.BAD else b.BAD)
    arrow = "\u25b2" if exact > 0 else "\u25bc" if exact < 0 else "\u25cf"
    return _part("chip", meaning=meaning, arrow=arrow, text=show(exact, b.CHANGE))


def _chip(card: b.Card, results: Any) -> Markup:
    return chip(at(results, card.change), card.rise) if card.change else _NOTHING


def _interval(card: b.Card, kind: str, results: Any) -> Markup:
    kind = b.MONEY if kind == b.MONEY_CHANGE else kind  # what a change went from and to are amounts
    low, high = at(results, card.low) if card.low else None, at(results, card.high) if card.high else None
    return _NOTHING if low is None or high is None else _part("interval", low=show(low, kind), high=show(high, kind))


def _worth(monthly: Any) -> Markup:
    return _part("worth", dollars=figure(monthly, b.MONEY)) if monthly is not None else _part("no_worth")


def _named(block: b.Facts, here: Any) -> Iterator[Tuple[b.Column, Any]]:
    if not isinstance(here, Mapping):
        return
    chosen: List[Union[b.Column, str]] = list(block.names) or [
        name for name, value in here.items() if not isinstance(value, (Mapping, list, tuple))]
    for one in chosen:
        column = b.Column(one) if isinstance(one, str) else one
        yield column, at(here, column.name)


def _input(row: Mapping[str, Any]) -> Markup:
    if row.get("kind") == "date":
        return _part("date", name=row["name"], value=row["value"], least=row["least"], most=row["most"])
    options = [_part("chosen" if value == row["value"] else "option", value=value, text=text)
               for value, text in row["options"]]
    return _part("select", name=row["name"], options=join(options))


def _several(row: Mapping[str, Any], button: str) -> Markup:
    boxes = [_part("ticked" if value in row["value"] else "box", name=row["name"], value=value, text=text)
             for value, text in row["options"]]
    return _part("several", name=row["name"], title=row["title"], shown=row["shown"], boxes=join(boxes),
                 button=button)


def _severity_rank(severity: Any) -> Tuple[int, str]:
    text = str(severity)
    return (WORST_FIRST.index(text) if text in WORST_FIRST else len(WORST_FIRST), text)


def _token(value: Any) -> str:
    """Return a value as a word that can be a class; what cannot be one is "other"."""
    text = str(value)
    return text if text.isascii() and text.replace("_", "").replace("-", "").isalnum() else "other"


def _part(which: str, **values: Any) -> Markup:
    return parts("blocks.html")[which].fill(**values)


def _optional(name: str, text: Optional[str]) -> Markup:
    return _part(name, text=text) if text else _NOTHING
