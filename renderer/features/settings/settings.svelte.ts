import type { Concept } from '../../../shared/domain/concept.ts';
import type { DeviceReport } from '../../../shared/domain/engine.ts';
import { type ModelInfo, planRunning, type RemoteModel, type RunningPlan } from '../../../shared/domain/model.ts';
import { defaultSettings, type Settings } from '../../../shared/domain/settings.ts';
import type { CallValue, Services } from '../../app/connection.svelte.ts';
import type { Files } from '../../app/files.ts';
import type { Notices } from '../../app/notices.svelte.ts';
import { text } from '../../text/en.ts';
import type { QueueState } from '../queue/queue.svelte.ts';

type ModelEntry = CallValue<'models.list'>[number];
type MediaTools = CallValue<'media.tools'>;

const measureMilliseconds = 3000;

/** The settings, the machine and what is installed. */
export class SettingsState {
  values = $state.raw<Settings>(defaultSettings);
  device = $state.raw<DeviceReport | null>(null);
  measuring = $state(false);
  engine = $state.raw<{ state: string; message: string | null }>({ state: 'stopped', message: null });
  models = $state.raw<ModelEntry[]>([]);
  tools = $state.raw<MediaTools | null>(null);
  caches = $state.raw<CallValue<'caches.sizes'> | null>(null);
  about = $state.raw<CallValue<'program.about'> | null>(null);
  folder = $state('');
  /** Another program that writes this library; then this one only reads. */
  writer = $state<string | null>(null);
  /** Why nothing can be written: the disk is full, or the folder must not be changed. */
  obstacle = $state.raw<CallValue<'library.status'>['obstacle']>(null);
  prefersDark = $state(true);

  /** What learns next: the chosen model, or the one that came with the program. */
  readonly learningModel = $derived.by(() => {
    const usable = this.models.flatMap(({ info, embedded }) => (info ? [{ info, embedded }] : []));
    const chosen = usable.find(({ info }) => info.name === this.values.defaultModel);
    return (chosen ?? usable.find(({ embedded }) => embedded) ?? usable[0])?.info ?? null;
  });
  /** What there is for a plan: the device's own memory, or the machine's; without end until it is known. */
  readonly memoryBytes = $derived(this.device?.memoryBytes ?? this.about?.totalMemoryBytes ?? Number.POSITIVE_INFINITY);
  /** Whether that is the device's own. */
  readonly isDeviceMemory = $derived(this.device !== null && this.device.memoryBytes !== null);
  readonly theme = $derived(this.values.theme === 'system' ? (this.prefersDark ? 'dark' : 'light') : this.values.theme);

  readonly #connection: Services;
  readonly #notices: Notices;
  readonly #files: Files;

  constructor(connection: Services, notices: Notices, files: Files, queue: QueueState) {
    this.#files = files;
    this.#connection = connection;
    this.#notices = notices;
    connection.whenOpen(() => void this.load());
    queue.whenDone(({ kind }) => {
      if (kind === 'download') void this.loadDetails();
    });
    connection.on('settings.changed', ({ settings }) => this.#take(settings));
    connection.on('engine.state', (state) => {
      this.engine = state;
    });
  }

  /** What a concept was learned on; null when it is not here any more. */
  modelOf(concept: Pick<Concept, 'model'> | null): ModelInfo | null {
    const infos = this.models.flatMap(({ info }) => info ?? []);
    return infos.find(({ name, directory }) => concept?.model === name || concept?.model === directory) ?? null;
  }

  async load(): Promise<void> {
    await this.#notices.attempt(async () => {
      this.values = await this.#connection.call['settings.get']({});
      this.models = await this.#connection.call['models.list']({});
      const status = await this.#connection.call['library.status']({});
      this.folder = status.folder;
      this.writer = status.access === 'read' ? (status.holder?.program ?? null) : null;
      this.obstacle = status.obstacle;
      this.about = await this.#connection.call['program.about']({});
      this.device = await this.#connection.call['device.report']({});
      // How fast it is is said from the beginning; measured once the window has settled.
      if (this.device.matMulGflops === null) setTimeout(() => void this.measure(), measureMilliseconds);
    });
  }

  async change(patch: Partial<Settings>): Promise<void> {
    await this.#notices.attempt(async () => {
      this.#take(await this.#connection.call['settings.set'](patch));
    });
  }

  /** Also what another window set. */
  #take(settings: Settings): void {
    const before = this.values;
    this.values = settings;
    if (JSON.stringify(before.modelDirectories) !== JSON.stringify(settings.modelDirectories)) void this.loadDetails();
    if (before.device !== settings.device || before.threads !== settings.threads) void this.#loadDevice();
  }

  async #loadDevice(): Promise<void> {
    await this.#notices.attempt(async () => {
      this.device = await this.#connection.call['device.report']({});
    });
  }

  async measure(): Promise<void> {
    this.measuring = true;
    await this.#notices.attempt(async () => {
      this.device = await this.#connection.call['device.report']({ measure: true });
    });
    this.measuring = false;
  }

  async loadDetails(): Promise<void> {
    await this.#notices.attempt(async () => {
      this.models = await this.#connection.call['models.list']({});
      this.tools = await this.#connection.call['media.tools']({});
      this.caches = await this.#connection.call['caches.sizes']({});
    });
  }

  async addModel(directory: string): Promise<void> {
    await this.#notices.attempt(() => this.#connection.call['models.add']({ directory }));
    await this.loadDetails();
  }

  async removeModel({ directory, info }: ModelEntry): Promise<void> {
    await this.#notices.attempt(async () => {
      await this.#connection.call['models.remove']({ model: directory });
      if (info?.name === this.values.defaultModel) await this.change({ defaultModel: null });
    });
    await this.loadDetails();
  }

  /** The one that came with the program needs no setting, so that another one may come with a later version. */
  async learnOn({ embedded, info }: ModelEntry): Promise<void> {
    await this.change({ defaultModel: embedded ? null : (info?.name ?? null) });
  }

  /** Its licence and size, before it is fetched; undefined where that cannot be told, which was said. */
  remoteModel(repository: string): Promise<RemoteModel | undefined> {
    return this.#notices.attempt(() => this.#connection.call['models.remote']({ repository }));
  }

  /** Answers whether it is in the queue. */
  async downloadModel(repository: string): Promise<boolean> {
    const job = await this.#notices.attempt(() =>
      this.#connection.call['jobs.enqueue']({ kind: 'download', repository }),
    );
    return job !== undefined;
  }

  /** How a model generates in the memory that there is. */
  running(model: ModelInfo): RunningPlan {
    return planRunning(model, this.memoryBytes);
  }

  async clearCaches(): Promise<void> {
    await this.#notices.attempt(async () => {
      this.caches = await this.#connection.call['caches.clear']({});
    });
  }

  async saveReport(): Promise<void> {
    await this.#notices.attempt(async () => {
      const { file } = await this.#connection.call['program.saveReport']({});
      this.#notices.tell(text.settings.reportSaved(file), await this.#files.action(file));
    });
  }
}
