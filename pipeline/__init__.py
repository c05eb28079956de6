"""Composes components into a TFX pipeline."""
