// A peer's worker answers as ours does: `ready`, then each request in order under its own id.

/** `answers`: the type of a request → an async function of it, whose result is the answer. */
export function serve(answers) {
  let last = Promise.resolve();
  self.onmessage = ({ data }) => {
    last = last.then(async () => {
      try {
        postMessage({ id: data.id, ...(await answers[data.type](data)) });
      } catch (error) {
        postMessage({ id: data.id, type: "failed", message: error?.stack ?? String(error) });
      }
    });
  };
  postMessage({ id: 0, type: "ready" });
}

/** Rows of `width` numbers as our engines give them. */
export function predictions(values, width) {
  const rows = [];
  for (let start = 0; start < values.length; start += width) rows.push({ logits: [...values.slice(start, start + width)] });
  return { type: "classified", predictions: rows };
}
