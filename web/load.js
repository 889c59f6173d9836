// Loads a model's weights: tells how far they are, keeps what has come, and goes on from there after an interruption, at once or at a
// later visit. What is whole is kept, too, for visits without a network or to a host that has no newer one.
const CACHE = "emberlab"; // as in sw.js, which leaves weights to this file
const PIECE = 4_000_000; // bytes that are kept at a time
const TELL_EVERY = 200; // milliseconds
const PAUSES = [500, 1000, 2000, 4000]; // before another try, in milliseconds, as long as nothing comes

const WEIGHTS = "model.safetensors";
const INDEX = "model.safetensors.index.json"; // says which files the weights of a large model are spread over
const SHARD = /^model-[a-z0-9-]*\.safetensors$/i;

/**
 * The weights of the folder at `base` as pairs of a name and a Blob (or the status with which the host refused it): one file, or an index
 * and all that it names. `tell([name, loaded, total])` hears of bytes; a total of 0 is not known.
 */
export async function weights(base, tell) {
  const get = async (name) => [name, await load(base + name, ([loaded, total]) => tell([name, loaded, total]))];
  const one = await get(WEIGHTS);
  const index = one[1] === 404 && (await get(INDEX));
  if (!(index[1] instanceof Blob)) return [one];
  const named = Object.values((await readJson(index[1])).weight_map ?? {});
  const files = [index];
  for (const name of new Set(named.filter((name) => SHARD.test(name)))) files.push(await get(name));
  return files;
}

/** What is wrong with an index is found by the engine, which has words for it. */
async function readJson(blob) {
  try {
    return JSON.parse(await blob.text()) ?? {};
  } catch {
    return {};
  }
}

/** The file as a Blob, or the status with which the host refuses it. */
async function load(address, tell) {
  const cache = await globalThis.caches?.open(CACHE).catch(() => undefined);
  for (let failures = 0; ; ) {
    const begun = await begin(cache, address);
    const { bytes } = begun;
    try {
      return await goOn(cache, address, begun, tell);
    } catch (error) {
      if (begun.whole) return begun.whole.blob();
      failures = begun.bytes > bytes ? 1 : failures + 1;
      if (failures > PAUSES.length) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSES[failures - 1]));
    }
  }
}

/** Loads a script of `teach/` when it is first asked for, and opens what it shows; its place says where that cannot be loaded. */
export async function open(script, ask) {
  const place = document.getElementById(`view-${script}`);
  place.querySelector(".absent")?.remove();
  try {
    await (await import(`./teach/${script}.js`)).open(ask);
  } catch (error) {
    console.error(error);
    const said = document.querySelector(".absent").cloneNode(true);
    said.hidden = false;
    place.replaceChildren(said);
  }
}

/** What is kept: the whole file, or the parts of it that have come, one after the other. */
async function begin(cache, address) {
  const begun = { whole: await cache?.match(address), version: null, parts: [], bytes: 0 };
  for (;;) {
    const kept = !begun.whole && (await cache?.match(piece(address, begun.bytes)));
    if (!kept || (begun.version ?? version(kept)) !== version(kept)) return begun;
    begun.version = version(kept);
    add(begun, await kept.blob());
  }
}

/** Asks for what is missing and puts it together with what is there. */
async function goOn(cache, address, begun, tell) {
  const response = await fetch(address, { redirect: "error", headers: conditions(begun) });
  if (response.status === 304) return begun.whole.blob();
  if (response.status !== 206) {
    await forget(cache, address); // there is a newer one, or the host knows no ranges
    Object.assign(begun, { version: version(response), parts: [], bytes: 0 });
  }
  if (response.status === 416) throw new Error("what was kept is no part of the file");
  if (!response.ok) return response.status;

  const length = response.headers.get("Content-Encoding") ? 0 : Number(response.headers.get("Content-Length"));
  const total = length && begun.bytes + length;
  const reader = response.body.getReader();
  const waiting = { parts: [], bytes: 0 };
  const keepWaiting = async () => {
    const [place, blob] = [piece(address, begun.bytes), new Blob(waiting.parts.splice(0))];
    waiting.bytes = 0;
    add(begun, blob);
    // Without a version nobody could tell later whether the rest belongs to it.
    if (blob.size && begun.version && total) await keep(cache, place, blob, response);
  };
  let told = performance.now();
  try {
    for (let next; !(next = await reader.read()).done; ) {
      waiting.parts.push(next.value);
      waiting.bytes += next.value.length;
      if (waiting.bytes >= PIECE) await keepWaiting();
      if (performance.now() - told < TELL_EVERY) continue;
      told = performance.now();
      tell([begun.bytes + waiting.bytes, total]);
    }
  } catch (error) {
    await keepWaiting();
    tell([begun.bytes, total]);
    throw error;
  }
  const whole = new Blob([...begun.parts, ...waiting.parts]);
  keep(cache, address, whole, response).then(() => forget(cache, address));
  return whole;
}

/** What a host that has the rest, or nothing newer, is asked for. */
function conditions({ whole, version: begun, bytes }) {
  if (bytes > 0) return { Range: `bytes=${bytes}-`, "If-Range": begun };
  const [tag, date] = ["ETag", "Last-Modified"].map((name) => whole?.headers.get(name));
  if (tag) return { "If-None-Match": tag };
  return date ? { "If-Modified-Since": date } : {};
}

function add(begun, blob) {
  begun.parts.push(blob);
  begun.bytes += blob.size;
}

/** What cannot be kept, such as a file larger than the browser's share of the disk, is used all the same. */
async function keep(cache, place, blob, { headers }) {
  const kept = ["Content-Type", "ETag", "Last-Modified"].filter((name) => headers.has(name)).map((name) => [name, headers.get(name)]);
  await cache?.put(place, new Response(blob, { headers: kept })).catch(() => {});
}

async function forget(cache, address) {
  const kept = (await cache?.keys(address, { ignoreSearch: true })) ?? [];
  await Promise.all(kept.filter(({ url }) => url !== address).map((request) => cache.delete(request)));
}

const piece = (address, offset) => `${address}?from=${offset}`;
const version = ({ headers }) => headers.get("ETag") ?? headers.get("Last-Modified");
