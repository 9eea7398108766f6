"""Customers leave for good, down to about 30 %."""
from __future__ import annotations

from random import Random
from typing import List

from simulator.chance import shuffled, total
from simulator.core import AICallSimulator
from simulator.customers import GONE, Customer

REMAINING = 0.3
FIRST_LEAVES, LAST_LEAVES = 0.08, 0.9  # of the calendar


class GradualDeclineSimulator(AICallSimulator):
    """One customer after the other leaves and does not come back, until 30 % of the traffic is left."""

    id = "gradual_decline"
    title = "Gradual decline"
    description = "Customers leave for good until about 30 % of the traffic is left"
    rank = 10

    def prepare(self, people: List[Customer], chance: Random) -> List[Customer]:
        """Choose who leaves: enough of the traffic, in random order, spread over the calendar.

        Newcomers of a later chapter come as they would elsewhere, and stay.
        """
        here = [one for one in people if one.left != GONE and not (one.cohort and one.joined)]
        target = (1 - REMAINING) * total([one.mean_calls for one in here])
        leaving, gone = {}, 0.0
        for one in shuffled(chance, here):
            # Whoever would overshoot by more than leaving would bring us closer stays.
            if gone + one.mean_calls / 2 < target:
                leaving[one.customer_id] = FIRST_LEAVES + (LAST_LEAVES - FIRST_LEAVES) * gone / target
                gone += one.mean_calls
        staying = {one.customer_id: one._replace(joined=0.0, left=leaving.get(one.customer_id)) for one in here}
        return [staying.get(one.customer_id, one) for one in people]
