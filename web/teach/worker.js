// An engine of a view's own, as web/src/messages/mod.rs describes it: the open model is not touched.
const FILES = ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"];
const site = new URL("../", import.meta.url);

export class Engine {
  constructor() {
    this.worker = new Worker(new URL("engine-cpu_loader.js", site), { type: "module" });
    this.owed = new Map();
    this.last = 0;
    this.worker.onmessage = ({ data }) => this.hear(data);
    this.worker.onerror = ({ message }) => this.fail(message ?? "");
    this.ready = this.answer(0);
    this.ready.catch(() => {}); // whoever does not wait for it shall not be told
  }

  /** Opens a folder of the site to be trained for these labels. */
  openForTraining(folder, labels, seed) {
    return this.load({ type: "open_for_training", name: folder, labels, seed });
  }

  /** Opens a folder of the site. */
  open(folder) {
    return this.load({ type: "open", name: folder });
  }

  async load(request) {
    const load = async (name) => [name, await loaded(new URL(`${request.name}/${name}`, site))];
    const files = await Promise.all(FILES.map(load));
    await this.ready;
    return this.ask({ ...request, files });
  }

  ask(request) {
    this.last += 1;
    this.worker.postMessage({ id: this.last, ...request });
    return this.answer(this.last);
  }

  answer(id) {
    return new Promise((resolve, reject) => this.owed.set(id, { resolve, reject }));
  }

  hear(data) {
    if (data.type === "died") return this.fail(data.message);
    const owed = this.owed.get(data.id);
    this.owed.delete(data.id);
    if (data.type === "failed") owed?.reject(Object.assign(new Error(data.message), { words: data.words }));
    else owed?.resolve(data);
  }

  fail(message) {
    for (const { reject } of this.owed.values()) reject(new Error(message));
    this.owed.clear();
    this.worker.terminate();
  }
}

/** Weights pass by `sw.js`: where there is no network, they are looked for here. */
async function loaded(address) {
  const response = await fetch(address, { redirect: "error" }).catch(async (error) => {
    const kept = await globalThis.caches?.match(address);
    if (kept) return kept;
    throw error;
  });
  if (!response.ok) throw new Error(`${address.pathname}: ${response.status}`);
  return response.blob();
}
