// An engine worker driven by hand, as web/src/messages.rs describes it.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const FILES = ["config.json", "model.safetensors", "tokenizer.json"];

export class Engine {
  /** Starts `script` (relative to the page) and waits until it takes requests. */
  static async start(tab, script) {
    const engine = new Engine(tab, await tab.evaluateHandle(drive, script));
    await tab.evaluate((engine) => engine.ready, engine.handle);
    return engine;
  }

  /** The page's own worker with this script, where `keepWorkers` has prepared the context. */
  static async ofPage(tab, script) {
    const worker = await tab.evaluateHandle((script) => window.workers.findLast((it) => it.script === script), script);
    return new Engine(tab, await tab.evaluateHandle(drive, worker));
  }

  constructor(tab, handle) {
    this.tab = tab;
    this.handle = handle;
  }

  /** Opens a folder of the site, with these changes of its `config.json`, and returns the model's labels. */
  async open(folder, changes = {}) {
    const opened = await this.tab.evaluate(
      async ([engine, folder, names, changes]) => {
        const fetched = names.map(async (name) => [name, await (await fetch(`${folder}/${name}`)).blob()]);
        const files = new Map(await Promise.all(fetched));
        const config = { ...JSON.parse(await files.get("config.json").text()), ...changes };
        files.set("config.json", new Blob([JSON.stringify(config)]));
        return engine.ask({ type: "open", name: folder, files: [...files] });
      },
      [this.handle, folder, FILES, changes],
    );
    return opened.model.labels;
  }

  /** Opens files of a folder on this machine, as if they were picked, and returns what the engine says of the model. */
  async openPicked(folder, names) {
    const files = names.map((name) => [name, readFileSync(join(folder, name)).toString("base64")]);
    const opened = await this.tab.evaluate(
      async ([engine, folder, files]) => {
        const bytes = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
        const picked = files.map(([name, base64]) => [name, new Blob([bytes(base64)])]);
        return engine.ask({ type: "open", name: folder, files: picked });
      },
      [this.handle, folder, files],
    );
    return opened.model;
  }

  /** Label → probability for each text. */
  async classify(texts, labels) {
    const { predictions } = await this.ask({ type: "classify", texts });
    return predictions.map(({ probabilities }) => Object.fromEntries(labels.map((label, id) => [label, probabilities[id]])));
  }

  /** Token ids of each text. */
  async tokenize(texts) {
    return (await this.ask({ type: "tokenize", texts })).input_ids;
  }

  /** { loss, parameters } of one training step. */
  gradients(texts, labels) {
    return this.ask({ type: "gradients", texts, labels });
  }

  /** Trains the open model for `count` steps a request until the run is over; returns what each request answered. */
  async train(texts, labels, config, count) {
    const { total_steps: total } = await this.ask({ type: "train_start", texts, labels, config });
    const answers = [];
    while (!answers.at(-1)?.done) answers.push(await this.ask({ type: "train_steps", count }));
    return { total, answers };
  }

  ask(request) {
    return this.tab.evaluate(([engine, request]) => engine.ask(request), [this.handle, request]);
  }
}

/** Remembers the workers that live, so that a test can speak to the page's own. */
export function keepWorkers(context) {
  return context.addInitScript(() => {
    const { Worker } = window;
    window.workers = [];
    window.Worker = class extends Worker {
      constructor(script, options) {
        super(script, options);
        this.script = String(script);
        window.workers.push(this);
      }

      terminate() {
        super.terminate();
        window.workers = window.workers.filter((it) => it !== this);
      }
    };
  });
}

/** Runs in the page: promises around a worker's messages; `source` is a script to start or a worker. The ids are far from those that the page itself uses. */
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
