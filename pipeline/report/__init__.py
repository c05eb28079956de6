"""The report of a run: one file a section, `build` puts them together."""
