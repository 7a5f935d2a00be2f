import { z } from 'zod';
import { clip, rawFrames } from '../domain/clip.ts';
import { concept, conceptCaption } from '../domain/concept.ts';
import { edit, editSettings, firstFrame } from '../domain/edit.ts';
import { deviceReport, engineEvent, lossPoint } from '../domain/engine.ts';
import { exportPreset, exportSettings } from '../domain/export.ts';
import { job, jobKind, jobState } from '../domain/job.ts';
import { downloadInput, exportInput, generateInput, importInput, learnInput } from '../domain/job-input.ts';
import {
  deletion,
  itemKind,
  itemLabels,
  itemQuery,
  itemReference,
  libraryStatus,
  searchHit,
} from '../domain/library.ts';
import { look, lookInput } from '../domain/look.ts';
import { modelInfo, remoteModel } from '../domain/model.ts';
import { settings, settingsPatch } from '../domain/settings.ts';
import { nameText, pathText, promptText, referenceText, searchText } from '../domain/text.ts';
import { twinInfo, twinStrengths, twinView } from '../domain/twin.ts';
import type { Contract } from './rpc.ts';
import { raterCalls, studyCalls } from './study-calls.ts';

/**
 * Every call of the services, declared nowhere else: the window asks it over Electron's IPC or a WebSocket,
 * the command line in its own process, and the same handler of `main/services` answers. A `reference` is an
 * id, a unique beginning of one, or a unique name. What cannot be done is an AppError: `not-found`,
 * `conflict` (an ambiguous reference), `invalid-input`, `library-locked` (another program writes). Long work
 * is a job: `jobs.enqueue` answers at once, `job.changed` tells how it goes. Pixels never come this way:
 * `media.address` says where they are served.
 */

const nothing = z.object({}).prefault({});
const reference = z.object({ reference: referenceText });
const versioned = reference.extend({ version: z.int().positive().optional() });

export const libraryCalls = {
  'library.status': { input: nothing, output: libraryStatus },
  'library.search': {
    input: z.object({
      text: searchText,
      kinds: z.array(itemKind).max(itemKind.options.length).optional(),
      limit: z.int().min(1).max(1000).optional(),
    }),
    output: z.array(searchHit),
  },
  'library.tags': { input: nothing, output: z.array(z.object({ tag: z.string(), count: z.int() })) },
  /** Which item a reference names, for whoever takes "a concept or an edit". */
  'library.resolve': {
    input: reference.extend({ kinds: z.array(itemKind).max(itemKind.options.length).optional() }),
    output: itemReference,
  },
  /** What is deleted goes into the trash together; an edit goes with its concept. */
  'library.delete': { input: z.object({ items: z.array(itemReference).min(1).max(10_000) }), output: deletion },
  'library.restore': { input: z.object({ deletionId: referenceText }), output: deletion },
  'library.trash': { input: nothing, output: z.array(deletion) },
  /** Deletes for good what is in the trash. */
  'library.emptyTrash': { input: nothing, output: z.object({ count: z.int() }) },
};

export const clipCalls = {
  'clips.list': { input: itemQuery.prefault({}), output: z.array(clip) },
  'clips.get': { input: reference, output: clip },
  'clips.label': {
    input: reference.extend({ labels: itemLabels.extend({ seen: promptText.optional() }) }),
    output: clip,
  },
  /**
   * Answers when a copy of the clip's source that scrubs fast is there; where it is served. Cancelling gives
   * up the waiting.
   */
  'clips.proxy': {
    input: z.object({ clipId: referenceText, format: z.enum(['mp4', 'webm']) }),
    output: z.object({ address: z.string() }),
  },
};

export const conceptCalls = {
  'concepts.list': { input: itemQuery.prefault({}), output: z.array(concept) },
  /** The newest version unless one is asked for. */
  'concepts.get': { input: versioned, output: concept },
  'concepts.versions': { input: reference, output: z.array(concept) },
  'concepts.label': {
    input: reference.extend({
      labels: itemLabels.extend({ directionNames: z.record(z.string().regex(/^\d+$/), z.string().max(60)).optional() }),
    }),
    output: concept,
  },
  'concepts.duplicate': { input: reference.extend({ name: nameText.min(1).optional() }), output: concept },
  /** The loss curves of one learning, stage by stage. */
  'concepts.losses': { input: versioned, output: z.array(lossPoint) },
  /** Writes a `.motif` file: the concept with the frames it was learned from. */
  'concepts.exportFile': {
    input: versioned.extend({ target: pathText.min(1), overwrite: exportSettings.shape.overwrite }),
    output: z.object({ file: z.string(), sizeBytes: z.int() }),
  },
  /**
   * A `.motif` file becomes a new concept, unless it is here already (`duplicate`); clips that are here
   * already are not added again. `show`: windows select the concept, as for a file that was opened from
   * outside of them.
   */
  'concepts.importFile': {
    input: z.object({ file: pathText, show: z.boolean().default(false) }),
    output: z.object({ concept, duplicate: z.boolean() }),
  },
  /** Who or what one concept is with how another moves, as a new concept, without learning. */
  'concepts.mix': {
    input: z.object({ identity: referenceText, motion: referenceText, name: nameText.min(1).optional() }),
    output: concept,
  },
  /** A LoRA file of any dialect becomes a concept. */
  'concepts.importLora': {
    input: z.object({
      file: pathText,
      clipId: referenceText,
      caption: conceptCaption,
      name: nameText.min(1).optional(),
      model: pathText.optional(),
    }),
    output: concept,
  },
};

