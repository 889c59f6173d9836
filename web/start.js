// The engine takes longest and needs nothing of the page: it starts first. `engine.rs` takes it over, with what it said till then.
const engine = new Worker("./engine-cpu_loader.js", { type: "module" });
const unheard = [];
engine.onmessage = engine.onerror = (event) => unheard.push(event);
globalThis.firstEngine = [engine, unheard];
const answered = new Promise((resolve) => document.addEventListener("answered", resolve, { once: true }));

// Starts the page. Trunk writes the names of the two files, which carry hashes, into the script tag (`pattern_script` in Trunk.toml).
const { js, wasm } = document.querySelector("script[data-wasm]").dataset;
const { default: init } = await import(new URL(js, document.baseURI));
await init({ module_or_path: new URL(wasm, document.baseURI) });

// `sw.js` keeps what is loaded for a visit without a network: what was loaded before it was there, all that follows, and the rest.
const { serviceWorker } = navigator;
if (serviceWorker) {
  await serviceWorker.register("./sw.js");
  const { active } = await serviceWorker.ready;
  active.postMessage([document.baseURI]);
  const observe = (type, files) => {
    const tell = (list) => active.postMessage(list.getEntries().flatMap(({ name }) => files(name)));
    new PerformanceObserver(tell).observe({ type, buffered: true });
  };
  observe("resource", (name) => [name]);
  // What a worker loads is not among them: the page marks an engine that is there by the name of its script.
  observe("mark", (script) => [script, script.replace("_loader", ""), script.replace("_loader.js", "_bg.wasm")]);
  // The rest waits for the first answer; without a network or room on the disk, the next visit tries again.
  answered.then(() => import("./teach/offline.js")).then((it) => it.keepRest()).catch(() => {});
}
