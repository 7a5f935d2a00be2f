import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { unpackAside } from '../../../main/library/package/unpack-aside.ts';
import { mediaFile } from '../../../main/services/media.ts';
import type { Services } from '../../../main/services/services.ts';
import { makeTempFolder } from '../../fixtures/library.ts';
import { alterPackage, makePackage, type OpenPackage, openCheckingServices } from '../../fixtures/package.ts';
import { processorSeconds } from '../../fixtures/processor-time.ts';
import { runNew } from '../../fixtures/services.ts';

let folder: string;
let services: Services;
let sound: string;

async function open(): Promise<void> {
  folder = makeTempFolder('hostile');
  services = await openCheckingServices(folder);
  sound = await makePackage(folder);
}
async function close(): Promise<void> {
  await services.close();
  rmSync(folder, { recursive: true });
}

const alter = (change: (parts: OpenPackage) => void) => alterPackage(sound, join(folder, 'changed.motif'), change);
const rename = ({ db }: OpenPackage) => db.exec('ALTER TABLE sqlar RENAME TO old');

/** One part of the concept file, given anew; its values begin behind the header. */
function changeWeights(
  { get, put }: OpenPackage,
  change: (values: Buffer, header: string) => string | undefined,
): void {
  const bytes = Buffer.from(get('concept.safetensors'));
  const length = Number(bytes.readBigUInt64LE());
  const [header, values] = [bytes.toString('utf8', 8, 8 + length), bytes.subarray(8 + length)];
  const changed = Buffer.from(change(values, header) ?? header);
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(changed.length));
  put('concept.safetensors', Buffer.concat([prefix, changed, values]));
}

describe('a package is refused with the reason, at once and without a trace, that', () => {
  // Of what is refused nothing stays: one library serves them all.
  beforeAll(open);
  afterAll(close);
  const zeros = 3e8;
  const deflated = deflateSync(Buffer.alloc(zeros), { level: 1 });
  const endless = 'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)';
  const cases: [what: string, reason: RegExp, change: (parts: OpenPackage) => void][] = [
    [
      'has an endless view for a table',
      /more than a package/,
      (parts) => {
        rename(parts);
        parts.db.exec(
          `DROP TABLE old; CREATE VIEW sqlar AS ${endless} SELECT 'motif.json' || (x - x) AS name, 0 AS mode, 0 AS mtime, 3 AS sz, 'x' AS data FROM c`,
        );
      },
    ],
    [
      'has a view beside its table',
      /more than a package/,
      ({ db }) => db.exec(`CREATE VIEW more AS ${endless} SELECT x FROM c`),
    ],
    [
      'has a virtual table',
      /more than a package/,
      (parts) => {
        rename(parts);
        parts.db.exec('CREATE VIRTUAL TABLE sqlar USING fts5(name, mode, mtime, sz, data); DROP TABLE old');
      },
    ],
    [
      'has a trigger',
      /more than a package/,
      ({ db }) => db.exec('CREATE TRIGGER t AFTER INSERT ON sqlar BEGIN DELETE FROM sqlar; END'),
    ],
    [
      'has a column that is an expression',
      /not that of a package/,
      (parts) => {
        rename(parts);
        parts.db.exec(
          'CREATE TABLE sqlar (name TEXT PRIMARY KEY, mode INT, mtime INT, sz INT, data BLOB AS (zeroblob(900000000))); DROP TABLE old',
        );
      },
    ],
    ['has no table', /not that of a package/, ({ db }) => db.exec('DROP TABLE sqlar')],
    [
      'has no contents',
      /table is damaged/,
      ({ db }) => db.exec("UPDATE sqlar SET data = NULL WHERE name = 'motif.json'"),
    ],
    [
      'has a part twice',
      /table is damaged/,
      (parts) => {
        rename(parts);
        parts.db.exec(
          'CREATE TABLE sqlar (name TEXT, mode INT, mtime INT, sz INT, data BLOB); INSERT INTO sqlar SELECT * FROM old; INSERT INTO sqlar SELECT * FROM old; DROP TABLE old',
        );
      },
    ],
    [
      'has a part of another name',
      /"..\/..\/settings.json" belongs to no concept/,
      ({ put }) => put('../../settings.json', Buffer.from('{}')),
    ],
    [
      'has too many parts',
      /number of its parts/,
      ({ put }) => {
        for (let index = 0; index < 80; index++) put(`clips/${index}.rgb`, Buffer.alloc(1));
      },
    ],
    [
      'inflates beyond what it says',
      /is damaged/,
      ({ db }) => db.prepare("UPDATE sqlar SET sz = 900000, data = ? WHERE name = 'motif.json'").run(deflated),
    ],
    [
      'inflates beyond what a part can be',
      /losses.json is over the limit/,
      ({ db, put }) => {
        put('losses.json', Buffer.from('[]'));
        db.prepare("UPDATE sqlar SET sz = ?, data = ? WHERE name = 'losses.json'").run(zeros, deflated);
      },
    ],
    ['has curves that are none', /losses.json/, ({ put }) => put('losses.json', Buffer.from('{"x":['))],
    [
      'has curves of other things',
      /losses.json/,
      ({ put }) => put('losses.json', Buffer.from('[{"stage":"identity","step":1,"loss":1e999}]')),
    ],
    [
      'has a description nested without end',
      /motif.json is not JSON/,
      ({ put }) => put('motif.json', Buffer.from('['.repeat(500_000))),
    ],
    [
      'has twenty thousand clips',
      /motif.json/,
      ({ change }) =>
        change((manifest) => {
          manifest.clips = new Array(20_000).fill(manifest.clips[0]);
        }),
    ],
    [
      'has pictures of another size',
      /clips\/0.rgb has the wrong size/,
      ({ change }) =>
        change(({ clips }) => {
          clips[0].frames.width = 17;
        }),
    ],
    [
      'has pictures of a size that overflows',
      /motif.json/,
      ({ change }) =>
        change(({ clips }) => {
          Object.assign(clips[0].frames, { width: 2 ** 40, height: 2 ** 40, frameCount: 2 ** 40 });
        }),
    ],
    [
      'has a hash that is a path',
      /is not a hash/,
      ({ change }) =>
        change(({ clips }) => {
          clips[0].source.sha256 = '../../../../../../etc/passwd';
        }),
    ],
    [
      'has names that are no text',
      /motif.json/,
      ({ change }) =>
        change(({ concept }) => {
          concept.name = { toString: 'x' };
        }),
    ],
    [
      'names directions that it has not got',
      /names a direction/,
      ({ change }) =>
        change(({ concept }) => {
          concept.directionNames = { 7: 'hat' };
        }),
    ],
    [
      'has more clips than words',
      /2 clips and the words for 1/,
      ({ change, get, put }) => {
        change(({ clips }) => clips.push(clips[0]));
        put('clips/1.rgb', get('clips/0.rgb'));
      },
    ],
    [
      'was learned on another model than it says',
      /learned on "model"/,
      ({ change }) =>
        change(({ concept }) => {
          concept.model = '/tmp/other';
        }),
    ],
    [
      'has no weights',
      /concept.safetensors is missing/,
      ({ db }) => db.exec("DELETE FROM sqlar WHERE name = 'concept.safetensors'"),
    ],
    [
      'has weights that are a text',
      /not a safetensors file/,
      ({ put }) => put('concept.safetensors', Buffer.from('not safetensors at all')),
    ],
    [
      'has weights cut off',
      /truncated/,
      ({ get, put }) => put('concept.safetensors', get('concept.safetensors').subarray(0, -100)),
    ],
    [
      'has weights that are no numbers',
      /no finite number/,
      (parts) => changeWeights(parts, (values) => void values.fill(0x7e)),
    ],
    [
      'has one infinite weight',
      /Infinity, which is no finite number/,
      (parts) => changeWeights(parts, (values) => void values.writeUInt16LE(0x7c00, 20)),
    ],
    [
      'has weights for other layers',
      /layer "blocks.9.* does not fit/,
      (parts) => changeWeights(parts, (_, header) => header.replaceAll('blocks.0.', 'blocks.9.')),
    ],
    [
      'has a description of another rank',
      /not of rank 3/,
      (parts) => changeWeights(parts, (_, header) => header.replace('\\"rank\\":2', '\\"rank\\":3')),
    ],
    [
      'has a token of another name',
      /belongs to no concept/,
      (parts) => changeWeights(parts, (_, header) => header.replace('token.v', 'token.__proto__')),
    ],
  ];
  it.each(cases)('%s', async (_, reason, change) => {
    const file = alter(change);
    let refused: { message: string } | undefined;
    // The thread that unpacks it is one of this process.
    const seconds = await processorSeconds(async () => {
      refused = await services.call['concepts.importFile']({ file }).then(
        () => new Error('it was taken'),
        (error) => error,
      );
    });
    expect(refused).toMatchObject({
      code: expect.stringMatching(/^(damaged-file|invalid-input)$/),
      hint: expect.any(String),
    });
    expect(refused!.message).toMatch(reason);
    expect(refused!.message).not.toContain('incoming-');
    expect(seconds).toBeLessThan(10);
    expect([await services.call['concepts.list'](), await services.call['clips.list']()]).toEqual([[], []]);
    expect(readdirSync(join(folder, 'home/jobs'))).toEqual([]);
  });
});

