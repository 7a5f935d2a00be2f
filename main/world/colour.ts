/** Red, green, blue in 0..255 (may leave the range until it is written as CSS). */
export type Rgb = readonly [number, number, number];

export function mixColour(a: Rgb, b: Rgb, amount: number): Rgb {
  return [a[0] + (b[0] - a[0]) * amount, a[1] + (b[1] - a[1]) * amount, a[2] + (b[2] - a[2]) * amount];
}

export function scaleColour(a: Rgb, factor: number): Rgb {
  return [a[0] * factor, a[1] * factor, a[2] * factor];
}

export function multiplyColour(a: Rgb, gain: Rgb): Rgb {
  return [a[0] * gain[0], a[1] * gain[1], a[2] * gain[2]];
}

function byte(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : Math.round(value);
}

export function css(a: Rgb, alpha = 1): string {
  return alpha >= 1
    ? `rgb(${byte(a[0])},${byte(a[1])},${byte(a[2])})`
    : `rgba(${byte(a[0])},${byte(a[1])},${byte(a[2])},${Math.max(0, alpha).toFixed(3)})`;
}

/** Hue in degrees, saturation and lightness in 0..1. */
export function hsl(hue: number, saturation: number, lightness: number): Rgb {
  const chroma = saturation * Math.min(lightness, 1 - lightness);
  const channel = (n: number) => {
    const k = (((n + hue / 30) % 12) + 12) % 12;
    return 255 * (lightness - chroma * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
  };
  return [channel(0), channel(8), channel(4)];
}
