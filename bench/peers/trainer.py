"""transformers' Trainer on the work of `emberlab train`: one epoch, the dev rows evaluated after it, the test rows at the end, model saved.

Rows are padded to the longest of their batch (DataCollatorWithPadding), tokenized once before training. Writes the test accuracy into
`run.json` of the output folder, where `emberlab train` has its own.
"""

import argparse
import json
from pathlib import Path

import lines
import numpy
import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
)

torch.set_num_threads(lines.THREADS)


def read(path: Path) -> tuple[list[str], list[str]]:
    """Texts and labels."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [row["text"] for row in rows], [row["label"] for row in rows]


def main() -> None:
    """Reads the arguments and trains."""
    parser = argparse.ArgumentParser()
    for name in ["--model", "--train", "--eval", "--test", "--out"]:
        parser.add_argument(name, type=Path, required=True)
    for name in ["--group-by-length", "--cuda", "--bf16", "--compile"]:
        parser.add_argument(name, action="store_true")
    args = parser.parse_args()

    names = sorted(set(read(args.train)[1]))
    label2id = {name: i for i, name in enumerate(names)}
    tokenizer = AutoTokenizer.from_pretrained(args.model)

    def dataset(path: Path) -> list[dict]:
        texts, labels = read(path)
        encoded = tokenizer(texts, truncation=True, max_length=128, padding=False)
        features = zip(*(encoded[key] for key in encoded), labels)
        keys = [*encoded, "label"]
        return [dict(zip(keys, values)) | {"label": label2id[values[-1]]} for values in features]

    model = AutoModelForSequenceClassification.from_pretrained(
        args.model, num_labels=len(names), id2label=dict(enumerate(names)), label2id=label2id, dtype=torch.float32
    )
    trainer = Trainer(
        model,
        TrainingArguments(
            output_dir=str(args.out),
            num_train_epochs=1,
            per_device_train_batch_size=32,
            per_device_eval_batch_size=32,
            learning_rate=1e-4,
            lr_scheduler_type="linear",
            warmup_steps=0.1,
            weight_decay=0.01,
            train_sampling_strategy="group_by_length" if args.group_by_length else "random",
            eval_strategy="epoch",
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            seed=42,
            use_cpu=not args.cuda,
            bf16=args.bf16,
            torch_compile=args.compile,
        ),
        train_dataset=dataset(args.train),
        eval_dataset=dataset(args.eval),
        processing_class=tokenizer,
        data_collator=DataCollatorWithPadding(tokenizer),
        compute_metrics=lambda p: {"accuracy": float(numpy.mean(p.predictions.argmax(-1) == p.label_ids))},
    )
    trainer.train()
    accuracy = trainer.evaluate(dataset(args.test))["eval_accuracy"]
    trainer.save_model()
    (args.out / "run.json").write_text(json.dumps({"metrics": {"test": {"accuracy": accuracy}}}))


if __name__ == "__main__":
    main()
