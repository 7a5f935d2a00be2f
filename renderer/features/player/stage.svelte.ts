import type { Clip, RawFrames } from '../../../shared/domain/clip.ts';
import { coversFile, type Edit, type EditSettings, type Finishing, finishingOf } from '../../../shared/domain/edit.ts';
import { frameToSeconds } from '../../../shared/domain/time.ts';
import { text } from '../../text/en.ts';
import { rateOf } from '../../text/format.ts';
import type { EditState } from '../edit/edit.svelte.ts';
import type { LibraryState } from '../library/library.svelte.ts';
import type { LooksState } from '../looks/looks.svelte.ts';
import type { ClipViewState } from './clip-view.svelte.ts';
import type { Finishable } from './finisher.ts';
import type { PlayerState } from './player.svelte.ts';
import { isLonger, windowFrameCount } from './source-frames.ts';

/** A rendering that can be on the stage. */
interface Shown {
  frames: RawFrames;
  base: RawFrames | null;
  finish: boolean;
  finishing: Finishing;
}

/** What the stage shows is told by the rest of the window. */
export interface StageParts {
  readonly library: Pick<LibraryState, 'clip' | 'sourceClip' | 'edit' | 'editId' | 'edits' | 'shownKind'>;
  readonly player: Pick<PlayerState, 'against' | 'finished' | 'wholeLength'>;
  readonly clipView: Pick<ClipViewState, 'viewOf' | 'frames'>;
  readonly edit: Pick<EditState, 'draft' | 'preview'>;
  readonly looks: Pick<LooksState, 'draft' | 'preview'>;
}

/** What is on the stage: which clip or result, what it is compared with, whether it is finished, and what the clock counts. */
export class StageState {
  /** The clip whose file could not be shown. */
  unshowable = $state<string | null>(null);

  readonly #parts: StageParts;

  readonly showsClip = $derived.by(() => this.#parts.library.shownKind === 'clip');
  /** Whether results are on the stage, and not a clip as it is. */
  readonly showsResults = $derived.by(() => !this.showsClip || this.#parts.looks.draft.isOn);
  readonly clip = $derived.by(() => (this.showsClip ? this.#parts.library.clip : this.#parts.library.sourceClip));
  /** What of a clip by itself is on the stage. */
  readonly view = $derived.by(() =>
    this.clip && !this.showsResults ? this.#parts.clipView.viewOf(this.clip) : 'source',
  );
  /** Of looks of a clip, or of edits of a concept. */
  readonly draft = $derived.by(() => (this.showsClip ? this.#parts.looks.draft : this.#parts.edit.draft));
  readonly previews = $derived.by(() => (this.showsClip ? this.#parts.looks.preview : this.#parts.edit.preview));
  readonly #shown = $derived.by<Shown | null>(() => {
    const preview = this.previews.shown;
    // Finishing is done here, so that its settings act at once, and before a result is made.
    return preview ? { ...preview, ...howFinished(this.draft.settings) } : shownOf(this.#parts.library.edit);
  });
  readonly resultName = $derived.by(() => {
    const preview = this.previews.shown;
    if (preview) return preview.full ? text.player.full : text.player.preview;
    return this.#parts.library.edit?.name ?? '';
  });
  /** The picture that the result goes on from. */
  readonly firstFrame = $derived.by(
    () => (this.previews.shown ? this.draft : this.#parts.library.edit)?.settings.firstFrame ?? null,
  );
  /** What else the result can be compared with. */
  readonly others = $derived.by(() => this.#parts.library.edits.filter(({ id }) => id !== this.#parts.library.editId));
  /** Another result to compare with; null, for the clip, when that one is gone or on screen itself. */
  readonly against = $derived.by(() => this.others.find(({ id }) => id === this.#parts.player.against) ?? null);
  readonly sourceName = $derived.by(() => this.against?.name ?? text.player.source);

  readonly canFinish = $derived.by(
    () =>
      this.clip !== null &&
      this.clip.source.path !== null &&
      this.unshowable !== this.clip.id &&
      this.#shown?.base != null &&
      this.#shown.finish &&
      (!this.against || this.against.base !== null),
  );
  readonly isFinished = $derived.by(() => this.canFinish && this.#parts.player.finished);
  readonly offersWhole = $derived.by(
    () => this.isFinished && this.showsResults && this.clip !== null && isLonger(this.clip),
  );

  /** The result, and what it is compared with unless that is the clip, as the finisher takes them. */
  readonly finishable = $derived.by(() => this.#finishable(this.#shown));
  readonly againstFinishable = $derived.by(() => this.#finishable(shownOf(this.against)));
  /** The two sides in the model's own pictures. */
  readonly frames = $derived.by(() => {
    const result = this.#shown?.frames ?? null;
    const source = this.#isOfFile(result) ? this.#shown!.base! : this.clip!.frames;
    return { source: this.against?.frames ?? source, result };
  });
  readonly hasResult = $derived.by(() => this.#shown !== null);
  /** The model's pictures are on the stage since the clip's file cannot be. */
  readonly cannotFinish = $derived.by(() => this.unshowable === this.clip?.id && this.#shown?.base != null);

  /** What the player's clock counts: the source's frames, all of them or those that the model saw, or the model's own. */
  readonly clock = $derived.by(() => {
    const { clip } = this;
    const { player, library } = this.#parts;
    if (!clip) return null;
    const { rate, frameCount } = clip.source;
    if (!this.showsResults) return { key: `clip ${clip.id}`, frameCount, rate };
    if (this.isFinished) {
      const { wholeLength } = player;
      const key = `finished ${clip.id} ${wholeLength}`;
      return { key, frameCount: wholeLength ? frameCount : windowFrameCount(clip), rate };
    }
    const result = this.#shown?.frames;
    const own = result && this.#isOfFile(result) ? result : clip.frames;
    return { ...own, key: `${library.shownKind} frames ${clip.id} ${own.frameCount}` };
  });
  /** Size, rate and length of what is made, in words; of a clip by itself, its own. */
  readonly made = $derived.by(() => {
    const { clip, clock } = this;
    const result = this.#shown;
    if (!clip || !clock || (this.showsResults && result === null)) return '';
    if (this.view !== 'source') {
      const { frames } = this.#parts.clipView;
      return frames ? inWords(frames, frames) : '';
    }
    const size = !this.showsResults ? clip.source : this.isFinished ? (clip.crop ?? clip.source) : result!.frames;
    return inWords(size, clock);
  });

  constructor(parts: StageParts) {
    this.#parts = parts;
  }

  #finishable(shown: Shown | null): Finishable | null {
    if (!shown?.base) return null;
    const { frames, base, finishing } = shown;
    return { frames, base, finishing, coversFile: this.#isOfFile(frames) };
  }

  /** Whether pictures are of all of the clip's file. */
  #isOfFile(frames: RawFrames | null): boolean {
    return frames !== null && this.clip !== null && coversFile(frames, this.clip);
  }
}

const howFinished = (settings: EditSettings) => ({ finish: settings.finish, finishing: finishingOf(settings) });

function shownOf(edit: Edit | null): Shown | null {
  return edit && { frames: edit.frames, base: edit.base, ...howFinished(edit.settings) };
}

function inWords(
  { width, height }: { width: number; height: number },
  { rate, frameCount }: Pick<Clip['frames'], 'rate' | 'frameCount'>,
): string {
  return text.player.made(width, height, rateOf(rate), frameToSeconds(frameCount, rate));
}
