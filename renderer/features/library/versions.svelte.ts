import type { RawFrames } from '../../../shared/domain/clip.ts';
import { type Concept, learnedPrompt } from '../../../shared/domain/concept.ts';
import { editSettings, reconstructionGuidance } from '../../../shared/domain/edit.ts';
import { type AppErrorShape, toErrorShape } from '../../../shared/ipc/result.ts';
import type { Services } from '../../app/connection.svelte.ts';
import type { Notices } from '../../app/notices.svelte.ts';

type Given = { frames: RawFrames } | { error: AppErrorShape } | 'asked';

/** The versions of one concept, beside the clip that each was learned from and what it gives back for its own words. */
export class VersionsState {
  /** The newest first. */
  list = $state.raw<Concept[]>([]);
  /** What was asked for, by the version. */
  given = $state.raw<Record<number, Given>>({});

  readonly #connection: Services;
  readonly #notices: Notices;
  #asking = new AbortController();

  constructor(connection: Services, notices: Notices) {
    this.#connection = connection;
    this.#notices = notices;
  }

  async open(conceptId: string): Promise<void> {
    this.list = [];
    this.given = {};
    this.#asking = new AbortController();
    await this.#notices.attempt(async () => {
      const versions = await this.#connection.call['concepts.versions']({ reference: conceptId });
      this.list = versions.toSorted((a, b) => b.version - a.version);
    });
  }

  /** What is still asked for is given up. */
  close(): void {
    this.#asking.abort();
  }

  /** As it was measured after learning: from noise, by the words that it was learned with. */
  async show({ id, version, captions, recipe }: Concept): Promise<void> {
    const { signal } = this.#asking;
    const put = (given: Given) => {
      if (!signal.aborted) this.given = { ...this.given, [version]: given };
    };
    put('asked');
    const settings = editSettings.parse({
      prompt: learnedPrompt(captions.slice(0, 1)).slice(0, 2000),
      fidelity: 0,
      guidance: reconstructionGuidance,
      seed: recipe.seed,
    });
    const request = { conceptId: id, conceptVersion: version, settings, full: true };
    try {
      put({ frames: (await this.#connection.call['edits.preview'](request, { signal })).frames });
    } catch (thrown) {
      put({ error: toErrorShape(thrown) });
    }
  }
}
