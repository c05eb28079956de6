"""TextExampleGen: text files in, the standard Examples artifact out, every row accounted for."""

from collections.abc import Mapping
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.orchestration import data_types
from tfx.types import component_spec, standard_artifacts

from components.readers.fingerprint import fingerprint
from components.text_example_gen_executor import Executor

__all__ = ["TextExampleGen", "fingerprint"]


class TextExampleGenSpec(component_spec.ComponentSpec):
    """No input channel: the data's fingerprint is what TFX's cache compares."""

    PARAMETERS: Mapping[str, Any] = {
        "data": component_spec.ExecutionParameter(type=str),
        "fingerprint": component_spec.ExecutionParameter(type=str),
        "bad_rows": component_spec.ExecutionParameter(type=float),
        "path": component_spec.ExecutionParameter(type=str, optional=True),
    }
    INPUTS: Mapping[str, Any] = {}
    OUTPUTS: Mapping[str, Any] = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples)
    }


class TextExampleGen(base_beam_component.BaseBeamComponent):
    """Reads csv, tsv, jsonl, conll and text folders into the splits train, eval and test.

    ``outputs["examples"]`` holds gzipped TFRecords of tf.train.Example whose features are the
    text, label and further columns, all bytes, of tagged data the spans (see
    ``components.write_examples.to_example``), and beside the splits ``report.json``
    (``components.data_report.DataReport``).

    Args:
        data: JSON with ``path`` (a string, a list or {"train": …, "eval": …, "test": …}),
            ``text`` (a column, pairs: two) and maybe ``label``, ``columns`` (further columns,
            such as slices), ``keep`` ({column: [values]}), ``format``, ``rename`` ({name in the
            file: name in all else, the keys above included}). For entities ``"task": "tag"``:
            then ``label`` is where a file has its spans or tags, and ``tags`` may hold
            ``columns`` ({"word": 0, "tag": -1}), ``scheme`` and ``repair``.
        fingerprint: ``fingerprint(data)``, taken when the pipeline is composed.
        bad_rows: share of rows that may be bad.
        path: goes before the ``path`` of ``data``, so that a run of a compiled pipeline may set
            it: a path, a pattern, a source, or JSON of {"train": …, "eval": …, "test": …}.
    """

    SPEC_CLASS = TextExampleGenSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self,
        data: str,
        fingerprint: str | data_types.RuntimeParameter,
        bad_rows: float = 0.01,
        path: str | data_types.RuntimeParameter | None = None,
    ):
        spec = TextExampleGenSpec(
            data=data,
            fingerprint=fingerprint,
            bad_rows=bad_rows,
            path=path,
            examples=types.Channel(type=standard_artifacts.Examples),
        )
        super().__init__(spec=spec)
