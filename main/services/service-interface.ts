import type { z } from 'zod';
import type { Clip } from '../../shared/domain/clip.ts';
import type { Concept, ConceptCaption } from '../../shared/domain/concept.ts';
import type { Edit } from '../../shared/domain/edit.ts';
import type {
  DeviceName,
  DeviceReport,
  EngineEvent,
  LossPoint,
  OpenVinoInstalled,
} from '../../shared/domain/engine.ts';
import type {
  EvaluateConceptRequest,
  EvaluateConceptResult,
  EvaluateModelRequest,
  EvaluateModelResult,
} from '../../shared/domain/evaluation.ts';
import type { EvaluateFinishRequest, EvaluateFinishResult } from '../../shared/domain/evaluation-finish.ts';
import type { ExportSettings } from '../../shared/domain/export.ts';
import type { Job, JobKind, JobState } from '../../shared/domain/job.ts';
import type { jobInputs } from '../../shared/domain/job-input.ts';
import type {
  Deletion,
  ItemKind,
  ItemLabels,
  ItemQuery,
  ItemReference,
  LibraryStatus,
  SearchHit,
} from '../../shared/domain/library.ts';
import type { Look, LookInput } from '../../shared/domain/look.ts';
import type { ModelInfo } from '../../shared/domain/model.ts';
import type { Settings } from '../../shared/domain/settings.ts';
import type { StartEngineProcess } from '../engine-host/child.ts';
import type { CallOptions, Engine, EngineState } from '../engine-host/host.ts';
import type { JobListener } from '../jobs/queue.ts';
import type { EditsOf } from '../library/edits.ts';
import type { MediaTools } from '../media/locate.ts';
import type { LogLevel } from './log-file.ts';
import type { ProxyFormat } from './media-cache.ts';
import type { PreviewRequest } from './preview.ts';

/** What a caller writes to start a job: `{ kind: 'learn', clips: [...], recipe: { rank: 8 } }`. Defaults may be left out. */
export type JobRequest = {
  [K in JobKind]: { kind: K } & z.input<(typeof jobInputs)[K]>;
}[JobKind];

export interface ServicesOptions {
  /** The library's folder; otherwise MOTIF_HOME, otherwise the platform's application-data folder. Created when absent. */
  home?: string;
  /** Shown to others while this program holds the write lock, e.g. 'motif learn'. */
  program: string;
  /**
   * 'write' fails with `library-locked` when another program writes; 'read' never asks for the lock;
   * 'any' writes if it can, reads otherwise. Default 'any'.
   */
  access?: 'write' | 'read' | 'any';
  /** Win over the stored settings. */
  device?: DeviceName;
  threads?: number;
  /** Folder with models/ and samples/; found beside the program when left out. */
  resources?: string;
  /** Stops the engine's process after so long without work, so that an idle window holds no model in memory; default: never. */
  engineIdleSeconds?: number;
  /** How the engine's process is started; otherwise as a child process of Node. */
  startEngine?: StartEngineProcess;
  /** An engine in this process instead of one in its own. */
  engine?: Engine;
}

export interface ServiceEvents {
  'job.changed': { job: Job };
  'job.removed': { id: string };
  'job.event': { id: string; event: EngineEvent };
  /** Something of this kind was added, changed, deleted or restored. */
  'library.changed': { kind: ItemKind };
  /** A `.motif` file was opened from outside of the windows: they select its concept. */
  'concept.opened': { concept: Concept; duplicate: boolean };
  /** Its folder was deleted or moved away: nothing can be read or written any more. */
  'looks.changed': object;
  'library.lost': { message: string; hint: string };
  'settings.changed': { settings: Settings };
  'engine.state': { state: EngineState; message: string | null };
}

/**
 * Everything that the command line, the server and the window do, in one object. `reference` is an id, a unique beginning of one,
 * or a unique name. Every method throws AppError: `not-found`, `conflict` (ambiguous reference), `invalid-input`, `library-locked`
 * (writing while another program does) and what its own comment says.
 */
