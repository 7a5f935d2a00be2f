import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { readConcept } from '../../main/engine/formats/concept.ts';
import { type LoraLayer, readLora, writeLora } from '../../main/engine/formats/lora.ts';
import { openVideoModel } from '../../main/engine/models/registry.ts';
import { importLora } from '../../main/engine/training/exchange-lora.ts';
import { createRandom, type Random } from '../../main/world/random.ts';
import { loraDialect } from '../../shared/domain/export.ts';
import { AppError } from '../../shared/ipc/result.ts';
import { processorSecondsSince } from '../fixtures/processor-time.ts';
import { mutateTensors } from './mutate-tensors.ts';

const golden = resolve(import.meta.dirname, '../golden');

export interface LoraFigures {
  tried: number;
  accepted: number;
  refused: number;
  /** Errors that say nothing to a user, each with the mutation that led there. */
  internal: string[];
  /** Concepts that hold what is no number. */
  nonFinite: string[];
  /** Processor time. */
  slowestSeconds: number;
}

/** Imports so many broken LoRA files for the golden model, each broken in one way or two, and counts what became of them. */
export async function tryBrokenLoras(count: number, seed: number): Promise<LoraFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'motif-broken-lora-'));
  const directory = join(golden, 'model');
  const model = { pipeline: await openVideoModel(directory), name: 'model', fingerprint: 'f'.repeat(64) };
  const figures: LoraFigures = { tried: 0, accepted: 0, refused: 0, internal: [], nonFinite: [], slowestSeconds: 0 };
  const random = createRandom(seed, 'broken LoRA files');
  try {
    const originals = await writeOriginals(folder);
    const file = join(folder, 'adapter_model.safetensors');
    const conceptFile = join(folder, 'concept.safetensors');
    const caption = { static: 'a dog', dynamic: '' };
    for (; figures.tried < count; figures.tried++) {
      let { what, bytes } = mutateTensors(random.pick(originals), random);
      if (random.chance(0.2)) ({ what, bytes } = again(what, bytes, random));
      what = `${figures.tried}: ${what}`;
      await writeFile(file, bytes);
      await writeFile(
        join(folder, 'adapter_config.json'),
        random.pick(random.chance(0.3) ? brokenConfigs : soundConfigs),
      );
      const started = process.cpuUsage();
      try {
        const { directionStrengths } = await importLora(model, { model: directory, file, caption, conceptFile });
        figures.accepted++;
        const made = await readConcept(conceptFile);
        const layers = made.version === 1 ? made.layers : [];
        const values = [directionStrengths, ...layers.flatMap(({ basis, coefficients }) => [basis, coefficients])];
        if (!values.every((list) => list.every(Number.isFinite))) figures.nonFinite.push(what);
      } catch (thrown) {
        if (thrown instanceof AppError && thrown.code !== 'internal') figures.refused++;
        else figures.internal.push(`${what}: ${thrown instanceof Error ? thrown.stack : thrown}`);
      }
      figures.slowestSeconds = Math.max(figures.slowestSeconds, processorSecondsSince(started));
    }
  } finally {
    await model.pipeline.dispose();
    await rm(folder, { recursive: true });
  }
  return figures;
}

/** A file that was broken is broken once more, where it can still be taken apart. */
function again(what: string, bytes: Buffer, random: Random): { what: string; bytes: Buffer } {
  try {
    const second = mutateTensors(bytes, random);
    return { what: `${what}, ${second.what}`, bytes: second.bytes };
  } catch {
    return { what, bytes };
  }
}

/** Sound files of every dialect, two layers each, and PEFT's own. */
async function writeOriginals(folder: string): Promise<Buffer[]> {
  const lora = await readLora(join(golden, 'lora-peft.safetensors'));
  const layers: LoraLayer[] = lora.layers.slice(0, 2);
  const originals = [await readFile(join(golden, 'lora-peft.safetensors'))];
  for (const dialect of loraDialect.options) {
    await writeLora(join(folder, dialect), layers, dialect);
    originals.push(await readFile(join(folder, dialect)));
  }
  return originals;
}

const soundConfigs = [
  '{"peft_type":"LORA","r":3,"lora_alpha":6}',
  '{"peft_type":"LORA","r":3,"lora_alpha":6,"use_rslora":true,"alpha_pattern":{"to_q":12}}',
];
const brokenConfigs = [
  '{"peft_type":"LORA","r":4,"lora_alpha":1e999}',
  '{"peft_type":"LOHA"}',
  '[]',
  'null',
  'no JSON',
  '{"lora_alpha":1e300,"r":3}',
];
