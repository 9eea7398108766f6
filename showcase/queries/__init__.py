"""Questions to a call log, asked of its counts."""