export interface Services {
  readonly library: {
    status(): LibraryStatus;
    /** A path of the library (clip.frames.file, concept.file ...) -> absolute path. Refuses one that leaves the folder. */
    absolutePath(relativePath: string): string;
    search(text: string, options?: { kinds?: ItemKind[]; limit?: number }): SearchHit[];
    tags(): { tag: string; count: number }[];
    /** reference -> what it names; for commands that take "a concept or an edit". */
    resolve(reference: string, kinds?: ItemKind[]): ItemReference;
    /** Puts items (an edit goes with its concept) into the trash together. */
    delete(items: ItemReference[]): Deletion;
    restore(deletionId: string): Deletion;
    trash(): Deletion[];
    /** Deletes for good what is in the trash. Answers how many items. */
    emptyTrash(): number;
  };
  readonly clips: {
    list(query?: ItemQuery): Clip[];
    get(reference: string): Clip;
    label(reference: string, labels: ItemLabels & { seen?: string | undefined }): Clip;
  };
  readonly concepts: {
    list(query?: ItemQuery): Concept[];
    /** The newest version unless one is asked for. */
    get(reference: string, version?: number): Concept;
    versions(reference: string): Concept[];
    label(reference: string, labels: ItemLabels & { directionNames?: Record<string, string> }): Concept;
    duplicate(reference: string, name?: string): Concept;
    /** The loss curves of one learning, stage by stage. */
    losses(reference: string, version?: number): LossPoint[];
    /** Writes a `.motif` file: the concept with the frames it was learned from. Default version: the newest. */
    exportFile(
      reference: string,
      target: string,
      options?: { version?: number; overwrite?: ExportSettings['overwrite'] },
    ): { file: string; sizeBytes: number };
    /**
     * A `.motif` file becomes a new concept, unless it is here already; clips that are here already are not added again. `show`: windows
     * select the concept, as for a file that was opened from outside of them.
     */
    importFile(file: string, options?: { show?: boolean }): Promise<{ concept: Concept; duplicate: boolean }>;
    /** Who or what one concept is with how another moves, as a new concept, without learning. */
    mix(request: { identity: string; motion: string; name?: string }, signal?: AbortSignal): Promise<Concept>;
    /** A LoRA file of any dialect becomes a concept. */
    importLora(
      request: { file: string; clipId: string; caption: ConceptCaption; name?: string; model?: string },
      signal?: AbortSignal,
    ): Promise<Concept>;
  };
  readonly edits: {
    list(query?: ItemQuery & EditsOf): Edit[];
    get(reference: string): Edit;
    label(reference: string, labels: ItemLabels & { starred?: boolean }): Edit;
    /** A rendering (with few steps, unless `full`) that is not kept in the library but in a bounded cache; a path of the library. */
    preview(
      request: PreviewRequest,
      signal?: AbortSignal,
    ): Promise<{ frames: Edit['frames']; base: Edit['base']; seconds: number; cached: boolean }>;
  };
  readonly looks: {
    /** Those that came with the program, then one's own in their order. */
    list(): { look: Look; isOwn: boolean }[];
    get(reference: string): Look;
    /** A new look of one's own; with an id, that one is changed. */
    save(input: LookInput, id?: string): Look;
    move(id: string, before: string | null): void;
    remove(id: string): void;
  };
  readonly jobs: {
    list(filter?: { states?: JobState[]; kinds?: JobKind[] }): Job[];
    get(reference: string): Job;
    /** Stores the job as `queued`. References in the request (clips, concepts) may be names: they are resolved here. */
    enqueue(request: JobRequest): Job;
    /**
     * Runs one queued, paused, interrupted or failed job here and now, until it is done or paused. Aborting pauses a job that can go
     * on later (learn) and cancels any other. Never throws for a failed job: look at `state` and `error`.
     */
    run(reference: string, options?: JobListener & { signal?: AbortSignal }): Promise<Job>;
    /** enqueue + run. */
    runNew(request: JobRequest, options?: JobListener & { signal?: AbortSignal }): Promise<Job>;
    /** Works through the queue until `close`, engine jobs and media jobs side by side (the window and the server). */
    start(): void;
    /** A paused job that cannot go on from where it was (`resumes` of its runner) begins again. These three also reach a job that runs in another program; then they answer the job as it was and `requested: true`. */
    pause(reference: string): { job: Job; requested: boolean };
    resume(reference: string): { job: Job; requested: boolean };
    cancel(reference: string): { job: Job; requested: boolean };
    /** A learning ends with the step at hand, and what it has so far becomes the concept. `conflict` before its first step. */
    keep(reference: string): { job: Job; requested: boolean };
    /** A failed, interrupted or cancelled job goes back into the queue, from its last checkpoint if it has one. */
    retry(reference: string): Job;
    /** Previews go first: what learns is paused until none was asked for in a while. Answers whether anything makes way. */
    makeWay(): boolean;
    /** Moves a waiting job before another, or to the end. */
    move(reference: string, before: string | null): Job;
    /** Forgets a job that does not run, with its checkpoints. */
    remove(reference: string): void;
    /** Losses, samples and checkpoints of a job so far, oldest first (for a curve after a reload). */
    events(reference: string): EngineEvent[];
  };
  readonly models: {
    /** The embedded model first; folders that hold no readable model carry `error` instead of `info`. */
    list(): Promise<{ directory: string; embedded: boolean; info: ModelInfo | null; error: string | null }[]>;
    /** A name or folder; null is the default model. */
    get(nameOrDirectory: string | null): Promise<ModelInfo>;
    add(directory: string): Promise<ModelInfo>;
    remove(nameOrDirectory: string): void;
  };
  readonly device: {
    report(options?: { measure?: boolean }): Promise<DeviceReport>;
    /** Copies OpenVINO from an archive, a wheel or a folder into the library's folder; what computes is chosen anew afterwards. */
    installOpenVino(source: string): Promise<OpenVinoInstalled>;
    /** Loads the default model and compiles what the first edit will need; answers whether it did (not for large models). */
    warmUp(): Promise<boolean>;
  };
  /** Measurements on scenes whose truth is known. They belong to no library: files are written to the folder asked for. */
  readonly evaluation: {
    /** The folder of the judge that came with the program. */
    judge: string;
    model(request: EvaluateModelRequest, options?: CallOptions): Promise<EvaluateModelResult>;
    concept(request: EvaluateConceptRequest, options?: CallOptions): Promise<EvaluateConceptResult>;
    finish(request: EvaluateFinishRequest, options?: CallOptions): Promise<EvaluateFinishResult>;
  };
  readonly media: {
    /** ffmpeg and ffprobe, looked for at the first call. Throws `not-found` when there are none. */
    tools(): Promise<MediaTools>;
    /** Absolute paths of pictures and copies, made when they are first asked for and kept in the library's `cache` folder. */
    thumbnail(item: ItemReference, moving: boolean): Promise<string>;
    filmstrip(clipId: string): Promise<string>;
    /** Waiting for it can be given up; it is made all the same. */
    proxy(clipId: string, format: ProxyFormat, signal?: AbortSignal): Promise<string>;
    /** The clip's own file. Throws `not-found` when it is no longer there. */
    source(clipId: string): string;
  };
  readonly settings: {
    get(): Settings;
    set(patch: Partial<Settings>): Settings;
  };
  readonly disk: {
    /** The space on a folder's disk, and which of the names are taken in it. */
    inspect(folder: string, names: string[]): Promise<{ freeBytes: number; taken: string[] }>;
    /** Bytes of what can be made again. */
    cacheSizes(): { previews: number; proxies: number; pictures: number };
    clearCaches(): void;
  };
  readonly program: {
    version: string;
    /** Licences of what is built in; empty where it was not built. */
    notices(): string;
    logFile: string;
    log(level: LogLevel, message: string, details?: unknown): void;
    /** Writes a zip for whoever is asked for help; answers its path. */
    saveReport(): Promise<string>;
  };
  on<E extends keyof ServiceEvents>(event: E, listener: (payload: ServiceEvents[E]) => void): () => void;
  /** Pauses or cancels what runs, stops the engine, gives the write lock back. */
  close(): Promise<void>;
}
