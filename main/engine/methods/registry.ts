import type { LearningMethod, Recipe } from '../../../shared/domain/recipe.ts';
import { dreammix } from './dreammix.ts';
import { dreamvideo } from './dreamvideo.ts';
import { dualreal } from './dualreal.ts';
import { followYourMotion } from './follow-your-motion.ts';
import { lora } from './lora.ts';
import type { Method } from './method.ts';
import { motionDirector } from './motion-director.ts';
import { newmove } from './newmove.ts';
import { setAndSequence } from './set-and-sequence.ts';
import { textualInversion } from './textual-inversion.ts';

/** Some differ in their recipes' defaults alone (`shared/domain/recipe.ts`). */
const methods: Readonly<Record<LearningMethod, Method>> = {
  'set-and-sequence': setAndSequence,
  'two-stage': setAndSequence,
  lora,
  'lora-8': lora,
  'lora-1': lora,
  'textual-inversion': textualInversion,
  dreammix,
  newmove,
  'motion-director': motionDirector,
  dreamvideo,
  dualreal,
  'follow-your-motion': followYourMotion,
};

export function methodOf({ method }: Pick<Recipe, 'method'>): Method {
  return methods[method];
}
