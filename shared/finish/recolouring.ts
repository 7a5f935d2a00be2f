import type { ColourName, Recolour } from '../domain/colour-words.ts';
import { type ColourOdds, colourOdds, colourTable } from './colour-odds.ts';
import { type ClipPair, neighbourMeans } from './in-time.ts';
import { lightOf, lightOfLab, luminanceOf, toLab } from './lab.ts';
import { isCalled, isNeutral, type Lab, meantBy } from './named-colour.ts';
import { connectedParts, nearestParts } from './parts.ts';
import { quantileOf } from './quantile.ts';
import { smoothStep } from './smooth-step.ts';
import { windowMeans } from './windows.ts';

/**
 * A thing that has another colour. Words name the old colour and the new one; a model's edit shows where, but in patches, and on hands and
 * walls beside. So the edit is evidence, and what is recoloured is found as a segmentation of the clip: a place belongs to the thing by how
 * near it is to places that the edit moved towards the new colour, by how much its own colour is the thing's (two histograms of colours,
 * fitted in turns with the places, as in GrabCut: Rother, Kolmogorov, Blake, SIGGRAPH 2004) and by how far it is what the old colour is called.
 * The colours decide at the pictures' full size, so that edges are the clip's own.
 */
export interface Recolouring {
  /** Log odds of a colour to be the thing's, over R'G'B'. */
  colours: Float32Array;
  /** Log odds of a place to be the thing's, for each frame [height, width]. */
  places: readonly Float32Array[];
  /** The thing in the model's pictures, 0 to 1, for each frame [height, width]. */
  masks: Float32Array[];
  /** Light of the new colour: red, green, blue. */
  target: readonly [number, number, number];
  /** Luminance of the thing as it was; what is darker or brighter stays so. */
  luminance: number;
  /** The power to which shading is taken: below 1 for a thing that is so dark that its noise would be seen. */
  shading: number;
}

/** An edit moved nothing towards a colour where 3 of 100 places came less than this share of the way. */
const leastMove = 0.12;
/** A place shows the new colour softly between these shares of what 3 of 100 moved. */
const [unmoved, moved] = [0.3, 0.8];
/** If less of the picture both moved and is called the old colour, the words are wrong about that. */
const leastCalled = 3e-4;
const hardlyCalled = 0.1;
/** Of the shorter side: how far the thing may reach beyond what the edit moved, and from one place to the next in each turn. */
const [anchorReach, growth] = [0.09, 0.045];
/** Colours that differ by less than this across an outline, over three pixels, have no edge there; lightness counts half. */
const leastEdge = 4;
/** Where more of its outline than this share has no edge, what was found is not a thing. */
const mostOpen = 0.12;
/** Turns end where so little of the picture changes hands, or after so many. */
const [settled, mostTurns] = [5e-4, 16];
/** How many times less than most of it a place may be near to what the edit moved and still be as likely as any. */
const anchoring = 3;
const [leastPrior, mostPrior] = [2e-4, 0.95];
/** A part of the picture with a smaller share of moved places than this of the mean's, or of the largest part's size, is another thing. */
const [leastMoved, leastPart] = [0.25, 0.02];
/** One that is smaller than this share of the largest must be as sure as this on average: lips are nearly as red as a tie. */
const [smallPart, leastSure] = [0.25, 0.75];
/** More of the picture than this is no thing. */
const mostOfPicture = 0.7;
/** What is painted belongs to the thing, unless its colour is altogether another. */
const mostPainted = 0.999;
/** How much it counts against a place that its colour is called otherwise. */
const nameWeight = 1.3;
/** How far a shade of a vivid colour that the edit left out is trusted to be the thing's all the same; greys are everywhere. */
const trust = 0.75;
/** Standard deviation of the logarithm of the luminance, beyond which shading is flattened. */
const mostShading = 0.45;

const logit = (share: number) => Math.log(share / (1 - share));
const sigmoid = (odds: number) => 1 / (1 + Math.exp(-odds));

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

