// Starts the page. Trunk writes the names of the two files, which carry hashes, into the script tag (`pattern_script` in Trunk.toml).
const { js, wasm } = document.querySelector("script[data-wasm]").dataset;
const { default: init } = await import(new URL(js, document.baseURI));
await init({ module_or_path: new URL(wasm, document.baseURI) });

// `sw.js` keeps what is loaded for a visit without a network: what was loaded before it was there, and all that follows.
const { serviceWorker } = navigator;
if (serviceWorker) {
  await serviceWorker.register("./sw.js");
  const { active } = await serviceWorker.ready;
  active.postMessage([document.baseURI]);
  const tell = (list) => active.postMessage(list.getEntries().map(({ name }) => name));
  new PerformanceObserver(tell).observe({ type: "resource", buffered: true });
}
