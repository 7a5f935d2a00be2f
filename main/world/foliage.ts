import { mixColour, type Rgb } from './colour.ts';
import type { SeasonKind } from './vocabulary.ts';

const autumn: readonly Rgb[] = [
  [220, 104, 30],
  [234, 168, 46],
  [186, 50, 34],
  [206, 132, 36],
];
const blossom: readonly Rgb[] = [
  [250, 206, 222],
  [252, 236, 240],
  [140, 188, 72],
];

/** The colour of the `index`-th clump of leaves. */
export function leafColour(season: SeasonKind, leaf: Rgb, index: number): Rgb {
  switch (season) {
    case 'none':
      return leaf;
    case 'spring':
      return blossom[index % blossom.length]!;
    case 'summer':
      return mixColour(leaf, [168, 150, 62], 0.62);
    case 'autumn':
      return autumn[(index * 7) % autumn.length]!;
    case 'winter':
      return mixColour(leaf, [238, 243, 250], 0.82);
    default:
      return season satisfies never;
  }
}

/** What grows on the ground; snow lies on any. */
export function meadowColour(season: SeasonKind, ground: Rgb): Rgb {
  if (season === 'winter') return mixColour(ground, [238, 243, 250], 0.84);
  const [red, green, blue] = ground;
  if (season === 'none' || green < 0.95 * red || green < blue) return ground;
  if (season === 'spring') return mixColour(ground, [112, 190, 66], 0.5);
  return season === 'summer' ? mixColour(ground, [214, 180, 98], 0.72) : mixColour(ground, [172, 122, 58], 0.6);
}