export const editCalls = {
  'edits.list': {
    input: itemQuery.extend({ conceptId: referenceText.optional(), clipId: referenceText.optional() }).prefault({}),
    output: z.array(edit),
  },
  'edits.get': { input: reference, output: edit },
  'edits.label': {
    input: reference.extend({ labels: itemLabels.extend({ starred: z.boolean().optional() }) }),
    output: edit,
  },
  /**
   * Keeps a picture in the library for edits to begin with: a PNG or JPEG file, or what a result begins with, finished where it can be. The
   * same picture is kept once.
   */
  'edits.keepPicture': {
    input: z.union([z.object({ file: pathText }), z.object({ edit: referenceText })]),
    output: firstFrame,
  },
  /**
   * A rendering (with few steps, unless `full`) that is not kept in the library but in a bounded cache.
   * Cancel it when the slider moves on.
   */
  'edits.preview': {
    input: z.object({
      conceptId: referenceText.nullable(),
      conceptVersion: z.int().positive().optional(),
      settings: editSettings,
      sourceClipId: referenceText.optional(),
      full: z.boolean().optional(),
    }),
    output: z.object({ frames: rawFrames, base: rawFrames.nullable(), seconds: z.number(), cached: z.boolean() }),
  },
};

export const lookCalls = {
  /** One's own in their order, then those that came with the program. */
  'looks.list': { input: nothing, output: z.array(z.object({ look, isOwn: z.boolean() })) },
  'looks.get': { input: reference, output: look },
  /** A new look of one's own; with an id, that one is changed. */
  'looks.save': { input: z.object({ look: lookInput, id: referenceText.optional() }), output: look },
  'looks.move': { input: z.object({ id: referenceText, before: referenceText.nullable() }), output: z.void() },
  'looks.remove': { input: z.object({ id: referenceText }), output: z.void() },
};

const reenactment = {
  /** What is there, and its size; the other is cut to its shape, and the longer of the two loses its end. */
  structureClipId: referenceText,
  dynamicsClipId: referenceText,
  strengths: twinStrengths,
  view: twinView.default('both'),
};

export const twinCalls = {
  /** The network that takes clips apart into structure and dynamics; null where none is installed. */
  'twins.describe': { input: nothing, output: z.object({ twin: twinInfo.nullable() }) },
  /** The structure of one clip with the dynamics of another, among the previews. */
  'twins.reenact': {
    input: z.object(reenactment),
    output: z.object({ frames: rawFrames, seconds: z.number(), cached: z.boolean() }),
  },
  /** The same as a video in the library's exports. */
  'twins.export': {
    input: z.object({ ...reenactment, name: nameText.min(1), preset: exportPreset.default('h264') }),
    output: z.object({ file: z.string(), sizeBytes: z.int() }),
  },
};

/** As handlers get them: parsed. */
export type TwinCallInputs = { [K in keyof typeof twinCalls]: z.output<(typeof twinCalls)[K]['input']> };

/** `requested`: the job runs in another program, which has been asked. */
const controlled = z.object({ job, requested: z.boolean() });

const jobFilter = z.object({
  states: z.array(jobState).max(jobState.options.length).optional(),
  kinds: z.array(jobKind).max(jobKind.options.length).optional(),
});

export const jobCalls = {
  'jobs.list': {
    input: jobFilter.prefault({}),
    output: z.array(job),
  },
  'jobs.get': { input: reference, output: job },
  /**
   * Stores the job as `queued`. References in the request (clips, concepts) may be names: they are resolved
   * here.
   */
  'jobs.enqueue': {
    input: z.discriminatedUnion('kind', [
      importInput.extend({ kind: z.literal('import') }),
      learnInput.extend({ kind: z.literal('learn') }),
      generateInput.extend({ kind: z.literal('generate') }),
      z.object({ kind: z.literal('export'), request: exportInput }),
      downloadInput.extend({ kind: z.literal('download') }),
    ]),
    output: job,
  },
  /**
   * A paused job that cannot go on from where it was begins again. Pausing, resuming and cancelling also
   * reach a job that runs in another program; then they answer the job as it was and `requested: true`.
   */
  'jobs.pause': { input: reference, output: controlled },
  'jobs.resume': { input: reference, output: controlled },
  'jobs.cancel': { input: reference, output: controlled },
  /**
   * A learning ends with the step at hand, and what it has so far becomes the concept. `conflict` before its
   * first step.
   */
  'jobs.keep': { input: reference, output: controlled },
  /**
   * A failed, interrupted or cancelled job goes back into the queue, from its last checkpoint if it has one.
   */
  'jobs.retry': { input: reference, output: job },
  /** Moves a waiting job before another, or to the end. */
  'jobs.move': { input: reference.extend({ before: referenceText.nullable() }), output: job },
  /** Forgets a job that does not run, with its checkpoints. */
  'jobs.remove': { input: reference, output: z.void() },
  /** Previews go first: what learns is paused, and goes on by itself when none was asked for in a while. */
  'jobs.makeWay': { input: nothing, output: z.object({ makesWay: z.boolean() }) },
  /** Losses, samples and checkpoints of a job so far, oldest first (for a curve after a reload). */
  'jobs.events': { input: reference, output: z.array(engineEvent) },
};

