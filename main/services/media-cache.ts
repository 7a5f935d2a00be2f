import { existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { RawFrames } from '../../shared/domain/clip.ts';
import { coversFile, finishingOf } from '../../shared/domain/edit.ts';
import type { ItemKind, ItemReference } from '../../shared/domain/library.ts';
import { toNumber } from '../../shared/domain/time.ts';
import { finishClip } from '../../shared/finish/finish-clip.ts';
import { AppError } from '../../shared/ipc/result.ts';
import { Serialiser } from '../../shared/structures/serialiser.ts';
import type { ClipStore } from '../library/clips.ts';
import type { ConceptStore } from '../library/concepts.ts';
import type { EditStore } from '../library/edits.ts';
import type { Library } from '../library/open.ts';
import { readSettings } from '../library/settings.ts';
import { readRawFrames, writeStill } from '../media/frames.ts';
import type { MediaTools } from '../media/locate.ts';
import { probe as probeFile } from '../media/probe.ts';
import { makeProxy } from '../media/proxy.ts';
import { writeAnimatedThumbnail, writeFilmstrip } from '../media/thumbnails.ts';

/** What a browser can play: it says which when it asks. */
export type ProxyFormat = 'mp4' | 'webm';

const filmstripTiles = 24;
const filmstripHeight = 96;

/**
 * Pictures and proxies of the library's clips and edits, made when they are first asked for and kept in its
 * `cache` folder, which may be deleted at any time. Everything is named by the content it was made of, so
 * that nothing in it can be stale.
 */
export class MediaCache {
  readonly #library: Library;
  readonly #clips: ClipStore;
  readonly #concepts: ConceptStore;
  readonly #edits: EditStore;
  readonly #tools: () => Promise<MediaTools>;
  readonly #making = new Map<string, Promise<string>>();
  /** Thumbnails of a long list are made one after the other: the machine has other work. */
  readonly #thumbnails = new Serialiser();

  constructor(parts: {
    library: Library;
    clips: ClipStore;
    concepts: ConceptStore;
    edits: EditStore;
    tools(): Promise<MediaTools>;
  }) {
    this.#library = parts.library;
    this.#clips = parts.clips;
    this.#concepts = parts.concepts;
    this.#edits = parts.edits;
    this.#tools = parts.tools;
  }

  /**
   * A small looping picture of an item, or a still one. A concept looks like the first clip that it was
   * learned from.
   */
  thumbnail(item: ItemReference, moving: boolean): Promise<string> {
    const { kind, id } = item.kind === 'concept' ? this.#clipOf(item.id) : item;
    const stem = `${kind}-${id}`;
    return this.#once(`${stem}${moving ? '-moving' : ''}`, this.#folder('thumbnails'), (folder) =>
      this.#thumbnails.run(async () => {
        const tools = await this.#tools();
        return this.#withFrames(kind, id, async (raw) => {
          if (moving) return writeAnimatedThumbnail(tools, raw, join(folder, `${stem}-moving`));
          const [picture] = await readRawFrames(raw, [Math.floor(raw.frameCount / 2)]);
          const file = join(folder, `${stem}.png`);
          await writeStill(tools, picture!, file);
          return file;
        });
      }),
    );
  }

  /** Writes the picture that an edit begins with as a PNG, finished where it can be. Answers the file. */
  async writeFirstPicture(editId: string, file: string): Promise<string> {
    const tools = await this.#tools();
    return this.#withFrames('edit', editId, async (raw) => {
      const [picture] = await readRawFrames(raw, [0]);
      await writeStill(tools, picture!, file);
      return file;
    });
  }

  /** The frames of a clip, or those of an edit, finished where it can be. */
  async #withFrames<T>(kind: ItemKind, id: string, use: (frames: RawFrames) => Promise<T>): Promise<T> {
    const absolute = (frames: RawFrames) => ({ ...frames, file: this.#library.absolutePath(frames.file) });
    if (kind === 'clip') return use(absolute(this.#clips.byId(id).frames));
    const { frames, base, settings, sourceClipId } = this.#edits.byId(id);
    const clip = sourceClipId === null ? null : this.#clips.byId(sourceClipId);
    // A fine edit is larger than its clip's frames, and shows well enough as it is.
    const isFinished = settings.finish && base && clip && clip.frames.width === frames.width;
    if (!isFinished) return use(absolute(frames));
    const folder = await mkdtemp(join(tmpdir(), 'motif-'));
    try {
      const [source, before, edited] = await Promise.all(
        [clip.frames, base, frames].map((raw) => readClip(absolute(raw))),
      );
      const finished = finishClip({
        source: source!,
        base: before!,
        edited: edited!,
        firstFrame: coversFile(frames, clip) ? clip.fromSeconds * toNumber(frames.rate) : 0,
        ...finishingOf(settings),
      });
      const file = join(folder, 'frames.rgb');
      await writeFile(file, finished.data);
      return await use({ ...clip.frames, file });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** `filmstripTiles` pictures of a clip's whole source in one row. */
  filmstrip(clipId: string): Promise<string> {
    const { path, sha256 } = this.#sourceOf(clipId);
    return this.#once(sha256, this.#folder('filmstrips'), async (folder) => {
      const tools = await this.#tools();
      const file = join(folder, `${sha256}.jpg`);
      const probe = await probeFile(tools, existing(path));
      await writeFilmstrip(tools, probe, file, { count: filmstripTiles, height: filmstripHeight });
      return file;
    });
  }

  /**
   * A copy of a clip's source that scrubs fast. Several callers wait for one making; the least recently used
   * go when there are too many.
   */
  async proxy(clipId: string, format: ProxyFormat, signal?: AbortSignal): Promise<string> {
    const { path, sha256 } = this.#sourceOf(clipId);
    const folder = this.#folder('proxies');
    const making = this.#once(`${sha256}.${format}`, folder, async () => {
      const tools = await this.#tools();
      const file = join(folder, `${sha256}.${format}`);
      await makeProxy(tools, await probeFile(tools, existing(path)), { file });
      trimFolder(folder, readSettings(this.#library).proxyCacheBytes, file);
      return file;
    });
    const file = await (signal ? Promise.race([making, rejectOnAbort(signal)]) : making);
    utimesSync(file, new Date(), statSync(file).mtime);
    return file;
  }

  /** The clip's own file, for a player that can play it. */
  source(clipId: string): string {
    return existing(this.#sourceOf(clipId).path);
  }

  #clipOf(conceptId: string): ItemReference {
    return { kind: 'clip', id: this.#concepts.get(conceptId).clipIds[0]! };
  }

  /** Throws `not-found` for a clip that came with a concept. */
  #sourceOf(clipId: string): { path: string; sha256: string } {
    const { name, source } = this.#clips.byId(clipId);
    if (source.path !== null) return { path: source.path, sha256: source.sha256 };
    throw new AppError(
      'not-found',
      `"${name}" came with a concept: its video, ${source.name}, is not on this machine.`,
      {
        hint: 'Import the video itself to play it, hear it or choose another range.',
      },
    );
  }

  #folder(name: string): string {
    const folder = this.#library.absolutePath(`cache/${name}`);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** The file of that stem in the folder, made unless it is there or being made. */
  #once(stem: string, folder: string, make: (folder: string) => Promise<string>): Promise<string> {
    const key = join(folder, stem);
    const known = ['', '.png', '.webp', '.gif', '.jpg'].map((ending) => key + ending).find((file) => existsSync(file));
    if (known) return Promise.resolve(known);
    const making = this.#making.get(key) ?? make(folder).finally(() => this.#making.delete(key));
    this.#making.set(key, making);
    return making;
  }
}

function existing(path: string): string {
  if (existsSync(path)) return path;
  throw new AppError('not-found', `${basename(path)} is no longer where it was imported from.`, {
    hint: `Put it back at ${path}, or import it again.`,
  });
}

async function readClip({ file, frameCount, width, height }: RawFrames) {
  return { data: new Uint8Array(await readFile(file)), frameCount, width, height };
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const refuse = () => reject(new AppError('cancelled', 'Cancelled.'));
    if (signal.aborted) refuse();
    signal.addEventListener('abort', refuse, { once: true });
  });
}

/** Deletes the files longest unused beyond `limitBytes`; `keep` stays whatever its size. */
function trimFolder(folder: string, limitBytes: number, keep: string): void {
  let total = statSync(keep).size;
  const others = readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((file) => file !== keep && !basename(file).startsWith('.'))
    .map((file) => ({ file, ...pick(statSync(file)) }))
    .sort((a, b) => b.usedAt - a.usedAt);
  for (const { file, bytes } of others) {
    total += bytes;
    if (total > limitBytes) rmSync(file, { force: true });
  }
}

function pick({ atimeMs, size }: { atimeMs: number; size: number }): { usedAt: number; bytes: number } {
  return { usedAt: atimeMs, bytes: size };
}
