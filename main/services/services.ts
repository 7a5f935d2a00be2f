import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Deletion, ItemKind } from '../../shared/domain/library.ts';
import type { Settings } from '../../shared/domain/settings.ts';
import { toErrorShape } from '../../shared/ipc/result.ts';
import { type Engine, EngineHost } from '../engine-host/host.ts';
import type { Runners } from '../jobs/attempts.ts';
import { Precedence } from '../jobs/precedence.ts';
import { JobQueue } from '../jobs/queue.ts';
import { downloadRunner } from '../jobs/runners/download.ts';
import { exportRunner } from '../jobs/runners/export.ts';
import { generateRunner } from '../jobs/runners/generate.ts';
import { importRunner } from '../jobs/runners/import.ts';
import { learnRunner } from '../jobs/runners/learn.ts';
import { growOlder } from '../library/age.ts';
import { ClipStore } from '../library/clips.ts';
import { ConceptStore } from '../library/concepts.ts';
import { EditStore } from '../library/edits.ts';
import { resolveItem } from '../library/ids.ts';
import { allTags } from '../library/labels.ts';
import { LookStore } from '../library/looks.ts';
import { ModelRegistry } from '../library/models.ts';
import { type Library, openLibrary } from '../library/open.ts';
import { searchItems } from '../library/search.ts';
import { readSettings, writeSettings } from '../library/settings.ts';
import { deleteItems, emptyTrash, listTrash, restoreItems } from '../library/trash.ts';
import { locateMediaTools, type MediaTools } from '../media/locate.ts';
import {
  duplicateConcept,
  exportConcept,
  importConcept,
  importLora,
  mixConcepts,
  readLosses,
} from './concept-files.ts';
import { clearFolder, folderBytes, inspectTarget } from './disk.ts';
import { Emitter } from './emitter.ts';
import { removeHalfFiles } from './leftovers.ts';
import { LogFile } from './log-file.ts';
import { MediaCache } from './media-cache.ts';
import { type Preview, renderPreview } from './preview.ts';
import { findResources, programVersion, readNotices } from './program.ts';
import { writeReport } from './report.ts';
import type { ServiceEvents, Services, ServicesOptions } from './service-interface.ts';
import { SharedWork } from './shared-work.ts';

export type { JobListener } from '../jobs/queue.ts';
export type { JobRequest, ServiceEvents, Services, ServicesOptions } from './service-interface.ts';

