"""Where encoders and data come from, one a file."""
