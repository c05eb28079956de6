"""Where a pipeline runs, one a file."""
