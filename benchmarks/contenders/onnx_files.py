"""Makes the ONNX files of a folder in transformers' format; runs in the peers' environment.

    python benchmarks/contenders/onnx_files.py FOLDER

``exported.onnx`` is PyTorch's export, ``model.onnx`` what ONNX Runtime's optimizer for transformers
makes of it (fused attention, GELU, skip-norms), ``model-int8.onnx`` its dynamic quantization.
"""

import sys
from pathlib import Path

import onnx
import torch
import transformers
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer

_INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def main() -> None:
    """Makes what is not there."""
    folder = Path(sys.argv[1])
    exported, fused = folder / "exported.onnx", folder / "model.onnx"
    config = transformers.AutoConfig.from_pretrained(folder)
    if not exported.exists():
        export(folder, exported)
    if not fused.exists():
        model = optimizer.optimize_model(
            str(exported), "bert", config.num_attention_heads, config.hidden_size
        )
        print("fused:", model.get_fused_operator_statistics())
        model.save_model_to_file(str(fused))
    if not (folder / "model-int8.onnx").exists():
        # The fused operators are ONNX Runtime's own: shape inference does not know their types.
        quantize_dynamic(
            fused,
            folder / "model-int8.onnx",
            weight_type=QuantType.QInt8,
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
        )


def export(folder: Path, to: Path) -> None:
    """PyTorch's export with free batch and length."""
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        folder, attn_implementation="eager"
    ).eval()
    example = tuple(torch.ones([2, 8], dtype=torch.int64) for _ in _INPUTS)
    torch.onnx.export(
        model,
        example,
        str(to),
        input_names=list(_INPUTS),
        output_names=["logits"],
        dynamic_axes={name: {0: "batch", 1: "tokens"} for name in _INPUTS}
        | {"logits": {0: "batch"}},
        opset_version=17,
        dynamo=False,
    )


if __name__ == "__main__":
    main()
