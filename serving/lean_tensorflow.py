"""TensorFlow and TF Text's ops, without what a process that serves never uses."""

import importlib
import importlib.util
import sys
from pathlib import Path

# At its end `import tensorflow` imports Keras, and with it scikit-learn, SciPy's statistics and
# matplotlib where they are installed: 3 of 7 seconds of CPU, 130 of 580 MB (TensorFlow 2.16). It
# goes on where they cannot be imported, as it does without Google's client, which finds TPUs.
_SPARED = ("keras", "tf_keras", "googleapiclient")


def import_tensorflow() -> None:
    """Imports TensorFlow without Keras; call it before anything else imports TensorFlow.

    Keras can still be imported afterwards.
    """
    spared = [name for name in _SPARED if name not in sys.modules]
    sys.modules.update(dict.fromkeys(spared))  # type: ignore[arg-type]  # None: not to be found
    try:
        importlib.import_module("tensorflow")
    finally:
        for name in spared:
            del sys.modules[name]


def register_text_ops() -> None:
    """Registers TF Text's ops, which a SavedModel only names.

    `import tensorflow_text` does so, too, but brings layers of Keras.

    Raises:
        ModuleNotFoundError: TF Text is not installed.
    """
    import tensorflow as tf

    spec = importlib.util.find_spec("tensorflow_text")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("No module named 'tensorflow_text'", name="tensorflow_text")
    for library in sorted(Path(spec.origin).parent.glob("python/**/_*.so")):
        tf.load_op_library(str(library))
