"""ONNX Runtime's side of the forward rows; a request names the `.onnx` file as its `model`."""

from functools import cache

import lines
import numpy
import onnxruntime


@cache
def session(path: str) -> onnxruntime.InferenceSession:
    """A session on the CPU with all of ONNX Runtime's graph optimizations."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = lines.THREADS
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def forward(request: dict) -> dict:
    """Logits of one batch without padding."""
    ids = numpy.array(request["ids"], dtype=numpy.int64)
    inputs = {"input_ids": ids, "attention_mask": numpy.ones_like(ids), "token_type_ids": numpy.zeros_like(ids)}
    run, logits = session(request["model"]).run, []

    def once() -> None:
        logits[:] = run(["logits"], inputs)[0].tolist()

    return {"ms": lines.timed(request["iterations"], once), "logits": logits}


if __name__ == "__main__":
    lines.serve({"forward": forward})
