// Keeps what the page has loaded, so that the next visit works without a network. The network comes first where there is one: the
// engines' files carry no hash in their names, and a new version must not be mixed with an old one.
const CACHE = "emberlab";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
// The page tells what it loaded before this worker was there.
self.addEventListener("message", (event) => event.waitUntil(keep(event.data)));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method === "GET" && isOurs(request.url)) event.respondWith(answer(request));
});

/** Weights are kept by load.js, which can go on with them, and the list of the rest by teach/offline.js; a run under way is of this moment. */
const isOurs = (address) => {
  const path = address.startsWith(self.registration.scope) && address.slice(self.registration.scope.length);
  return path !== false && !/^(live\/|offline\.json)|\.safetensors($|\?)/.test(path);
};

/** What is kept or on its way: it is asked for once. */
const known = new Map();

function keep(addresses) {
  const own = addresses.map((address) => new URL(address, self.registration.scope).href);
  for (const address of own.filter(isOurs)) if (!known.has(address)) known.set(address, keepOne(address));
  return Promise.all(known.values());
}

/** From the browser's own cache where it can be: the page has just loaded it. */
async function keepOne(address) {
  const cache = await caches.open(CACHE);
  if (await cache.match(address)) return;
  await cache.add(new Request(address, { cache: "force-cache" })).catch(() => known.delete(address));
}

async function answer(request) {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch(request);
    // A model that is too large to keep is a model all the same.
    if (response.status === 200) known.set(request.url, cache.put(request, response.clone()).catch(() => {}));
    return response;
  } catch (error) {
    const kept = await cache.match(request, { ignoreSearch: request.mode === "navigate" });
    if (kept) return kept;
    throw error;
  }
}
