"""Engineering moves traffic to cheaper models; the cost of a call about halves."""
from __future__ import annotations

from random import Random
from typing import Dict, List

from catalog.prices import Model
from simulator.calendar import Moment
from simulator.core import AICallSimulator
from simulator.customers import Customer, Lane

BEGIN, END = 0.2, 0.8  # of the calendar
PRICE_RATIO = 0.3  # the cheaper model is the one nearest to this share of the dear one's price
COST_AFTER = 0.5  # what a call costs at the end, against the beginning


class CostOptimizationSimulator(AICallSimulator):
    """Features begin on models dearer than they need and move to cheaper ones until a call costs about half."""

    id = "cost_optimization"
    title = "Cost optimization"
    description = "Engineering moves traffic to cheaper models; cost per call about halves"
    rank = 9

    def prepare(self, people: List[Customer], chance: Random) -> List[Customer]:
        """Begin on standard models, and choose for each the cheaper one that it will move to."""
        dear = [one for one in self.models_on_sale() if one.capability == "standard" and one.popularity]
        self._cheaper: Dict[Model, Model] = {}
        self._moving: Dict[Model, float] = {}
        for model in dear:
            self._find_cheaper(model)
        able = sorted(self._cheaper, key=lambda one: (one.provider, one.model))
        if not able:
            return people
        return [one._replace(lanes=tuple(lane._replace(model=able[int(chance.random() * len(able))])
                                         for lane in one.lanes)) for one in people]

    def _find_cheaper(self, model: Model) -> None:
        price = self.price_of(model)
        ratios = [(self.price_of(one) / price, one) for one in self.cheaper_models(model)]
        good = [(abs(ratio - PRICE_RATIO), one.model, ratio, one) for ratio, one in ratios if ratio < COST_AFTER]
        if good:
            _, _, ratio, cheaper = min(good, key=lambda item: item[:2])
            self._cheaper[model] = cheaper
            self._moving[model] = (1 - COST_AFTER) / (1 - ratio)

    def choose_model(self, lane: Lane, moment: Moment, draw: float) -> Model:
        """Move a growing share of sessions, step by even step."""
        along = min(1.0, max(0.0, (moment.progress - BEGIN) / (END - BEGIN)))
        moved = draw < along * self._moving.get(lane.model, 0.0)
        return self._cheaper[lane.model] if moved else lane.model
