import { z } from 'zod';
import { clip, rawFrames } from '../domain/clip.ts';
import { concept, conceptCaption } from '../domain/concept.ts';
import { edit, editSettings, words } from '../domain/edit.ts';
import { deviceReport, engineEvent, lossPoint } from '../domain/engine.ts';
import { exportSettings } from '../domain/export.ts';
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
import { modelInfo } from '../domain/model.ts';
import { settings, settingsPatch } from '../domain/settings.ts';
import type { Contract } from './rpc.ts';

/**
 * What the window may ask of the program behind it, the same over Electron's IPC and a WebSocket. A `reference` is an id, a unique
 * beginning of one, or a unique name. Long work is a job: `jobs.enqueue` answers at once, `job.changed` tells how it goes. Pixels never
 * come this way: `media.address` says where they are served.
 */

const nothing = z.object({}).prefault({});
const reference = z.object({ reference: z.string() });
const versioned = reference.extend({ version: z.int().positive().optional() });

const libraryCalls = {
  'library.status': { input: nothing, output: libraryStatus },
  'library.search': {
    input: z.object({
      text: z.string(),
      kinds: z.array(itemKind).optional(),
      limit: z.int().min(1).max(1000).optional(),
    }),
    output: z.array(searchHit),
  },
  'library.tags': { input: nothing, output: z.array(z.object({ tag: z.string(), count: z.int() })) },
  'library.delete': { input: z.object({ items: z.array(itemReference).min(1) }), output: deletion },
  'library.restore': { input: z.object({ deletionId: z.string() }), output: deletion },
  'library.trash': { input: nothing, output: z.array(deletion) },
  'library.emptyTrash': { input: nothing, output: z.object({ count: z.int() }) },
};

const clipCalls = {
  'clips.list': { input: itemQuery.prefault({}), output: z.array(clip) },
  'clips.get': { input: reference, output: clip },
  'clips.label': {
    input: reference.extend({ labels: itemLabels.extend({ seen: words.optional() }) }),
    output: clip,
  },
  /** Answers when a copy of the clip's source that scrubs fast is there; where it is served. Cancelling gives up the waiting. */
  'clips.proxy': {
    input: z.object({ clipId: z.string(), format: z.enum(['mp4', 'webm']) }),
    output: z.object({ address: z.string() }),
  },
};

const conceptCalls = {
  'concepts.list': { input: itemQuery.prefault({}), output: z.array(concept) },
  'concepts.get': { input: versioned, output: concept },
  'concepts.versions': { input: reference, output: z.array(concept) },
  'concepts.label': {
    input: reference.extend({
      labels: itemLabels.extend({ directionNames: z.record(z.string().regex(/^\d+$/), z.string().max(60)).optional() }),
    }),
    output: concept,
  },
  'concepts.duplicate': { input: reference.extend({ name: z.string().min(1).optional() }), output: concept },
  'concepts.losses': { input: versioned, output: z.array(lossPoint) },
  'concepts.exportFile': {
    input: versioned.extend({ target: z.string().min(1), overwrite: exportSettings.shape.overwrite }),
    output: z.object({ file: z.string(), sizeBytes: z.int() }),
  },
  /** `duplicate`: it was in the library already. */
  'concepts.importFile': {
    input: z.object({ file: z.string() }),
    output: z.object({ concept, duplicate: z.boolean() }),
  },
  'concepts.importLora': {
    input: z.object({
      file: z.string(),
      clipId: z.string(),
      caption: conceptCaption,
      name: z.string().min(1).optional(),
      model: z.string().optional(),
    }),
    output: concept,
  },
};

const editCalls = {
  'edits.list': {
    input: itemQuery.extend({ conceptId: z.string().optional(), clipId: z.string().optional() }).prefault({}),
    output: z.array(edit),
  },
  'edits.get': { input: reference, output: edit },
  'edits.label': {
    input: reference.extend({ labels: itemLabels.extend({ starred: z.boolean().optional() }) }),
    output: edit,
  },
  /** Cancel it when the slider moves on. */
  'edits.preview': {
    input: z.object({
      conceptId: z.string().nullable(),
      settings: editSettings,
      sourceClipId: z.string().optional(),
      full: z.boolean().optional(),
    }),
    output: z.object({ frames: rawFrames, base: rawFrames.nullable(), seconds: z.number(), cached: z.boolean() }),
  },
};

