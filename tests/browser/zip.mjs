// Zip files by hand, so that what the page reads and writes is held against another's reading of the format.
import assert from "node:assert/strict";
import * as zlib from "node:zlib";

const { deflateRawSync, inflateRawSync } = zlib;

/**
 * The bytes of a zip with these entries: { name, data, deflate, size, packed }, where `size` is what the entry claims to unpack to, and
 * `packed` what its directory claims that it is packed in.
 */
export function zip(entries) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const { name, data, deflate = false, size = data.length, packed } of entries) {
    const content = deflate ? deflateRawSync(data) : data;
    const path = Buffer.from(name);
    const about = (length) =>
      fields([2, 20], [2, 0x0800], [2, deflate ? 8 : 0], [2, 0], [2, 0x21], [4, crc(data)], [4, length], [4, size], [2, path.length], [2, 0]);
    const local = Buffer.concat([fields([4, 0x04034b50]), about(content.length), path, content]);
    const rest = fields([2, 0], [2, 0], [2, 0], [4, 0], [4, offset]);
    directory.push(fields([4, 0x02014b50], [2, 20]), about(packed ?? content.length), rest, path);
    parts.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const counts = [2, entries.length];
  const end = fields([4, 0x06054b50], [2, 0], [2, 0], counts, counts, [4, central.length], [4, offset], [2, 0]);
  return Buffer.concat([...parts, central, end]);
}

/** { name: bytes } of a zip, read from its central directory; every checksum is compared. */
export function unzip(bytes) {
  const end = bytes.lastIndexOf(fields([4, 0x06054b50]));
  assert(end >= 0, "no end of a zip");
  let at = bytes.readUInt32LE(end + 16);
  const files = {};
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left -= 1) {
    assert.equal(bytes.readUInt32LE(at), 0x02014b50);
    const [method, sum, packed] = [bytes.readUInt16LE(at + 10), bytes.readUInt32LE(at + 16), bytes.readUInt32LE(at + 20)];
    const [nameLength, extra, comment] = [28, 30, 32].map((place) => bytes.readUInt16LE(at + place));
    const name = bytes.toString("utf8", at + 46, at + 46 + nameLength);
    const local = bytes.readUInt32LE(at + 42);
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const data = bytes.subarray(start, start + packed);
    files[name] = method === 8 ? inflateRawSync(data) : data;
    assert.equal(crc(files[name]), sum, `the checksum of ${name}`);
    at += 46 + nameLength + extra + comment;
  }
  return files;
}

function fields(...numbers) {
  return Buffer.concat(
    numbers.map(([width, value]) => {
      const field = Buffer.alloc(width);
      field.writeUIntLE(value, 0, width);
      return field;
    }),
  );
}

/** CRC-32, where Node.js has none of its own (before 20.15). */
function crc(data) {
  if (zlib.crc32) return zlib.crc32(data);
  let sum = ~0;
  for (const byte of data) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}
