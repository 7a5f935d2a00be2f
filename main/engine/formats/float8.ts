/**
 * Eight-bit floating point, both kinds that checkpoints have (arXiv 2209.05433): `F8_E4M3`, four bits of exponent and three of
 * fraction, without infinities (PyTorch's float8_e4m3fn), and `F8_E5M2`, the upper byte of a half.
 */

const tables = new Map<string, Float32Array>();

/** All 256 values of a kind, made at its first use. */
function tableOf(kind: string, value: (exponent: number, fraction: number) => number, fractionBits: number) {
  const known = tables.get(kind);
  if (known) return known;
  const table = Float32Array.from({ length: 256 }, (_, bits) => {
    const magnitude = value((bits & 0x7f) >> fractionBits, bits & (2 ** fractionBits - 1));
    return bits & 0x80 ? -magnitude : magnitude;
  });
  tables.set(kind, table);
  return table;
}

function decode(table: Float32Array, bits: Uint8Array, target: Float32Array, offset: number): void {
  for (let i = 0; i < bits.length; i++) target[offset + i] = table[bits[i]!]!;
}

/** Decodes F8_E4M3 values into `target` from `offset` on. */
export function decodeE4M3(bits: Uint8Array, target: Float32Array, offset = 0): void {
  const value = (exponent: number, fraction: number) => {
    if (exponent === 15 && fraction === 7) return Number.NaN;
    return exponent === 0 ? fraction * 2 ** -9 : (8 + fraction) * 2 ** (exponent - 10);
  };
  decode(tableOf('E4M3', value, 3), bits, target, offset);
}

/** Decodes F8_E5M2 values into `target` from `offset` on. */
export function decodeE5M2(bits: Uint8Array, target: Float32Array, offset = 0): void {
  const value = (exponent: number, fraction: number) => {
    if (exponent === 31) return fraction ? Number.NaN : Number.POSITIVE_INFINITY;
    return exponent === 0 ? fraction * 2 ** -16 : (4 + fraction) * 2 ** (exponent - 17);
  };
  decode(tableOf('E5M2', value, 2), bits, target, offset);
}
