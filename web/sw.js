// Keeps what the page has loaded, so that the next visit works without a network. The network comes first where there is one: the
// engines' files carry no hash in their names, and a new version must not be mixed with an old one.
const CACHE = "emberlab";
// What the page's own list of loads lacks: workers load these.
const ENGINE = ["engine-cpu_loader.js", "engine-cpu.js", "engine-cpu_bg.wasm"];

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
// The page tells what it loaded before this worker was there.
self.addEventListener("message", (event) => event.waitUntil(keep([...event.data, ...ENGINE])));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method === "GET" && isOurs(request.url)) event.respondWith(answer(request));
});

/** Weights are kept by load.js, which can go on with them. */
const isOurs = (address) => address.startsWith(self.registration.scope) && !/\.safetensors($|\?)/.test(address);

async function keep(addresses) {
  const cache = await caches.open(CACHE);
  const own = addresses.map((address) => new URL(address, self.registration.scope).href);
  const wanted = own.filter(isOurs);
  await Promise.all(wanted.map(async (address) => (await cache.match(address)) ?? cache.add(address).catch(() => {})));
}

async function answer(request) {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch(request);
    // A model that is too large to keep is a model all the same.
    if (response.status === 200) cache.put(request, response.clone()).catch(() => {});
    return response;
  } catch (error) {
    const kept = await cache.match(request, { ignoreSearch: request.mode === "navigate" });
    if (kept) return kept;
    throw error;
  }
}
