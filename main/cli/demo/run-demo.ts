import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clip, RawFrames } from '../../../shared/domain/clip.ts';
import type { Concept, ConceptCaption } from '../../../shared/domain/concept.ts';
import type { Edit } from '../../../shared/domain/edit.ts';
import { learnInput } from '../../../shared/domain/job-input.ts';
import { type RecipeInput, recipe as recipeSchema } from '../../../shared/domain/recipe.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { meanSquaredError } from '../../engine/metrics/mse.ts';
import { psnrOfMse } from '../../engine/metrics/psnr.ts';
import { writeWhole } from '../../files/place.ts';
import { type ContactSheetRow, drawContactSheet } from '../../media/contact-sheet.ts';
import { drawLossPlot } from '../../media/loss-plot.ts';
import type { Services } from '../../services/services.ts';
import type { CommandContext } from '../context.ts';
import { formatDuration } from '../progress-text.ts';
import { runAgain, runExport, runGenerate, runImport, runLearn } from '../run-job.ts';
import { makeLooks } from './make-looks.ts';
import { type DemoEdit, planVideos } from './plan.ts';
import { type DemoReport, type DemoVideo, formatReport } from './report.ts';
import { editRow, inLibrary, sourceRow } from './sheet-rows.ts';

export interface DemoRequest {
  file: string;
  /** Another clip to give looks; the same where left out. */
  looksFile?: string | undefined;
  fromSeconds?: number;
  toSeconds?: number;
  caption: ConceptCaption;
  edits: DemoEdit[];
  recipe: RecipeInput;
  sampling: { steps?: number; seed: number };
  /** Everything is written here; the library is in `library/` below it. */
  folder: string;
}

/**
 * Imports, makes looks by words alone, then learns, edits, moves both sliders and writes videos, contact
 * sheets, LoRA file, loss plot and report. What an earlier run of the same request finished is taken over
 * from its library, and a learning that was stopped goes on where it stopped.
 */
export async function runDemo(context: CommandContext, services: Services, request: DemoRequest): Promise<DemoReport> {
  const takenOver: string[] = [];
  await mkdir(request.folder, { recursive: true });
  const write = (name: string, content: string | Buffer) => writeWhole(join(request.folder, name), content);

  // The engine starts while the clip is read; what keeps it from starting is told by the first look.
  const starting = services.call['device.report']().catch(() => {});
  const lookClip = await importClip(
    context,
    services,
    request.looksFile === undefined ? request : { file: request.looksFile },
  );
  await starting;
  const { looks, rows: lookRows } = await makeLooks(context, services, lookClip, {
    folder: join(request.folder, 'looks'),
    sampling: request.sampling,
  });
  const firstLookSeconds = looks[0]!.finishedAfterSeconds;
  context.output.note(`The first look was finished ${firstLookSeconds.toFixed(1)} s after the start.`);
  if (looks.every(({ reused }) => reused)) takenOver.push('the looks');
  const looksSheet = { title: `${lookClip.name}: finished looks`, columns: 4, pictureHeight: 200 };
  await write('looks.png', await drawContactSheet(lookRows, looksSheet));

  const clip = request.looksFile === undefined ? lookClip : await importClip(context, services, request);
  const sourceFrames = inLibrary(services, clip.frames);
  await exportVideo(
    context,
    services,
    { what: 'clip', clipId: clip.id },
    clip.frames,
    join(request.folder, 'source.mp4'),
  );

  const { concept, reused } = await learnConcept(context, services, clip, request);
  if (reused) takenOver.push('the concept');
  await write(
    'loss.svg',
    drawLossPlot(`Loss while learning: ${concept.name}`, [
      { name: 'stage I, identity', points: await pointsOf(services, concept, 'identity') },
      { name: 'stage II, motion', points: await pointsOf(services, concept, 'motion') },
    ]),
  );

  const source = await readFile(sourceFrames.file);
  const rows: ContactSheetRow[] = [await sourceRow(services, clip)];
  const videos: DemoVideo[] = [];
  for (const { name, label, settings } of planVideos(request.caption, request.edits, request.sampling)) {
    const { editId, reused } = await runGenerate(context, services, { conceptId: concept.id, settings });
    const edit = await services.call['edits.get']({ reference: editId });
    if (reused && !videos.some(({ settings }) => sameSettings(settings, edit))) takenOver.push(name);
    const frames = inLibrary(services, framesOf(edit));
    const file = `${name}.mp4`;
    const output = join(request.folder, file);
    await exportVideo(context, services, { what: 'edit', editId }, edit.base === null ? frames : null, output);
    // Sliders keep the prompt of the reconstruction.
    const words = { label, note: settings.sliders ? undefined : settings.prompt };
    rows.push(await editRow(services, clip, edit, words));
    const error = meanSquaredError(await readFile(frames.file), source);
    videos.push({
      file,
      label,
      settings: edit.settings,
      seconds: edit.seconds,
      meanSquaredError: error,
      psnr: psnrOfMse(error),
    });
  }
  await write('contact-sheet.png', await drawContactSheet(rows, { title: `${clip.name}: learned, edited, exported` }));

  const lora = await runExport(context, services, {
    what: 'lora',
    conceptId: concept.id,
    dialect: 'comfyui',
    output: join(request.folder, 'concept.safetensors'),
    overwrite: 'replace',
  });
  const model = await services.call['models.get']({ model: concept.model });
  const report: DemoReport = {
    clip,
    looks,
    firstLookSeconds,
    concept,
    model: { name: model.name, parameters: model.parameters },
    device: await services.call['device.report']({ measure: true }),
    videos,
    lora: { file: 'concept.safetensors', sizeBytes: lora.sizeBytes },
    seconds: performance.now() / 1000,
    takenOver,
  };
  await write('report.json', `${JSON.stringify(report, null, 2)}\n`);
  await write('report.md', formatReport(report));
  context.output.note(`Done in ${formatDuration(report.seconds)}.`);
  return report;
}

