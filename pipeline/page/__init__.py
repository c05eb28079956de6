"""Pages for people: sections of blocks, shown on a terminal or written as one HTML file."""
