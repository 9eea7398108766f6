"""Business stories told end to end, each from a log to a decision and what it was worth."""
