"""Standard usage."""
from __future__ import annotations

from simulator.core import AICallSimulator


class BaseTrafficSimulator(AICallSimulator):
    """Customers go about their days; nothing in particular happens."""

    id = "base_traffic"
    title = "Base traffic"
    description = "Standard usage: customers by archetype, days and weeks as they are"
    rank = 1
