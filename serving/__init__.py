"""Serves SavedModels; knows nothing of how they were made."""
