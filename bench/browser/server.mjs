// One static host for both sides: each folder under a name of its own, text and WebAssembly as brotli where the browser takes it.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";

const TYPES = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".json": "application/json",
  ".mjs": "text/javascript",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

export class Site {
  /** `folders`: a name in the address → a folder; `packed`: where compressed files are kept between runs. */
  constructor(folders, packed) {
    this.folders = folders;
    this.packed = packed;
    this.sent = [];
    this.prefixes = new Map();
  }

  async start() {
    const server = createServer((request, response) => this.answer(request, response));
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    this.origin = `http://127.0.0.1:${server.address().port}`;
    return this;
  }

  /** Puts `script` before what is served at `path`. */
  prepend(path, script) {
    this.prefixes.set(path, script);
  }

  answer(request, response) {
    const { pathname } = new URL(request.url, "http://localhost");
    const file = this.file(decodeURIComponent(pathname));
    if (!file) {
      this.sent.push({ path: pathname, status: 404, bytes: 0 });
      return response.writeHead(404).end();
    }
    const type = TYPES[extname(file)];
    const prefix = this.prefixes.get(pathname);
    const headers = { "Content-Type": type ?? "application/octet-stream" };
    let body = prefix ? Buffer.concat([Buffer.from(prefix), readFileSync(file)]) : readFileSync(file);
    if (type && !prefix && this.packed && /\bbr\b/.test(request.headers["accept-encoding"] ?? "")) {
      body = this.brotli(body);
      headers["Content-Encoding"] = "br";
    }
    this.sent.push({ path: pathname, status: 200, bytes: body.length });
    response.writeHead(200, { ...headers, "Content-Length": body.length }).end(body);
  }

  /** The file behind an address; `index.html` for a folder. */
  file(path) {
    const [, name, ...rest] = path.split("/");
    const inside = normalize(rest.join("/") || "index.html");
    if (!this.folders[name] || inside.startsWith("..")) return null;
    const file = join(this.folders[name], inside);
    return statSync(file, { throwIfNoEntry: false })?.isFile() ? file : null;
  }

  /** Brotli at its highest quality, as a host that compresses once and serves often; kept by content, because 27 MB take a minute. */
  brotli(bytes) {
    const kept = join(this.packed, `${createHash("sha256").update(bytes).digest("hex").slice(0, 24)}.br`);
    if (!existsSync(kept)) {
      mkdirSync(this.packed, { recursive: true });
      const packed = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } });
      writeFileSync(`${kept}.unfinished`, packed);
      renameSync(`${kept}.unfinished`, kept);
    }
    return readFileSync(kept);
  }
}
