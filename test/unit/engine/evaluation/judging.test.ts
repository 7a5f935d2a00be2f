import { expect, test } from 'vitest';
import {
  askedAttributes,
  identityOf,
  judgeDistanceOf,
  keptAttributes,
  namesIt,
  openEvaluationJudge,
  preservationOf,
} from '../../../../main/engine/evaluation/judging.ts';
import type { Judgement } from '../../../../main/engine/models/judge/judge.ts';
import { attributes } from '../../../../main/world/caption.ts';
import { editScene } from '../../../../main/world/edit.ts';
import { sampleScene } from '../../../../main/world/scene.ts';

const labels = { subject: ['man', 'dog'], shirtColour: ['none', 'red', 'blue'], hat: ['none', 'cap'] };

function judgement(named: Record<string, string>, vectors: number[][] = [[1, 0]]): Judgement {
  return {
    attributes: Object.fromEntries(Object.entries(named).map(([name, value]) => [name, { value, probability: 0.9 }])),
    frameEmbeddings: vectors.map((vector) => Float32Array.from(vector)),
    videoEmbedding: Float32Array.from([1, 0]),
    features: Float32Array.from([0]),
  };
}

test('what a scene does not have and what the judge has no word for is not asked for', () => {
  const scene = sampleScene(10, { subject: 'dog', motion: 'walk', background: 'park' });
  expect(askedAttributes(attributes(scene), { ...labels, style: ['fresco', 'mosaic'] })).toEqual(['subject']);
});

test('an edit is named or not, and null where the judge has no word for it', () => {
  const seen = judgement({ shirtColour: 'blue' });
  expect(namesIt(seen, labels, 'shirtColour', 'blue')).toBe(true);
  expect(namesIt(seen, labels, 'shirtColour', 'red')).toBe(false);
  expect(namesIt(seen, labels, 'shirtColour', 'purple')).toBeNull();
});

test('preservation counts only what truly stayed, as named in the source', () => {
  const scene = sampleScene(0, { subject: 'man', motion: 'walk', background: 'park' });
  const to = scene.subjects[0]!.clothes.shirt === 'red' ? 'blue' : 'red';
  const { scene: edited } = editScene(scene, { kind: 'shirt', to });
  const kept = keptAttributes(attributes(scene), attributes(edited), labels);
  expect(kept).toEqual(['subject', 'hat']);
  const source = judgement({ subject: 'dog', shirtColour: 'red', hat: 'cap' });
  expect(preservationOf(judgement({ subject: 'dog', shirtColour: 'blue', hat: 'none' }), source, kept)).toBe(0.5);
  expect(preservationOf(source, source, [])).toBeNull();
});

test('identity compares mean frames, the judge distance corresponding ones', () => {
  const forth = judgement({}, [
    [1, 0],
    [0, 1],
  ]);
  const back = judgement({}, [
    [0, 1],
    [1, 0],
  ]);
  expect(identityOf(forth, back)).toBeCloseTo(1);
  expect(judgeDistanceOf(forth, back)).toBeCloseTo(1);
  expect(judgeDistanceOf(forth, forth)).toBeCloseTo(0);
});

test('a judge that is not there is told by its folder', async () => {
  await expect(openEvaluationJudge('nowhere/judge')).rejects.toMatchObject({
    code: 'not-found',
    message: expect.stringMatching(/nowhere\/judge: config\.json and model\.safetensors missing/),
    hint: expect.stringContaining('--judge'),
  });
});
