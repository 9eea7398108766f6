"""The reports on AWS cost: one file a report, drawn by the generator that draws those on calls."""
