import { z } from 'zod';
import {
  raterName,
  raterState,
  sideAnswer,
  study,
  studyCode,
  studyInput,
  studyQuestion,
  studyResults,
} from '../domain/study.ts';
import { referenceText } from '../domain/text.ts';
import type { Contract } from './rpc.ts';

/** What whoever makes a study asks. */
export const studyCalls = {
  /** The newest first. */
  'studies.list': { input: z.object({}).prefault({}), output: z.array(study) },
  'studies.get': { input: z.object({ reference: referenceText }), output: study },
  /** Of the folder of a table, or of one with a `study.json`. Cancelling leaves nothing behind. */
  'studies.create': { input: studyInput, output: study },
  /** For good. `conflict` where people have answered, unless their answers are to go too. */
  'studies.remove': {
    input: z.object({ reference: referenceText, withAnswers: z.boolean().default(false) }),
    output: study,
  },
  /** `standIn`: measures of the clips answer in place of people. `invalid-input` where they have none. */
  'studies.results': {
    input: z.object({ reference: referenceText, standIn: z.boolean().default(false) }),
    output: studyResults,
  },
};

const rater = z.object({ code: studyCode, rater: raterName });

/** What whoever answers a study asks: its code opens it, and no answer tells a method. */
export const raterCalls = {
  'study.about': { input: z.object({ code: studyCode }), output: z.object({ name: z.string(), items: z.int() }) },
  /** Begins, or goes on where this rater stopped. */
  'study.join': { input: rater, output: raterState },
  /** `conflict` for a question that is not the one that this rater is at. */
  'study.answer': {
    input: rater.extend({
      item: referenceText,
      question: studyQuestion,
      answer: sideAnswer,
      milliseconds: z.int().min(0).max(86_400_000),
    }),
    output: raterState,
  },
  /** Takes the last answer back. */
  'study.undo': { input: rater, output: raterState },
};

/** What the page behind a study's link may ask, and nothing else. */
export const studyContract = { calls: raterCalls, events: {} } satisfies Contract;
