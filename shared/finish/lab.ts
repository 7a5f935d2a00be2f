/** Colours as they are seen: CIE L*a*b* of sRGB under D65 (CIE 15; IEC 61966-2-1), and light, which shading scales. */

/** R'G'B' 0 to 1 -> light, 0 to 1. */
export const lightOf = (value: number): number => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);

/** Light, 0 to 1 -> R'G'B'. */
export const encodedOf = (light: number): number =>
  light <= 0.0031308 ? light * 12.92 : 1.055 * light ** (1 / 2.4) - 0.055;

/** Luminance of light (IEC 61966-2-1). */
export const luminanceOf = (red: number, green: number, blue: number): number =>
  0.2126 * red + 0.7152 * green + 0.0722 * blue;

/** Steps in which light is looked up: a pixel's three powers would take longer than all else. */
const lightSteps = 1024;
const lights = Float32Array.from({ length: lightSteps + 1 }, (_, step) => lightOf(step / lightSteps));

const response = (t: number) => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116);

/** R'G'B' at `from`, 0 to 1 -> L* 0 to 100, a* and b* at `to`. */
export function toLab(rgb: ArrayLike<number>, from: number, lab: Float32Array | number[], to: number): void {
  const light = (value: number) => lights[Math.round(Math.min(1, Math.max(0, value)) * lightSteps)]!;
  const [r, g, b] = [light(rgb[from]!), light(rgb[from + 1]!), light(rgb[from + 2]!)];
  const x = response((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
  const y = response(luminanceOf(r, g, b));
  const z = response((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
  lab[to] = 116 * y - 16;
  lab[to + 1] = 500 * (x - y);
  lab[to + 2] = 200 * (y - z);
}

/** L*, a*, b* -> light of red, green and blue, of colours that a screen cannot show the nearest in each. */
export function lightOfLab([lightness, a, b]: readonly [number, number, number]): [number, number, number] {
  const inverse = (t: number) => (t > 0.2069 ? t ** 3 : (t - 16 / 116) / 7.787);
  const fy = (lightness + 16) / 116;
  const [x, y, z] = [0.9505 * inverse(fy + a / 500), inverse(fy), 1.089 * inverse(fy - b / 200)];
  const within = (value: number) => Math.min(1, Math.max(0, value));
  return [
    within(3.2406 * x - 1.5372 * y - 0.4986 * z),
    within(-0.9689 * x + 1.8758 * y + 0.0415 * z),
    within(0.0557 * x - 0.204 * y + 1.057 * z),
  ];
}
