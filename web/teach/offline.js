// Once the page has answered: keeps what may still be asked for, for visits without a network. `xtask/src/page.rs` lists it.
const CACHE = "emberlab"; // as in sw.js
const site = new URL("../", import.meta.url);

/** One after the other, behind whatever else is loaded. The list is kept last: where it is, all of its version is. */
export async function keepRest() {
  const load = (name) => new Request(new URL(name, site), { cache: "no-cache", priority: "low" });
  const cache = await caches.open(CACHE);
  const list = await fetch(load("offline.json"));
  const text = await list.clone().text();
  if (text === (await (await cache.match(list.url))?.text())) return;
  for (const file of JSON.parse(text).files) await cache.add(load(file));
  await cache.put(list.url, list);
}
