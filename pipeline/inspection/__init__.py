"""What Transform made of a run's texts, and what is odd about them: one file a finding."""
