import { z } from 'zod';
import { type Clip, type CropRectangle, cropRectangle } from '../../../shared/domain/clip.ts';
import { type Concept, learnedSteps } from '../../../shared/domain/concept.ts';
import { learnOutput } from '../../../shared/domain/job-input.ts';
import { takesFrames } from '../../../shared/domain/model.ts';
import { type Recipe, type RecipeInput, recipe } from '../../../shared/domain/recipe.ts';
import { toNumber } from '../../../shared/domain/time.ts';
import { planLearningTime, timedOn } from '../../../shared/domain/time-plan.ts';
import { fromErrorShape } from '../../../shared/ipc/result.ts';
import type { Services } from '../../app/connection.svelte.ts';
import { Draft } from '../../app/draft.svelte.ts';
import type { Notices } from '../../app/notices.svelte.ts';
import { importRange } from '../library/import-range.ts';
import type { LibraryState } from '../library/library.svelte.ts';
import type { PlayerState } from '../player/player.svelte.ts';
import type { QueueState } from '../queue/queue.svelte.ts';
import type { SettingsState } from '../settings/settings.svelte.ts';
import { draftKey, readDraft, wordsOfClip } from './clip-words.ts';
import { markedRange } from './marked-range.ts';
import { type PresetName, presets } from './presets.ts';

/** The part of a clip that is learned: first and last frame (null: the clip's own) and a rectangle of the picture. */
interface Cut {
  inFrame: number | null;
  outFrame: number | null;
  crop: CropRectangle | null;
}

/** What learning needs of the window. */
interface LearnParts {
  connection: Services;
  notices: Notices;
  library: Pick<LibraryState, 'allConcepts' | 'clip' | 'shownKind'>;
  player: Pick<PlayerState, 'inFrame' | 'outFrame'>;
  queue: Pick<QueueState, 'finished' | 'whenDone'>;
  settings: Pick<SettingsState, 'device' | 'learningModel' | 'memoryBytes' | 'modelOf'>;
  onLearned(conceptId: string, title: string): void;
}

/** What will be learned from the chosen clip, and what is being learned. */
export class LearnState {
  name = $state('');
  looks = $state('');
  motion = $state('');
  preset = $state<PresetName>('standard');
  /** What the user set apart from the preset. */
  overrides = $state.raw<RecipeInput>({});
  /** As it is drawn at this moment; `recordCut` makes it a step of undo. */
  crop = $state.raw<CropRectangle | null>(null);
  cropping = $state(false);
  /** Width to height of what is drawn; null: any. */
  cropRatio = $state<number | null>(null);
  starting = $state(false);
  /** What is learned becomes the next version of it; null: a new concept. */
  again = $state.raw<Concept | null>(null);

