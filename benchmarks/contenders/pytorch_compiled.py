"""transformers on PyTorch, compiled for shapes that vary."""

from functools import partial

from contenders import pytorch

load = partial(pytorch.load, compiled=True)
