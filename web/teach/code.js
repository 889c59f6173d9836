// The line of our code that a step runs, and the same line of PyTorch and transformers. Ours is shown as it stands in `code/`; theirs are
// links to the versions that our tests compare with.
import { h, say } from "./dom.js";

const TRANSFORMERS = "https://github.com/huggingface/transformers/blob/v5.23.0/src/transformers/";
const PYTORCH = "https://github.com/pytorch/pytorch/blob/v2.15.0/torch/";
/** Lines around ours that are shown. */
const AROUND = 7;

/** For each step: file and line of ours, by what stands there; then file, number and name of theirs. */
const CODE = {
  data: ["core/src/data/columns.rs", "pub fn require_label", `${TRANSFORMERS}data/data_collator.py#L133`, 'if "label" in first'],
  tokens: ["core/src/text/tokenized.rs", "inner.encode_char_offsets(input, true)", `${TRANSFORMERS}tokenization_utils_tokenizers.py#L1091`, "self._tokenizer.encode_batch("],
  mask: ["core/src/text/tokenized.rs", "self.attention_mask.resize(length, 0)", `${TRANSFORMERS}data/data_collator.py#L225`, "pad_without_fast_tokenizer_warning("],
  batch: ["core/src/train/lesson/run.rs", "setup.collate(encodings, &rows, longest)", `${TRANSFORMERS}trainer.py#L2076`, "self._prepare_inputs(inputs)"],
  logits: ["core/src/model/bert.rs", "dropout(pooled, dropout), classifier)", `${TRANSFORMERS}models/bert/modeling_bert.py#L1106`, "self.classifier(pooled_output)"],
  softmax: ["core/src/model/prediction.rs", "fn softmax(", `${PYTORCH}nn/functional.py#L2213`, "input.softmax(dim)"],
  loss: ["core/src/train/loss.rs", "log_p.gather(1, truth)", `${PYTORCH}nn/functional.py#L3561`, "torch._C._nn.cross_entropy_loss("],
  backward: ["core/src/train/lesson/run.rs", "loss.backward()", `${PYTORCH}_tensor.py#L623`, "torch.autograd.backward("],
  step: ["core/src/train/lesson/run.rs", "self.optimizer.step(", `${TRANSFORMERS}trainer.py#L1935`, "self.optimizer.step()"],
  zero: ["core/src/train/lesson/run.rs", "if !zero_grad", `${TRANSFORMERS}trainer.py#L1946`, "model.zero_grad()"],
  schedule: ["core/src/train/schedule.rs", "step as f64 / warmup_steps as f64", `${TRANSFORMERS}optimization.py#L103`, "float(current_step) / float(max(1, num_warmup_steps))"],
  argmax: ["core/src/model/prediction.rs", "fn most(", `${TRANSFORMERS}pipelines/text_classification.py#L210`, "scores.argmax()"],
};

/** The two links of a step. */
export function links(id) {
  const [file, line, address, name] = CODE[id];
  const ours = h("button", { type: "button", className: "link", onclick: () => showCode(file, line) }, `${file}`);
  const library = address.startsWith(PYTORCH) ? "PyTorch" : "transformers";
  const theirs = h("a", { href: address, target: "_blank", rel: "noreferrer" }, h("code", {}, name));
  return h("p", { className: "code-links quiet" }, say("code.ours"), " ", ours, h("br"), say("code.theirs", { library }), " ", theirs);
}

async function showCode(file, line) {
  const text = await (await fetch(new URL(`../code/${file}`, import.meta.url))).text();
  const lines = text.split("\n");
  const found = lines.findIndex((it) => it.includes(line));
  const from = Math.max(0, found - AROUND);
  const shown = lines.slice(from, found + AROUND + 1).map((it, index) => h("span", { className: from + index === found ? "here" : "" }, `${String(from + index + 1).padStart(4)}  ${it}\n`));
  const close = h("button", { type: "button", onclick: () => dialog.close() }, say("code.close"));
  const heading = h("h3", { id: "code-title" }, `${file}:${found + 1}`);
  const pre = h("pre", { tabIndex: 0, role: "region", "aria-labelledby": "code-title" }, shown);
  const dialog = h("dialog", { className: "code", "aria-labelledby": "code-title", onclose: () => dialog.remove() }, heading, pre, close);
  document.body.append(dialog);
  dialog.showModal();
}
