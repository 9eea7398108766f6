"""Organisations that differ three to ten times."""
from __future__ import annotations

from random import Random
from typing import Dict, List

from simulator.calendar import Moment
from simulator.chance import shuffled
from simulator.core import AICallSimulator
from simulator.customers import Customer

LEAST_RATIO, MOST_RATIO = 3.0, 10.0


class MultiTenantSimulator(AICallSimulator):
    """The busiest organisation uses three to ten times what the calmest one does, for equal customers."""

    id = "multi_tenant"
    title = "Multi-tenant"
    description = "Organisations that differ 3x to 10x in how much their customers call"
    rank = 4

    def prepare(self, people: List[Customer], chance: Random) -> List[Customer]:
        """Give each organisation its factor, evenly spaced on a logarithmic scale."""
        self.factors: Dict[str, float] = {}
        # Cohort by cohort, so that an organisation keeps its factor when others come later.
        for cohort in sorted({one.cohort for one in people}):
            names = shuffled(chance, sorted({one.organization_id for one in people if one.cohort == cohort}))
            ratio = LEAST_RATIO + (MOST_RATIO - LEAST_RATIO) * chance.random()
            steps = max(1, len(names) - 1)
            self.factors.update({name: ratio ** (index / steps - 0.5) for index, name in enumerate(names)})
        return people

    def customer_volume(self, customer: Customer, moment: Moment) -> float:
        """Return the factor of the customer's organisation."""
        return self.factors[customer.organization_id]
