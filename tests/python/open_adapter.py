"""python open_adapter.py ADAPTER_DIR TEXTS.jsonl OUT.json

Opens a folder of adapters with peft, over the model that it names, and writes the logits of each text,
before and after peft merges it, and what it found.
"""

import json
import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from peft import PeftConfig, PeftModel
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer


def main(folder, texts, out):
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    stated = PeftConfig.from_pretrained(folder)
    base = AutoModelForSequenceClassification.from_pretrained(
        stated.base_model_name_or_path, config=AutoConfig.from_pretrained(folder), dtype=torch.float32)
    model = PeftModel.from_pretrained(base, folder).eval()
    rows = [json.loads(line) for line in open(texts, encoding="utf-8")]

    def logits(model):
        with torch.no_grad():
            return [model(**tokenizer(row["text"], return_tensors="pt")).logits[0].tolist() for row in rows]

    # What peft made of `all-linear`, too.
    targets = model.peft_config["default"].target_modules
    found = {"logits": logits(model), "targets": sorted(targets),
             "modules_to_save": sorted(stated.modules_to_save)}
    found["merged"] = logits(model.merge_and_unload())
    with open(out, "w", encoding="utf-8") as file:
        json.dump(found, file)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
