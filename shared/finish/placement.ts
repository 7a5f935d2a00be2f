/** Where the model's picture lies in a larger one, in pixels of that one; what the model did not see lies outside of it. */
export interface Placement {
  left: number;
  top: number;
  width: number;
  height: number;
}

interface Size {
  width: number;
  height: number;
}

/**
 * Where a picture of the model's size lies in the picture that it was made from: `crop` filled the model's size and cut what stuck out,
 * `pad` showed everything between bars (`clip.fit`).
 */
export function placementOf(picture: Size, model: Size, fit: 'crop' | 'pad'): Placement {
  const across = model.width / picture.width;
  const down = model.height / picture.height;
  const scale = fit === 'crop' ? Math.max(across, down) : Math.min(across, down);
  const [width, height] = [model.width / scale, model.height / scale];
  return { left: (picture.width - width) / 2, top: (picture.height - height) / 2, width, height };
}
