"""transformers' Trainer on any of the four tasks, by the recipe of `emberlab train`: AdamW, a tenth of warm-up, linear decay.

Prints a JSON object of the figures on the test rows, by the names that `run.json` has; scikit-learn, scipy and seqeval compute them.
"""

import argparse
import json
from functools import cached_property
from pathlib import Path

import lines
import numpy
import torch
from scipy import stats
from seqeval.metrics import f1_score as entity_f1
from sklearn.metrics import accuracy_score, f1_score
from torch.nn.functional import binary_cross_entropy_with_logits
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
    DataCollatorForTokenClassification,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
)

torch.set_num_threads(lines.THREADS)
IGNORED = -100


def read(path: Path) -> list[dict]:
    """The rows of a JSONL file."""
    return [json.loads(line) for line in path.read_text().splitlines()]


class Tags:
    """A class for each word, which its first token has."""

    def __init__(self, rows):
        self.names = sorted({tag for row in rows for tag in row["tags"]})
        self.ids = {name: i for i, name in enumerate(self.names)}
        self.model = AutoModelForTokenClassification
        self.collator = DataCollatorForTokenClassification
        self.config = {"num_labels": len(self.names), "id2label": dict(enumerate(self.names)), "label2id": self.ids}

    def encode(self, tokenizer, row, max_length):
        encoded = tokenizer(row["tokens"], is_split_into_words=True, truncation=True, max_length=max_length)
        words = encoded.word_ids()
        firsts = [i for i, word in enumerate(words) if word is not None and words[i - 1] != word]
        labels = [IGNORED] * len(words)
        for i in firsts:
            labels[i] = self.ids[row["tags"][words[i]]]
        return {**encoded, "labels": labels}

    def figures(self, predictions, labels):
        kept = [[(p, t) for p, t in zip(ps, ts) if t != IGNORED] for ps, ts in zip(predictions.argmax(-1), labels)]
        found, truth = ([[self.names[pair[side]] for pair in row] for row in kept] for side in (0, 1))
        return {"f1": entity_f1(truth, found)}


class Sequence:
    """An answer for each text or pair."""

    def __init__(self, rows):
        self.model = AutoModelForSequenceClassification
        self.collator = DataCollatorWithPadding

    def encode(self, tokenizer, row, max_length):
        encoded = tokenizer(row["text"], row.get("text_b"), truncation=True, max_length=max_length)
        return {**encoded, "labels": self.label(row)}


class Labels(Sequence):
    """One class."""

    def __init__(self, rows):
        super().__init__(rows)
        self.names = sorted({row["label"] for row in rows})
        self.config = {"num_labels": len(self.names), "problem_type": "single_label_classification"}

    def label(self, row):
        return self.names.index(row["label"])

    def figures(self, predictions, labels):
        found = predictions.argmax(-1)
        return {"accuracy": accuracy_score(labels, found), "macro_f1": f1_score(labels, found, average="macro")}


class Sets(Sequence):
    """Any number of classes."""

    def __init__(self, rows):
        super().__init__(rows)
        self.names = sorted({name for row in rows for name in row["labels"]})
        self.config = {"num_labels": len(self.names), "problem_type": "multi_label_classification"}

    def label(self, row):
        return [float(name in row["labels"]) for name in self.names]

    def figures(self, predictions, labels):
        found, truth = predictions > 0, labels > 0.5
        of = {f"{mean}_f1": f1_score(truth, found, average=mean, zero_division=0) for mean in ("micro", "macro")}
        return of


class Scores(Sequence):
    """A number."""

    config = {"num_labels": 1, "problem_type": "regression"}

    def label(self, row):
        return float(row["score"])

    def figures(self, predictions, labels):
        found = predictions.squeeze(-1)
        return {"pearson": stats.pearsonr(found, labels)[0], "spearman": stats.spearmanr(found, labels)[0]}


class Weighted(Trainer):
    """Sets of labels, each by as many rows without it as there are for one with it (BCEWithLogitsLoss' pos_weight)."""

    @cached_property
    def pos_weight(self):
        rows = torch.tensor([row["labels"] for row in self.train_dataset])
        positive = rows.sum(0)
        return (len(rows) - positive) / positive

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        labels = inputs.pop("labels")
        outputs = model(**inputs)
        loss = binary_cross_entropy_with_logits(outputs.logits, labels, pos_weight=self.pos_weight)
        return (loss, outputs) if return_outputs else loss


def task_of(rows: list[dict]):
    """By the columns, as `emberlab train` guesses it."""
    kinds = {"tags": Tags, "labels": Sets, "score": Scores, "label": Labels}
    return next(kind for column, kind in kinds.items() if column in rows[0])(rows)


def main() -> None:
    """Reads the arguments, trains and measures."""
    parser = argparse.ArgumentParser()
    for name in ["--model", "--train", "--test", "--out"]:
        parser.add_argument(name, type=Path, required=True)
    for name, kind in {"--epochs": int, "--batch-size": int, "--learning-rate": float, "--max-length": int, "--seed": int}.items():
        parser.add_argument(name, type=kind, required=True)
    parser.add_argument("--class-weights", choices=["balanced"])
    args = parser.parse_args()

    rows = read(args.train)
    task = task_of(rows)
    tokenizer = AutoTokenizer.from_pretrained(args.model)
    encoded = [[task.encode(tokenizer, row, args.max_length) for row in part] for part in (rows, read(args.test))]
    torch.manual_seed(args.seed)
    config = AutoConfig.from_pretrained(args.model, **task.config)
    model = task.model.from_pretrained(args.model, config=config, dtype=torch.float32)
    trainer = (Weighted if args.class_weights else Trainer)(
        model,
        TrainingArguments(
            output_dir=str(args.out),
            num_train_epochs=args.epochs,
            per_device_train_batch_size=args.batch_size,
            per_device_eval_batch_size=args.batch_size,
            learning_rate=args.learning_rate,
            lr_scheduler_type="linear",
            warmup_steps=0.1,
            weight_decay=0.01,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            seed=args.seed,
            use_cpu=True,
        ),
        train_dataset=encoded[0],
        processing_class=tokenizer,
        data_collator=task.collator(tokenizer),
    )
    trainer.train()
    found = trainer.predict(encoded[1])
    figures = task.figures(found.predictions, found.label_ids)
    print(json.dumps({name: float(numpy.float64(value)) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
