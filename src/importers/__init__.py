"""Other tools' logs as calls, one file a format: a file that stands here is registered."""
