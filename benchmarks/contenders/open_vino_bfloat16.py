"""OpenVINO in bfloat16."""

from functools import partial

from contenders import open_vino

load = partial(open_vino.load, precision="bf16")
