import { importOutput } from '../../../shared/domain/job-input.ts';
import { type AppErrorShape, toErrorShape } from '../../../shared/ipc/result.ts';
import type { CallValue, Services } from '../../app/connection.svelte.ts';
import type { Notices } from '../../app/notices.svelte.ts';
import type { Host } from '../../host/host.ts';

/** A file on its way to the services, before it is a job of the queue. */
interface Arrival {
  id: number;
  name: string;
  share: number;
  error: AppErrorShape | null;
  cancel(): void;
}

/** Where what arrives goes. */
interface Destinations {
  /** A clip that was dropped here is in the library. */
  onClip(clipId: string): void;
  /** So is a concept, by its file. */
  onConcept(imported: CallValue<'concepts.importFile'>): Promise<void>;
  /** A LoRA was learned from a file, and is a concept now. */
  onLearned(conceptId: string): Promise<void>;
}

/** Uploads of many files: the disk gains nothing from more at once. */
const arrivalsAtOnce = 2;

/** Files that were dropped or chosen, until each is a clip or a concept, or is refused. */
export class Arrivals {
  items = $state.raw<Arrival[]>([]);
  /** A LoRA file that was dropped: it becomes a concept once its clip and words are named. */
  lora = $state.raw<{ path: string; name: string } | null>(null);

  readonly #connection: Services;
  readonly #notices: Notices;
  readonly #host: Pick<Host, 'pathOf'>;
  readonly #to: Destinations;
  readonly #waiting: (() => void)[] = [];
  /** Jobs that import what was dropped here: the clip is on the stage as soon as it is there. */
  readonly #imports = new Set<string>();
  #nextId = 1;
  #active = 0;

  constructor(connection: Services, notices: Notices, host: Pick<Host, 'pathOf'>, to: Destinations) {
    this.#connection = connection;
    this.#notices = notices;
    this.#host = host;
    this.#to = to;
    connection.on('job.changed', ({ job }) => {
      if (job.state !== 'done' || !this.#imports.delete(job.id)) return;
      const { data } = importOutput.safeParse(job.output);
      if (data) to.onClip(data.clipId);
    });
  }

  /** Sends a file to the services and makes an import job of it; one that is refused says why in its place. */
  async take(file: File): Promise<void> {
    const controller = new AbortController();
    const id = this.#nextId++;
    this.items = [...this.items, { id, name: file.name, share: 0, error: null, cancel: () => controller.abort() }];
    if (this.#active >= arrivalsAtOnce) await new Promise<void>((go) => this.#waiting.push(go));
    this.#active++;
    try {
      const onProgress = (share: number) => this.#change(id, { share });
      const path = await this.#host.pathOf(file, { onProgress, signal: controller.signal });
      await this.#open(path, file.name);
      this.dismiss(id);
    } catch (thrown) {
      const error = toErrorShape(thrown);
      if (error.code === 'cancelled') this.dismiss(id);
      else this.#change(id, { error });
    } finally {
      this.#active--;
      this.#waiting.shift()?.();
    }
  }

  dismiss(id: number): void {
    this.items = this.items.filter((arrival) => arrival.id !== id);
  }

  /** The dropped LoRA file becomes a concept of that clip. Answers whether it did. */
  async importLora(clipId: string, caption: { static: string; dynamic: string }, name: string): Promise<boolean> {
    const file = this.lora?.path;
    if (file === undefined) return false;
    const concept = await this.#notices.attempt(() =>
      this.#connection.call['concepts.importLora']({ file, clipId, caption, name: name.trim() || undefined }),
    );
    if (!concept) return false;
    this.lora = null;
    await this.#to.onLearned(concept.id);
    return true;
  }

  /** Videos become clips by a job of the queue, `.motif` files concepts at once; a LoRA is asked about first. */
  async #open(path: string, fileName: string): Promise<void> {
    const name = nameOf(fileName);
    if (/\.motif$/i.test(fileName)) {
      await this.#to.onConcept(await this.#connection.call['concepts.importFile']({ file: path }));
    } else if (/\.safetensors$/i.test(fileName)) this.lora = { path, name };
    else this.#imports.add((await this.#connection.call['jobs.enqueue']({ kind: 'import', path, name })).id);
  }

  #change(id: number, change: Partial<Arrival>): void {
    this.items = this.items.map((arrival) => (arrival.id === id ? { ...arrival, ...change } : arrival));
  }
}

/** 'dance_01.mov' -> 'dance_01'. */
function nameOf(fileName: string): string {
  return fileName.replace(/\.[^.]+$/, '') || fileName;
}
