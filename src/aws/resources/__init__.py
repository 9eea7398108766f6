"""What stands in an AWS account: one file a service, found by its presence."""
