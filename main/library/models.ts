import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { GatherRequest, GatherResult } from '../../shared/domain/engine.ts';
import type { ModelInfo } from '../../shared/domain/model.ts';
import { AppError, toErrorShape } from '../../shared/ipc/result.ts';
import type { Library } from './open.ts';
import { readSettings, writeSettings } from './settings.ts';

export interface ModelEntry {
  directory: string;
  embedded: boolean;
  info: ModelInfo | null;
  error: string | null;
}

/** What the engine knows of models' files. */
export interface ModelReader {
  /** Tells what a model directory holds. */
  describe(directory: string): Promise<ModelInfo>;
  /** Makes model directories of single files. */
  gather(request: GatherRequest): Promise<GatherResult>;
}

/** Parts of a model that are named instead of being looked for. */
type NamedParts = Pick<GatherRequest, 'vae' | 'textEncoder' | 'tokenizer'>;

/**
 * The models that can be named: those that came with the program, those in the library's `models` folder and those that the user
 * added. A model is a folder in diffusers' layout; what is in it is asked of the engine once, and again when it changes.
 */
export class ModelRegistry {
  readonly #library: Library;
  readonly #resources: string;
  readonly #reader: ModelReader;
  readonly #known = new Map<string, { changedAt: number; info: Promise<ModelInfo> }>();

  constructor(library: Library, resources: string, reader: ModelReader) {
    this.#library = library;
    this.#resources = resources;
    this.#reader = reader;
  }

  list(): Promise<ModelEntry[]> {
    return Promise.all(
      this.#directories().map(async ({ directory, embedded }) => {
        try {
          return { directory, embedded, info: await this.#describeOnce(directory), error: null };
        } catch (thrown) {
          return { directory, embedded, info: null, error: toErrorShape(thrown).message };
        }
      }),
    );
  }

  /** null: the default model. A name is that of the model or of its folder. */
  async get(nameOrDirectory: string | null): Promise<ModelInfo> {
    const wanted = nameOrDirectory ?? readSettings(this.#library).defaultModel;
    const known = this.#directories();
    if (wanted === null) {
      const embedded = known.find((model) => model.embedded);
      if (embedded) return this.#describeOnce(embedded.directory);
      throw new AppError('not-found', `The embedded model is missing from ${join(this.#resources, 'models')}.`, {
        hint: 'Install Motif again, or name a model directory.',
      });
    }
    const byFolder = known.find(({ directory }) => basename(directory) === wanted);
    if (byFolder) return this.#describeOnce(byFolder.directory);
    if (isModel(resolve(wanted))) return this.#describeOnce(resolve(wanted));
    const entries = await this.list();
    const byName = entries.find(({ info }) => info?.name === wanted);
    if (byName?.info) return byName.info;
    throw new AppError('not-found', `There is no model "${wanted}".`, {
      hint: `Known models: ${entries.map(({ directory, info }) => info?.name ?? basename(directory)).join(', ')}. A path must name a folder with a model_index.json; files are added first (motif models add FILE).`,
    });
  }

  /** What to write down so that `get` finds this model again, also when the library is copied to another machine, if that can be. */
  reference(info: ModelInfo): string {
    const isKnown = this.#directories().some(({ directory }) => directory === info.directory);
    return isKnown ? info.name : info.directory;
  }

  /**
   * A folder in diffusers' layout is remembered where it is. Of anything else the engine makes such folders, in the library, whose weights
   * stay where they are; what it left out, it says. Throws `invalid-input` or `not-found` where nothing came of it.
   */
  async add(
    source: string,
    parts: NamedParts = {},
  ): Promise<{ models: ModelInfo[]; refused: GatherResult['refused'] }> {
    const path = resolve(source);
    if (!isModel(path)) {
      const { models, refused } = await this.#reader.gather({ source: path, folder: this.#ownFolder, ...parts });
      return { models: await Promise.all(models.map((directory) => this.#describeOnce(directory))), refused };
    }
    const info = await this.#describeOnce(path);
    const { modelDirectories } = readSettings(this.#library);
    if (!modelDirectories.includes(path)) {
      writeSettings(this.#library, { modelDirectories: [...modelDirectories, path] });
    }
    return { models: [info], refused: [] };
  }

  /** Forgets a folder that was added, or what was written of single files; the weights stay. */
  remove(nameOrDirectory: string): void {
    const isMeant = (path: string) => path === resolve(nameOrDirectory) || basename(path) === nameOrDirectory;
    const { modelDirectories } = readSettings(this.#library);
    const left = modelDirectories.filter((path) => !isMeant(path));
    const linked = this.#directories().find(
      ({ directory, embedded }) => !embedded && isMeant(directory) && isLinked(this.#ownFolder, directory),
    );
    if (left.length < modelDirectories.length) writeSettings(this.#library, { modelDirectories: left });
    else if (linked) rmSync(linked.directory, { recursive: true });
    else throw new AppError('not-found', `"${nameOrDirectory}" is not a model that was added.`);
  }

  /** What was downloaded, and what links to single files. */
  get #ownFolder(): string {
    return join(this.#library.folder, 'models');
  }

  #directories(): { directory: string; embedded: boolean }[] {
    const inFolder = (folder: string) =>
      existsSync(folder)
        ? readdirSync(folder)
            .map((name) => join(folder, name))
            .filter(isModel)
            .sort()
        : [];
    const embedded = inFolder(join(this.#resources, 'models'));
    const own = inFolder(this.#ownFolder);
    const added = readSettings(this.#library).modelDirectories;
    return [
      ...embedded.map((directory) => ({ directory, embedded: true })),
      ...[...new Set([...own, ...added])].map((directory) => ({ directory, embedded: false })),
    ];
  }

  #describeOnce(directory: string): Promise<ModelInfo> {
    const changedAt = modelChangedAt(directory);
    const known = this.#known.get(directory);
    if (known?.changedAt === changedAt) return known.info;
    const info = this.#reader.describe(directory);
    this.#known.set(directory, { changedAt, info });
    // A failure may have been the engine's: the next question is asked anew.
    info.catch(() => this.#known.delete(directory));
    return info;
  }
}

/** Whether a folder holds no weights of its own, only where they are. */
const isLinked = (ownFolder: string, directory: string) =>
  dirname(directory) === ownFolder && existsSync(join(directory, 'transformer', 'weights.json'));

const isModel = (directory: string) => existsSync(join(directory, 'model_index.json'));

function modelChangedAt(directory: string): number {
  const file = join(directory, 'model_index.json');
  return existsSync(file) ? statSync(file).mtimeMs : 0;
}
