"""Everything that becomes part of the SavedModel, and its training."""
