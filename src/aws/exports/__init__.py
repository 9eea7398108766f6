"""AWS cost exports as files: which files of a folder count, one module a format to read, and the writers."""
