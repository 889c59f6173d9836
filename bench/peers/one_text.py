"""The shortest way from a text to its label with transformers: `python one_text.py MODEL_DIR TEXT`."""

import sys

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

folder, text = sys.argv[1:]
model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
tokenizer = AutoTokenizer.from_pretrained(folder)
with torch.inference_mode():
    logits = model(**tokenizer(text, return_tensors="pt", truncation=True, max_length=128)).logits
print(model.config.id2label[int(logits.argmax())])
