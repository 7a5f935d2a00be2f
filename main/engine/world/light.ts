import { mixColour, multiplyColour, type Rgb, scaleColour } from './colour.ts';
import type { Scene } from './scene.ts';
import type { LightKind } from './vocabulary.ts';

/** What a light does to every colour that is drawn under it. Gains are per channel, 1 leaves the colour as it is. */
export interface Light {
  kind: LightKind;
  /** The lit side of things and the side turned away. */
  key: Rgb;
  shade: Rgb;
  /** Where the key light comes from: -1 left, 1 right. */
  side: number;
  rim: Rgb;
  rimStrength: number;
  /** The veil in front of what is far away: its colour, and its share close by and at the horizon. */
  haze: Rgb;
  hazeNear: number;
  hazeFar: number;
  skyTop: Rgb;
  skyBottom: Rgb;
  shadowStrength: number;
  /** Horizontal reach of a cast shadow, in heights of the subject. */
  shadowReach: number;
}

type Preset = Omit<Light, 'kind' | 'side'>;

const presets: Record<LightKind, Preset> = {
  day: {
    key: [1.06, 1.04, 1],
    shade: [0.6, 0.64, 0.74],
    rim: [255, 252, 240],
    rimStrength: 0.35,
    haze: [196, 214, 232],
    hazeNear: 0,
    hazeFar: 0.5,
    skyTop: [86, 146, 214],
    skyBottom: [196, 222, 240],
    shadowStrength: 0.42,
    shadowReach: 0.45,
  },
  sunset: {
    key: [1.15, 0.89, 0.66],
    shade: [0.5, 0.38, 0.48],
    rim: [255, 196, 110],
    rimStrength: 0.8,
    haze: [244, 160, 96],
    hazeNear: 0.04,
    hazeFar: 0.5,
    skyTop: [92, 70, 130],
    skyBottom: [255, 158, 74],
    shadowStrength: 0.5,
    shadowReach: 1.1,
  },
  night: {
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
  },
  neon: {
    key: [1.12, 0.58, 1],
    shade: [0.3, 0.5, 0.88],
    rim: [60, 240, 255],
    rimStrength: 0.9,
    haze: [86, 24, 120],
    hazeNear: 0.05,
    hazeFar: 0.5,
    skyTop: [24, 8, 48],
    skyBottom: [128, 30, 130],
    shadowStrength: 0.5,
    shadowReach: 0.3,
  },
  fog: {
    key: [0.9, 0.92, 0.94],
    shade: [0.66, 0.69, 0.73],
    rim: [230, 234, 238],
    rimStrength: 0.1,
    haze: [206, 211, 216],
    hazeNear: 0.2,
    hazeFar: 0.9,
    skyTop: [196, 202, 210],
    skyBottom: [214, 218, 222],
    shadowStrength: 0.16,
    shadowReach: 0.1,
  },
};

/** The light of a scene; its strength varies how hard it is. */
export function lightOf(scene: Scene['light']): Light {
  const preset = presets[scene.kind];
  const hardness = 0.85 + 0.3 * scene.strength;
  return {
    ...preset,
    kind: scene.kind,
    side: scene.side,
    shade: scaleColour(preset.shade, 1.12 - 0.24 * scene.strength),
    rimStrength: preset.rimStrength * hardness,
    shadowStrength: preset.shadowStrength * hardness,
    hazeFar: Math.min(0.94, preset.hazeFar * hardness),
  };
}

/** The colour of a surface: `level` 1 is turned to the light, 0 away from it; `depth` 0 is close by, 1 at the horizon. */
export function lit(light: Light, surface: Rgb, level: number, depth = 0): Rgb {
  const colour = multiplyColour(surface, mixColour(light.shade, light.key, level));
  return mixColour(colour, light.haze, light.hazeNear + (light.hazeFar - light.hazeNear) * depth);
}
