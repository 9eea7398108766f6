"""Usage-based revenue: who is profitable, at which price, with which feature."""
