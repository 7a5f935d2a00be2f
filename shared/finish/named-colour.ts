import type { ColourName } from '../domain/colour-words.ts';
import { toLab } from './lab.ts';

/** sRGB of what people call by a name, in light and in shade; the first is what is meant when it is asked for. */
const examples: Readonly<Record<ColourName, readonly (readonly [number, number, number])[]>> = {
  red: [
    [200, 40, 40],
    [130, 25, 30],
    [230, 60, 50],
    [90, 20, 25],
    [205, 60, 90],
  ],
  orange: [
    [235, 130, 35],
    [190, 95, 30],
    [220, 110, 50],
  ],
  yellow: [
    [235, 205, 50],
    [190, 160, 40],
    [250, 225, 120],
    [200, 160, 70],
  ],
  green: [
    [60, 150, 70],
    [30, 90, 40],
    [120, 180, 90],
    [90, 120, 60],
  ],
  turquoise: [
    [50, 175, 175],
    [30, 120, 125],
    [110, 205, 205],
  ],
  blue: [
    [50, 90, 200],
    [30, 50, 120],
    [90, 140, 220],
    [60, 110, 160],
  ],
  purple: [
    [130, 60, 170],
    [80, 40, 110],
    [160, 110, 200],
  ],
  pink: [
    [235, 130, 170],
    [220, 90, 140],
    [240, 180, 200],
  ],
  brown: [
    [120, 75, 45],
    [80, 50, 32],
    [165, 120, 85],
    [200, 170, 135],
  ],
  white: [
    [240, 240, 240],
    [215, 215, 215],
    [250, 240, 225],
    [200, 205, 210],
  ],
  grey: [
    [128, 128, 128],
    [70, 72, 74],
    [105, 107, 108],
    [140, 140, 140],
  ],
  black: [
    [28, 28, 30],
    [10, 10, 10],
    [55, 55, 58],
  ],
};
const neutrals: readonly ColourName[] = ['white', 'grey', 'black'];

export type Lab = readonly [number, number, number];

const labs = new Map(
  Object.entries(examples).map(([name, colours]) => [
    name as ColourName,
    colours.map((colour): Lab => {
      const lab: [number, number, number] = [0, 0, 0];
      toLab(
        colour.map((value) => value / 255),
        0,
        lab,
        0,
      );
      return lab;
    }),
  ]),
);

export const isNeutral = (name: ColourName): boolean => neutrals.includes(name);

/** What is meant by a name. */
export const meantBy = (name: ColourName): Lab => labs.get(name)![0]!;

/** Half of a name's own at this distance in L*a*b*, of which lightness counts less: things lie in light and shade. Greys lie close to all. */
const reachOf = (name: ColourName) => (isNeutral(name) ? 24 : 28);
const softness = 4;
const lightnessWeight = 0.5;
/** Of neutrals chroma counts more: pale skin is near to grey. Whites are often creamy. */
const chromaWeight = (name: ColourName) => (name === 'white' ? 1 : isNeutral(name) ? 2.5 : 1);

/** How far a colour is what a name says: 0 to 1. */
export function isCalled(name: ColourName, lightness: number, a: number, b: number): number {
  const weight = chromaWeight(name);
  let least = Number.POSITIVE_INFINITY;
  for (const [l, x, y] of labs.get(name)!)
    least = Math.min(least, lightnessWeight * (lightness - l) ** 2 + weight * ((a - x) ** 2 + (b - y) ** 2));
  return 1 / (1 + Math.exp((Math.sqrt(least) - reachOf(name)) / softness));
}
