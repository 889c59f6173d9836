"""PyTorch's side of the in-process rows: transformers' BERT with sdpa attention."""

from functools import cache

import lines
import torch
from transformers import AutoModelForSequenceClassification

torch.set_num_threads(lines.THREADS)


def load(folder: str, attention: str = "sdpa") -> torch.nn.Module:
    """The classifier in f32."""
    return AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32, attn_implementation=attention)


@cache
def inference_model(folder: str) -> torch.nn.Module:
    return load(folder).eval()


def forward(request: dict) -> dict:
    """Logits of one batch without padding."""
    model, ids = inference_model(request["model"]), torch.tensor(request["ids"])
    type_ids, mask = torch.zeros_like(ids), torch.ones_like(ids)
    logits = []

    @torch.inference_mode()
    def once() -> None:
        output = model(input_ids=ids, token_type_ids=type_ids, attention_mask=mask).logits
        logits[:] = output.tolist()

    return {"ms": lines.timed(request["iterations"], once), "logits": logits}


class Training:
    """A model in training with its optimizer: no decay on biases and LayerNorm, as in the BERT paper and in Emberlab."""

    def __init__(self, folder: str, optimizer: str, attention: str) -> None:
        torch.manual_seed(42)
        self.model, self.steps = load(folder, attention).train(), 0
        named = list(self.model.named_parameters())
        plain = [p for name, p in named if name.endswith("bias") or "LayerNorm" in name]
        decayed = [p for name, p in named if not (name.endswith("bias") or "LayerNorm" in name)]
        groups = [{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=5e-5, fused=optimizer == "fused", foreach=optimizer == "foreach")

    def step(self, ids: torch.Tensor, labels: torch.Tensor) -> float:
        """Forward with dropout, cross-entropy, backward, clipping, AdamW; the mean loss."""
        type_ids, mask = torch.zeros_like(ids), torch.ones_like(ids)
        logits = self.model(input_ids=ids, token_type_ids=type_ids, attention_mask=mask).logits
        loss = torch.nn.functional.cross_entropy(logits, labels)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.steps += 1
        return loss.item()


@cache
def training(folder: str, optimizer: str, attention: str) -> Training:
    return Training(folder, optimizer, attention)


def train(request: dict) -> dict:
    """Optimizer steps, each on the next `batch` of the rows."""
    run = training(request["model"], request.get("optimizer", "fused"), request.get("attention", "sdpa"))
    ids, labels, batch = torch.tensor(request["ids"]), torch.tensor(request["labels"]), request["batch"]
    losses = []

    def once() -> None:
        start = run.steps * batch % len(ids)
        losses.append(run.step(ids[start : start + batch], labels[start : start + batch]))

    return {"ms": lines.timed(request["iterations"], once), "loss": losses[-1]}


def matmul(request: dict) -> dict:
    """`[m, k] · [k, n]` in f32."""
    left, right = torch.rand(request["m"], request["k"]), torch.rand(request["k"], request["n"])
    out = torch.empty(request["m"], request["n"])
    with torch.inference_mode():
        return {"ms": lines.timed(request["iterations"], lambda: torch.matmul(left, right, out=out))}


if __name__ == "__main__":
    lines.serve({"forward": forward, "train": train, "matmul": matmul})
