import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openSafetensors } from '../../../../main/engine/formats/safetensors.ts';
import { openSafetensorsIndex } from '../../../../main/engine/formats/safetensors-index.ts';
import { writeSafetensors } from '../../../../main/engine/formats/safetensors-write.ts';

const folder = mkdtempSync(join(tmpdir(), 'motif-safetensors-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);

/** A file with this header text and these value bytes, whatever they claim. */
function forge(name: string, header: unknown, bytes: Uint8Array = new Uint8Array(0), headerBytes?: bigint): string {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(headerBytes ?? BigInt(text.length));
  writeFileSync(at(name), Buffer.concat([prefix, text, bytes]));
  return at(name);
}

test('what is written is read again, with metadata, in every floating type', async () => {
  const values = Float32Array.from([0, 1, -2.5, 3.140625, 65504, 6e-8]);
  await writeSafetensors(
    at('round.safetensors'),
    [
      { name: 'full', shape: [2, 3], values },
      { name: 'half', shape: [6], type: 'F16', values: () => values },
      { name: 'brain', shape: [3, 2], type: 'BF16', values: async () => values },
      { name: 'ids', shape: [2], type: 'I32', values: Int32Array.from([-7, 2 ** 30]) },
    ],
    { format: 'pt' },
  );
  const file = await openSafetensors(at('round.safetensors'));
  expect(file.metadata).toEqual({ format: 'pt' });
  expect(file.names()).toEqual(['full', 'half', 'brain', 'ids']);
  expect(file.info('full')).toMatchObject({ type: 'F32', shape: [2, 3] });
  expect(await file.readFloats('full')).toEqual(values);
  expect(await file.readFloats('half')).toEqual(Float32Array.from([0, 1, -2.5, 3.140625, 65504, 2 ** -24]));
  expect([...(await file.readFloats('brain'))].slice(0, 4)).toEqual([0, 1, -2.5, 3.140625]);
  expect(await file.readFloats('full', 2, 3)).toEqual(values.slice(2, 5));
  expect(await file.readIntegers('ids')).toEqual([-7, 2 ** 30]);
  await file.close();
  expect(readdirSync(folder)).toEqual(['round.safetensors']);
});

test('a tensor that is read in several pieces is whole, in memory that is given too, and truncated says so', async () => {
  const count = 14_000_001; // three pieces and a rest
  const values = Float32Array.from({ length: count }, (_, index) => index % 65_521);
  await writeSafetensors(at('pieces.safetensors'), [{ name: 'long', shape: [count], values }]);
  const same = (found: Float32Array, expected: Float32Array) =>
    Buffer.compare(
      Buffer.from(found.buffer),
      Buffer.from(expected.buffer, expected.byteOffset, expected.byteLength),
    ) === 0;
  const file = await openSafetensors(at('pieces.safetensors'));
  expect(same(await file.readFloats('long'), values)).toBe(true);
  const target = new Float32Array(count - 5).fill(-1);
  expect(await file.readFloats('long', 5, count - 5, target)).toBe(target);
  expect(same(target, values.subarray(5))).toBe(true);
  await expect(file.readFloats('long', 0, count, target)).rejects.toThrow('do not fit');
  truncateSync(at('pieces.safetensors'), 40_000_000); // within the third piece
  await expect(file.readFloats('long')).rejects.toThrow('truncated within tensor "long"');
  await file.close();
  rmSync(at('pieces.safetensors'));
});

test('integers, booleans and float64 of other writers are read', async () => {
  const path = forge(
    'types.safetensors',
    {
      a: { dtype: 'I64', shape: [2], data_offsets: [0, 16] },
      b: { dtype: 'F64', shape: [1], data_offsets: [16, 24] },
      c: { dtype: 'BOOL', shape: [3], data_offsets: [24, 27] },
      none: { dtype: 'F32', shape: [0, 4], data_offsets: [27, 27] },
    },
    new Uint8Array([
      ...new Uint8Array(BigInt64Array.from([-3n, 5n]).buffer),
      ...new Uint8Array(Float64Array.from([0.5]).buffer),
      ...[1, 0, 1],
    ]),
  );
  const file = await openSafetensors(path);
  expect(await file.readIntegers('a')).toEqual([-3, 5]);
  expect(await file.readFloats('b')).toEqual(Float32Array.from([0.5]));
  expect(await file.readIntegers('c')).toEqual([1, 0, 1]);
  expect(await file.readFloats('none')).toHaveLength(0);
  await expect(file.readFloats('d')).rejects.toThrow(`${path}: tensor "d" is missing`);
  await file.close();
});

function plain(text: string): string {
  writeFileSync(at('x'), text);
  return at('x');
}

const f32 = (start: number, end: number, shape = [(end - start) / 4]) => ({
  dtype: 'F32',
  shape,
  data_offsets: [start, end],
});

test.each([
  ['an empty file', () => plain(''), /0 bytes are too few/],
  ['a text', () => plain('no tensors in here'), /not a safetensors file/],
  ['a header longer than the file', () => forge('x', '{}', undefined, 99n), /truncated: the header alone has 99 bytes/],
  ['a header that is no JSON', () => forge('x', '{"a":'), /header is not JSON/],
  ['a header that is a list', () => forge('x', '[1]'), /not a JSON object/],
  ['values cut off', () => forge('x', { a: f32(0, 8) }, new Uint8Array(5)), /tensor "a" ends at byte 8.*has 5/],
  ['too many values', () => forge('x', { a: f32(0, 8) }, new Uint8Array(12)), /4 bytes at the end/],
  [
    'a wrong size',
    () => forge('x', { a: f32(0, 8, [3]) }, new Uint8Array(8)),
    /tensor "a" of F32 \[3\] needs 12 bytes/,
  ],
  ['overlap', () => forge('x', { a: f32(0, 8), b: f32(4, 12) }, new Uint8Array(12)), /tensors "a" and "b" overlap/],
  ['a gap', () => forge('x', { a: f32(0, 4), b: f32(8, 12) }, new Uint8Array(12)), /before tensor "b" belong to none/],
  ['ends before it starts', () => forge('x', { a: f32(8, 4, [1]) }, new Uint8Array(8)), /tensor "a"/],
  ['a negative offset', () => forge('x', { a: f32(-4, 0, [1]) }, new Uint8Array(4)), /tensor "a" is described wrongly/],
  [
    'an unknown type',
    () => forge('x', { a: { dtype: 'Q9', shape: [1], data_offsets: [0, 1] } }, new Uint8Array(1)),
    /tensor "a" has the unknown type Q9/,
  ],
  [
    'a tensor described twice',
    () => forge('x', `{"a":${JSON.stringify(f32(0, 4))},"a" :${JSON.stringify(f32(0, 4))}}`, new Uint8Array(4)),
    /describes "a" twice/,
  ],
  [
    'a key of the metadata given twice',
    () => forge('x', '{"__metadata__":{"alpha":"8","al\\u0070ha":"16"}}'),
    /describes "alpha" twice/,
  ],
])('%s is refused with the file and the tensor named', async (_, make, message) => {
  const path = make();
  await expect(openSafetensors(path)).rejects.toMatchObject({ code: 'damaged-file' });
  await expect(openSafetensors(path)).rejects.toThrow(message);
  await expect(openSafetensors(path)).rejects.toThrow(path);
});

test('a type that is not supported is no damage, and the message says what to do', async () => {
  forge('x', { a: { dtype: 'F8_E8M0', shape: [1], data_offsets: [0, 1] } }, new Uint8Array(1));
  await expect(openSafetensors(at('x'))).rejects.toMatchObject({ code: 'invalid-input', hint: /float16/ });
});

test('what is no file is refused instead of waited for', async () => {
  mkdirSync(at('folder'));
  await expect(openSafetensors(at('folder'))).rejects.toMatchObject({ code: 'invalid-input' });
});

test('a missing file says so', async () => {
  await expect(openSafetensors(at('nothing'))).rejects.toMatchObject({ code: 'not-found' });
});

test('a checkpoint in two files reads as one, and a wrong index is refused', async () => {
  await writeSafetensors(at('m-1.safetensors'), [{ name: 'a', shape: [1], values: Float32Array.from([1]) }]);
  await writeSafetensors(at('m-2.safetensors'), [{ name: 'b', shape: [1], values: Float32Array.from([2]) }]);
  const index = at('m.safetensors.index.json');
  const write = (weight_map: Record<string, string>) => writeFileSync(index, JSON.stringify({ weight_map }));
  write({ a: 'm-1.safetensors', b: 'm-2.safetensors' });
  const source = await openSafetensorsIndex(index);
  expect([...(await source.readFloats('a')), ...(await source.readFloats('b'))]).toEqual([1, 2]);
  await source.close();

  write({ a: 'm-2.safetensors', b: 'm-2.safetensors' });
  await expect(openSafetensorsIndex(index)).rejects.toThrow('m-2.safetensors: tensor "a" is missing');
  write({ a: 'm-1.safetensors' });
  const partial = await openSafetensorsIndex(index);
  expect(partial.names()).toEqual(['a']);
  await partial.close();
  write({ a: '../m-1.safetensors' });
  await expect(openSafetensorsIndex(index)).rejects.toThrow('leaves the folder');
});

test('a failed write leaves the old file and nothing beside it', async () => {
  await writeSafetensors(at('keep'), [{ name: 'a', shape: [1], values: Float32Array.from([1]) }]);
  const before = readFileSync(at('keep'));
  const files = readdirSync(folder);
  await expect(
    writeSafetensors(at('keep'), [{ name: 'a', shape: [2], values: Float32Array.from([1]) }]),
  ).rejects.toThrow('tensor "a" [2] needs 2 values, found 1');
  expect(readFileSync(at('keep'))).toEqual(before);
  expect(readdirSync(folder)).toEqual(files);
});
