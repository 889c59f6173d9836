// Starts the page. Trunk writes the names of the two files, which carry hashes, into the script tag (`pattern_script` in Trunk.toml).
const { js, wasm } = document.querySelector("script[data-wasm]").dataset;
const { default: init } = await import(new URL(js, document.baseURI));
await init({ module_or_path: new URL(wasm, document.baseURI) });
