import type { Brush } from '../domain/brush.ts';
import type { Recolour } from '../domain/colour-words.ts';
import { brushedMasks } from './brush.ts';
import { type CloseChange, findCloseChange } from './close-change.ts';
import { type EvenChange, findEvenChange } from './even-change.ts';
import { type ClipPair, type FrameMaps, keptMaps } from './in-time.ts';
import { lockMasks } from './lock-mask.ts';
import { findRecolouring, painted, type Recolouring } from './recolouring.ts';
import { reducedTo } from './reduced.ts';
import { findTrust, type Trust } from './trust.ts';

/**
 * What an edit changes in a clip, so that it can be done to the clip itself, at its own size and rate. The model's edit E and the clip R
 * that came through the same autoencoder differ by the edit alone, not by the softness of the model. The edit is explained as an affine
 * change of colour, E ~ R A + b, once evenly over coarse places and brightnesses and once in each small window. Applied to the sharp
 * source, the change carries light and colour and leaves every detail. Colours are R'G'B' from 0 to 1.
 */
export interface ColourChange {
  width: number;
  height: number;
  frameCount: number;
  /** The change by coarse place and brightness; only where it was asked for, as all that follows. */
  even: EvenChange | null;
  /** The change in small windows. */
  close: CloseChange | null;
  /** How far an edit is followed closely where the even change does not explain it. */
  trust: Trust | null;
  /** Where it is done, 0 to 1, for each frame [height, width]; null: everywhere. */
  masks: Float32Array[] | null;
  /** A thing that has another colour, instead of all of the above. */
  recolouring?: Recolouring;
}

/** What pictures need of a change. */
export interface WantedChange {
  /**
   * 1: the even change of colours alone; 1/2: the local one; 0: with what that leaves unexplained, and the edit itself where it shows
   * something else. In between, the more an edit leaves the rest of its clip alone, the more it is followed where it does change something.
   */
  keepDetail: number;
  /** Whether places that the edit changes little stay as they are. */
  lock?: boolean | undefined;
  /** The colour that a thing has and is to have: where an edit that strays shows it, that thing alone is recoloured, and as a whole. */
  recolour?: Recolour | null | undefined;
  /** Where it is done or not whatever the edit says. */
  brush?: Brush | undefined;
  /**
   * Whether pictures may come from before or after the clip that the change was found in: its even part is carried on by what they show,
   * the rest fades within half a second of it. Default: they hold what is at its ends.
   */
  carried?: boolean | undefined;
}

/** Pictures as the model makes them: uint8 RGB [frameCount, height, width, 3]. */
export interface SmallClip {
  data: Uint8Array;
  frameCount: number;
  width: number;
  height: number;
}

/** Which changes pictures need that keep so much of the clip's detail. */
export function partsOf(keepDetail: number): { even: boolean; close: boolean } {
  return { even: keepDetail > 0, close: keepDetail < 1 };
}

/**
 * The change from `base` (the clip as it comes out of the autoencoder) to `edited` (the edit), two clips of one size and length, as far as
 * pictures need it. Throws RangeError when the clips do not fit each other.
 */
export function findChange(
  base: SmallClip,
  edited: SmallClip,
  { keepDetail, lock = false, recolour = null, brush = [], carried = false }: WantedChange,
): ColourChange {
  const { width, height, frameCount } = base;
  if (edited.width !== width || edited.height !== height || edited.frameCount !== frameCount)
    throw new RangeError(
      `expected an edit of ${frameCount} frames of ${width} x ${height}, found ${edited.frameCount} of ${edited.width} x ${edited.height}`,
    );
  const before = framesOf(base);
  const after = framesOf(edited);
  const parts = partsOf(keepDetail);
  const pair = { before, after, width, height, frameCount };
  const recoloured = recolour && recolouringOf(pair, recolour);
  if (recoloured) return withBrush(recoloured, brush);
  const even = parts.even || carried ? findEvenChange(pair) : null;
  const close = parts.close ? findCloseChange(pair) : null;
  const trust = even && close ? findTrust(pair, even.coefficients) : null;
  const masks = lock ? lockMasks(pair) : null;
  return withBrush({ width, height, frameCount, even, close, trust, masks }, brush);
}

/** A thing of another colour: as many frames, and maps of at most so many pixels in all. */
const recolouredPixels = 6e6;
/** An edit that is as clean as this needs no help: it is followed in what it shows. */
const cleanEnough = 0.5;

function recolouringOf(pair: ClipPair, recolour: Recolour): ColourChange | null {
  const small = reducedTo(pair, recolouredPixels);
  if (findTrust(small, findEvenChange(small).coefficients).clean > cleanEnough) return null;
  const recolouring = findRecolouring(small, recolour);
  const { width, height, frameCount } = small;
  const nothing = { even: null, close: null, trust: null };
  return recolouring && { width, height, frameCount, ...nothing, masks: recolouring.masks, recolouring };
}

/** A change that was found without a brush, with it. */
export function withBrush(change: ColourChange, brush: Brush): ColourChange {
  const masks = brushedMasks(change.masks, brush, change);
  const { recolouring } = change;
  return {
    ...change,
    masks,
    ...(recolouring &&
      brush.length > 0 && { recolouring: painted(recolouring, (maps) => brushedMasks(maps, brush, change)!) }),
  };
}

function framesOf({ data, frameCount, width, height }: SmallClip): FrameMaps {
  const size = width * height * 3;
  if (data.length !== frameCount * size)
    throw new RangeError(
      `${frameCount} frames of ${width} x ${height} have ${frameCount * size} bytes, found ${data.length}`,
    );
  return keptMaps((frame) => {
    const colours = new Float32Array(size);
    for (let at = 0; at < size; at++) colours[at] = data[frame * size + at]! / 255;
    return colours;
  });
}
