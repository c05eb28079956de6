"""One loaded version of a model, loaded as TF Serving's C++ loader does it."""

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_text  # noqa: F401 - registers TF Text's ops, which a SavedModel only names
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

from serving.errors import Code, NotAModel, ServingError, invalid


class Servable:
    """A SavedModel in a TF 1 Session of its own: graph, variables, tables, signatures.

    `tf.saved_model.load` would rebuild Python objects and forgive what C++ does not; the TF 1
    loader runs the same initialisers and asset feeds as `LoadSavedModel` in
    tensorflow/cc/saved_model/loader.cc.

    Args:
        path: the version's folder.
        version: its number, which answers carry.

    Raises:
        NotAModel: TensorFlow cannot load it; carries TensorFlow's reason.
    """

    def __init__(self, path: str | Path, version: int = 1) -> None:
        self.path, self.version = Path(path), version
        self._graph = tf.Graph()
        self._session = tf.compat.v1.Session(graph=self._graph)
        self._callables: dict[tuple[str, tuple[str, ...]], Callable] = {}
        self._making = threading.Lock()
        try:
            with self._graph.as_default():
                meta_graph = tf.compat.v1.saved_model.load(self._session, ["serve"], str(path))
        except Exception as error:  # the loader raises whatever its parts raise
            self._session.close()
            raise NotAModel(path, f"cannot be loaded: {_reason(error)}", _LOAD_FIX) from error
        self._graph.finalize()
        self.signatures: Mapping[str, SignatureDef] = {
            name: signature
            for name, signature in meta_graph.signature_def.items()
            if not name.startswith("__saved_model_")
        }

    def run(
        self, signature_name: str, inputs: Mapping[str, np.ndarray], outputs: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """Runs the graph for the named outputs only; the inputs have been checked.

        Raises:
            ServingError: with the code and message of the op that failed.
        """
        names = tuple(outputs)
        call = self._callables.get((signature_name, names))
        if call is None:
            call = self._callable(signature_name, names)
        feeds = [inputs[name] for name in sorted(self.signatures[signature_name].inputs)]
        return dict(zip(names, _called(call, feeds), strict=True))

    def run_tensors(
        self, feeds: Mapping[str, np.ndarray], fetches: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """Runs the graph once by tensor names (`TensorInfo.name`), whatever signatures they are of.

        Raises:
            ServingError: as `run`.
        """
        names = tuple(fetches)
        tensor = self._graph.get_tensor_by_name
        key = ("", (*sorted(feeds), "", *names))
        with self._making:
            call = self._callables.get(key)
            if call is None:
                fed = [tensor(name) for name in sorted(feeds)]
                call = self._session.make_callable([tensor(name) for name in names], fed)
                self._callables[key] = call
        arrays = _called(call, [feeds[name] for name in sorted(feeds)])
        return dict(zip(names, arrays, strict=True))

    def _callable(self, signature_name: str, outputs: tuple[str, ...]) -> Callable:
        signature = self.signatures[signature_name]
        tensor = self._graph.get_tensor_by_name
        feeds = [tensor(signature.inputs[name].name) for name in sorted(signature.inputs)]
        fetches = [tensor(signature.outputs[name].name) for name in outputs]
        with self._making:
            call = self._session.make_callable(fetches, feed_list=feeds)
            return self._callables.setdefault((signature_name, outputs), call)

    def close(self) -> None:
        """Frees the session with its variables and tables; nobody may be running it."""
        self._callables.clear()
        self._session.close()


_LOAD_FIX = "It needs the tag `serve`, and only ops of this TensorFlow and TensorFlow Text."


def _called(call: Callable, feeds: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
    try:
        return call(*feeds)
    except tf.errors.OpError as error:
        raise ServingError(Code(error.error_code), _reason(error)) from error
    except UnicodeDecodeError as error:
        # An op quoted bad bytes of its input; the binding trips over its message, and the code is
        # lost with it.
        raise invalid(error.object.decode("utf-8", "replace")) from error


def _reason(error: BaseException) -> str:
    # Session.run re-raises with pages of Python trace about ops that C++ knows nothing of; the
    # exception it was handling holds the runtime's own message.
    cause = error.__context__
    if isinstance(error, tf.errors.OpError) and isinstance(cause, tf.errors.OpError):
        error = cause
    return str(getattr(error, "message", "") or error or type(error).__name__)
