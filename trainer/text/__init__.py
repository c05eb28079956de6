"""Text operations that run inside the TensorFlow graph."""