const modelEntry = z.object({
  directory: z.string(),
  embedded: z.boolean(),
  info: modelInfo.nullable(),
  error: z.string().nullable(),
});

const cacheSizes = z.object({ previews: z.number(), proxies: z.number(), pictures: z.number() });

export const modelCalls = {
  /** The embedded model first; folders that hold no readable model carry `error` instead of `info`. */
  'models.list': { input: nothing, output: z.array(modelEntry) },
  /** A name or folder; null is the default model. */
  'models.get': { input: z.object({ model: pathText.nullable().default(null) }).prefault({}), output: modelInfo },
  /**
   * A folder in diffusers' layout; or the file of a transformer, or a folder with such files, whose other parts are looked for around it or
   * named. Nothing is copied. `refused` are files that were left out, with the reason.
   */
  'models.add': {
    input: z.object({
      directory: pathText,
      vae: pathText.optional(),
      textEncoder: pathText.optional(),
      tokenizer: pathText.optional(),
    }),
    output: z.object({
      models: z.array(modelInfo).min(1),
      refused: z.array(z.object({ file: z.string(), reason: z.string() })),
    }),
  },
  /** Licence and size of a model on the Hub, or on the mirror of the settings, before it is fetched. */
  'models.remote': { input: downloadInput, output: remoteModel },
  'models.remove': { input: z.object({ model: pathText }), output: z.void() },
};

export const deviceCalls = {
  'device.report': { input: z.object({ measure: z.boolean().default(false) }).prefault({}), output: deviceReport },
};

export const settingsCalls = {
  'settings.get': { input: nothing, output: settings },
  'settings.set': { input: settingsPatch, output: settings },
};

export const mediaCalls = {
  'media.tools': {
    input: nothing,
    output: z.object({
      version: z.string(),
      path: z.string(),
      origin: z.string(),
      encoders: z.array(z.string()),
      missing: z.array(z.string()),
    }),
  },
  /**
   * The address of a file of the library that an answer named (frames of clips and edits, previews, samples
   * of a job).
   */
  'media.address': { input: z.object({ path: pathText }), output: z.object({ address: z.string() }) },
};

export const diskCalls = {
  /** Of a folder that files will be written to. */
  'exports.inspect': {
    input: z.object({ folder: pathText.min(1), names: z.array(z.string().max(255)).max(10_000) }),
    output: z.object({ freeBytes: z.number(), taken: z.array(z.string()) }),
  },
  /** How much of the disk is taken by what can be made again. */
  'caches.sizes': { input: nothing, output: cacheSizes },
  'caches.clear': { input: nothing, output: cacheSizes },
};

export const programCalls = {
  'program.about': {
    input: nothing,
    output: z.object({ version: z.string(), totalMemoryBytes: z.number(), logFile: z.string(), notices: z.string() }),
  },
  /** An error of the window, for the log. */
  'program.logError': { input: z.object({ message: z.string().max(10_000) }), output: z.void() },
  /** A zip with logs and the machine's state, without media. */
  'program.saveReport': { input: nothing, output: z.object({ file: z.string() }) },
};

export const appContract = {
  calls: {
    ...libraryCalls,
    ...clipCalls,
    ...conceptCalls,
    ...editCalls,
    ...lookCalls,
    ...twinCalls,
    ...jobCalls,
    ...modelCalls,
    ...deviceCalls,
    ...settingsCalls,
    ...mediaCalls,
    ...diskCalls,
    ...programCalls,
    ...studyCalls,
    ...raterCalls,
  },
  events: {
    'job.changed': z.object({ job }),
    'job.removed': z.object({ id: z.string() }),
    'job.event': z.object({ id: z.string(), event: engineEvent }),
    /** Something of this kind was added, changed, deleted or restored. */
    'library.changed': z.object({ kind: itemKind }),
    'looks.changed': z.object({}),
    /** A study was made, or somebody answered. */
    'studies.changed': z.object({}),
    /** A `.motif` file was opened from outside of the windows: they select its concept. */
    'concept.opened': z.object({ concept, duplicate: z.boolean() }),
    /** Its folder was deleted or moved away: nothing can be read or written any more. */
    'library.lost': z.object({ message: z.string(), hint: z.string() }),
    'settings.changed': z.object({ settings }),
    'engine.state': z.object({
      state: z.enum(['stopped', 'starting', 'ready', 'busy', 'failed']),
      message: z.string().nullable(),
    }),
  },
} satisfies Contract;

export type AppContract = typeof appContract;
