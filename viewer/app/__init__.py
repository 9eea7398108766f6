"""The viewer: an HTTP server on loopback that watches a call log, keeps its reports fresh, and starts jobs."""
