"""Asking AWS itself: connections, one place of patience, what asking costs, and answers kept on the disk."""
