// A training that a reload or a closed lid may interrupt: what it began with and its newest states, in the browser's private file system
// (OPFS), until it ends. They leave the machine as little as the rest. The folder is one tab's.
const FOLDER = "training";
const PLAN = "plan.json";
const STATES = 2; // the newest, and the one before it in case that one is torn

let queue = Promise.resolve();
/** One after the other, as they were asked for: what is forgotten must not be written again by what was begun before. */
const inOrder = (work) => (queue = queue.then(work).catch(() => null));

let release; // ends this tab's hold of the folder
/** Whether the folder is this tab's from now on. For a moment after a reload it may still be held. */
const hold = () =>
  new Promise((tell) => {
    if (release) return tell(true);
    const held = () => {
      tell(true);
      return new Promise((end) => (release = end));
    };
    navigator.locks.request(FOLDER, { signal: AbortSignal.timeout(1000) }, held).catch(() => tell(false));
  });
const letGo = () => {
  release?.();
  release = null;
};

/** Keeps what a training begins with, in place of what was kept of another; `files` are pairs of a name and a Blob. */
export const begin = (plan, files) =>
  inOrder(async () => {
    if (!(await hold())) return;
    await remove();
    const folder = await open({ create: true });
    for (const [index, [, blob]] of files.entries()) await write(folder, `file-${index}`, blob);
    await write(folder, PLAN, JSON.stringify({ plan, names: files.map(([name]) => name) }));
  });

/** Keeps the state after a step. */
export const keep = (step, state) =>
  inOrder(async () => {
    if (!release) return;
    const folder = await open({});
    await write(folder, `state-${step}`, state);
    for (const old of (await steps(folder)).slice(STATES)) await folder.removeEntry(`state-${old}`);
  });

/** `{ plan, files, states }` of the training that was interrupted, its states as `[step, Blob]`, newest first; null where none was. */
export const find = () =>
  inOrder(async () => {
    const found = (await hold()) && (await look().catch(() => null));
    if (!found) letGo();
    return found || null;
  });

export const forget = () =>
  inOrder(async () => {
    if (!release) return;
    await remove();
    letGo();
  });

async function look() {
  const folder = await open({});
  const written = await read(folder, PLAN);
  const { plan, names } = JSON.parse(await written.text());
  // Copies: the files themselves are void once nothing is kept any more.
  const copy = async (name, index) => [name, new Blob([await (await read(folder, `file-${index}`)).arrayBuffer()])];
  const states = [];
  for (const step of await steps(folder)) {
    const state = await read(folder, `state-${step}`);
    if (state.size) states.push([step, state]); // a torn one is empty
  }
  return states.length ? { plan, files: await Promise.all(names.map(copy)), states } : null;
}

const root = () => navigator.storage.getDirectory();
const open = async (options) => (await root()).getDirectoryHandle(FOLDER, options);
const read = async (folder, name) => (await folder.getFileHandle(name)).getFile();
const remove = async () => (await root()).removeEntry(FOLDER, { recursive: true }).catch(() => {});

/** Whole or not at all: the browser writes to a file beside it, and puts that in its place when it is closed. */
async function write(folder, name, content) {
  const handle = await folder.getFileHandle(name, { create: true });
  const file = await handle.createWritable();
  await file.write(content);
  await file.close();
}

async function steps(folder) {
  const found = [];
  for await (const name of folder.keys()) if (name.startsWith("state-")) found.push(Number(name.slice(6)));
  return found.sort((a, b) => b - a);
}
