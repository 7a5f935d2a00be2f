import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { readConcept } from '../../main/engine/formats/concept.ts';
import type { Services } from '../../main/services/services.ts';
import { createRandom, type Random } from '../../main/world/random.ts';
import { AppError } from '../../shared/ipc/result.ts';
import { alterPackage, makePackage, type OpenPackage, openCheckingServices } from '../fixtures/package.ts';
import { processorSecondsSince } from '../fixtures/processor-time.ts';
import { mutateJson } from './mutate-json.ts';
import { mutateTensors } from './mutate-tensors.ts';

export interface PackageFigures {
  tried: number;
  accepted: number;
  refused: number;
  /** Errors that say nothing to a user, each with the mutation that led there. */
  internal: string[];
  /** What the library held afterwards that it must not. */
  unsound: string[];
  /** Processor time. */
  slowestSeconds: number;
}

/** Adds so many broken packages to a library in `folder`, looks at what it then holds, and counts. */
export async function tryBrokenPackages(folder: string, count: number, seed: number): Promise<PackageFigures> {
  const services = await openCheckingServices(folder);
  const sound = await makePackage(folder);
  const file = join(folder, 'broken.motif');
  const figures: PackageFigures = { tried: 0, accepted: 0, refused: 0, internal: [], unsound: [], slowestSeconds: 0 };
  const random = createRandom(seed, 'broken packages');
  try {
    for (; figures.tried < count; figures.tried++) {
      const what = `${figures.tried}: ${breakPackage(sound, file, random)}`;
      const started = process.cpuUsage();
      try {
        const { concept } = await services.call['concepts.importFile']({ file });
        figures.accepted++;
        for (const problem of await problemsOf(services, concept.id)) figures.unsound.push(`${what}: ${problem}`);
        await services.call['library.delete']({ items: [{ kind: 'concept', id: concept.id }] });
      } catch (thrown) {
        if (thrown instanceof AppError && thrown.code !== 'internal') figures.refused++;
        else figures.internal.push(`${what}: ${thrown instanceof Error ? thrown.stack : thrown}`);
      }
      figures.slowestSeconds = Math.max(figures.slowestSeconds, processorSecondsSince(started));
      if (readdirSync(join(folder, 'home/jobs')).length > 0) figures.unsound.push(`${what}: left something behind`);
    }
  } finally {
    await services.close();
  }
  return figures;
}

async function problemsOf(services: Services, conceptId: string): Promise<string[]> {
  const concept = await services.call['concepts.get']({ reference: conceptId });
  const problems: string[] = [];
  const file = await readConcept(services.library.absolutePath(concept.file));
  const values = [
    ...(file.version === 1
      ? file.layers.flatMap(({ basis, coefficients, residual }) => [basis, coefficients, residual])
      : Object.values(file.parts).flatMap(({ tensors }) => Object.values(tensors).map(({ values }) => values))),
    ...Object.values(file.tokens),
  ];
  if (!values.every((list) => list.every(Number.isFinite))) problems.push('holds what is no number');
  if (!(await services.call['concepts.losses']({ reference: conceptId })).every(({ loss }) => Number.isFinite(loss)))
    problems.push('has endless losses');
  if (/[/\\]/.test(concept.model)) problems.push(`names the model ${concept.model}`);
  for (const clip of await services.call['clips.list']()) {
    if (clip.source.path !== null) problems.push(`a clip lies at ${clip.source.path}`);
    if (isAbsolute(clip.frames.file) || !existsSync(services.library.absolutePath(clip.frames.file)))
      problems.push(`the frames ${clip.frames.file} are not there`);
  }
  return problems;
}

/** A changed copy of a package, and what was changed. */
function breakPackage(sound: string, file: string, random: Random): string {
  const kind = random.index(10);
  if (kind < 3) return breakBytes(sound, file, random);
  let what = '';
  alterPackage(sound, file, (parts) => {
    what = kind < 6 ? breakPart(parts, random) : breakTable(parts, random);
  });
  return what;
}

function breakBytes(sound: string, file: string, random: Random): string {
  const bytes = Buffer.from(readFileSync(sound));
  const kept = random.chance(0.2) ? random.index(bytes.length) : bytes.length;
  // The header, the table's description and the pages of the tree, where a byte decides most, lie at the
  // beginning.
  const within = random.pick([100, 4096, 8192, bytes.length]);
  for (let count = 1 + random.index(6); count > 0; count--) bytes[random.index(within)] = random.index(256);
  copyFileSync(sound, file);
  writeFileSync(file, bytes.subarray(0, kept));
  return `bytes turned within ${within}, ${kept} kept`;
}

function breakPart({ get, put }: OpenPackage, random: Random): string {
  const name = random.pick(['motif.json', 'motif.json', 'concept.safetensors', 'clips/0.rgb']);
  const sound = get(name);
  const { what, bytes } =
    name === 'motif.json'
      ? mutateJson(sound, random)
      : name === 'concept.safetensors'
        ? mutateTensors(sound, random)
        : { what: 'cut off', bytes: sound.subarray(0, random.index(sound.length + 1)) };
  put(name, bytes);
  return `${name}, ${what}`;
}

/** Changes to the archive by its own means. */
const statements = [
  'DROP TABLE sqlar',
  'DELETE FROM sqlar',
  'UPDATE sqlar SET data = NULL',
  "UPDATE sqlar SET data = 'text'",
  'UPDATE sqlar SET data = zeroblob(10)',
  'UPDATE sqlar SET sz = -1',
  'UPDATE sqlar SET sz = sz + 1',
  'UPDATE sqlar SET sz = 0.5',
  "UPDATE sqlar SET sz = 'many'",
  'UPDATE sqlar SET sz = 9223372036854775807',
  "UPDATE sqlar SET name = '../' || name",
  "UPDATE sqlar SET name = x'00' || name",
  "UPDATE sqlar SET name = upper(name) WHERE name = 'motif.json'",
  "INSERT INTO sqlar VALUES ('clips/1.rgb', 0, 0, 3, x'000000')",
  'INSERT INTO sqlar VALUES (NULL, NULL, NULL, NULL, NULL)',
  'CREATE TABLE other (x)',
  'CREATE INDEX i ON sqlar (length(data))',
  'CREATE VIEW v AS SELECT * FROM sqlar',
  'CREATE TRIGGER t INSERT ON sqlar BEGIN SELECT 1; END',
  'CREATE VIRTUAL TABLE f USING fts5(x)',
  'ALTER TABLE sqlar ADD COLUMN more AS (zeroblob(100000000))',
  'ALTER TABLE sqlar RENAME TO sqlars',
  'ALTER TABLE sqlar RENAME COLUMN data TO date',
  'PRAGMA user_version = 99',
  'PRAGMA user_version = -1',
  'PRAGMA application_id = 7',
  "PRAGMA encoding = 'UTF-16'",
  'PRAGMA journal_mode = WAL',
] as const;

function breakTable({ db }: OpenPackage, random: Random): string {
  const statement = random.pick(statements);
  if (random.chance(0.15)) {
    const bytes = deflateSync(Buffer.alloc(50_000_000));
    db.prepare('UPDATE sqlar SET data = ?, sz = ? WHERE name = ?').run(
      bytes,
      random.pick([bytes.length + 1, 3250, 50_000_000]),
      random.pick(['motif.json', 'concept.safetensors', 'clips/0.rgb']),
    );
    return 'fifty megabytes of nothing';
  }
  if (statement.startsWith('PRAGMA')) db.pragma(statement.slice(7));
  else db.exec(statement);
  return statement;
}
