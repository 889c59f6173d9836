// Weights of a safetensors file (https://github.com/huggingface/safetensors#format) in float32.

/** Key → { shape, values }. */
export function parse(buffer) {
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  delete header.__metadata__;
  const tensor = ([key, { dtype, shape, data_offsets: [begin, end] }]) => {
    const bytes = buffer.slice(8 + length + begin, 8 + length + end);
    if (dtype === "F32") return [key, { shape, values: new Float32Array(bytes) }];
    if (dtype === "F16") return [key, { shape, values: Float32Array.from(new Uint16Array(bytes), half) }];
    throw new Error(`${key} is ${dtype}`);
  };
  return Object.fromEntries(Object.entries(header).map(tensor));
}

/** IEEE 754 binary16 from its bits. */
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}
