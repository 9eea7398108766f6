"""One pass over the calls: exact, mergeable counts that answer every analyser's question."""
