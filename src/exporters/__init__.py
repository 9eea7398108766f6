"""The call log for other tools, one file a format: a file that stands here is registered."""
