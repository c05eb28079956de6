"""The encoder, the task heads and the checkpoint formats."""
