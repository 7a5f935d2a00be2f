import type { Recipe } from '../../../shared/domain/recipe.ts';
import { lora } from './lora.ts';
import type { Method } from './method.ts';
import { setAndSequence } from './set-and-sequence.ts';

const methods: Record<Recipe['method'], Method> = {
  'set-and-sequence': setAndSequence,
  lora,
};

export function methodOf({ method }: Pick<Recipe, 'method'>): Method {
  return methods[method];
}