/** Opens the library and wires the queue, the media tools and the engine host. Starts no process. */
export async function openServices(options: ServicesOptions): Promise<Services> {
  const resources = options.resources ?? findResources();
  const library = openLibrary(options);
  const log = new LogFile(join(library.folder, 'logs', 'motif.log'));
  const trouble = (thrown: unknown) => log.write('error', 'could not be done', toErrorShape(thrown));
  const emitter = new Emitter<ServiceEvents>(trouble);
  const changed = (kind: ItemKind) => emitter.emit('library.changed', { kind });
  const clips = new ClipStore(library);
  const concepts = new ConceptStore(library);
  const edits = new EditStore(library);
  const looks = new LookStore(library);

  const engineSettings = ({ device, threads, engineMemoryLimitBytes }: Settings) => ({
    device: options.device ?? device,
    threads: options.threads ?? threads ?? undefined,
    limits: { memoryBytes: engineMemoryLimitBytes },
  });
  const host = new EngineHost({
    ...engineSettings(readSettings(library)),
    cacheFolder: join(library.folder, 'cache', 'engine'),
    openVinoFolder: join(library.folder, 'openvino'),
    start: options.startEngine,
    idleStopSeconds: options.engineIdleSeconds ?? null,
    onState: (state, message) => emitter.emit('engine.state', { state, message }),
  });
  const engine: Engine = options.engine ?? host;
  const models = new ModelRegistry(library, resources, (directory) => engine.describeModel(directory));
  let located: Promise<MediaTools> | undefined;
  const tools = () => {
    located ??= locateMediaTools();
    // An ffmpeg that is installed meanwhile is found at the next try.
    located.catch(() => {
      located = undefined;
    });
    return located;
  };

  const parts = { library, clips, concepts, edits, models, engine, tools, previews: new SharedWork<Preview>() };
  const cache = new MediaCache(parts);
  const runners: Runners = {
    import: importRunner(parts),
    learn: learnRunner(parts),
    generate: generateRunner(parts),
    export: exportRunner(parts),
    download: downloadRunner({ library }),
  };
  if (library.canWrite) tidyUp(library, trouble);
  const queue = new JobQueue(
    library,
    runners,
    {
      changed: (job) => emitter.emit('job.changed', { job }),
      removed: (id) => emitter.emit('job.removed', { id }),
      event: (id, event) => emitter.emit('job.event', { id, event }),
      libraryChanged: changed,
      libraryLost: () => emitter.emit('library.lost', lostLibrary(library.folder)),
      trouble,
    },
    { isPaused: () => readSettings(library).queuePaused },
  );

  const precedence = new Precedence(queue);

  /** Tells everybody once the change is made. */
  const telling = <T>(kind: ItemKind, value: T): T => {
    changed(kind);
    return value;
  };
  const tellingAll = (deletion: Deletion): Deletion => {
    for (const kind of new Set(deletion.items.map((item) => item.kind))) changed(kind);
    return deletion;
  };

  const tellingLooks = <T>(value: T): T => {
    emitter.emit('looks.changed', {});
    return value;
  };
  const tellSettings = () => emitter.emit('settings.changed', { settings: readSettings(library) });
  if (library.canWrite) logEvents(emitter, log);

  const services: Services = {
    library: {
      status: () => library.status(),
      absolutePath: (path) => library.absolutePath(path),
      search: (text, given) => searchItems(library, text, given),
      tags: () => allTags(library),
      resolve: (reference, kinds) => resolveItem(library, reference, kinds),
      delete: (items) => tellingAll(deleteItems(library, items)),
      restore: (id) => tellingAll(restoreItems(library, id)),
      trash: () => listTrash(library),
      emptyTrash: () => emptyTrash(library),
    },
    clips: {
      list: (query) => clips.list(query),
      get: (reference) => clips.get(reference),
      label: (reference, labels) => telling('clip', clips.label(reference, labels)),
    },
    concepts: {
      list: (query) => concepts.list(query),
      get: (reference, version) => concepts.get(reference, version),
      versions: (reference) => concepts.versions(reference),
      label: (reference, labels) => telling('concept', concepts.label(reference, labels)),
      duplicate: (reference, name) => telling('concept', duplicateConcept(parts, reference, name)),
      losses: (reference, version) => readLosses(parts, reference, version),
      exportFile: (reference, target, given) => exportConcept(parts, reference, target, given),
      async importFile(file, { show = false } = {}) {
        const imported = await importConcept(parts, file);
        if (!imported.duplicate) for (const kind of ['clip', 'concept'] as const) changed(kind);
        if (show) emitter.emit('concept.opened', imported);
        return imported;
      },
      mix: async (request, signal) => telling('concept', await mixConcepts(parts, request, signal)),
      importLora: async (request, signal) => telling('concept', await importLora(parts, request, signal)),
    },
    edits: {
      list: (query) => edits.list(query),
      get: (reference) => edits.get(reference),
      label: (reference, labels) => telling('edit', edits.label(reference, labels)),
      preview: (request, signal) => precedence.during(() => renderPreview(parts, request, signal)),
    },
    looks: {
      list: () => looks.list(),
      get: (reference) => looks.get(reference),
      save: (input, id) => tellingLooks(looks.save(input, id)),
      move: (id, before) => tellingLooks(looks.move(id, before)),
      remove: (id) => tellingLooks(looks.remove(id)),
    },
    jobs: {
      list: (filter) => queue.list(filter),
      get: (reference) => queue.get(reference),
      enqueue: (request) => queue.enqueue(request),
      run: (reference, given) => queue.run(reference, given),
      runNew: (request, given) => queue.run(queue.enqueue(request).id, given),
      start: () => queue.start(),
      pause: (reference) => queue.control(reference, 'pause'),
      resume: (reference) => queue.control(reference, 'resume'),
      cancel: (reference) => queue.control(reference, 'cancel'),
      keep: (reference) => queue.keep(reference),
      retry: (reference) => queue.retry(reference),
      move: (reference, before) => queue.move(reference, before),
      remove: (reference) => queue.remove(reference),
      events: (reference) => queue.events(reference),
      makeWay: () => precedence.begin(),
    },
    models: {
      list: () => models.list(),
      get: (nameOrDirectory) => models.get(nameOrDirectory),
      async add(directory) {
        const info = await models.add(directory);
        tellSettings();
        return info;
      },
      remove(nameOrDirectory) {
        models.remove(nameOrDirectory);
        tellSettings();
      },
    },
    device: {
      report: (given) => engine.device(given),
      installOpenVino: (source) => engine.installOpenVino(source),
      async warmUp() {
        return engine.warmUp((await models.get(null)).directory);
      },
    },
    evaluation: {
      judge: join(resources, 'models/motif-judge'),
      model: (request, given) => engine.evaluateModel(request, given),
      concept: (request, given) => engine.evaluateConcept(request, given),
      finish: (request, given) => engine.evaluateFinish(request, given),
    },
    media: {
      tools,
      thumbnail: (item, moving) => cache.thumbnail(item, moving),
      filmstrip: (clipId) => cache.filmstrip(clipId),
      proxy: (clipId, format, signal) => cache.proxy(clipId, format, signal),
      source: (clipId) => cache.source(clipId),
    },
    settings: {
      get: () => readSettings(library),
      set(patch) {
        const settings = writeSettings(library, patch);
        if (engineSettingNames.some((name) => patch[name] !== undefined)) host.configure(engineSettings(settings));
        emitter.emit('settings.changed', { settings });
        if (patch.queuePaused === false) queue.goOn();
        return settings;
      },
    },
    disk: {
      inspect: inspectTarget,
      cacheSizes: () => ({
        previews: folderBytes(library.absolutePath('previews')),
        proxies: folderBytes(library.absolutePath('cache/proxies')),
        pictures:
          folderBytes(library.absolutePath('cache/thumbnails')) +
          folderBytes(library.absolutePath('cache/filmstrips')) +
          folderBytes(library.absolutePath('cache/fine')),
      }),
      clearCaches() {
        if (!library.canFreeSpace) library.requireWriting();
        for (const place of ['previews', 'cache/proxies', 'cache/thumbnails', 'cache/filmstrips', 'cache/fine']) {
          clearFolder(library.absolutePath(place));
        }
      },
    },
    program: {
      version: programVersion(resources),
      notices: () => readNotices(),
      logFile: log.file,
      log: (level, message, details) => log.write(level, message, details),
      saveReport: () => writeReport(services, log, programVersion(resources)),
    },
    on: (event, listener) => emitter.on(event, listener),
    async close() {
      const stopped = queue.close();
      // What made way begins again at the next start, and not now.
      precedence.end();
      // A call that does not end soon is cut off with its process; a learning goes on from its last checkpoint.
      await Promise.race([stopped, sleep(closeMilliseconds, undefined, { ref: false })]);
      await engine.dispose();
      await stopped;
      library.close();
    },
  };
  return services;
}

