// Runs in the page: starts a worker of either side and measures its round trips.
window.startWorker = async (script, options) => {
  const worker = new Worker(script, { type: options.classic ? "classic" : "module" });
  let id = 0;
  const owed = new Map();
  const answer = (id) => new Promise((resolve, reject) => owed.set(id, { resolve, reject }));
  const fail = (message) => owed.forEach(({ reject }) => reject(new Error(`${script}: ${message}`)));
  worker.onerror = (event) => fail(event.message || "its file could not be loaded");
  worker.onmessage = ({ data }) => {
    if (data.type === "died") return fail(data.message);
    const { resolve, reject } = owed.get(data.id) ?? {};
    owed.delete(data.id);
    if (data.type === "failed") reject?.(new Error(`${script}: ${data.message}`));
    else resolve?.(data);
  };
  const ask = async (request) => {
    id += 1;
    const began = performance.now();
    worker.postMessage({ id, ...request });
    const result = await answer(id);
    return { answer: result, ms: performance.now() - began };
  };
  const open = async (folder) => {
    const names = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];
    const read = async (name) => [name, await (await fetch(`${folder}/${name}`)).blob()];
    const files = options.peer ? [] : await Promise.all(names.map(read));
    return ask({ type: "open", name: folder, files, options });
  };
  await answer(0);
  return { ask, open, end: () => worker.terminate() };
};
