// A static host as plain as they come: the built page in a sub-folder of loopback, with types and lengths and no other headers. On
// request it is as good as most are: then files have a version, and a part of one may be asked for.
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { Transform } from "node:stream";

const TYPES = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/**
 * Serves `folder` under `prefix`; every request is kept in `requests` as { path, status, range }. With `ranges`, files have an ETag. Of the
 * weights it sends a piece in so many milliseconds (`pause`), and breaks the connection after as many bytes as `cuts` says for each request.
 */
export async function serve(folder, prefix, { ranges = false, pause = 0, cuts = [] } = {}) {
  const requests = [];
  const server = createServer((request, response) => {
    const { pathname: path } = new URL(request.url, "http://localhost");
    const file = fileOf(folder, prefix, path);
    const { status, headers, start } = file ? answer(file, request.headers, ranges) : { status: 404 };
    requests.push({ path, status, range: request.headers.range });
    response.writeHead(status, headers);
    if (![200, 206].includes(status)) return response.end();
    const stream = createReadStream(file.name, { start });
    const isWeights = path.endsWith(".safetensors");
    (isWeights ? stream.pipe(hindrance(response, pause, cuts.shift())) : stream).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { origin, prefix, url: origin + prefix, requests, cuts, close };
}

function answer({ name, size, version }, asked, ranges) {
  const headers = { "Content-Type": TYPES[extname(name)] ?? "application/octet-stream", "Content-Length": size };
  if (!ranges) return { status: 200, headers };
  headers.ETag = version;
  if (asked["if-none-match"] === version) return { status: 304, headers: { ETag: version } };
  const start = Number(/^bytes=(\d+)-$/.exec(asked.range ?? "")?.[1] ?? 0);
  if (!asked.range || asked["if-range"] !== version) return { status: 200, headers };
  const rest = { "Content-Length": size - start, "Content-Range": `bytes ${start}-${size - 1}/${size}` };
  return { status: 206, headers: { ...headers, ...rest }, start };
}

/** Lets data pass slowly, and up to `cut` bytes, if that is a number. */
function hindrance(response, pause, cut = Infinity) {
  let left = cut;
  return new Transform({
    transform(data, _, done) {
      const passing = data.subarray(0, Math.min(left, data.length));
      left -= passing.length;
      this.push(passing);
      if (left === 0) return setTimeout(() => response.destroy(), 50); // what was written leaves first
      return pause ? setTimeout(done, pause) : done();
    },
  });
}

function fileOf(folder, prefix, path) {
  if (!path.startsWith(prefix)) return null;
  const inside = normalize(decodeURIComponent(path.slice(prefix.length)) || "index.html");
  if (inside.startsWith("..")) return null;
  const name = join(folder, inside);
  const found = statSync(name, { throwIfNoEntry: false });
  return found?.isFile() ? { name, size: found.size, version: `"${found.size}-${found.mtimeMs}"` } : null;
}
