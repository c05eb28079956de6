"""The rawbert command, one command a file."""
