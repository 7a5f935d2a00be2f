import type { TableName, Way } from '../../../shared/domain/evaluation-table.ts';
import type { RecipeInput } from '../../../shared/domain/recipe.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import type { SceneSet } from './table-scenes.ts';

/**
 * A row of a table: what is learned, and how it is used. Its name is that of the paper's row where it has
 * one.
 */
export interface PlannedMethod {
  row: string;
  label: string;
  /** Null: the model itself, by plain words. */
  recipe: RecipeInput | null;
  /** Times the processor time that all rows have; 1 where nothing is said. */
  effort?: number;
  /** Gains with which its clips are made. */
  sliders?: { identity?: number; motion?: number; appearance?: number };
}

interface TablePlan {
  set: SceneSet;
  ways: readonly Way[];
  /** The row whose differences to the others are drawn. */
  first: string;
  methods: readonly PlannedMethod[];
  learningSeeds: number;
  noiseSeeds: number;
}

const base: PlannedMethod = { row: 'base', label: 'model itself, by words', recipe: null };
const full: PlannedMethod = { row: 'set-and-sequence', label: 'Set-and-Sequence, rank 64', recipe: {} };
const rank8: PlannedMethod = { row: 'set-and-sequence-8', label: 'Set-and-Sequence, rank 8', recipe: { rank: 8 } };
const lora = (rank: number): PlannedMethod => ({
  row: `lora-${rank}`,
  label: `LoRA, rank ${rank}`,
  recipe: { method: 'lora-8', rank },
});
const twoStage: PlannedMethod = {
  row: 'two-stage',
  label: 'two stages, no regulariser, rank 64',
  recipe: { method: 'two-stage' },
};
const textualInversion: PlannedMethod = {
  row: 'textual-inversion',
  label: 'Textual Inversion',
  recipe: { method: 'textual-inversion' },
};
const newmove: PlannedMethod = { row: 'newmove', label: 'NewMove', recipe: { method: 'newmove' } };
const dreammix: PlannedMethod = { row: 'dreammix', label: 'Dreamix', recipe: { method: 'dreammix' } };
const dreamvideo: PlannedMethod = { row: 'dreamvideo', label: 'DreamVideo', recipe: { method: 'dreamvideo' } };
const motionDirector: PlannedMethod = {
  row: 'motion-director',
  label: 'MotionDirector',
  recipe: { method: 'motion-director' },
};
const followYourMotion: PlannedMethod = {
  row: 'follow-your-motion',
  label: 'Follow-Your-Motion',
  recipe: { method: 'follow-your-motion' },
};
const dualreal: PlannedMethod = { row: 'dualreal', label: 'DualReal', recipe: { method: 'dualreal' } };
const changed = (row: string, label: string, recipe: RecipeInput, effort?: number): PlannedMethod => ({
  row,
  label,
  recipe,
  ...(effort !== undefined && { effort }),
});
const without = (name: 'priorPreservation' | 'coefficientDropout' | 'textTokenMasking' | 'selfConditioning') => ({
  regularisers: { [name]: false },
});

const allWays: readonly Way[] = ['noise', 'editor', 'finished'];

