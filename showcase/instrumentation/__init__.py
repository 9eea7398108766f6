"""Metering real calls: from one line to a sender that outlives its endpoint."""
