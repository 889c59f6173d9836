"""Fine-tunes as transformers' Trainer does, in a plain loop, and prints the test accuracy.

TRAIN and TEST are JSONL with `text`, perhaps `text_b`, and `label`.
"""

import argparse
import json
import os
import time

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from transformers import (AutoModelForSequenceClassification, AutoTokenizer,
                          get_linear_schedule_with_warmup)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("train")
    parser.add_argument("test")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--lr", type=float, default=5e-5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--max-length", type=int, default=128)
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


def read(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def batches(rows, order, args, tokenizer, label_ids):
    """Each batch is padded to its own longest text."""
    for start in range(0, len(order), args.batch):
        chosen = [rows[index] for index in order[start:start + args.batch]]
        second = [row["text_b"] for row in chosen] if "text_b" in chosen[0] else None
        batch = tokenizer([row["text"] for row in chosen], second, padding="longest",
                          truncation=True, max_length=args.max_length, return_tensors="pt")
        batch["labels"] = torch.tensor([label_ids[row["label"]] for row in chosen])
        yield batch.to(args.device)


def optimizer_and_schedule(model, args, steps):
    decay, plain = [], []
    for name, value in model.named_parameters():
        (plain if name.endswith("bias") or "LayerNorm" in name else decay).append(value)
    groups = [{"params": decay, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=args.lr, betas=(0.9, 0.999), eps=1e-8)
    # Trainer rounds the warm-up up.
    return optimizer, get_linear_schedule_with_warmup(optimizer, -(-steps // 10), steps)


def train(model, rows, args, tokenizer, label_ids):
    steps = args.epochs * -(-len(rows) // args.batch)
    optimizer, schedule = optimizer_and_schedule(model, args, steps)
    model.train()
    for epoch in range(args.epochs):
        total = 0.0
        order = torch.randperm(len(rows)).tolist()
        for batch in batches(rows, order, args, tokenizer, label_ids):
            loss = model(**batch).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            total += loss.item() * len(batch["labels"])
        print(f"epoch {epoch + 1}: loss {total / len(rows):.4f}", flush=True)


@torch.no_grad()
def accuracy(model, rows, args, tokenizer, label_ids):
    model.eval()
    right = 0
    for batch in batches(rows, range(len(rows)), args, tokenizer, label_ids):
        right += (model(**batch).logits.argmax(-1) == batch["labels"]).sum().item()
    return right / len(rows)


def main():
    args = arguments()
    train_rows, test_rows = read(args.train), read(args.test)
    label_ids = {label: id for id, label in enumerate(sorted({row["label"] for row in train_rows}))}
    torch.manual_seed(args.seed)
    tokenizer = AutoTokenizer.from_pretrained(args.model)
    model = AutoModelForSequenceClassification.from_pretrained(
        args.model, num_labels=len(label_ids), dtype=torch.float32).to(args.device)

    start = time.perf_counter()
    train(model, train_rows, args, tokenizer, label_ids)
    trained = time.perf_counter()
    score = accuracy(model, test_rows, args, tokenizer, label_ids)
    print(json.dumps({"accuracy": score, "train_seconds": round(trained - start, 2),
                      "test_seconds": round(time.perf_counter() - trained, 2),
                      "threads": torch.get_num_threads(), **vars(args)}))


if __name__ == "__main__":
    main()