const engineSettingNames = ['device', 'threads', 'engineMemoryLimitBytes'] as const;
const closeMilliseconds = 5000;

function lostLibrary(folder: string): { message: string; hint: string } {
  return {
    message: `The library's folder ${folder} was deleted or moved while Motif had it open.`,
    hint: 'Put it back where it was, then start Motif again.',
  };
}

/** What every start of the writer does before anything else; what of it fails is tried again at the next. */
function tidyUp(library: Library, trouble: (thrown: unknown) => void): void {
  for (const work of [
    () => growOlder(library),
    () => removeHalfFiles(library),
    () => emptyTrash(library, readSettings(library).trashDays),
  ]) {
    try {
      work();
    } catch (thrown) {
      trouble(thrown);
    }
  }
}

/** What whoever is asked for help wants to know: the ends of jobs, and the engine's troubles. */
function logEvents(emitter: Emitter<ServiceEvents>, log: LogFile): void {
  emitter.on('job.changed', ({ job }) => {
    if (job.state === 'failed') log.write('error', `${job.kind} ${job.id} failed`, job.error);
    else if (job.state === 'done') log.write('info', `${job.kind} ${job.id} done`);
  });
  emitter.on('engine.state', ({ state, message }) => {
    if (state === 'failed') log.write('error', `the engine stopped: ${message ?? ''}`);
  });
}
