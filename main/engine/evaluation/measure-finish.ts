import type { FinishMeasures } from '../../../shared/domain/evaluation-finish.ts';
import { coefficientCount } from '../../../shared/finish/affine.ts';
import { type ColourChange, findChange, type SmallClip, type WantedChange } from '../../../shared/finish/change.ts';
import { createFinisher } from '../../../shared/finish/finish-frame.ts';
import { keptMaps } from '../../../shared/finish/in-time.ts';
import { placementOf } from '../../../shared/finish/placement.ts';
import type { Pictures } from '../formats/raw-frames.ts';
import { luminance } from '../metrics/picture.ts';
import { smallClip } from './finish-edit.ts';

/** So many times the model's size are the pictures that are finished, and so many of them come for one of its frames. */
export const enlargement = 4;
export const picturesPerFrame = 2;

/** A true edit, rendered large and smooth: every second picture is one of the model's frames. */
export interface LargeEdit {
  source: Pictures;
  target: Pictures;
  /** Where it may differ from the source: non-zero in [frames, height, width]. */
  mask: Uint8Array;
}

/** The model's edit and the clip as it comes out of the autoencoder. */
export interface SmallEdit {
  base: Pictures;
  edited: Pictures;
}

/** How edits are finished that are measured. */
export type EvaluatedFinishing = Pick<WantedChange, 'keepDetail' | 'lock' | 'recolour'>;

type Measured = Omit<FinishMeasures, 'edit' | 'kind' | 'to' | 'success' | 'preservation'>;

/**
 * Finishes the source with the change of an edit, or, with `finishing` null, enlarges the edit, and measures it against the truth.
 * `onPicture` gets each picture, at once and only until it answers.
 */
export function measureFinish(
  { source, target, mask }: LargeEdit,
  { base, edited }: SmallEdit,
  finishing: EvaluatedFinishing | null,
  onPicture: (rgb: Uint8Array, index: number) => void = () => {},
): Measured {
  const { width, height, count } = source;
  const placement = placementOf(source, edited, 'crop');
  const change =
    finishing === null ? showing(smallClip(edited)) : findChange(smallClip(base), smallClip(edited), finishing);
  const { finish } = createFinisher(change, { placement, ...(finishing ?? { keepDetail: 0 }) });
  const bytes = width * height * 3;
  const made = new Uint8Array(bytes);
  let previous: Int16Array | null = null;
  const at = { inside: new Mean(), outside: new Mean(), whole: new Mean() };
  const sharpness = { inside: new Ratio(), outside: new Ratio() };
  const [between, flicker, seconds] = [new Mean(), new Mean(), new Mean()];
  for (let index = 0; index < count; index++) {
    const startedAt = performance.now();
    const rgb = source.data.subarray(index * bytes, (index + 1) * bytes);
    finish({ rgb, width, height }, index / picturesPerFrame, made);
    seconds.add((performance.now() - startedAt) / 1000, 1);
    onPicture(made, index);
    const truth = target.data.subarray(index * bytes, (index + 1) * bytes);
    const where = mask.subarray((index * bytes) / 3, ((index + 1) * bytes) / 3);
    const error = new Int16Array(bytes);
    for (let place = 0; place < bytes; place++) error[place] = made[place]! - truth[place]!;
    if (previous) flicker.addAll(squares(error, previous));
    previous = error;
    if (index % picturesPerFrame > 0) {
      between.addAll(squares(error));
      continue;
    }
    at.whole.addAll(squares(error));
    at.inside.addAll(squares(error, null, (pixel) => where[pixel] !== 0));
    at.outside.addAll(squares(error, null, (pixel) => where[pixel] === 0));
    addSharpness(luminance(made), luminance(truth), where, width, sharpness);
  }
  const ratio = (a: number | null, b: number | null) => (a === null || b === null || b === 0 ? null : a / b);
  return {
    keepDetail: finishing?.keepDetail ?? null,
    mseInside: at.inside.value,
    mseOutside: at.outside.value,
    sharpnessInside: sharpness.inside.value,
    sharpnessOutside: sharpness.outside.value,
    between: ratio(between.value, at.whole.value),
    flicker: flicker.value,
    secondsPerPicture: finishing === null ? null : seconds.value,
  };
}

/** A change that shows the edit itself wherever it is done, linear in space and time as finishing lays it in. */
function showing({ data, frameCount, width, height }: SmallClip): ColourChange {
  const pixels = width * height;
  const whole = keptMaps((frame) => {
    const coefficients = new Float32Array(pixels * coefficientCount);
    for (let pixel = 0; pixel < pixels; pixel++)
      for (let channel = 0; channel < 3; channel++)
        coefficients[pixel * coefficientCount + 9 + channel] = data[3 * (frame * pixels + pixel) + channel]! / 255;
    return coefficients;
  });
  return { width, height, frameCount, even: null, close: { local: whole, whole }, trust: null, masks: null };
}

/** Sum and number of the squared differences of values from 0 to 1, of all pixels or of some. */
function squares(
  values: Int16Array,
  others: Int16Array | null = null,
  isCounted: ((pixel: number) => boolean) | null = null,
): [sum: number, count: number] {
  let sum = 0;
  let count = 0;
  for (let pixel = 0; pixel < values.length / 3; pixel++) {
    if (isCounted && !isCounted(pixel)) continue;
    for (let place = 3 * pixel; place < 3 * pixel + 3; place++) sum += (values[place]! - (others?.[place] ?? 0)) ** 2;
    count += 3;
  }
  return [sum / 255 ** 2, count];
}

function addSharpness(
  made: Float32Array,
  truth: Float32Array,
  mask: Uint8Array,
  width: number,
  to: { inside: Ratio; outside: Ratio },
): void {
  const energy = (picture: Float32Array, pixel: number) =>
    (picture[pixel + 1]! - picture[pixel]!) ** 2 + (picture[pixel + width]! - picture[pixel]!) ** 2;
  for (let pixel = 0; pixel + width < made.length; pixel++) {
    if ((pixel + 1) % width === 0) continue;
    (mask[pixel] === 0 ? to.outside : to.inside).add(energy(made, pixel), energy(truth, pixel));
  }
}

class Mean {
  #sum = 0;
  #count = 0;

  add(sum: number, count: number): void {
    this.#sum += sum;
    this.#count += count;
  }

  addAll([sum, count]: [number, number]): void {
    this.add(sum, count);
  }

  get value(): number | null {
    return this.#count === 0 ? null : this.#sum / this.#count;
  }
}

class Ratio {
  #above = 0;
  #below = 0;

  add(above: number, below: number): void {
    this.#above += above;
    this.#below += below;
  }

  get value(): number | null {
    return this.#below === 0 ? null : this.#above / this.#below;
  }
}
