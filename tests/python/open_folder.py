"""python open_folder.py MODEL_DIR TEXTS.jsonl OUT.json

Opens a model folder with transformers and writes what it gives for each text, and the hash of every
weight as transformers holds it.
"""

import hashlib
import json
import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from transformers import (AutoConfig, AutoModelForQuestionAnswering, AutoModelForSequenceClassification,
                          AutoModelForTokenClassification, AutoTokenizer)


def main(folder, texts, out):
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    architecture = AutoConfig.from_pretrained(folder).architectures[0]
    tags = architecture.endswith("ForTokenClassification")
    answers = architecture.endswith("ForQuestionAnswering")
    kind = AutoModelForTokenClassification if tags else AutoModelForSequenceClassification
    kind = AutoModelForQuestionAnswering if answers else kind
    model, loading = kind.from_pretrained(
        folder, dtype=torch.float32, output_loading_info=True)
    model.eval()
    longest = min(tokenizer.model_max_length, model.config.max_position_embeddings)

    input_ids, logits = [], []
    with open(texts, encoding="utf-8") as lines, torch.no_grad():
        for row in map(json.loads, lines):
            first, second = (row["question"], row["context"]) if answers else (row["tokens" if tags else "text"], row.get("text_b"))
            encoded = tokenizer(first, second, truncation=True, max_length=longest, is_split_into_words=tags, return_tensors="pt")
            input_ids.append(encoded["input_ids"][0].tolist())
            found = model(**encoded)
            if answers:
                logits.append(torch.stack([found.start_logits[0], found.end_logits[0]], -1).flatten().tolist())
                continue
            found = found.logits[0]
            if tags:
                words = encoded.word_ids()
                first = [at for at, word in enumerate(words) if word is not None and word != words[at - 1]]
                found = found[first].flatten()
            logits.append(found.tolist())

    tensors = {name: hashlib.sha256(value.contiguous().numpy().tobytes()).hexdigest()
               for name, value in model.state_dict().items()}
    result = {
        "id2label": model.config.id2label,
        "problem_type": model.config.problem_type,
        "missing": sorted(loading["missing_keys"]),
        "unexpected": sorted(loading["unexpected_keys"]),
        "input_ids": input_ids,
        "logits": logits,
        "tensors": tensors,
    }
    with open(out, "w", encoding="utf-8") as file:
        json.dump(result, file)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
