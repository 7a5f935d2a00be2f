import { expect, test } from 'vitest';
import type { WantedClip } from '../../../../main/engine/evaluation/measure-method.ts';
import { type Method, methodsOf, settingsOfClip } from '../../../../main/engine/evaluation/methods.ts';
import { reconstructionGuidance } from '../../../../shared/domain/edit.ts';
import { evaluateConceptRequest } from '../../../../shared/domain/evaluation.ts';
import { lookInput } from '../../../../shared/domain/look.ts';
import { recipe } from '../../../../shared/domain/recipe.ts';
import { startSettings, startStrength, strengthSettings } from '../../../../shared/domain/strength.ts';

const request = (method: 'set-and-sequence' | 'lora', rank: number) =>
  evaluateConceptRequest.parse({
    model: 'model',
    judge: 'judge',
    seeds: [0],
    size: null,
    sampling: { steps: null, guidance: null, seed: 1 },
    outputFolder: 'folder',
    recipe: recipe.parse({ method, rank }),
    gains: [1],
    withLora: true,
  });

const sampling = { steps: 10, guidance: 4, seed: 7 };
const wanted = (task: WantedClip['task']): WantedClip => ({
  name: task,
  task,
  prompt: { learned: 'a [v] man at night', plain: 'a man at night' },
  sliders: { identity: 0, motion: 1 },
});
const settingsOf = (name: Method['name'], task: WantedClip['task'] = 'edit', asked: number | null = null) => {
  const method = methodsOf(request('set-and-sequence', 64)).find((each) => each.name === name)!;
  return settingsOfClip(method, wanted(task), 'a man by day', sampling, asked);
};

test('what needs no learning is measured first, and a plain LoRA is not measured twice', () => {
  const names = (methods: Method[]) => methods.map(({ name }) => name);
  expect(names(methodsOf(request('set-and-sequence', 64)))).toEqual(['base', 'words', 'lora', 'concept']);
  expect(names(methodsOf(request('lora', 8)))).toEqual(['base', 'words', 'concept']);
});

test('words alone lead the source from its caption to the edited one, as strongly as a look begins with', () => {
  expect(settingsOf('words')).toMatchObject({
    shown: 'a man by day',
    prompt: 'a man at night',
    fidelityStart: 'flow-edit',
    ...strengthSettings(startStrength),
    steps: 10,
    seed: 7,
  });
  expect(settingsOf('words').fidelity).toBeGreaterThan(0);
  expect(lookInput.parse({ name: 'x', from: 'a', to: 'b' }).strength).toBe(startStrength);
});

test('a guidance that was asked for holds for words alone and for what is given back too', () => {
  expect(settingsOf('words', 'edit', 6).guidance).toBe(6);
  expect(settingsOf('concept', 'edit', 6).guidance).toBe(6);
  expect(settingsOf('concept', 'reconstruction', 6).guidance).toBe(6);
});

test('a concept edits from its clip and gives it back from noise, the base model knows nothing but plain words and noise', () => {
  expect(settingsOf('concept')).toMatchObject({
    prompt: 'a [v] man at night',
    ...startSettings(true),
    sliders: { identity: 0, motion: 1 },
  });
  for (const task of ['reconstruction', 'slider'] as const)
    expect(settingsOf('concept', task)).toMatchObject({ fidelity: 0, guidance: reconstructionGuidance });
  expect(settingsOf('base')).toMatchObject({ prompt: 'a man at night', fidelity: 0, guidance: 4, shown: '' });
});

test('an edit of a thing is locked, and recoloured where its colour alone changes, as in the editor', () => {
  const method = methodsOf(request('set-and-sequence', 64)).find(({ name }) => name === 'concept')!;
  const red: WantedClip = {
    ...wanted('edit'),
    prompt: { learned: 'a [v] man in a red shirt', plain: 'a man in a red shirt' },
  };
  const settings = settingsOfClip(method, red, 'a man in a blue shirt', sampling, null);
  expect(settings).toMatchObject({ lock: true, part: 0.75, recolour: { from: 'blue', to: 'red' } });
});
