"""A folder for PYTHONPATH: its `sitecustomize` keeps a process free of the training's modules."""
