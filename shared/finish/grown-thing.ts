import type { ColourName } from '../domain/colour-words.ts';
import { type ColourOdds, colourOdds } from './colour-odds.ts';
import { type ClipPair, neighbourMeans } from './in-time.ts';
import { isCalled, isNeutral } from './named-colour.ts';
import { connectedParts, nearestParts } from './parts.ts';
import { quantileOf } from './quantile.ts';
import { windowMeans } from './windows.ts';

/** Of the shorter side: how far the thing may reach beyond what the edit moved, and from one place to the next in each turn. */
const [anchorReach, growth] = [0.09, 0.045];
/** Colours that differ by less than this across an outline, over three pixels, have no edge there; lightness counts half. */
const leastEdge = 4;
/** Turns end where so little of the picture changes hands, or after so many. */
const [settled, mostTurns] = [5e-4, 16];
/** How many times less than most of it a place may be near to what the edit moved and still be as likely as any. */
const anchoring = 3;
/** What a place is at least and at most likely to be the thing's. */
export const leastPrior = 2e-4;
const mostPrior = 0.95;
/** A part of the picture with a smaller share of moved places than this of the mean's, or of the largest part's size, is another thing. */
const [leastMoved, leastPart] = [0.25, 0.02];
/** One that is smaller than this share of the largest must be as sure as this on average: lips are nearly as red as a tie. */
const [smallPart, leastSure] = [0.25, 0.75];
/** How much it counts against a place that its colour is called otherwise. */
const nameWeight = 1.3;
/** How far a shade of a vivid colour that the edit left out is trusted to be the thing's all the same; greys are everywhere. */
const trust = 0.75;

export const logit = (share: number) => Math.log(share / (1 - share));
export const sigmoid = (odds: number) => 1 / (1 + Math.exp(-odds));

/** A thing as it was found in a clip. */
interface Found {
  /** Places that may be the thing's, and how much they are by their colours too. */
  priors: Float32Array[];
  masks: Float32Array[];
  /** 1 where a place is another thing's. */
  others: Uint8Array[];
  oddsOf(l: number, a: number, b: number): number;
}

/** What the old colour is called, and how far each place is. */
interface OldColour {
  from: ColourName;
  called: Float32Array[];
}

type Size = Pick<ClipPair, 'width' | 'height' | 'frameCount'>;

/** Places and colours in turns, from what is seen of a thing. */
export function grownFrom(
  seeds: Float32Array[],
  name: OldColour | null,
  source: readonly Float32Array[],
  size: Size,
): Found {
  const { width, height, frameCount } = size;
  const frames = Array.from({ length: frameCount }, (_, frame) => frame);
  const anchors = blurred(seeds, anchorReach, size);
  const mostAnchored = Math.max(1e-6, quantileOf(anchors, 0.995));
  const isVivid = name !== null && !isNeutral(name.from);
  /** Log odds of a colour: as seen where the edit is and is not, and as it is called. */
  const named = (seen: number, share: number) =>
    (isVivid && seen < 0 ? seen * (1 - trust * share) : seen) + nameWeight * Math.log((share + 0.02) / 1.02);

  let shares: Float32Array[] = seeds;
  let priors: Float32Array[] = seeds;
  let odds: ColourOdds | null = null;
  for (let turn = 0, changed = 1; turn < mostTurns && changed > settled; turn++) {
    odds = colourOdds(source, shares);
    const grown = blurred(shares, growth, size);
    const near = neighbourMeans((frame) => grown[frame]!, frameCount);
    priors = frames.map((frame) => {
      const [close, seed, anchor] = [near(frame), seeds[frame]!, anchors[frame]!];
      return close.map((value, at) => {
        // What is vividly of the old colour is followed as far as it hangs together.
        const reached = Math.min(1, (anchoring * anchor[at]!) / mostAnchored);
        const anchored = isVivid ? Math.max(reached, name.called[frame]![at]!) : reached;
        return Math.min(mostPrior, Math.max(leastPrior, Math.max(value, 0.6 * seed[at]!) * anchored));
      });
    });
    const next = frames.map((frame) => {
      const lab = source[frame]!;
      return priors[frame]!.map((prior, at) => {
        const byColour = odds!.of(lab[3 * at]!, lab[3 * at + 1]!, lab[3 * at + 2]!);
        return sigmoid((name ? named(byColour, name.called[frame]![at]!) : byColour) + logit(prior));
      });
    });
    changed = meanOf(
      next.map((map, frame) => map.map((share, at) => Math.abs(share - shares[frame]![at]!))),
      null,
    );
    shares = next;
  }
  const others = otherParts(shares, seeds, width, height);
  return {
    priors,
    masks: shares.map((map, frame) => map.map((share, at) => (others[frame]![at] ? 0 : share))),
    others,
    oddsOf(l, a, b) {
      const seen = odds!.of(l, a, b);
      return name ? named(seen, isCalled(name.from, l, a, b)) : seen;
    },
  };
}

