import type { ColourName, Recolour } from '../domain/colour-words.ts';
import { colourTable } from './colour-odds.ts';
import { blurred, grownFrom, leastPrior, logit, meanOf, openShare, sigmoid } from './grown-thing.ts';
import { type ClipPair, neighbourMeans } from './in-time.ts';
import { lightOf, lightOfLab, luminanceOf, toLab } from './lab.ts';
import { isCalled, isNeutral, type Lab, meantBy } from './named-colour.ts';
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
/** Where more of its outline than this share has no edge, what was found is not a thing. */
const mostOpen = 0.12;
/** More of the picture than this is no thing. */
const mostOfPicture = 0.7;
/** What is painted belongs to the thing, unless its colour is altogether another. */
const mostPainted = 0.999;
/** Standard deviation of the logarithm of the luminance, beyond which shading is flattened. */
const mostShading = 0.45;

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
