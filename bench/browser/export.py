"""Exports a fine-tuned Hugging Face folder to ONNX, in the layout that transformers.js opens.

    python export.py MODEL_DIR OUT_DIR

writes OUT_DIR/{config,tokenizer,tokenizer_config}.json and OUT_DIR/onnx/model{,_fp16,_quantized}.onnx: float32, float16 and
dynamically quantized int8 (the three names are transformers.js' for the dtypes fp32, fp16 and q8), and model_fused.onnx:
float32 with ONNX Runtime's own fusions for BERT (attention, GELU, skip + LayerNorm), made ahead of time. Inputs are int64
`input_ids`, `attention_mask`, `token_type_ids` `[batch, seq]`, both axes dynamic; the output is `logits` `[batch, classes]`.
"""

import json
import shutil
import sys
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer
from onnxruntime.transformers.float16 import convert_float_to_float16
from transformers import AutoModelForSequenceClassification

INPUTS = ["input_ids", "attention_mask", "token_type_ids"]
OPSET = 18


def main(model_dir: Path, out_dir: Path) -> None:
    (out_dir / "onnx").mkdir(parents=True, exist_ok=True)
    for name in ["config.json", "tokenizer.json", "tokenizer_config.json"]:
        shutil.copyfile(model_dir / name, out_dir / name)
    float32 = out_dir / "onnx/model.onnx"
    export(model_dir, float32)
    config = json.loads((model_dir / "config.json").read_text())
    fused = optimizer.optimize_model(
        str(float32), "bert", num_heads=config["num_attention_heads"], hidden_size=config["hidden_size"], opt_level=0
    )
    fused.save_model_to_file(str(out_dir / "onnx/model_fused.onnx"))
    print("fused:", fused.get_fused_operator_statistics(), file=sys.stderr)
    float16 = convert_float_to_float16(onnx.load(float32), keep_io_types=True)
    onnx.save(float16, out_dir / "onnx/model_fp16.onnx")
    quantize_dynamic(float32, out_dir / "onnx/model_quantized.onnx", weight_type=QuantType.QInt8)


def export(model_dir: Path, path: Path) -> None:
    model = AutoModelForSequenceClassification.from_pretrained(model_dir, dtype=torch.float32, attn_implementation="eager")
    ids = torch.ones(2, 16, dtype=torch.int64)
    axes = {0: "batch", 1: "seq"}
    torch.onnx.export(
        Positional(model).eval(),
        (ids, ids, torch.zeros_like(ids)),
        str(path),
        input_names=INPUTS,
        output_names=["logits"],
        dynamic_axes={name: axes for name in INPUTS} | {"logits": {0: "batch"}},
        opset_version=OPSET,
        dynamo=False,
    )


class Positional(torch.nn.Module):
    """The model as a function of its three inputs, so that the exported ones have their usual order."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor) -> torch.Tensor:
        """Logits `[batch, classes]`."""
        return self.model(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids).logits


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