/**
 * Null where the edit shows no thing of the new colour: none at all, or one whose outline runs through even colour, as a patch on a road
 * does.
 */
export function findRecolouring(pair: ClipPair, { from, to }: Recolour): Recolouring | null {
  const { before, after, frameCount } = pair;
  const source = Array.from({ length: frameCount }, (_, frame) => labOf(before(frame)));
  const evidence = movedTowards(pair, source, to);
  if (!evidence) return null;

  const called = from && source.map((lab) => mapOf(lab, (l, a, b) => isCalled(from, l, a, b)));
  const shown = (weights: readonly Float32Array[] | null) =>
    called
      ? meanOf(
          called.map((map) => map.map((share) => (share > hardlyCalled ? share : 0))),
          weights,
        )
      : 0;
  // What moved is called so: both tell. Or it is elsewhere, and vivid: the words know better. Or nothing is: the edit does.
  const isMoved = shown(evidence) >= leastCalled;
  const isElsewhere = !isMoved && from !== null && !isNeutral(from) && shown(null) >= leastCalled;
  const name = called && (isMoved || isElsewhere) ? { from: from!, called } : null;
  const seeds = isElsewhere ? seedsOf(called!, null) : seedsOf(evidence, name?.called ?? null);
  const { priors, masks, others, oddsOf } = grownFrom(seeds, name, source, pair);
  const part = meanOf(masks, null);
  if (part === 0 || part > mostOfPicture || openShare(masks, source, pair.width) > mostOpen) return null;

  const places = blurred(
    priors.map((map, frame) => map.map((prior, at) => logit(others[frame]![at] ? leastPrior : prior))),
    0.01,
    pair,
  );
  const target = between(meantBy(to), meanShown(after, masks, evidence) ?? meantBy(to));
  return { colours: colourTable(oddsOf), places, masks, target, ...lightingOf(before, masks) };
}

type Size = Pick<ClipPair, 'width' | 'height' | 'frameCount'>;

