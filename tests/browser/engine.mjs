// An engine worker driven by hand, as web/src/messages.rs describes it.

const FILES = ["config.json", "model.safetensors", "tokenizer.json"];

export class Engine {
  /** Starts `script` (relative to the page) and waits until it takes requests. */
  static async start(tab, script) {
    const engine = await Engine.of(tab, script);
    await tab.evaluate((engine) => engine.ready, engine.handle);
    return engine;
  }

  /** `source` is the script of a new worker, or the handle of one that runs already, such as the page's own. */
  static async of(tab, source) {
    return new Engine(tab, await tab.evaluateHandle(drive, source));
  }

  constructor(tab, handle) {
    this.tab = tab;
    this.handle = handle;
  }

  /** Opens a folder of the site, and returns the model's labels. */
  async open(folder) {
    const opened = await this.tab.evaluate(
      async ([engine, folder, names]) => {
        const fetched = names.map(async (name) => [name, await (await fetch(`${folder}/${name}`)).blob()]);
        return engine.ask({ type: "open", name: folder, files: await Promise.all(fetched) });
      },
      [this.handle, folder, FILES],
    );
    return opened.model.labels;
  }

  /** Label → probability for each text. */
  async classify(texts, labels) {
    const { predictions } = await this.ask({ type: "classify", texts });
    return predictions.map(({ probabilities }) => Object.fromEntries(labels.map((label, id) => [label, probabilities[id]])));
  }

  /** { loss, parameters } of one training step. */
  gradients(texts, labels) {
    return this.ask({ type: "gradients", texts, labels });
  }

  ask(request) {
    return this.tab.evaluate(([engine, request]) => engine.ask(request), [this.handle, request]);
  }
}

/** Runs in the page: promises around the worker's messages. The ids are far from those that the page itself uses. */
function drive(source) {
  const worker = typeof source === "string" ? new Worker(source, { type: "module" }) : source;
  let id = 1_000_000;
  const owed = new Map();
  const answer = (id) => new Promise((resolve, reject) => owed.set(id, { resolve, reject }));
  const fail = (message) => owed.forEach(({ reject }) => reject(new Error(message)));
  const ready = answer(0);
  ready.catch(() => {}); // whoever does not wait for it shall not be told
  worker.addEventListener("error", (event) => fail(`the worker failed: ${event.message}`));
  worker.addEventListener("message", ({ data }) => {
    if (data.type === "died") return fail(`the engine died: ${data.message}`);
    const { resolve, reject } = owed.get(data.id) ?? {};
    owed.delete(data.id);
    if (data.type === "failed") reject?.(new Error(data.message));
    else resolve?.(data);
  });
  const ask = (request) => {
    id += 1;
    worker.postMessage({ id, ...request });
    return answer(id);
  };
  return { ready, ask };
}