  readonly #cuts = new Draft(wholeClip);
  readonly canUndo = $derived.by(() => this.#cuts.canUndo);
  readonly canRedo = $derived.by(() => this.#cuts.canRedo);
  readonly cut = $derived.by(() => this.#cuts.value);

  /** What learns: the model chosen in the settings, or the one that came with the program. */
  readonly model = $derived.by(() => this.#settings.learningModel);
  readonly recipe: Recipe = $derived(recipe.parse({ ...presets[this.preset], ...this.overrides }));
  readonly isReady = $derived(
    /\[v\d*\]/.test(this.looks) && (/\[u\d*\]/.test(this.motion) || this.recipe.stepsMotion === 0),
  );
  /** How many seconds of a clip the model sees. */
  readonly windowSeconds = $derived(this.model ? this.model.frameCount / toNumber(this.model.rate) : null);
  /** How long it will take; null until something is known of how fast this machine is. */
  readonly expected = $derived.by(() => {
    const { device, memoryBytes } = this.#settings;
    if (!this.model || !device) return null;
    const timed = timedOn(this.#library.allConcepts, (concept) => this.#settings.modelOf(concept));
    return planLearningTime(this.model, this.recipe, { device, memoryBytes, timed });
  });

  readonly #connection: Services;
  readonly #notices: Notices;
  readonly #library: LearnParts['library'];
  readonly #player: LearnParts['player'];
  readonly #queue: LearnParts['queue'];
  readonly #settings: LearnParts['settings'];
  #clipId: string | null = null;

  constructor(parts: LearnParts) {
    this.#connection = parts.connection;
    this.#notices = parts.notices;
    this.#library = parts.library;
    this.#player = parts.player;
    this.#queue = parts.queue;
    this.#settings = parts.settings;
    addEventListener('storage', ({ key }) => {
      if (this.#clipId !== null && key === draftKey(this.#clipId)) this.#takeOver();
    });
    parts.queue.whenDone((job) => {
      if (job.kind !== 'learn') return;
      if (job.state === 'failed' && job.error) this.#notices.fail(fromErrorShape(job.error));
      const conceptId = learnOutput.safeParse(job.output).data?.conceptId;
      if (job.state === 'done' && conceptId) parts.onLearned(conceptId, job.title);
    });
  }

  /** Another clip was chosen. */
  open(clip: Clip | null): void {
    if (clip === null || clip.id === this.#clipId) return;
    this.#clipId = clip.id;
    const { looks, motion } = wordsOfClip(clip);
    this.looks = looks;
    this.motion = motion;
    this.name = clip.name;
    this.cropping = false;
    this.again = null;
    this.#cuts.start({ ...wholeClip, crop: clip.crop, ...keptCut.safeParse(readDraft(clip.id).cut).data });
    this.showCut();
  }

  /** The words of a concept of the clip that is open, and more steps than it had. */
  takeUp(concept: Concept): void {
    const { static: looks, dynamic: motion } = concept.captions[0]!;
    this.again = concept;
    this.looks = looks;
    this.motion = motion;
    this.name = concept.name;
    const before = learnedSteps(concept);
    const isMore = (preset: PresetName) => {
      const { stepsIdentity, stepsMotion } = recipe.parse(presets[preset]);
      return stepsIdentity + stepsMotion > before.identity + before.motion;
    };
    this.choosePreset((['standard', 'thorough'] as const).find(isMore) ?? 'thorough');
    // Another beginning: the layout may have been lost by chance.
    this.setOption('seed', concept.recipe.seed + 1);
    this.keepDraft();
  }

  keepDraft(): void {
    if (!this.#clipId) return;
    const draft = { looks: this.looks, motion: this.motion, cut: this.cut };
    localStorage.setItem(draftKey(this.#clipId), JSON.stringify(draft));
  }

  /** What another window wrote and marked for the same clip; its cut is a step of undo here too. */
  #takeOver(): void {
    const { clip } = this.#library;
    if (clip === null || clip.id !== this.#clipId) return;
    const { looks, motion } = wordsOfClip(clip);
    this.looks = looks;
    this.motion = motion;
    const { data } = keptCut.safeParse(readDraft(clip.id).cut);
    if (!data || JSON.stringify(data) === JSON.stringify(this.cut)) return;
    this.#cuts.record(data);
    this.showCut();
  }

  /** The range of the timeline and the rectangle on the picture have been set: one step of undo. */
  recordCut(): void {
    const { inFrame, outFrame } = this.#player;
    const cut = { inFrame, outFrame, crop: this.crop };
    if (JSON.stringify(cut) === JSON.stringify(this.cut)) return;
    this.#cuts.record(cut);
    this.keepDraft();
  }

  undo(): void {
    this.#cuts.undo();
    this.#cutChanged();
  }

  redo(): void {
    this.#cuts.redo();
    this.#cutChanged();
  }

  /** Brings the clip's cut back on screen. */
  showCut(): void {
    this.crop = this.cut.crop;
    if (this.#library.shownKind !== 'clip') return;
    this.#player.inFrame = this.cut.inFrame;
    this.#player.outFrame = this.cut.outFrame;
  }

  clearCrop(): void {
    this.crop = null;
    this.recordCut();
  }

  #cutChanged(): void {
    this.showCut();
    this.keepDraft();
  }

  setOption<K extends keyof Recipe>(name: K, value: Recipe[K]): void {
    this.overrides = { ...this.overrides, [name]: value };
  }

  choosePreset(preset: PresetName): void {
    this.preset = preset;
    this.overrides = {};
  }

  /** Imports the chosen range and crop when they differ from the clip's own, or the model takes other frames, then puts the learning into the queue. */
  async start(): Promise<void> {
    const { clip } = this.#library;
    if (!clip || this.starting) return;
    this.starting = true;
    await this.#notices.attempt(async () => {
      const clipId = await this.#chosenCut(clip);
      await this.#connection.call['jobs.enqueue']({
        kind: 'learn',
        name: this.name.trim() || clip.name,
        conceptId: this.again?.id,
        clips: [{ clipId, caption: { static: this.looks.trim(), dynamic: this.motion.trim() } }],
        recipe: this.recipe,
        model: this.model?.name ?? null,
      });
      this.again = null;
    });
    this.starting = false;
  }

  /** The id of a clip with the range of the timeline and the crop of the picture. */
  async #chosenCut(clip: Clip): Promise<string> {
    const { inFrame, outFrame, crop } = this.cut;
    const sameCrop = JSON.stringify(crop) === JSON.stringify(clip.crop);
    const fits = this.model === null || takesFrames(this.model, clip.frames);
    if (inFrame === null && outFrame === null && sameCrop && fits) return clip.id;
    return importRange({ connection: this.#connection, queue: this.#queue }, clip, {
      ...markedRange(clip, this.cut),
      crop: crop ?? undefined,
      model: this.model?.name ?? null,
    });
  }
}

const wholeClip: Cut = { inFrame: null, outFrame: null, crop: null };

/** As an earlier visit left it. */
const keptCut = z.object({
  inFrame: z.int().nonnegative().nullable(),
  outFrame: z.int().nonnegative().nullable(),
  crop: cropRectangle.nullable(),
});
