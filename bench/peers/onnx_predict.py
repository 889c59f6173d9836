"""ONNX Runtime and tokenizers, batch 32, on the work of `emberlab predict`: JSONL of texts in, JSONL of predictions out."""

import argparse
import json
from pathlib import Path

import lines
import numpy
import onnxruntime
from tokenizers import Tokenizer

BATCH = 32

parser = argparse.ArgumentParser()
for name in ["--model", "--onnx", "--input", "--output"]:
    parser.add_argument(name, type=Path, required=True)
parser.add_argument("--by-length", action="store_true", help="batch texts of like length, so that little is padded")
args = parser.parse_args()

texts = [json.loads(line)["text"] for line in args.input.read_text().splitlines()]
tokenizer = Tokenizer.from_file(str(args.model / "tokenizer.json"))
tokenizer.enable_truncation(128)
tokenizer.no_padding()
encodings = tokenizer.encode_batch_fast(texts)
order = list(range(len(texts)))
if args.by_length:
    order.sort(key=lambda row: len(encodings[row].ids))

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = lines.THREADS
session = onnxruntime.InferenceSession(args.onnx, options, providers=["CPUExecutionProvider"])
id2label = json.loads((args.model / "config.json").read_text())["id2label"]
labels = [id2label[str(i)] for i in range(len(id2label))]
probabilities = numpy.empty((len(texts), len(labels)), dtype=numpy.float32)
for start in range(0, len(order), BATCH):
    rows = order[start : start + BATCH]
    ids = numpy.zeros((len(rows), max(len(encodings[row].ids) for row in rows)), dtype=numpy.int64)
    mask = numpy.zeros_like(ids)
    for place, row in enumerate(rows):
        length = len(encodings[row].ids)
        ids[place, :length], mask[place, :length] = encodings[row].ids, 1
    inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": numpy.zeros_like(ids)}
    logits = session.run(["logits"], inputs)[0]
    exponentials = numpy.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities[rows] = exponentials / exponentials.sum(axis=1, keepdims=True)

with args.output.open("w") as out:
    for text, row in zip(texts, probabilities.tolist()):
        best = max(range(len(labels)), key=row.__getitem__)
        named = dict(zip(labels, row))
        out.write(json.dumps({"text": text, "label": labels[best], "score": row[best], "probabilities": named}) + "\n")
