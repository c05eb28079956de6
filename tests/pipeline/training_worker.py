"""One of several workers that train on what a project's Transform made:

    TF_CONFIG=… python training_worker.py RECIPE ARTIFACTS OUT

ARTIFACTS is JSON of folders; OUT gets ``model/1`` and ``runs/1``.
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

from pipeline import recipe as recipes


def main() -> None:
    recipe, folders, out = recipes.load(sys.argv[1])[0], json.loads(sys.argv[2]), Path(sys.argv[3])
    arguments = SimpleNamespace(
        custom_config={
            "task": recipe.task,
            "text": recipe.data.text,
            "label": recipe.data.label,
            "max_tokens": recipe.max_tokens,
            "train": recipe.train.model_dump(),
        },
        train_files=[f"{folders['examples']}/Split-train/*"],
        eval_files=[f"{folders['examples']}/Split-eval/*"],
        transform_output=folders["graph"],
        base_model=f"{folders['encoder']}/Format-Serving",
        serving_model_dir=str(out / "model" / "1"),
        model_run_dir=str(out / "runs" / "1"),
    )
    from trainer.training import run_fn

    run_fn(arguments)
    assert (out / "model" / "1" / "saved_model.pb").exists()  # TFX looks for it at once


if __name__ == "__main__":
    main()
