"""From results to files: JSON, and pages that hold nothing the JSON does not."""
