"""Advanced analyses: the data itself, tokens, places, customers' comings and goings, abuse."""
