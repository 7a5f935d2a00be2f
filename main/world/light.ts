import { mixColour, multiplyColour, type Rgb, scaleColour } from './colour.ts';
import { type LightPreset, light as presets } from './looks.ts';
import type { Scene } from './scene.ts';
import { indoors, type LightKind } from './vocabulary.ts';

/** What a light does to every colour that is drawn under it. */
export interface Light extends LightPreset {
  kind: LightKind;
  /** Where the key light comes from: -1 left, 1 right. */
  side: number;
}

/** The first edition's night is as bright as moonlight, and has a moon. */
const firstNight: LightPreset = {
  key: [0.64, 0.7, 0.94],
  shade: [0.2, 0.24, 0.44],
  rim: [150, 185, 255],
  rimStrength: 0.5,
  haze: [20, 28, 58],
  hazeNear: 0.04,
  hazeFar: 0.55,
  skyTop: [6, 9, 26],
  skyBottom: [30, 42, 84],
  shadowStrength: 0.45,
  shadowReach: 0.35,
  lamps: true,
  stars: 70,
  orb: { x: 0.8, y: -0.34, radius: 0.045, colour: [240, 240, 222], halo: [150, 170, 230], reach: 0.3, alpha: 0.5 },
};

/** How much of the day's light weather leaves of a city at night. */
const cityDark = 0.5;

/** The light of a scene; its strength varies how hard it is. */
export function lightOf({ edition, light, background }: Scene): Light {
  const preset = edition === 1 && light.kind === 'night' ? firstNight : presets[light.kind];
  const hardness = 0.85 + 0.3 * light.strength;
  const lightened: Light = {
    ...preset,
    kind: light.kind,
    side: light.side,
    shade: scaleColour(preset.shade, 1.12 - 0.24 * light.strength),
    rimStrength: preset.rimStrength * hardness,
    shadowStrength: preset.shadowStrength * hardness,
    hazeFar: Math.min(0.94, preset.hazeFar * hardness),
  };
  if (indoors.includes(background.kind) && light.kind !== 'dust' && light.kind !== 'underwater')
    lightened.veil = undefined;
  if (background.kind !== 'city at night' || !preset.air) return lightened;
  const { key, shade, haze, veil } = lightened;
  const [dimKey, dimShade, dimHaze] = [key, shade, haze].map((colour) => scaleColour(colour, cityDark)) as [
    Rgb,
    Rgb,
    Rgb,
  ];
  const dimVeil = veil && { ...veil, colour: scaleColour(veil.colour, cityDark) };
  return { ...lightened, key: dimKey, shade: dimShade, haze: dimHaze, veil: dimVeil };
}

/** The mean of what is lit and what is not, less where all but a pool is dark. */
export function brightnessOf(kind: LightKind): number {
  const { key, shade, pool } = presets[kind];
  const sum = [...key, ...shade].reduce((total, gain) => total + gain, 0);
  return (sum / 6) * (pool ? 0.65 : 1);
}

/** The light on a subject: where the air is thick, haze takes more of one that stands further back (`distance` 0..1). */
export function lightAt(light: Light, { edition }: Scene, distance: number): Light {
  return edition === 1 ? light : { ...light, hazeNear: light.hazeNear * (0.7 + 1.1 * distance) };
}

/** The colour of a surface: `level` 1 is turned to the light, 0 away from it; `depth` 0 is close by, 1 at the horizon. */
export function lit(light: Light, surface: Rgb, level: number, depth = 0): Rgb {
  const colour = multiplyColour(surface, mixColour(light.shade, light.key, level));
  return mixColour(colour, light.haze, light.hazeNear + (light.hazeFar - light.hazeNear) * depth);
}
