import { expect, test } from 'vitest';
import { editScene } from '../../../main/world/edit.ts';
import { renderEdit } from '../../../main/world/edit-mask.ts';
import { mixScenes, renderMix } from '../../../main/world/mix.ts';
import { render } from '../../../main/world/render.ts';
import { sampleScene } from '../../../main/world/scene.ts';

const small = { width: 64, height: 64, frameCount: 3 };
const walker = sampleScene(10, { subject: 'man', motion: 'walk', second: 'none', camera: 'still', style: 'photo' });
const dancer = sampleScene(20, { subject: 'girl', motion: 'dance', second: 'none', camera: 'zoom in' });

test('a mix is one scene with the motion and the camera of another, and nothing else of it', () => {
  const mixed = mixScenes(walker, dancer);
  expect(mixed.subjects[0]!.motion).toEqual(dancer.subjects[0]!.motion);
  expect(mixed.camera).toEqual(dancer.camera);
  const back = structuredClone(mixed);
  back.subjects[0]!.motion = walker.subjects[0]!.motion;
  back.camera = walker.camera;
  expect(back).toEqual(walker);
  expect(() => mixScenes(walker, sampleScene(0, { subject: 'boat', motion: 'sail' }))).toThrow(/cannot sail/);
});

test('under the same camera a mix differs from its source within its mask alone, else anywhere', () => {
  const still = mixScenes(walker, { ...dancer, camera: walker.camera });
  const { source, target, mask } = renderMix(walker, still, small);
  expect(target.frames).toEqual(render(still, small).frames);
  for (let i = 0; i < mask.length; i++) if (mask[i] === 0) expect(target.frames[i * 3]).toBe(source.frames[i * 3]);
  expect(mask).toContain(0);
  expect(renderMix(walker, mixScenes(walker, dancer), small).mask).not.toContain(0);
});

test('several changes are made in their order, in one caption, and may show wherever one of them may', () => {
  const shirt = { kind: 'shirt', to: walker.subjects[0]!.clothes.shirt === 'red' ? 'blue' : 'red' } as const;
  const hat = { kind: 'hat', to: walker.subjects[0]!.clothes.hat === 'cap' ? 'hat' : 'cap' } as const;
  const tokens = { identityToken: '[v]', motionToken: '[u]' };
  const { scene, after } = editScene(walker, [shirt, hat], tokens);
  expect(scene.subjects[0]!.clothes).toMatchObject({ shirt: shirt.to, hat: hat.to });
  expect(after.static).toContain(shirt.to);
  expect(editScene(walker, [shirt, { kind: 'motion', to: 'jump' }], tokens).after.dynamic).not.toContain('[u]');
  expect(() => editScene(walker, [shirt, shirt])).toThrow(/cannot become/);
  const together = renderEdit(walker, [shirt, hat], small).mask;
  const apart = [shirt, hat].map((change) => renderEdit(walker, change, small).mask);
  for (let i = 0; i < together.length; i++) if (apart[0]![i]) expect(together[i]).toBe(255);
  expect(together.filter(Boolean).length).toBeGreaterThan(
    Math.max(...apart.map((mask) => mask.filter(Boolean).length)),
  );
});
