"""What the world sells, as data: providers, models, dated prices, tiers, archetypes, regions, features."""