const lookCalls = {
  'looks.list': { input: nothing, output: z.array(z.object({ look, isOwn: z.boolean() })) },
  'looks.save': { input: z.object({ look: lookInput, id: z.string().optional() }), output: look },
  'looks.move': { input: z.object({ id: z.string(), before: z.string().nullable() }), output: z.void() },
  'looks.remove': { input: z.object({ id: z.string() }), output: z.void() },
};

/** `requested`: the job runs in another program, which has been asked. */
const controlled = z.object({ job, requested: z.boolean() });

const jobCalls = {
  'jobs.list': {
    input: z.object({ states: z.array(jobState).optional(), kinds: z.array(jobKind).optional() }).prefault({}),
    output: z.array(job),
  },
  'jobs.get': { input: reference, output: job },
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
  'jobs.pause': { input: reference, output: controlled },
  'jobs.resume': { input: reference, output: controlled },
  'jobs.cancel': { input: reference, output: controlled },
  'jobs.keep': { input: reference, output: controlled },
  'jobs.retry': { input: reference, output: job },
  'jobs.move': { input: reference.extend({ before: z.string().nullable() }), output: job },
  'jobs.remove': { input: reference, output: z.void() },
  'jobs.events': { input: reference, output: z.array(engineEvent) },
};

const modelEntry = z.object({
  directory: z.string(),
  embedded: z.boolean(),
  info: modelInfo.nullable(),
  error: z.string().nullable(),
});

const cacheSizes = z.object({ previews: z.number(), proxies: z.number(), pictures: z.number() });

const machineCalls = {
  'models.list': { input: nothing, output: z.array(modelEntry) },
  'models.add': { input: z.object({ directory: z.string() }), output: modelInfo },
  'models.remove': { input: z.object({ model: z.string() }), output: z.void() },
  'device.report': { input: z.object({ measure: z.boolean().default(false) }).prefault({}), output: deviceReport },
  'settings.get': { input: nothing, output: settings },
  'settings.set': { input: settingsPatch, output: settings },
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
  /** Of a folder that files will be written to. */
  'exports.inspect': {
    input: z.object({ folder: z.string().min(1), names: z.array(z.string()).max(10_000) }),
    output: z.object({ freeBytes: z.number(), taken: z.array(z.string()) }),
  },
  /** How much of the disk is taken by what can be made again. */
  'caches.sizes': { input: nothing, output: cacheSizes },
  'caches.clear': { input: nothing, output: cacheSizes },
  'program.about': {
    input: nothing,
    output: z.object({ version: z.string(), totalMemoryBytes: z.number(), logFile: z.string(), notices: z.string() }),
  },
  /** An error of the window, for the log. */
  'program.logError': { input: z.object({ message: z.string().max(10_000) }), output: z.void() },
  /** A zip with logs and the machine's state, without media. */
  'program.saveReport': { input: nothing, output: z.object({ file: z.string() }) },
  /** The address of a file of the library that an answer named (frames of clips and edits, previews, samples of a job). */
  'media.address': { input: z.object({ path: z.string() }), output: z.object({ address: z.string() }) },
};

export const appContract = {
  calls: { ...libraryCalls, ...clipCalls, ...conceptCalls, ...editCalls, ...lookCalls, ...jobCalls, ...machineCalls },
  events: {
    'job.changed': z.object({ job }),
    'job.removed': z.object({ id: z.string() }),
    'job.event': z.object({ id: z.string(), event: engineEvent }),
    'library.changed': z.object({ kind: itemKind }),
    'looks.changed': z.object({}),
    'concept.opened': z.object({ concept, duplicate: z.boolean() }),
    'library.lost': z.object({ message: z.string(), hint: z.string() }),
    'settings.changed': z.object({ settings }),
    'engine.state': z.object({
      state: z.enum(['stopped', 'starting', 'ready', 'busy', 'failed']),
      message: z.string().nullable(),
    }),
  },
} satisfies Contract;

export type AppContract = typeof appContract;
