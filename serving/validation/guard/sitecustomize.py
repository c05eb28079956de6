"""Python runs this first where its folder is on PYTHONPATH: nothing of a training can be imported.

A model server has no Python, so a model that needs any of these modules is broken. TF Text's Python
package, which imports Keras, falls with it; the server registers the ops from their libraries.
"""

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
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


class Guard(MetaPathFinder):
    """Comes before every other finder."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """A loader that refuses for the guarded modules, None for all others."""
        return ModuleSpec(name, Refused()) if name.split(".")[0] in OF_TRAINING else None


sys.meta_path.insert(0, Guard())
