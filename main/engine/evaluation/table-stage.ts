import { join, relative } from 'node:path';
import type { EvaluateTableRequest, EvaluateTableResult, ShownScene } from '../../../shared/domain/evaluation-table.ts';
import { parseRational, type Rational } from '../../../shared/domain/time.ts';
import type { EngineCallOptions } from '../../../shared/ipc/engine-contract.ts';
import { writeRawFrames } from '../formats/raw-frames.ts';
import type { SuppliedMetrics } from '../metrics/supplied/supplied-metrics.ts';
import type { Judge } from '../models/judge/judge.ts';
import type { OpenModel } from '../sampling/open-model.ts';
import { type ConceptScene, editedScene } from './concept-scene.ts';
import { writePart } from './folder.ts';
import { writeFrameSheet } from './frame-sheet.ts';
import { renderOptions, sizeOfConcepts, throughAutoencoder } from './scenes.ts';
import { writeStrip } from './strip.ts';
import { measuredScene } from './table-clip.ts';
import type { PreparedScene } from './table-part.ts';
import { renderTableScene, type TableScene } from './table-scenes.ts';

/** Renders scenes, the last of which it keeps. */
export class Stage {
  readonly model: OpenModel;
  readonly folder: string;
  readonly request: EvaluateTableRequest;
  #judge: Judge;
  #metrics: SuppliedMetrics | null;
  #last: PreparedScene | undefined;

  constructor(
    model: OpenModel,
    judge: Judge,
    request: EvaluateTableRequest,
    folder: string,
    metrics: SuppliedMetrics | null,
  ) {
    this.model = model;
    this.#judge = judge;
    this.#metrics = metrics;
    this.request = request;
    this.folder = folder;
  }

  get rate(): Rational {
    return parseRational(String(this.model.pipeline.extras.frameRate));
  }

  /** A scene with the truth of its edits, ready to be learned and measured. */
  async prepare(scene: TableScene, { signal }: EngineCallOptions): Promise<PreparedScene> {
    if (this.#last?.name === scene.name) return this.#last;
    const options = this.#renderOptions();
    const rendered = await renderTableScene(scene, options, this.#judge);
    const other = scene.motion && (await editedScene(scene.motion, [], options, this.#judge));
    const source = await this.#write(`${scene.name}.rgb`, rendered);
    const motion = other && { scene: other, source: await this.#write(`${scene.name}-motion.rgb`, other) };
    await writeStrip(this.#strip(scene), rendered.source);
    await this.#writeShown(scene, rendered);
    this.#last = {
      name: scene.name,
      measured: await measuredScene(rendered, other, this.#judge, this.#metrics),
      source,
      coded: await throughAutoencoder(this.model, rendered.source, signal),
      motion,
    };
    return this.#last;
  }

  /** What there is to learn of a scene. */
  async learnable(scene: TableScene) {
    const rendered = await editedScene(scene.scene, [], this.#renderOptions(), this.#judge);
    return { caption: rendered.caption, source: await this.#write(`${scene.name}.rgb`, rendered) };
  }

  /** What the report says of scenes. */
  async described(scenes: readonly TableScene[]): Promise<EvaluateTableResult['scenes']> {
    const described: EvaluateTableResult['scenes'] = [];
    for (const scene of scenes) {
      const { scene: own, motion } = scene;
      const { prompt } = await editedScene(own, [], { ...this.#renderOptions(), frameCount: 1 }, this.#judge);
      const strip = relative(this.folder, this.#strip(scene));
      const moving = motion ? `; moves as the ${motion.subjects[0]!.kind} of seed ${motion.seed}` : '';
      described.push({ name: scene.name, seed: own.seed, caption: `${prompt.plain}${moving}`, strip });
    }
    return described;
  }

  #renderOptions() {
    const { pipeline } = this.model;
    return renderOptions(pipeline, sizeOfConcepts(pipeline, this.request.size));
  }

  #strip(scene: TableScene): string {
    return join(this.folder, 'strips', scene.name, 'source.webp');
  }

  /** What whoever compares by eye is told of a scene. */
  async #writeShown({ name }: TableScene, { prompt, source, edits }: ConceptScene): Promise<void> {
    const sheet = join('scenes', `${name}.webp`);
    await writePart(join(this.folder, 'scenes', `${name}.json`), {
      name,
      words: prompt.plain,
      source: await writeFrameSheet(join(this.folder, sheet), source, this.rate, sheet),
      edits: edits.map(({ kind, to, prompt }) => ({ kind, to, words: prompt.plain })),
    } satisfies ShownScene);
  }

  #write(name: string, { source }: ConceptScene) {
    return writeRawFrames(join(this.folder, 'scenes', name), source, this.rate);
  }
}
