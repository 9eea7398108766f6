"""Saying whose call it was: built, checked, and tagged from the organisation down to the feature."""
