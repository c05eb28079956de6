"""Text formats, one a file."""
