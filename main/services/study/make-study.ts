import { randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { FrameSheet } from '../../../shared/domain/frame-sheet.ts';
import type { Study, StudyInput, StudyItem } from '../../../shared/domain/study.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { type PlannedItem, planItems } from '../../../shared/study/plan-items.ts';
import { partialBeside } from '../../files/place.ts';
import { commonShape, type SheetShape, writeBrokenSheet, writeVideoSheet } from '../../media/frame-sheet.ts';
import type { MediaTools } from '../../media/locate.ts';
import { probe } from '../../media/probe.ts';
import type { Probe } from '../../media/probe-types.ts';
import type { ServiceParts } from '../parts.ts';
import type { Material, MaterialClip } from './material.ts';
import { readStudyFile, studyFileName } from './read-study-file.ts';
import { isTableFolder, readTableFolder } from './read-table-folder.ts';

/**
 * Makes a study of a folder: chooses what is compared, and copies its clips under names that say nothing, all
 * coded alike. Throws `not-found` and `invalid-input` for folders that hold nothing to compare, `conflict` for a
 * name that is taken.
 */
export async function makeStudy(
  { library, studies, tools }: Pick<ServiceParts, 'library' | 'studies' | 'tools'>,
  input: StudyInput,
  signal?: AbortSignal,
): Promise<Study> {
  library.requireWriting();
  const from = resolve(input.folder);
  const name = input.name ?? basename(from);
  studies.requireFreeName(name);
  const material = withMethods(readFolder(from, input), input.methods);
  const { first, methods } = material;
  const candidates = material.scenes.flatMap(({ edits }, scene) =>
    edits.map(({ clips }, edit) => ({ scene, edit, methods: [...clips.keys()] })),
  );
  const plan = planItems(
    candidates,
    methods.map((method) => method.name),
    { ...input, first },
  );
  const pairs = plan.filter(({ kind }) => kind === 'pair').length;
  if (pairs === 0)
    throw new AppError('invalid-input', `No edit of ${from} has clips of two methods.`, {
      hint: `Methods: ${methods.map((method) => method.name).join(', ')}.`,
    });
  const notes = [...material.notes];
  if (pairs < input.items) notes.push(`${pairs} pairs: there are no more different ones.`);

  const folder = partialBeside(join(library.absolutePath('studies'), 'new'));
  mkdirSync(folder, { recursive: true });
  try {
    const clips = new ClipFolder(folder, tools, signal);
    const items: StudyItem[] = [];
    for (const planned of plan) {
      signal?.throwIfAborted();
      items.push(await itemOf(material, planned, items, clips, input.seed));
    }
    return studies.insert(name, { first, methods, seed: input.seed, notes }, items, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readFolder(folder: string, { way, methods }: StudyInput): Material {
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw new AppError('not-found', `There is no folder ${folder}.`);
  if (existsSync(join(folder, studyFileName))) return readStudyFile(folder);
  if (isTableFolder(folder)) return readTableFolder(folder, way, methods);
  throw new AppError('invalid-input', `${folder} holds neither a table of \`evaluate\` nor a ${studyFileName}.`, {
    hint: 'Name the folder that was the --output of `evaluate table2`, or describe its edits: `motif study create --help`.',
  });
}

/** With a choice of methods, the first of which is compared with the others where it leaves out the one that would be. */
function withMethods(material: Material, chosen: readonly string[] | null): Material {
  if (chosen === null) return material;
  const there = material.scenes.flatMap(({ edits }) => edits.flatMap(({ clips }) => [...clips.keys()]));
  const unknown = chosen.find((name) => !there.includes(name));
  if (unknown !== undefined)
    throw new AppError('not-found', `There are no clips of "${unknown}".`, {
      hint: `There are ${[...new Set(there)].join(', ')}.`,
    });
  return {
    ...material,
    first: chosen.includes(material.first) ? material.first : chosen[0]!,
    methods: material.methods.filter(({ name }) => chosen.includes(name)),
  };
}

async function itemOf(
  { scenes }: Material,
  planned: PlannedItem,
  before: readonly StudyItem[],
  clips: ClipFolder,
  seed: number,
): Promise<StudyItem> {
  const id = randomBytes(9).toString('hex');
  if (planned.kind === 'mirror') {
    const pair = before[planned.of!]!;
    return { ...pair, id, kind: 'mirror', of: pair.id };
  }
  const scene = scenes[planned.scene]!;
  const edit = scene.edits[planned.edit]!;
  const { source, [planned.a]: a, [planned.b]: b } = await clips.take(scene.source, edit.clips, [planned.a, planned.b]);
  const common = { id, kind: planned.kind, of: null, scene: scene.name, edit: edit.name, source: source! };
  if (planned.kind === 'attention') {
    const broken = await clips.breakUp(a!, `${seed} ${scene.name} ${edit.name}`);
    // By the words of the source, which then is the better one whatever is asked.
    return {
      ...common,
      words: scene.words,
      a: { method: 'source', clip: source!, measures: null },
      b: { method: 'broken', clip: broken, measures: null },
    };
  }
  const side = (method: string, clip: FrameSheet) => ({
    method,
    clip,
    measures: edit.clips.get(method)?.measures ?? null,
  });
  return { ...common, words: edit.words, a: side(planned.a, a!), b: side(planned.b, b!) };
}

/** Clips of a study as they are taken over, each of them once. */
class ClipFolder {
  readonly #folder: string;
  readonly #tools: () => Promise<MediaTools>;
  readonly #signal: AbortSignal | undefined;
  /** Of files: a scene's source and clips are those of all its edits. */
  readonly #probes = new Map<string, Promise<Probe>>();
  readonly #shapes = new Map<MaterialClip, SheetShape>();
  readonly #taken = new Map<string, FrameSheet>();

  constructor(folder: string, tools: () => Promise<MediaTools>, signal: AbortSignal | undefined) {
    this.#folder = folder;
    this.#tools = tools;
    this.#signal = signal;
  }

  /** The source and the clips of these methods, in the shape that all clips of the edit have in common. */
  async take(
    source: MaterialClip,
    clips: ReadonlyMap<string, MaterialClip>,
    methods: readonly string[],
  ): Promise<Record<string, FrameSheet>> {
    const shape = await this.#shapeOf(source, [...clips.values()]);
    const taken: Record<string, FrameSheet> = { source: await this.#take(source, shape) };
    for (const method of methods) taken[method] = await this.#take(clips.get(method)!, shape);
    return taken;
  }

  async breakUp(clip: FrameSheet, seed: string): Promise<FrameSheet> {
    const file = this.#newFile();
    await writeBrokenSheet({ ...clip, file: join(this.#folder, clip.file) }, join(this.#folder, file), seed);
    return { ...clip, file };
  }

  /** Null for sheets, which are what they are. */
  async #shapeOf(source: MaterialClip, clips: readonly MaterialClip[]): Promise<SheetShape | null> {
    if (source.sheet) return null;
    const [any] = clips;
    const known = any && this.#shapes.get(any);
    if (known) return known;
    const probes: [Probe, ...Probe[]] = [await this.#probe(source.file)];
    for (const { file } of clips) probes.push(await this.#probe(file));
    const shape = commonShape(probes);
    if (any) this.#shapes.set(any, shape);
    return shape;
  }

  async #take(clip: MaterialClip, shape: SheetShape | null): Promise<FrameSheet> {
    const key = JSON.stringify([clip.file, shape]);
    const known = this.#taken.get(key);
    if (known) return known;
    const file = this.#newFile();
    const target = join(this.#folder, file);
    if (shape === null) copyFileSync(clip.file, target);
    else {
      await writeVideoSheet(await this.#tools(), await this.#probe(clip.file), shape, target, this.#signal);
    }
    const sheet = { ...(shape ?? clip.sheet!), file };
    this.#taken.set(key, sheet);
    return sheet;
  }

  #probe(file: string): Promise<Probe> {
    const found = this.#probes.get(file) ?? this.#tools().then((tools) => probe(tools, file, this.#signal));
    this.#probes.set(file, found);
    return found;
  }

  #newFile(): string {
    return `${randomBytes(12).toString('hex')}.webp`;
  }
}
