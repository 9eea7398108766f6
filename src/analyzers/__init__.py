"""The analysers: each asks the rollup its questions and returns plain data; a file that stands here is registered."""
