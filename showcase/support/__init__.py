"""What the examples share, so that each of them holds only what it is about."""
