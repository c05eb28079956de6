"""The pipeline: plain arguments in, a TFX pipeline out, the same for every runner.

Whatever runs on this machine leaves `tfx.v1` alone: it imports Google's AI Platform, and that takes
longer than all the rest of TFX.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass

import tensorflow_data_validation as tfdv
from tfx.components import StatisticsGen, Trainer
from tfx.components.schema_gen.import_schema_gen.component import ImportSchemaGen
from tfx.dsl.components.base import base_component, base_node
from tfx.dsl.components.common.resolver import Resolver
from tfx.dsl.input_resolution.strategies import latest_blessed_model_strategy
from tfx.orchestration import metadata
from tfx.orchestration.pipeline import Pipeline
from tfx.proto.pusher_pb2 import PushDestination
from tfx.proto.trainer_pb2 import EvalArgs, TrainArgs
from tfx.types import Channel, standard_artifacts

from components.encoder_importer import EncoderImporter
from components.evaluator import Evaluator
from components.example_validator import ExampleValidator
from components.pusher import Pusher
from components.serving_validator import ServingValidator
from components.text_example_gen import TextExampleGen
from components.text_schema_gen import TextSchemaGen
from components.transform import Transform
from pipeline import card
from pipeline.check import Inputs
from pipeline.code_digest import code_digest
from pipeline.evaluation import eval_config
from pipeline.recipe import Recipe
from pipeline.runners import beam_options


def latest_blessed() -> base_node.BaseNode:
    """The last blessed model in ML Metadata, as ``outputs["model"]``."""
    return Resolver(
        strategy_class=latest_blessed_model_strategy.LatestBlessedModelStrategy,
        model=Channel(type=standard_artifacts.Model),
        model_blessing=Channel(type=standard_artifacts.ModelBlessing),
    ).with_id("LatestBlessed")


@dataclass(frozen=True)
class Parts:
    """The components that a runner may make otherwise.

    Each is called with the arguments that the one here gets; a runner adds its own to them.
    """

    examples: Callable[..., base_component.BaseComponent] = TextExampleGen
    trainer: Callable[..., base_component.BaseComponent] = Trainer
    pusher: Callable[..., base_component.BaseComponent] = Pusher
    baseline: Callable[[], base_node.BaseNode] = latest_blessed


def create_pipeline(
    recipe: Recipe,
    inputs: Inputs,
    pipeline_root: str,
    push_to: str,
    metadata_path: str | None = None,
    beam_pipeline_args: list[str] | None = None,
    parts: Parts | None = None,
) -> Pipeline:
    """Composes all components of a recipe.

    Args:
        recipe: checked.
        inputs: see `pipeline.check`.
        pipeline_root: where artifacts go.
        push_to: the model's base path; versions go below it.
        metadata_path: SQLite file of ML Metadata; None where the runner brings its own.
        beam_pipeline_args: for all Beam components, e.g. ``["--runner=FlinkRunner", …]``; without
            any the work is done in the component's own process.
        parts: what the runner makes otherwise.
    """
    parts = parts or Parts()
    examples = parts.examples(
        data=inputs.data, fingerprint=inputs.data_fingerprint, bad_rows=recipe.data.bad_rows
    )
    statistics = StatisticsGen(
        examples=examples.outputs["examples"],
        # Sketches keep memory flat; exact counts send every distinct text through a shuffle.
        stats_options=tfdv.StatsOptions(use_sketch_based_topk_uniques=True),
    )
    if recipe.data.schema_:
        schema = ImportSchemaGen(schema_file=_absolute(recipe.data.schema_))
    else:
        schema = TextSchemaGen(
            statistics=statistics.outputs["statistics"],
            text=recipe.data.text,
            label=recipe.data.label if recipe.task == "classify" else None,
            slices=recipe.slice_columns,
            spans=recipe.task == "tag",
        )
    schema = schema.with_id("SchemaGen")
    validator = ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    ).with_id("ExampleValidator")
    encoder = EncoderImporter(source=inputs.encoder, fingerprint=inputs.encoder_fingerprint)
    columns = {"text": recipe.data.text, "label": recipe.data.label}
    transform = Transform(
        examples=examples.outputs["examples"],
        schema=schema.outputs["schema"],
        encoder=encoder.outputs["model"],
        statistics=statistics.outputs["statistics"],
        preprocessing_fn="trainer.preprocessing.preprocessing_fn",
        custom_config={
            **columns,
            "task": recipe.task,
            "max_tokens": recipe.max_tokens,
            "code": code_digest("preprocessing.py", "text"),
        },
    )
    transform.add_upstream_node(validator)  # nothing is transformed before the data is accepted
    trainer = parts.trainer(
        run_fn="trainer.training.run_fn",
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        base_model=encoder.outputs["model"],
        train_args=TrainArgs(splits=["train"]),
        eval_args=EvalArgs(splits=["eval"]),
        custom_config={
            **columns,
            **recipe.tagger,
            "task": recipe.task,
            "max_tokens": recipe.max_tokens,
            "train": recipe.train.model_dump(),
            "constant_weights": recipe.serve.constant_weights,
            "precision": recipe.serve.precision,
            "code": code_digest(),
        },
    )
    blessed = parts.baseline()
    evaluator = Evaluator(
        examples=examples.outputs["examples"],
        example_splits=["test"],
        model=trainer.outputs["model"],
        baseline_model=blessed.outputs["model"],
        eval_config=eval_config(recipe.gate, recipe.data.label),
    )
    serving_validator = ServingValidator(
        model=trainer.outputs["model"],
        examples=examples.outputs["examples"],
        transformed_examples=transform.outputs["transformed_examples"],
        tf_serving=recipe.serve.tf_serving,
        latency_ms=recipe.serve.latency_ms,
        task=recipe.task,
        **columns,
    )
    pusher = parts.pusher(
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        infra_blessing=serving_validator.outputs["blessing"],
        push_destination=PushDestination(
            filesystem=PushDestination.Filesystem(base_directory=push_to)
        ),
        evaluation=evaluator.outputs["evaluation"],
        examples=examples.outputs["examples"],
        encoder=encoder.outputs["model"],
        told=card.told(recipe, inputs).to_json(),
    )
    return Pipeline(
        pipeline_name=recipe.name,
        pipeline_root=pipeline_root,
        enable_cache=True,
        metadata_connection_config=(
            metadata.sqlite_metadata_connection_config(metadata_path) if metadata_path else None
        ),
        beam_pipeline_args=beam_pipeline_args or beam_options.checked([]),
        components=[
            examples, statistics, schema, validator, encoder, transform, trainer, blessed,
            evaluator, serving_validator, pusher,
        ],
    )  # fmt: skip


def _absolute(path: str) -> str:
    return path if "://" in path else os.path.abspath(path)
