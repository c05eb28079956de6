"""What a pushed SavedModel answers, a file for each task."""
