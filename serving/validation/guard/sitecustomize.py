"""Python runs this first where its folder is on PYTHONPATH: nothing of a training can be imported.

A model server has no Python, so a model that needs any of these modules is broken. TF Text's Python
package imports Keras for layers of its own; here its op libraries alone are loaded in its place,
which is all that a SavedModel can refer to.
"""

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

OF_TRAINING = frozenset(
    {"keras", "tf_keras", "tensorflow_transform", "tfx", "tfx_bsl", "apache_beam"}
    | {"tensorflow_model_analysis", "trainer", "components", "pipeline"}
)


class Refused(Loader):
    """Raises when the module is executed; looking for it is allowed, as TensorFlow does so."""

    def exec_module(self, module: ModuleType) -> None:
        """Raises ImportError."""
        raise ImportError(f"{module.__name__} is of the training: a model server has no such thing")


class OpLibraries(Loader):
    """Stands in for the package `tensorflow_text`: registers its ops, offers nothing else."""

    def exec_module(self, module: ModuleType) -> None:
        """Loads every op library in the package's folder."""
        import tensorflow as tf

        real = PathFinder.find_spec("tensorflow_text")
        for folder in (real and real.submodule_search_locations) or ():
            for library in sorted(Path(folder, "python").rglob("_*.so")):
                tf.load_op_library(str(library))


class Guard(MetaPathFinder):
    """Comes before every other finder."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """A loader of ours for the guarded modules, None for all others."""
        if name.split(".")[0] in OF_TRAINING:
            return ModuleSpec(name, Refused())
        return ModuleSpec(name, OpLibraries()) if name == "tensorflow_text" else None


sys.meta_path.insert(0, Guard())
