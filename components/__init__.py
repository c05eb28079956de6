"""TFX components of ours."""
