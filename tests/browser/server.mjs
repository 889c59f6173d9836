// A static host as plain as they come: the built page in a sub-folder of loopback, with types and lengths and no other headers.
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const TYPES = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** Serves `folder` under `prefix`; every request is kept in `requests` as { path, status }. */
export async function serve(folder, prefix) {
  const requests = [];
  const server = createServer((request, response) => {
    const { pathname: path } = new URL(request.url, "http://localhost");
    const file = fileOf(folder, prefix, path);
    requests.push({ path, status: file ? 200 : 404 });
    if (!file) return response.writeHead(404).end();
    const headers = { "Content-Type": TYPES[extname(file.name)] ?? "application/octet-stream", "Content-Length": file.size };
    response.writeHead(200, headers);
    createReadStream(file.name).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { origin, prefix, url: origin + prefix, requests, close };
}

function fileOf(folder, prefix, path) {
  if (!path.startsWith(prefix)) return null;
  const inside = normalize(decodeURIComponent(path.slice(prefix.length)) || "index.html");
  if (inside.startsWith("..")) return null;
  const name = join(folder, inside);
  const found = statSync(name, { throwIfNoEntry: false });
  return found?.isFile() ? { name, size: found.size } : null;
}
