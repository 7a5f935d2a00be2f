/** Values of a picture: of 8 bits, or of 16. */
export type PictureValues = Uint8Array | Uint8ClampedArray | Uint16Array;

export interface FinishedPicture {
  rgb: PictureValues;
  width: number;
  height: number;
  /** Values of a pixel: 4 for RGBA. Default 3. */
  step?: 3 | 4;
}

export function peakOf(values: PictureValues): number {
  return values instanceof Uint16Array ? 65535 : 255;
}
