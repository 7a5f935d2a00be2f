export interface PictureSize {
  width: number;
  height: number;
}

/** uint8 RGB pixels [pixels, 3] -> BT.709 luma [pixels], 0 to 1. */
export function luminance(rgb: Uint8Array): Float32Array {
  const result = new Float32Array(rgb.length / 3);
  for (let i = 0; i < result.length; i++) {
    result[i] = (0.2126 * rgb[3 * i]! + 0.7152 * rgb[3 * i + 1]! + 0.0722 * rgb[3 * i + 2]!) / 255;
  }
  return result;
}
