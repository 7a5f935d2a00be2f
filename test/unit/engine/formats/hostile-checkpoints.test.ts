import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openCheckpointFile } from '../../../../main/engine/formats/checkpoint-file.ts';
import { unpickle } from '../../../../main/engine/formats/unpickle.ts';
import { AppError } from '../../../../shared/ipc/result.ts';
import { randomNumbers } from '../../../campaign/campaign.ts';
import { processorSeconds } from '../../../fixtures/processor-time.ts';

const folder = mkdtempSync(join(tmpdir(), 'motif-hostile-'));
afterAll(() => rmSync(folder, { recursive: true }));

const goldenFile = (name: string) => readFileSync(new URL(`../../../golden/files/${name}`, import.meta.url));

function at(name: string, content: Uint8Array): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

/** Protocol 2 around these instructions. */
const pickle = (...parts: (string | number)[]) =>
  Buffer.concat(
    [0x80, 2, ...parts, '.'].map((part) =>
      typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from([part]),
    ),
  );
const text = (value: string) => `X${String.fromCharCode(value.length)}\0\0\0${value}`;

test.each([
  ['os.system', pickle('cos\nsystem\n', text('touch /tmp/x'), 0x85, 'R')],
  ['builtins.eval', pickle('cbuiltins\neval\n', text('1'), 0x85, 'R')],
  ['torch.hub.load', pickle('ctorch.hub\nload\n', ')', 'R')],
  ['numpy.core.multiarray._reconstruct', pickle('cnumpy.core.multiarray\n_reconstruct\n', ')', 'R')],
  ['torch.load', pickle('ctorch\nload\n', text('x'), 0x85, 'R')],
  ['0x81', pickle('ccollections\nOrderedDict\n', ')', 0x81)], // NEWOBJ makes an object of any class
  ['0x93', pickle(text('os'), text('system'), 0x93)], // STACK_GLOBAL names anything
  ['0x69', pickle('(', text('x'), 'ios\nsystem\n')], // INST calls at once
  ['0x82', pickle(0x82, 1)], // EXT1 names what was registered
])('a pickle that asks for %s is refused with its name, and nothing is done', (name, bytes) => {
  const read = () => unpickle('a.pth', bytes);
  expect(read).toThrow(AppError);
  expect(read).toThrow(
    `asks for ${name.startsWith('0x') ? `an instruction that no PyTorch checkpoint needs (${name})` : name}`,
  );
});

test('a pickle of endless tables ends with a reason, in little time', async () => {
  const seconds = await processorSeconds(() =>
    expect(() => unpickle('a.pth', Buffer.alloc(3_000_000, '}'))).toThrow(/more than 2000000 instructions/),
  );
  expect(seconds).toBeLessThan(5);
});

test('the word of a pickle that is no table of tensors is not taken for one', () => {
  expect(() => unpickle('a.pth', pickle(text('a'), text('b'), 'Q'))).toThrow(/where values are stored/);
  expect(() => unpickle('a.pth', pickle('ctorch._utils\n_rebuild_tensor_v2\n', ')', 'R'))).toThrow(
    /tensor is described wrongly/,
  );
});

test('files of PyTorch before 1.6, and what only has their name, are refused with the way out', async () => {
  await expect(openCheckpointFile(at('old.pth', pickle('}')))).rejects.toMatchObject({
    code: 'invalid-input',
    hint: expect.stringContaining('safetensors'),
  });
  await expect(
    openCheckpointFile(at('cut.pth', goldenFile('Wan2.1_VAE.pth').subarray(0, 60_000))),
  ).rejects.toMatchObject({
    code: 'damaged-file',
  });
});

/** GGUF of these counts, and what follows them. */
function gguf(tensors: bigint, facts: bigint, rest: Uint8Array = new Uint8Array(64)): Buffer {
  const head = Buffer.alloc(24);
  head.write('GGUF');
  head.writeUInt32LE(3, 4);
  head.writeBigUInt64LE(tensors, 8);
  head.writeBigUInt64LE(facts, 16);
  return Buffer.concat([head, rest]);
}

test.each([
  ['tensors without end', gguf(2n ** 60n, 0n), /holds the number/],
  ['more tensors than any model', gguf(10_000_000n, 0n), /claims to hold 10000000 tensors/],
  ['a text of exabytes', gguf(0n, 1n, Buffer.alloc(16, 0x0f)), /holds the number|claims a text/],
  ['nothing behind its counts', gguf(1n, 1n, new Uint8Array()), /truncated within its header/],
])('a GGUF file that claims %s is refused in little time', async (name, bytes, message) => {
  const file = at(`${name}.gguf`, bytes);
  expect(await processorSeconds(() => expect(openCheckpointFile(file)).rejects.toThrow(message))).toBeLessThan(2);
});

test.each(['Wan2.1_VAE.pth', 'umt5-q8_0.gguf', 'wan_q8_0.gguf', 'wan_fp8_scaled.safetensors'])(
  '%s broken in any way is refused with a reason or read',
  async (name) => {
    const whole = goldenFile(name);
    const random = randomNumbers(7);
    let refused = 0;
    for (let round = 0; round < 150; round++) {
      const place = random();
      const broken = Buffer.from(whole);
      // Where the descriptions are: at the end of an archive, at the beginning of the others.
      const span = Math.min(whole.length, 9000);
      const from = name.endsWith('.pth') && round % 2 ? whole.length - span : 0;
      if (round % 3 === 0) broken.fill(round, from + Math.floor(place * span), from + Math.floor(place * span) + 8);
      else broken[from + Math.floor(place * span)]! ^= 1 << (round % 8);
      const path = at(name, round % 5 === 4 ? broken.subarray(0, Math.floor(random() * whole.length)) : broken);
      try {
        const { source } = await openCheckpointFile(path);
        const read = async () => {
          for (const tensor of source.names().slice(0, 3)) await source.readFloats(tensor);
        };
        await read().finally(() => source.close());
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(AppError);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(20);
  },
);
