"""One training step in each framework; each imports its own alone."""
