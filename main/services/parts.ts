import { join } from 'node:path';
import type { ItemKind } from '../../shared/domain/library.ts';
import type { Settings } from '../../shared/domain/settings.ts';
import type { AppContract } from '../../shared/ipc/app-contract.ts';
import type { Engine } from '../../shared/ipc/engine-contract.ts';
import { toErrorShape } from '../../shared/ipc/result.ts';
import type { EventName, EventPayload } from '../../shared/ipc/rpc.ts';
import { EngineHost } from '../engine-host/host.ts';
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
import { LookStore } from '../library/looks.ts';
import { ModelRegistry } from '../library/models.ts';
import { type Library, openLibrary } from '../library/open.ts';
import { readSettings } from '../library/settings.ts';
import { StudyStore } from '../library/studies.ts';
import { emptyTrash } from '../library/trash.ts';
import { locateMediaTools, type MediaTools } from '../media/locate.ts';
import { Emitter } from './emitter.ts';
import { removeHalfFiles } from './leftovers.ts';
import { LogFile } from './log-file.ts';
import { MediaCache } from './media-cache.ts';
import type { Preview } from './preview.ts';
import { findResources } from './program.ts';
import type { ServicesOptions } from './services.ts';
import { SharedWork } from './shared-work.ts';

export type AppEvents = { [E in EventName<AppContract>]: EventPayload<AppContract, E> };

/** What the handlers of every area work with. */
export interface ServiceParts {
  readonly library: Library;
  readonly clips: ClipStore;
  readonly concepts: ConceptStore;
  readonly edits: EditStore;
  readonly looks: LookStore;
  readonly studies: StudyStore;
  readonly models: ModelRegistry;
  readonly engine: Engine;
  /** ffmpeg and ffprobe, looked for at the first call. Throws `not-found` when there are none. */
  tools(): Promise<MediaTools>;
  /** Pictures and copies, made when they are first asked for. */
  readonly media: MediaCache;
  /** Previews that are being rendered. */
  readonly previews: SharedWork<Preview>;
  readonly queue: JobQueue;
  readonly precedence: Precedence;
  readonly log: LogFile;
  /** The folder of what comes with the program: models, samples. */
  readonly resources: string;
  readonly emitter: Emitter<AppEvents>;
  /** Tells everybody once a change is made, and passes on what it made. */
  tellChanged<T>(kind: ItemKind, value: T): T;
  /** Other devices, threads or limits from the engine's next process on. */
  configureEngine(settings: Settings): void;
}

/** Opens the library and wires the queue, the media tools and the engine host. Starts no process. */
export function openParts(options: ServicesOptions): ServiceParts {
  const resources = options.resources ?? findResources();
  const library = openLibrary(options);
  const log = new LogFile(join(library.folder, 'logs', 'motif.log'));
  const trouble = (thrown: unknown) => log.write('error', 'could not be done', toErrorShape(thrown));
  const emitter = new Emitter<AppEvents>(trouble);
  const clips = new ClipStore(library);
  const concepts = new ConceptStore(library);
  const edits = new EditStore(library);
  const looks = new LookStore(library);
  const studies = new StudyStore(library);

  const engineSettings = ({ device, threads, engineMemoryLimitBytes }: Settings) => ({
    device: options.device ?? device,
    threads: options.threads ?? threads ?? undefined,
    limits: { memoryBytes: engineMemoryLimitBytes },
  });
  const host = new EngineHost({
    ...engineSettings(readSettings(library)),
    cacheFolder: join(library.folder, 'cache', 'engine'),
    openVinoFolder: join(library.folder, 'openvino'),
    cudaFolder: join(library.folder, 'cuda'),
    start: options.startEngine,
    idleStopSeconds: options.engineIdleSeconds ?? null,
    onState: (state, message) => emitter.emit('engine.state', { state, message }),
  });
  const engine = options.engine ?? host.engine;
  const models = new ModelRegistry(library, resources, {
    describe: (model) => engine.describeModel({ model }),
    gather: (request) => engine.gatherModels(request),
  });
  let located: Promise<MediaTools> | undefined;
  const tools = () => {
    located ??= locateMediaTools();
    // An ffmpeg that is installed meanwhile is found at the next try.
    located.catch(() => {
      located = undefined;
    });
    return located;
  };

  const stores = { library, clips, concepts, edits, looks, studies, models, engine, tools, resources };
  const runners: Runners = {
    import: importRunner(stores),
    learn: learnRunner(stores),
    generate: generateRunner(stores),
    export: exportRunner(stores),
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
      libraryChanged: (kind) => emitter.emit('library.changed', { kind }),
      libraryLost: () => emitter.emit('library.lost', lostLibrary(library.folder)),
      trouble,
    },
    { isPaused: () => readSettings(library).queuePaused },
  );
  if (library.canWrite) logEvents(emitter, log);
  return {
    ...stores,
    media: new MediaCache(stores),
    previews: new SharedWork<Preview>(),
    queue,
    precedence: new Precedence(queue),
    log,
    resources,
    emitter,
    tellChanged(kind, value) {
      emitter.emit('library.changed', { kind });
      return value;
    },
    configureEngine: (settings) => host.configure(engineSettings(settings)),
  };
}

function lostLibrary(folder: string): { message: string; hint: string } {
  return {
    message: `The library's folder ${folder} was deleted or moved while Motif had it open.`,
    hint: 'Put it back where it was, then restart Motif.',
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
function logEvents(emitter: Emitter<AppEvents>, log: LogFile): void {
  emitter.on('job.changed', ({ job }) => {
    if (job.state === 'failed') log.write('error', `${job.kind} ${job.id} failed`, job.error);
    else if (job.state === 'done') log.write('info', `${job.kind} ${job.id} done`);
  });
  emitter.on('engine.state', ({ state, message }) => {
    if (state === 'failed') log.write('error', `the engine stopped: ${message ?? ''}`);
  });
}
