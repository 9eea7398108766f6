"""From the GPT-4 class to Claude Sonnet, gradually."""
from __future__ import annotations

from random import Random
from typing import List

from catalog.prices import Model
from simulator.calendar import Moment
from simulator.core import AICallSimulator
from simulator.customers import Customer, Lane

BEGIN, END = 0.15, 0.85  # of the calendar; before, nobody has moved, and after, everybody has


class ModelMigrationSimulator(AICallSimulator):
    """All features run on OpenAI's GPT-4 family and move to Anthropic's Claude Sonnet session by session."""

    id = "model_migration"
    title = "Model migration"
    description = "Gradual move from the GPT-4 class to Claude Sonnet"
    rank = 5

    def prepare(self, people: List[Customer], chance: Random) -> List[Customer]:
        """Put every lane on a GPT-4 class model to begin with."""
        sources = self.models_on_sale("openai", "gpt-4")
        self._target = self.models_on_sale("anthropic", "claude-sonnet")[-1:]
        if not sources or not self._target:
            return people  # a calendar in which these models were not on sale
        return [one._replace(lanes=tuple(lane._replace(model=sources[int(chance.random() * len(sources))])
                                         for lane in one.lanes)) for one in people]

    def choose_model(self, lane: Lane, moment: Moment, draw: float) -> Model:
        """Move a growing share of sessions along a smooth step."""
        along = min(1.0, max(0.0, (moment.progress - BEGIN) / (END - BEGIN)))
        moved = along * along * (3 - 2 * along)
        return self._target[0] if self._target and draw < moved else lane.model
