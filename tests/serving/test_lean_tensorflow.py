"""A process that serves has TensorFlow and TF Text's ops, and no Keras."""

import subprocess
import sys

import pytest

_CASES = {
    "no Keras": "assert not {'keras', 'tf_keras', 'matplotlib', 'sklearn'} & set(sys.modules)",
    "TF Text's ops": "from tensorflow.python.framework import op_def_registry as r; "
    "assert r.get('WordpieceTokenizeWithOffsets') and r.get('RegexSplitWithOffsets')",
    "Keras, when asked for": "import keras; "
    "assert keras.layers.Dense(2)(tf.ones((1, 3))).shape[1] == 2",
    "all of TF Text, when asked for": "import tensorflow_text as text; "
    "assert text.WhitespaceTokenizer().tokenize(['a b']).to_list() == [[b'a', b'b']]",
}


@pytest.fixture(scope="module")
def told() -> str:
    """All cases in one process, which is told by name what held."""
    program = [
        "import sys",
        "from serving.lean_tensorflow import import_tensorflow, register_text_ops",
        "import_tensorflow()",
        "import tensorflow as tf",
        "register_text_ops()",
        *(f"{statement}; print({name!r})" for name, statement in _CASES.items()),
    ]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(program)], capture_output=True, text=True
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("name", _CASES)
def test_what_it_has(told: str, name: str) -> None:
    assert name in told.splitlines(), told
