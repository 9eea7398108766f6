"""AWS cost, the second source of cost: where it comes from, what it adds up to, and what to do about it."""
