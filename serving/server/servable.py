"""One loaded version of a model, loaded as TF Serving's C++ loader does it."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

from serving.batching_parameters import Batching
from serving.errors import Code, NotAModel, ServingError, invalid
from serving.lean_tensorflow import register_text_ops
from serving.server.batching import Others, batched_outputs
from serving.server.settings import Loading

register_text_ops()


class Servable:
    """A SavedModel in a TF 1 Session of its own: graph, variables, tables, signatures.

    `tf.saved_model.load` would rebuild Python objects and forgive what C++ does not; the TF 1
    loader runs the same initialisers and asset feeds as `LoadSavedModel` in
    tensorflow/cc/saved_model/loader.cc.

    Args:
        path: the version's folder.
        version: its number, which answers carry.
        loading: tags, batching, session.

    Raises:
        NotAModel: TensorFlow cannot load it; carries TensorFlow's reason.
    """

    def __init__(self, path: str | Path, version: int = 1, loading: Loading | None = None) -> None:
        loading = loading or Loading()
        self.path, self.version = Path(path), version
        self._graph = tf.Graph()
        self._session = tf.compat.v1.Session(graph=self._graph, config=_session_config(loading))
        self._callables: dict[tuple[tuple[str, ...], tuple[str, ...]], Callable] = {}
        self._batched: dict[str, tuple[list[str], Callable]] = {}
        self._others = Others()
        self._max_batch = self._batch_threads = 0
        self._making = threading.Lock()
        try:
            with self._graph.as_default():
                tags = list(loading.tags)
                meta_graph = tf.compat.v1.saved_model.load(self._session, tags, str(path))
        except Exception as error:  # the loader raises whatever its parts raise
            self._session.close()
            raise NotAModel(path, f"cannot be loaded: {_reason(error)}", _LOAD_FIX) from error
        # TF Serving's metadata names the loader's own signatures, too.
        self.declared: Mapping[str, SignatureDef] = dict(meta_graph.signature_def)
        self.signatures: Mapping[str, SignatureDef] = {
            name: signature
            for name, signature in self.declared.items()
            if not name.startswith("__saved_model_")
        }
        if loading.batching:
            self._batch(loading.batching)
        self._graph.finalize()

    def _batch(self, batching: Batching) -> None:
        for name, signature in self.signatures.items():
            outputs = batched_outputs(self._graph, signature, batching)
            if outputs is not None:
                feeds = [signature.inputs[key].name for key in sorted(signature.inputs)]
                call = self._make(feeds, [output.name for output in outputs.values()])
                self._batched[name] = (list(outputs), call)
        self._max_batch = batching.rows_at_once
        self._batch_threads = batching.num_batch_threads

    @property
    def batches(self) -> bool:
        """Whether a signature's requests run together."""
        return bool(self._batched)

    @contextmanager
    def crowded(self) -> Iterator[None]:
        """Inside, requests wait for company as if others kept all batch threads busy."""
        with ExitStack() as crowd:
            for _ in range(self._batch_threads):
                crowd.enter_context(self._others)
            yield

    def run(
        self, signature_name: str, inputs: Mapping[str, np.ndarray], outputs: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """Runs the graph for the named outputs; the inputs have been checked.

        With batching, requests of one signature that come together run together. Alone run: one
        that comes while others leave a batch thread idle, one that is larger than a batch, and one
        that failed in company, as a bad request must not fail those that it came with.

        Raises:
            ServingError: with the code and message of the op that failed, UNAVAILABLE if the queue
                for batches is full.
        """
        with self._others as others:
            if others >= self._batch_threads and self._fits(signature_name, inputs):
                try:
                    return self._run_in_company(signature_name, inputs, outputs)
                except ServingError as error:
                    if error.code is Code.UNAVAILABLE:
                        raise
            return self._run_alone(signature_name, inputs, outputs)

    def _run_alone(
        self, signature_name: str, inputs: Mapping[str, np.ndarray], outputs: Sequence[str]
    ) -> dict[str, np.ndarray]:
        signature = self.signatures[signature_name]
        fed = {signature.inputs[name].name: array for name, array in inputs.items()}
        arrays = self.run_tensors(fed, [signature.outputs[name].name for name in outputs])
        return {name: arrays[signature.outputs[name].name] for name in outputs}

    def _run_in_company(
        self, signature_name: str, inputs: Mapping[str, np.ndarray], outputs: Sequence[str]
    ) -> dict[str, np.ndarray]:
        names, call = self._batched[signature_name]
        feeds = [inputs[name] for name in sorted(inputs)]
        found = dict(zip(names, _called(call, feeds), strict=True))
        return {name: found[name] for name in outputs}

    def run_tensors(
        self, feeds: Mapping[str, np.ndarray], fetches: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """Runs the graph once by tensor names (`TensorInfo.name`), whatever signatures they are of.

        Raises:
            ServingError: as `run`.
        """
        fed, names = tuple(sorted(feeds)), tuple(sorted(set(fetches)))
        call = self._callables.get((fed, names))
        if call is None:
            call = self._callable(fed, names)
        arrays = _called(call, [feeds[name] for name in fed])
        return dict(zip(names, arrays, strict=True))

    def _fits(self, signature_name: str, inputs: Mapping[str, np.ndarray]) -> bool:
        if signature_name not in self._batched:
            return False
        return 0 < len(next(iter(inputs.values()))) <= self._max_batch

    def _callable(self, feeds: tuple[str, ...], fetches: tuple[str, ...]) -> Callable:
        with self._making:
            return self._callables.setdefault((feeds, fetches), self._make(feeds, fetches))

    def _make(self, feeds: Sequence[str], fetches: Sequence[str]) -> Callable:
        # The public `make_callable` goes through `Session.run` where there are feeds, which looks
        # their names up at every call: 0.2 ms of Python, with the interpreter locked.
        options = config_pb2.CallableOptions(feed=feeds, fetch=fetches)
        return self._session._make_callable_from_options(options)

    def close(self) -> None:
        """Frees the session with its variables and tables; nobody may be running it."""
        self._callables.clear()
        self._batched.clear()
        self._session.close()


def _session_config(loading: Loading) -> tf.compat.v1.ConfigProto:
    config = tf.compat.v1.ConfigProto(
        intra_op_parallelism_threads=loading.intra_op_threads,
        inter_op_parallelism_threads=loading.inter_op_threads,
    )
    config.gpu_options.per_process_gpu_memory_fraction = loading.gpu_memory_fraction
    return config


_LOAD_FIX = "It needs the tag `serve`, and only ops of this TensorFlow and TensorFlow Text."


def _called(call: Callable, feeds: Sequence[np.ndarray]) -> Any:
    try:
        return call(*feeds)
    except tf.errors.OpError as error:
        raise ServingError(Code(error.error_code), _reason(error)) from error
    except UnicodeDecodeError as error:
        # An op quoted bad bytes of its input; the binding trips over its message, and the code
        # is lost with it.
        raise invalid(error.object.decode("utf-8", "replace")) from error


def _reason(error: BaseException) -> str:
    # Session.run re-raises with pages of Python trace about ops that C++ knows nothing of; the
    # exception it was handling holds the runtime's own message.
    cause = error.__context__
    if isinstance(error, tf.errors.OpError) and isinstance(cause, tf.errors.OpError):
        error = cause
    return str(getattr(error, "message", "") or error or type(error).__name__)
