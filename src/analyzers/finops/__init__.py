"""The five FinOps domains."""