/** Which table has which rows. Learned concepts and parts are shared where rows are the same. */
const tables: Readonly<Record<TableName, TablePlan>> = {
  table1: {
    set: 'people',
    ways: allWays,
    first: full.row,
    methods: [
      base,
      lora(1),
      lora(8),
      lora(64),
      changed('two-stage-8', 'two stages, no regulariser, rank 8', { method: 'two-stage', rank: 8 }),
      twoStage,
      changed('no-dropout', 'two stages, no dropout, rank 64', without('coefficientDropout')),
      rank8,
      full,
    ],
    learningSeeds: 3,
    noiseSeeds: 4,
  },
  table2: {
    set: 'people',
    ways: allWays,
    first: full.row,
    methods: [
      base,
      textualInversion,
      lora(1),
      lora(8),
      lora(64),
      twoStage,
      newmove,
      motionDirector,
      followYourMotion,
      dreamvideo,
      dualreal,
      dreammix,
      rank8,
      full,
    ],
    learningSeeds: 3,
    noiseSeeds: 4,
  },
  ablation: {
    set: 'people',
    ways: allWays,
    first: full.row,
    methods: [
      base,
      full,
      changed('no-prior', 'without prior preservation', without('priorPreservation')),
      changed('no-dropout', 'without dropout', without('coefficientDropout')),
      changed('no-masking', 'without token masking', without('textTokenMasking')),
      changed('no-self-conditioning', 'without self-conditioning', without('selfConditioning')),
      ...[1, 4, 8, 16].map((rank) => changed(`set-and-sequence-${rank}`, `rank ${rank}`, { rank })),
      changed('half-steps', 'half of the steps', {}, 0.5),
      changed('double-steps', 'twice the steps', {}, 2),
      ...[0, 0.25, 0.5].map((rate) =>
        changed(`identity-dropout-${rate}`, `dropout ${rate} in stage I`, { dropoutIdentity: rate }),
      ),
      ...[0, 0.5, 0.8].map((rate) =>
        changed(`motion-dropout-${rate}`, `dropout ${rate} in stage II`, { dropoutMotion: rate }),
      ),
      changed('input-basis', 'basis on the input side', { basisSide: 'input' }),
    ],
    learningSeeds: 1,
    noiseSeeds: 4,
  },
  dreamvideo: {
    set: 'mixes',
    // A mix has no clip of its own, so that the editor begins at noise too.
    ways: ['noise'],
    first: dreamvideo.row,
    methods: [
      base,
      motionDirector,
      full,
      dreamvideo,
      dualreal,
      changed('dreamvideo-no-words', 'DreamVideo, no learned word', { method: 'dreamvideo', tokenLearningRate: 0 }),
      {
        ...dreamvideo,
        row: 'dreamvideo-no-identity',
        label: 'DreamVideo, no identity adapter',
        sliders: { identity: 0 },
      },
      { ...dreamvideo, row: 'dreamvideo-no-motion', label: 'DreamVideo, no motion adapter', sliders: { motion: 0 } },
      {
        ...dreamvideo,
        row: 'dreamvideo-no-appearance',
        label: 'DreamVideo, appearance at 0',
        sliders: { appearance: 0 },
      },
      changed('dreamvideo-stream', 'DreamVideo, beside the stream', { method: 'dreamvideo', branchPlace: 'stream' }),
      changed('dreamvideo-gated', 'DreamVideo, before the gate', { method: 'dreamvideo', branchPlace: 'gated' }),
    ],
    learningSeeds: 1,
    noiseSeeds: 4,
  },
  'dreamvideo-subjects': {
    set: 'subjects',
    ways: ['noise'],
    first: dreamvideo.row,
    methods: [
      base,
      textualInversion,
      dreammix,
      changed('lora-8-pictures', 'LoRA, rank 8, on pictures', { method: 'dreammix', pictureShare: 1 }),
      { ...dreamvideo, label: 'DreamVideo, its identity alone', sliders: { motion: 0 } },
    ],
    learningSeeds: 1,
    noiseSeeds: 1,
  },
  'dreamvideo-motions': {
    set: 'motions',
    ways: ['noise'],
    first: dreamvideo.row,
    methods: [
      base,
      lora(8),
      newmove,
      { ...motionDirector, label: 'MotionDirector, its motion alone', sliders: { identity: 0 } },
      { ...dreamvideo, label: 'DreamVideo, its motion alone', sliders: { identity: 0 } },
    ],
    learningSeeds: 1,
    noiseSeeds: 1,
  },
  wide: {
    set: 'wide',
    ways: allWays,
    first: full.row,
    methods: [base, lora(8), dreammix, twoStage, full],
    learningSeeds: 1,
    noiseSeeds: 1,
  },
};

/** What `--fast` keeps of a table. */
const fastScenes = 2;
const fastRows: Readonly<Record<TableName, readonly string[]>> = {
  table1: ['base', 'lora-1', 'lora-8', 'two-stage', 'set-and-sequence'],
  table2: ['base', 'textual-inversion', 'lora-8', 'dreammix', 'dreamvideo', 'set-and-sequence'],
  ablation: ['base', 'set-and-sequence', 'no-prior', 'no-dropout', 'no-masking', 'no-self-conditioning'],
  dreamvideo: ['base', 'motion-director', 'set-and-sequence', 'dreamvideo', 'dreamvideo-no-motion'],
  'dreamvideo-subjects': ['base', 'textual-inversion', 'dreammix', 'dreamvideo'],
  'dreamvideo-motions': ['base', 'lora-8', 'motion-director', 'dreamvideo'],
  wide: ['base', 'lora-8', 'dreammix', 'two-stage', 'set-and-sequence'],
};
const fastEffort = 1 / 16;
const fastNoiseSeeds = 1;

/** How much of a table is asked for; null: as it plans. */
export interface PlanOptions {
  fast: boolean;
  rows: readonly string[] | null;
  scenes: number | null;
  learningSeeds: number | null;
  noiseSeeds: number | null;
  effort: number | null;
}

/** A plan as it is run. */
export interface ChosenPlan extends Omit<TablePlan, 'learningSeeds' | 'noiseSeeds'> {
  learningSeeds: number[];
  noiseSeeds: number[];
  /** The first so many scenes of the set; null: all. */
  scenes: number | null;
  effort: number;
}

/** Throws `invalid-input` for rows that the table does not have. */
export function planOf(table: TableName, options: PlanOptions): ChosenPlan {
  const { fast } = options;
  const plan = tables[table];
  const wanted = options.rows ?? (fast ? fastRows[table] : plan.methods.map(({ row }) => row));
  const known = plan.methods.map(({ row }) => row);
  const unknown = wanted.find((row) => !known.includes(row));
  if (unknown !== undefined)
    throw new AppError('invalid-input', `${table} has no row "${unknown}".`, {
      hint: `Its rows: ${known.join(', ')}.`,
    });
  const methods = plan.methods.filter(({ row }) => wanted.includes(row));
  const counted = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
  return {
    set: plan.set,
    ways: plan.ways,
    first: wanted.includes(plan.first) ? plan.first : methods.at(-1)!.row,
    methods,
    learningSeeds: counted(options.learningSeeds ?? (fast ? 1 : plan.learningSeeds)),
    noiseSeeds: counted(options.noiseSeeds ?? (fast ? fastNoiseSeeds : plan.noiseSeeds)),
    scenes: options.scenes ?? (fast ? fastScenes : null),
    effort: options.effort ?? (fast ? fastEffort : 1),
  };
}
