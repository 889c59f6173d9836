"""Gives a pretrained encoder a head with random weights, so that all peers open one and the same classifier.

    python add_head.py MODEL_DIR OUT_DIR CLASSES
"""

import sys

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

torch.manual_seed(42)
source, out, classes = sys.argv[1], sys.argv[2], int(sys.argv[3])
AutoModelForSequenceClassification.from_pretrained(source, num_labels=classes, dtype=torch.float32).save_pretrained(out)
AutoTokenizer.from_pretrained(source).save_pretrained(out)
