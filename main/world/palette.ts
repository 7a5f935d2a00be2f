import { mixColour, type Rgb } from './colour.ts';
import type { CoatName, ColourName } from './vocabulary.ts';

const named: Record<ColourName, Rgb> = {
  red: [206, 40, 44],
  orange: [236, 126, 32],
  yellow: [240, 206, 52],
  green: [52, 148, 70],
  blue: [44, 92, 200],
  purple: [122, 58, 168],
  pink: [240, 130, 170],
  white: [238, 236, 230],
  black: [38, 38, 44],
};

const coats: Record<CoatName, Rgb> = {
  white: [236, 230, 220],
  black: [46, 43, 46],
  brown: [120, 76, 46],
  orange: [220, 124, 48],
  grey: [134, 134, 140],
  golden: [214, 172, 96],
};

const skins: readonly Rgb[] = [
  [250, 218, 192],
  [238, 194, 158],
  [216, 164, 122],
  [172, 118, 80],
  [124, 80, 54],
  [86, 56, 42],
];

const hairs: readonly Rgb[] = [
  [30, 24, 24],
  [66, 42, 30],
  [118, 74, 40],
  [176, 86, 40],
  [222, 184, 112],
  [170, 168, 166],
];

/** A named colour, with the small deviation of one individual (`tint` 0..1). */
export function namedColour(name: ColourName, tint = 0.5): Rgb {
  return deviate(named[name], tint);
}

export function coatColour(name: CoatName, tint = 0.5): Rgb {
  return deviate(coats[name], tint);
}

function deviate(colour: Rgb, tint: number): Rgb {
  const shift = (tint - 0.5) * 24;
  return [colour[0] + shift, colour[1] + shift * 0.7, colour[2] - shift * 0.5];
}

function along(scale: readonly Rgb[], position: number): Rgb {
  const place = Math.min(0.999, Math.max(0, position)) * (scale.length - 1);
  const low = Math.floor(place);
  return mixColour(scale[low]!, scale[low + 1]!, place - low);
}

export function skinColour(position: number): Rgb {
  return along(skins, position);
}

export function hairColour(position: number): Rgb {
  return along(hairs, position);
}