/** Share of an outline, where masks cross 1/2 beside or above, on both sides of which the clip's colours are alike. */
export function openShare(masks: readonly Float32Array[], source: readonly Float32Array[], width: number): number {
  let [all, open] = [0, 0];
  for (const [frame, mask] of masks.entries()) {
    const lab = source[frame]!;
    const differs = (one: number, other: number) =>
      Math.hypot(
        0.5 * (lab[3 * one]! - lab[3 * other]!),
        lab[3 * one + 1]! - lab[3 * other + 1]!,
        lab[3 * one + 2]! - lab[3 * other + 2]!,
      );
    for (let at = 0; at < mask.length; at++) {
      const [row, column] = [Math.floor(at / width), at % width];
      for (const [step, isInside] of [
        [1, column >= 1 && column + 2 < width],
        [width, row >= 1 && at + 2 * width < mask.length],
      ] as const) {
        if (!isInside || mask[at]! > 0.5 === mask[at + step]! > 0.5) continue;
        all++;
        if (differs(at - step, at + 2 * step) < leastEdge) open++;
      }
    }
  }
  return all === 0 ? 0 : open / all;
}

/** Maps blurred by so much of the shorter side. */
export function blurred(maps: readonly Float32Array[], reach: number, { width, height }: Size): Float32Array[] {
  const radius = Math.max(1, Math.round((Math.sqrt(6 * (reach * Math.min(width, height)) ** 2 + 1) - 1) / 2));
  const size = { width, height, channels: 1 };
  return maps.map((map) => windowMeans(windowMeans(map, size, radius), size, radius));
}

/** The mean of maps, each place times that of others. */
export function meanOf(maps: readonly Float32Array[], weights: readonly Float32Array[] | null): number {
  let [sum, count] = [0, 0];
  for (const [frame, map] of maps.entries()) {
    const weight = weights?.[frame];
    for (let at = 0; at < map.length; at++) sum += map[at]! * (weight?.[at] ?? 1);
    count += map.length;
  }
  return sum / count;
}

/**
 * 1 where a place is nearest to a part that is another thing: one that the edit hardly moved, one of few places, or of hardly more that are
 * only perhaps the thing.
 */
function otherParts(shares: readonly Float32Array[], seeds: readonly Float32Array[], width: number, height: number) {
  const { labels, count } = connectedParts(shares, width, height, 0.5);
  const [sizes, moves, sure] = [new Float64Array(count), new Float64Array(count), new Float64Array(count)];
  for (const [frame, map] of labels.entries()) {
    for (let at = 0; at < map.length; at++) {
      if (map[at] === 0) continue;
      sizes[map[at]! - 1]! += 1;
      moves[map[at]! - 1]! += seeds[frame]![at]!;
      sure[map[at]! - 1]! += shares[frame]![at]!;
    }
  }
  const total = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0);
  const mean = total(moves) / Math.max(1, total(sizes));
  const largest = sizes.reduce((most, size) => Math.max(most, size), 0);
  const isOther = Array.from(
    sizes,
    (size, part) =>
      moves[part]! < leastMoved * mean * size ||
      size < leastPart * largest ||
      (size < smallPart * largest && sure[part]! < leastSure * size),
  );
  return nearestParts(labels, width, height).map((map) =>
    Uint8Array.from(map, (label) => (label > 0 && isOther[label - 1] ? 1 : 0)),
  );
}
