"""transformers' text-classification pipeline, batch 32, on the work of `emberlab predict`: JSONL of texts in, JSONL of predictions out."""

import argparse
import json
from pathlib import Path

import lines
import torch
from transformers import pipeline

torch.set_num_threads(lines.THREADS)

parser = argparse.ArgumentParser()
for name in ["--model", "--input", "--output"]:
    parser.add_argument(name, type=Path, required=True)
args = parser.parse_args()

texts = [json.loads(line)["text"] for line in args.input.read_text().splitlines()]
classify = pipeline("text-classification", model=str(args.model), dtype=torch.float32, device="cpu", top_k=None)
with torch.inference_mode(), args.output.open("w") as out:
    results = classify(texts, batch_size=32, truncation=True, max_length=128)
    for text, scores in zip(texts, results):
        best = scores[0]
        probabilities = {score["label"]: score["score"] for score in scores}
        row = {"text": text, "label": best["label"], "score": best["score"], "probabilities": probabilities}
        out.write(json.dumps(row) + "\n")
