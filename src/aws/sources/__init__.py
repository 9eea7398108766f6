"""Where AWS costs come from: one file a source, each answering the same questions with the same digits."""
