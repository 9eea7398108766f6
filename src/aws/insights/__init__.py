"""What to do about an AWS bill: rules, one file a rule or a few related ones; presence is registration."""
