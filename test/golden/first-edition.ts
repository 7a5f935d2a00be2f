/**
 * What the first edition of the world draws and says, which the weights that come with Motif were trained and measured on:
 *   node test/golden/first-edition.ts        writes first-edition.json; never needed while that edition stays as it is
 */
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { caption } from '../../main/world/caption.ts';
import { changeKinds, sampleChange } from '../../main/world/edit.ts';
import { render } from '../../main/world/render.ts';
import { sampleScene } from '../../main/world/scene.ts';

const [size, blocks] = [48, 4];

/** The captions of a seed's scene, the edits that are drawn for it, and the mean colours of 4 x 4 blocks of its second frame. */
export function firstEdition(seed: number) {
  const scene = sampleScene(seed);
  const { frames } = render(scene, { width: size, height: size, frameCount: 2, frameRate: 1 });
  const means = new Float64Array(blocks * blocks * 3);
  const block = size / blocks;
  for (let i = 0; i < size * size; i++) {
    const at = Math.floor(i / size / block) * blocks + Math.floor((i % size) / block);
    for (let c = 0; c < 3; c++) means[at * 3 + c]! += frames[(size * size + i) * 3 + c]! / block ** 2;
  }
  return {
    captions: [0, 1, 2].map((variant) => caption(scene, { variant })),
    changes: changeKinds.map((kind) => sampleChange(scene, kind)).filter((change) => change !== null),
    means: Array.from(means, (mean) => Math.round(mean * 10) / 10),
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const seeds = Array.from({ length: 40 }, (_, index) => index * 7);
  const all = Object.fromEntries(seeds.map((seed) => [seed, firstEdition(seed)]));
  writeFileSync(new URL('first-edition.json', import.meta.url), `${JSON.stringify(all)}\n`);
}