describe('a package', () => {
  beforeEach(open);
  afterEach(close);

  it('that is sound is taken, with what its concept file says of it', async () => {
    const { concept } = await services.call['concepts.importFile']({ file: sound });
    expect(concept).toMatchObject({ name: 'walker', model: 'model', rank: 2, directionStrengths: [2, 1] });
  });

  it.each(['/etc/passwd', 'C:\\Windows\\win.ini', '\\\\host\\share\\film.mp4'])(
    'that names the path %s never has it opened, and every way to it says why',
    async (path) => {
      const file = alter(({ change }) =>
        change(({ clips, concept }) => {
          clips[0].source.path = path;
          clips[0].source.name = path;
          clips[0].source.hasAudio = true;
          concept.model = `${path}/model`;
        }),
      );
      const { concept } = await services.call['concepts.importFile']({ file });
      const [clip] = await services.call['clips.list']();
      expect(clip!.source).toMatchObject({ path: null, name: expect.stringMatching(/^[^/\\]+$/) });
      expect(concept.model).toBe('model');
      for (const address of [`source/${clip!.id}`, `filmstrip/${clip!.id}`, `proxy/${clip!.id}.mp4`])
        await expect(mediaFile(services, address)).rejects.toThrow(
          /came with a concept: its video, .* is not on this machine/,
        );
      const job = await runNew(services, {
        kind: 'export',
        what: 'clip',
        clipId: clip!.id,
        settings: { audio: 'original' },
      });
      expect(job.error).toMatchObject({ code: 'not-found', message: expect.stringContaining('frames but no sound') });
    },
  );

  it('is given up when its thread takes too long', async () => {
    await expect(unpackAside(sound, folder, { seconds: 0.001 })).rejects.toThrow('takes too long');
  });

  it('that another program turned to a write-ahead log leaves no files beside it', async () => {
    const file = alter(({ db }) => db.pragma('journal_mode = WAL'));
    await expect(services.call['concepts.importFile']({ file })).rejects.toThrow('changed by another program');
    expect(readdirSync(folder).filter((name) => name.includes('-wal') || name.includes('-shm'))).toEqual([]);
  });
});
