import { z } from 'zod';
import { frameSheet } from './frame-sheet.ts';
import { nameText, pathText, promptText, referenceText } from './text.ts';

/**
 * A blind study: people say of pairs of clips, made by two methods of the same source and words, which one is
 * better, without knowing the methods. The questions are those of Set-and-Sequence's table 3.
 */
export const studyQuestion = z.enum(['identity', 'motion', 'words', 'overall']);
export type StudyQuestion = z.infer<typeof studyQuestion>;

/** How well a clip answers each question by a measure, higher is better: what the stand-in for people goes by. */
const measures = z.object({
  identity: z.number().nullable().default(null),
  motion: z.number().nullable().default(null),
  words: z.number().nullable().default(null),
  overall: z.number().nullable().default(null),
});
export type StudyMeasures = z.infer<typeof measures>;

const fileText = pathText.min(1);
const clipOfFile = z.union([
  fileText.transform((file) => ({ file, measures: null })),
  z.strictObject({ file: fileText, measures: measures.nullable().default(null) }),
]);

/**
 * `study.json` in a folder of edits by several methods. Files are videos, named from that folder.
 *
 * { "format": "motif-study", "version": 1, "first": "ours",
 *   "methods": { "ours": "Ours, rank 64", "lora": "LoRA" },
 *   "scenes": [{ "name": "dancer", "source": "dancer.mp4", "words": "a lady dances in a park",
 *     "edits": [{ "name": "top", "words": "a lady in a red top dances in a park",
 *       "clips": { "ours": "dancer-ours.mp4", "lora": { "file": "dancer-lora.mp4", "measures": { "words": 0.3 } } } }] }] }
 */
export const studyFile = z.strictObject({
  format: z.literal('motif-study'),
  version: z.literal(1),
  /** The method whose preference over each other is told; the first named where left out. */
  first: nameText.optional(),
  /** What methods are called in results; their own names where left out. */
  methods: z.record(nameText, nameText).default({}),
  scenes: z
    .array(
      z.strictObject({
        name: nameText.min(1),
        source: fileText,
        /** What is seen in the source. */
        words: promptText.min(1),
        edits: z
          .array(
            z.strictObject({
              name: nameText.min(1),
              /** What the edits were asked to show. */
              words: promptText.min(1),
              clips: z.record(nameText.min(1), clipOfFile),
            }),
          )
          .min(1),
      }),
    )
    .min(1),
});

export const studyWay = z.enum(['noise', 'editor', 'finished']);

export const studyInput = z.object({
  /** Of `evaluate table2` or another table, or one with a `study.json`. */
  folder: pathText.min(1),
  /** That of the folder where left out. */
  name: nameText.trim().min(1).optional(),
  /** Pairs that each person compares, without those that check the person. */
  items: z.int().min(1).max(500).default(40),
  seed: z.int().min(0).default(1),
  /** Only these methods; null: of a table those of the papers' study, otherwise all. */
  methods: z.array(nameText.min(1)).min(2).max(50).nullable().default(null),
  /** Of a table: how its clips were made. */
  way: studyWay.default('editor'),
});
export type StudyInput = z.infer<typeof studyInput>;

/** Pairs, pairs shown once more with their sides changed, and the source beside a broken clip. */
const studyItemKind = z.enum(['pair', 'mirror', 'attention']);
export type StudyItemKind = z.infer<typeof studyItemKind>;

/** Clips lie in the study's folder under names that say nothing. In an attention item `a` is the source. */
export const studyItem = z.object({
  id: z.string(),
  kind: studyItemKind,
  /** Of a mirror: the pair that it shows again. */
  of: z.string().nullable(),
  scene: z.string(),
  edit: z.string(),
  words: z.string(),
  source: frameSheet,
  a: z.object({ method: z.string(), clip: frameSheet, measures: measures.nullable() }),
  b: z.object({ method: z.string(), clip: frameSheet, measures: measures.nullable() }),
});
export type StudyItem = z.infer<typeof studyItem>;

export const studySettings = z.object({
  first: z.string(),
  /** Labels of the methods by their names, in their order. */
  methods: z.array(z.object({ name: z.string(), label: z.string() })),
  seed: z.int(),
  /** What was compared, and what of the folder could not be: for whoever reads the results. */
  notes: z.array(z.string()),
});
export type StudySettings = z.infer<typeof studySettings>;

export const study = z.object({
  id: z.string(),
  name: z.string(),
  /** Opens the study's page, and nothing else. */
  code: z.string(),
  settings: studySettings,
  createdAt: z.string(),
  items: z.int(),
  raters: z.int(),
  /** Raters who have answered everything. */
  finished: z.int(),
});
export type Study = z.infer<typeof study>;

/** -1: the left one, 1: the right one, 0: cannot tell. */
export const sideAnswer = z.union([z.literal(-1), z.literal(0), z.literal(1)]);
export type SideAnswer = z.infer<typeof sideAnswer>;

/** What a rater is shown: nothing in it tells a method. */
const shownItem = z.object({
  id: z.string(),
  words: z.string(),
  source: frameSheet,
  left: frameSheet,
  right: frameSheet,
});
export type ShownItem = z.infer<typeof shownItem>;

/** Where a rater is. */
export const raterState = z.object({
  study: z.string(),
  rater: z.string(),
  /** Answers given, and how many there are to give. */
  done: z.int(),
  total: z.int(),
  /** Null: everything is answered. */
  current: z
    .object({ item: shownItem, question: studyQuestion, place: z.int(), places: z.int(), asked: z.int() })
    .nullable(),
  /** Pictures of the item after it, to have them ready. */
  next: z.array(z.string()),
  canUndo: z.boolean(),
});
export type RaterState = z.infer<typeof raterState>;

export const raterName = nameText.trim().min(1, 'Write a name or a code.').max(60, 'At most 60 characters.');
export const studyCode = referenceText.min(1);

const interval = z.object({ low: z.number(), high: z.number() });
const counted = z.object({ hits: z.int(), of: z.int() });

/** Who answered, and whether the answers count. */
const raterResult = z.object({
  name: z.string(),
  answers: z.int(),
  finished: z.boolean(),
  /** Answers for the source against a broken clip. */
  attention: counted,
  /** Answers that stayed the same when the sides changed. */
  mirrored: counted,
  leftOut: z.boolean(),
});
export type RaterResult = z.infer<typeof raterResult>;

const questionResult = z.object({
  question: studyQuestion,
  /** How often the first method is preferred to each other, ties half. */
  preferences: z.array(
    z.object({
      other: z.string(),
      share: z.number().nullable(),
      answers: z.int(),
      /** Wilson's, as if answers were independent; and the bootstrap over raters, then their answers. */
      wilson: interval.nullable(),
      bootstrap: interval.nullable(),
    }),
  ),
  /** By Bradley and Terry, the strongest first; none without answers. */
  strengths: z.array(z.object({ method: z.string(), log: z.number(), low: z.number(), high: z.number() })),
});
export type QuestionResult = z.infer<typeof questionResult>;

export const studyResults = z.object({
  study: study.omit({ code: true }),
  /** Whether measures answered in place of people. */
  standIn: z.boolean(),
  raters: z.array(raterResult),
  /** Raters who count, and who were left out for what they answered to attention items. */
  counted: z.int(),
  leftOut: z.int(),
  mirrored: counted.extend({ interval: interval.nullable() }),
  questions: z.array(questionResult),
});
export type StudyResults = z.infer<typeof studyResults>;
