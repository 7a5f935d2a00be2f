import { z } from 'zod';
import type { Attributes } from '../../world/caption.ts';
import type { Pictures } from '../formats/raw-frames.ts';
import type { Judge } from '../models/judge/judge.ts';
import { agreementOf, askedAttributes, coherenceOf, namesIt } from './judging.ts';

/** What the judge says of one clip beside its prompt. */
export const assessedClip = z.object({
  right: z.record(z.string(), z.boolean()),
  textAgreement: z.number(),
  temporalCoherence: z.number(),
  features: z.array(z.number()),
});
export type AssessedClip = z.infer<typeof assessedClip>;

/** Assesses clips beside the words of a scene and what it truly shows. */
export async function assessorOf(judge: Judge, prompt: string, truth: Attributes) {
  const asked = askedAttributes(truth, judge.labels);
  const [text] = await judge.embedTexts([prompt]);
  return async (pictures: Pictures): Promise<AssessedClip> => {
    const judgement = await judge.assess(pictures);
    return {
      right: Object.fromEntries(
        asked.map((name) => [name, namesIt(judgement, judge.labels, name, truth[name]) === true]),
      ),
      textAgreement: agreementOf(judgement, text!),
      temporalCoherence: coherenceOf(judgement),
      features: Array.from(judgement.features),
    };
  };
}
