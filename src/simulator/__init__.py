"""Simulated traffic: a population, twelve scenarios, planted incidents, and the engine that writes their calls."""
