"""The baseline of `cargo xtask study emotion6`: TF-IDF of words and word pairs, and a linear SVC.

python bench/peers/tf_idf_svc.py TRAIN.jsonl TEST.jsonl OUT.jsonl

Writes the test rows with `gold` and `label`, which `emberlab compare` reads, and prints the accuracy.
Needs scikit-learn (tests/python/requirements.txt).
"""

import json
import sys

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC


def rows(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def main(train, test, out):
    train, test = rows(train), rows(test)
    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
        LinearSVC(C=1.0, random_state=42),
    )
    model.fit([row["text"] for row in train], [row["label"] for row in train])
    labels = model.predict([row["text"] for row in test]).tolist()
    with open(out, "w", encoding="utf-8") as file:
        for row, label in zip(test, labels):
            line = {"text": row["text"], "gold": row["label"], "label": label}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    right = sum(row["label"] == label for row, label in zip(test, labels))
    print(f"accuracy {right / len(test):.4f} ({right} of {len(test)})")


if __name__ == "__main__":
    main(*sys.argv[1:])