async function importClip(
  context: CommandContext,
  services: Services,
  request: Pick<DemoRequest, 'file' | 'fromSeconds' | 'toSeconds'>,
): Promise<Clip> {
  const { clipId } = await runImport(context, services, {
    path: request.file,
    fromSeconds: request.fromSeconds,
    toSeconds: request.toSeconds,
    model: context.global.model ?? null,
  });
  const clip = await services.call['clips.get']({ reference: clipId });
  for (const warning of clip.warnings) context.output.warning(warning);
  return clip;
}

/** The concept of an earlier run, else that of a run that was stopped, else a new one. */
async function learnConcept(
  context: CommandContext,
  services: Services,
  clip: Clip,
  request: DemoRequest,
): Promise<{ concept: Concept; reused: boolean }> {
  const wanted = {
    clips: [{ clipId: clip.id, caption: request.caption }],
    recipe: recipeSchema.parse(request.recipe),
    model: context.global.model ?? null,
  };
  const model = await services.call['models.get']({ model: wanted.model });
  const known = (await services.call['concepts.list']()).find(
    (concept) =>
      concept.model === model.name &&
      same([concept.clipIds, concept.captions], [[clip.id], [request.caption]]) &&
      same(concept.recipe, wanted.recipe),
  );
  if (known) {
    context.output.note(`Learned before with these settings; taken from the demo's library: ${known.id}`);
    return { concept: known, reused: true };
  }
  const stopped = (
    await services.call['jobs.list']({ kinds: ['learn'], states: ['queued', 'paused', 'interrupted'] })
  ).find((job) => {
    const input = learnInput.safeParse(job.input);
    return input.success && same([input.data.clips, input.data.recipe], [wanted.clips, wanted.recipe]);
  });
  if (stopped) {
    context.output.note('Going on with the learning that was stopped.');
    const { conceptId } = (await runAgain(context, services, stopped.id)).output as { conceptId: string };
    return { concept: await services.call['concepts.get']({ reference: conceptId }), reused: false };
  }
  const { conceptId, version } = await runLearn(context, services, wanted);
  return { concept: await services.call['concepts.get']({ reference: conceptId, version }), reused: false };
}

/**
 * The model's small pictures are enlarged by whole steps to at least 384 pixels, so that players show them
 * at a size one can look at; what is finished (without `frames`) has the clip's own.
 */
async function exportVideo(
  context: CommandContext,
  services: Services,
  what: { what: 'clip'; clipId: string } | { what: 'edit'; editId: string },
  frames: RawFrames | null,
  output: string,
): Promise<void> {
  const scale = frames ? Math.max(1, Math.ceil(384 / Math.max(frames.width, frames.height))) : 1;
  const size = frames ? { width: frames.width * scale, height: frames.height * scale } : {};
  const settings = { preset: 'h264', ...size, overwrite: 'replace' } as const;
  await runExport(context, services, { ...what, settings, output });
}

async function pointsOf(services: Services, concept: Concept, stage: 'identity' | 'motion') {
  return (await services.call['concepts.losses']({ reference: concept.id, version: concept.version })).filter(
    (point) => point.stage === stage,
  );
}

function framesOf(edit: Edit): RawFrames {
  if (edit.frames) return edit.frames;
  throw new AppError('not-found', `The frames of edit ${edit.id} are gone from the library.`, {
    hint: 'Delete the demo folder and run it again.',
  });
}

function sameSettings(settings: Edit['settings'], edit: Edit): boolean {
  return same(settings, edit.settings);
}

/** Plain data made by the same schemas has its keys in the same order. */
function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
