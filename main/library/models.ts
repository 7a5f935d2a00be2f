import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
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

/** Tells what a model directory holds; the engine's. */
export type DescribeModel = (directory: string) => Promise<ModelInfo>;

/**
 * The models that can be named: those that came with the program, those in the library's `models` folder and
 * those that the user added. A model is a folder in diffusers' layout; what is in it is asked of the engine
 * once, and again when it changes.
 */
export class ModelRegistry {
  readonly #library: Library;
  readonly #resources: string;
  readonly #describe: DescribeModel;
  readonly #known = new Map<string, { changedAt: number; info: Promise<ModelInfo> }>();

  constructor(library: Library, resources: string, describe: DescribeModel) {
    this.#library = library;
    this.#resources = resources;
    this.#describe = describe;
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
      hint: `Known models: ${entries.map(({ directory, info }) => info?.name ?? basename(directory)).join(', ')}. A path must name a folder with a model_index.json.`,
    });
  }

  /**
   * What to write down so that `get` finds this model again, also when the library is copied to another
   * machine, if that can be.
   */
  reference(info: ModelInfo): string {
    const isKnown = this.#directories().some(({ directory }) => directory === info.directory);
    return isKnown ? info.name : info.directory;
  }

  async add(directory: string): Promise<ModelInfo> {
    const path = resolve(directory);
    if (!isModel(path)) {
      throw new AppError('invalid-input', `${path} does not contain a model.`, {
        hint: 'Choose a folder in the diffusers layout, with a model_index.json and the folders transformer, vae, text_encoder.',
      });
    }
    const info = await this.#describeOnce(path);
    const { modelDirectories } = readSettings(this.#library);
    if (!modelDirectories.includes(path)) {
      writeSettings(this.#library, { modelDirectories: [...modelDirectories, path] });
    }
    return info;
  }

  /** Forgets a folder that was added; the folder itself stays. */
  remove(nameOrDirectory: string): void {
    const { modelDirectories } = readSettings(this.#library);
    const left = modelDirectories.filter(
      (path) => path !== resolve(nameOrDirectory) && basename(path) !== nameOrDirectory,
    );
    if (left.length === modelDirectories.length) {
      throw new AppError('not-found', `"${nameOrDirectory}" is not a model that was added.`);
    }
    writeSettings(this.#library, { modelDirectories: left });
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
    const own = inFolder(join(this.#library.folder, 'models'));
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
    const info = this.#describe(directory);
    this.#known.set(directory, { changedAt, info });
    // A failure may have been the engine's: the next question is asked anew.
    info.catch(() => this.#known.delete(directory));
    return info;
  }
}

const isModel = (directory: string) => existsSync(join(directory, 'model_index.json'));

function modelChangedAt(directory: string): number {
  const file = join(directory, 'model_index.json');
  return existsSync(file) ? statSync(file).mtimeMs : 0;
}
