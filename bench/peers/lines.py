"""What the in-process peers share: one JSON request a line in, one JSON answer a line out."""

import json
import os
import sys
import time
import traceback
from collections.abc import Callable

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="true", TRANSFORMERS_VERBOSITY="error")
THREADS = int(os.environ.get("EMBERLAB_BENCH_THREADS") or os.cpu_count() or 1)


def serve(works: dict[str, Callable[[dict], dict]]) -> None:
    """Answers requests until standard input ends; `works` maps the name in `work` to a function of the request."""
    for line in sys.stdin:
        try:
            request = json.loads(line)
            answer = works[request["work"]](request)
        except Exception:  # whatever it is, the other side must hear of it
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), flush=True)


def timed(iterations: int, work: Callable[[], object]) -> list[float]:
    """Milliseconds of each of `iterations` calls."""
    times = []
    for _ in range(iterations):
        started = time.perf_counter()
        work()
        times.append((time.perf_counter() - started) * 1e3)
    return times