/** Places and colours in turns, from what is seen of a thing. */
function grownFrom(seeds: Float32Array[], name: OldColour | null, source: readonly Float32Array[], size: Size): Found {
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
function openShare(masks: readonly Float32Array[], source: readonly Float32Array[], width: number): number {
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
function blurred(maps: readonly Float32Array[], reach: number, { width, height }: Size): Float32Array[] {
  const radius = Math.max(1, Math.round((Math.sqrt(6 * (reach * Math.min(width, height)) ** 2 + 1) - 1) / 2));
  const size = { width, height, channels: 1 };
  return maps.map((map) => windowMeans(windowMeans(map, size, radius), size, radius));
}

/** The same with places that were painted: `paint` takes and gives shares of places, 0 to 1. */
export function painted(
  recolouring: Recolouring,
  paint: (places: Float32Array[]) => readonly Float32Array[],
): Recolouring {
  const shares = recolouring.places.map((map) => map.map(sigmoid));
  const places = paint(shares).map((map) =>
    map.map((share) => logit(Math.min(mostPainted, Math.max(leastPrior, share)))),
  );
  return { ...recolouring, places };
}

function labOf(frame: Float32Array): Float32Array {
  const lab = new Float32Array(frame.length);
  for (let at = 0; at < frame.length; at += 3) toLab(frame, at, lab, at);
  return lab;
}

function mapOf(lab: Float32Array, of: (l: number, a: number, b: number) => number): Float32Array {
  const map = new Float32Array(lab.length / 3);
  for (let at = 0; at < map.length; at++) map[at] = of(lab[3 * at]!, lab[3 * at + 1]!, lab[3 * at + 2]!);
  return map;
}

/** How far the edit moved each place towards the new colour, softly 0 to 1; null where it hardly did anywhere. */
function movedTowards(
  { after, width, height, frameCount }: ClipPair,
  source: readonly Float32Array[],
  to: ColourName,
): Float32Array[] | null {
  const [l, a, b] = meantBy(to);
  const weight = isNeutral(to) ? 1 : 0.25;
  const away = (lab: Float32Array, at: number) =>
    Math.sqrt(weight * (lab[at]! - l) ** 2 + (lab[at + 1]! - a) ** 2 + (lab[at + 2]! - b) ** 2);
  const moves = source.map((lab, frame) => {
    const edited = labOf(after(frame));
    const map = new Float32Array(lab.length / 3);
    for (let at = 0; at < map.length; at++) {
      const was = away(lab, 3 * at);
      map[at] = Math.min(1, Math.max(0, (was - away(edited, 3 * at)) / Math.max(was, 20)));
    }
    return windowMeans(map, { width, height, channels: 1 }, 1);
  });
  const near = neighbourMeans((frame) => moves[frame]!, frameCount);
  const means = moves.map((_, frame) => near(frame));
  const most = quantileOf(means, 0.97);
  if (most < leastMove) return null;
  return means.map((map) => map.map((move) => smoothStep(move, unmoved * most, moved * most)));
}

function seedsOf(evidence: readonly Float32Array[], called: readonly Float32Array[] | null): Float32Array[] {
  const seeds = called ? evidence.map((map, frame) => map.map((share, at) => share * called[frame]![at]!)) : evidence;
  const most = Math.max(0.05, quantileOf(seeds, 0.995));
  return seeds.map((map) => map.map((seed) => Math.min(1, seed / most)));
}

/** The mean of maps, each place times that of others. */
function meanOf(maps: readonly Float32Array[], weights: readonly Float32Array[] | null): number {
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

/** What the edit shows where it moved the thing, in L*a*b*. */
function meanShown(
  after: ClipPair['after'],
  masks: readonly Float32Array[],
  evidence: readonly Float32Array[],
): Lab | null {
  const sum = [0, 0, 0];
  let weights = 0;
  for (const [frame, mask] of masks.entries()) {
    const colours = after(frame);
    for (let at = 0; at < mask.length; at++) {
      if (evidence[frame]![at]! <= 0.5) continue;
      const weight = mask[at]!;
      weights += weight;
      for (let channel = 0; channel < 3; channel++) sum[channel]! += weight * colours[3 * at + channel]!;
    }
  }
  if (weights < 1) return null;
  const lab: [number, number, number] = [0, 0, 0];
  toLab(
    sum.map((value) => value / weights),
    0,
    lab,
    0,
  );
  return lab;
}

/** What is meant, and so much of what was drawn: small models draw colours that are near. Lights are mixed as light is. */
const drawn = 0.3;
function between(meant: Lab, shown: Lab): [number, number, number] {
  const [wanted, seen] = [lightOfLab(meant), lightOfLab(shown)];
  return wanted.map((light, channel) => light + drawn * (seen[channel]! - light)) as [number, number, number];
}

/** The luminance that the thing has, and how much of its shading is kept. */
function lightingOf(before: ClipPair['before'], masks: readonly Float32Array[]) {
  let [weights, sum, logs, squares] = [0, 0, 0, 0];
  for (const [frame, mask] of masks.entries()) {
    const colours = before(frame);
    for (let at = 0; at < mask.length; at++) {
      const weight = mask[at]!;
      if (weight < 0.5) continue;
      const light = luminanceOf(
        lightOf(colours[3 * at]!),
        lightOf(colours[3 * at + 1]!),
        lightOf(colours[3 * at + 2]!),
      );
      const log = Math.log(Math.max(light, 1e-3));
      weights += weight;
      sum += weight * light;
      logs += weight * log;
      squares += weight * log * log;
    }
  }
  const deviation = weights > 0 ? Math.sqrt(Math.max(0, squares / weights - (logs / weights) ** 2)) : 0;
  return {
    luminance: weights > 0 ? Math.max(1e-3, sum / weights) : 0.2,
    shading: deviation > mostShading ? mostShading / deviation : 1,
  };
}
