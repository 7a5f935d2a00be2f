import type { Parts } from '../adapters/parts.ts';
import * as tf from '../backends/tf.ts';
import type { StagePlan } from '../methods/method.ts';
import type { Denoiser } from '../models/video-model.ts';
import { Random } from '../nn/random.ts';
import type { Latents } from './prepared-file.ts';

/** By the path of a self-attention, `blocks.3.attn1`, whether each of its heads is among those that look within a frame. */
export type SortedHeads = ReadonlyMap<string, readonly boolean[]>;

/** So many places of a clip are asked where they look to: enough for a mean, and little memory for long clips. */
const askedPlaces = 64;
/** The noise level at which they are asked: layout and motion are both seen there. */
const level = 0.5;

/**
 * Divides all heads by what their attention on the clips is like; the half that is more like one to a place's own frame looks within
 * frames. `texts` [clips, tokens, width] describe the clips. The same clips are divided alike every time.
 */
export async function sortHeads(
  denoiser: Denoiser,
  clips: readonly Latents[],
  texts: tf.Tensor3D,
): Promise<SortedHeads> {
  const likeness = new Map<string, number[]>();
  for (const [index, clip] of clips.entries())
    for (const [path, of] of await likenesses(denoiser, clip, texts, index)) {
      const before = likeness.get(path) ?? new Array<number>(of.length).fill(0);
      likeness.set(
        path,
        before.map((sum, head) => sum + of[head]! / clips.length),
      );
    }
  const ranked = [...likeness].flatMap(([path, of]) => of.map((value, head) => ({ path, head, value })));
  ranked.sort((a, b) => b.value - a.value);
  const within = new Set(ranked.slice(0, Math.ceil(ranked.length / 2)).map(({ path, head }) => `${path} ${head}`));
  return new Map([...likeness].map(([path, of]) => [path, of.map((_, head) => within.has(`${path} ${head}`))]));
}

async function likenesses(
  { denoise, selfConditioning, timeFeatures }: Denoiser,
  { values, shape }: Latents,
  texts: tf.Tensor3D,
  index: number,
): Promise<Map<string, number[]>> {
  const frames = shape[1]!;
  const found = new Map<string, tf.Tensor>();
  tf.tidy(() => {
    const text = tf.slice3d(texts, [index, 0, 0], [1, -1, -1]);
    const clean = tf.tensor(values, [1, ...shape]);
    const noise = tf.tensor(new Random(`heads/${index}`).normals(values.length), [1, ...shape]);
    const noisy = tf.add(tf.mul(clean, 1 - level), tf.mul(noise, level));
    const latents = selfConditioning ? tf.concat([noisy, tf.zerosLike(noisy)], 1) : noisy;
    const attention = (path: string, q: tf.Tensor, k: tf.Tensor, heads: number) => {
      found.set(path, tf.keep(likenessToFrame(q, k, heads, frames)));
    };
    denoise({ latents, text, timestep: timeFeatures([1000 * level]) }, { hooks: { attention } });
  });
  try {
    const read = new Map<string, number[]>();
    for (const [path, values] of found) read.set(path, Array.from(await values.data()));
    return read;
  } finally {
    tf.dispose([...found.values()]);
  }
}

/**
 * How much more a head's attention is like one to all of a place's own frame than like one to the same place in all frames: the difference
 * of the cosines of its map with both. q and k [1, tokens, heads * size], tokens in the order of frames -> [heads]
 */
function likenessToFrame(q: tf.Tensor, k: tf.Tensor, heads: number, frames: number): tf.Tensor {
  return tf.tidy(() => {
    const [, tokens, width] = q.shape as [number, number, number];
    const asked = Math.min(askedPlaces, tokens);
    const places = Array.from({ length: asked }, (_, index) => Math.floor(((index + 0.5) * tokens) / asked));
    const inFrame = tokens / frames;
    const frameOf = (place: number) => Math.floor(place / inFrame);
    /** The map of unit length that is even over the tokens that belong to a place. */
    const mapOf = (belongs: (place: number, other: number) => boolean) => {
      const values = places.flatMap((place) =>
        Array.from({ length: tokens }, (_, other) => Number(belongs(place, other))),
      );
      const length = Math.sqrt(values.reduce((sum, value) => sum + value, 0));
      return tf.reshape(tf.tensor1d(values.map((value) => value / length)), [1, asked, tokens]);
    };
    const within = mapOf((place, other) => frameOf(other) === frameOf(place));
    const across = mapOf((place, other) => other % inFrame === place % inFrame);
    const apart = (x: tf.Tensor, count: number) =>
      tf.transpose(tf.reshape(x, [count, heads, width / heads]), [1, 0, 2]); // [heads, count, size]
    const queries = apart(tf.gather(tf.reshape(q, [tokens, width]), places), asked);
    const scores = tf.matMul(queries, apart(tf.reshape(k, [tokens, width]), tokens), false, true); // [heads, asked, tokens]
    const attended = tf.softmax(tf.div(scores, Math.sqrt(width / heads)));
    const length = tf.sqrt(tf.sum(tf.square(attended), [1, 2]));
    return tf.div(tf.sum(tf.mul(attended, tf.sub(within, across)), [1, 2]), length);
  });
}

/**
 * Of the weights that a stage of heads trains, which numbers learn: 1 at the columns of its heads, else 0, in the coefficients' shape.
 * Throws for layers that are no queries, keys or values of self-attention.
 */
export function headMasks(
  parts: Parts,
  { trains, heads }: StagePlan,
  sorted: SortedHeads,
): Record<string, Float32Array> {
  const masks: Record<string, Float32Array> = {};
  for (const name of Object.keys(trains)) {
    const part = parts[name];
    if (heads === null || part?.kind !== 'low-rank') continue;
    const { layers, rank } = part.shape;
    const columns = layers.flatMap(({ path, outSize }) => {
      const within = sorted.get(path.replace(/\.to_[qkv]$/, ''));
      if (!within) throw new Error(`no heads are known of ${path}`);
      return Array.from({ length: outSize }, (_, column) => {
        const head = Math.floor((column * within.length) / outSize);
        return Number(within[head] === (heads === 'spatial'));
      });
    });
    const mask = new Float32Array(rank * columns.length);
    for (let row = 0; row < rank; row++) mask.set(columns, row * columns.length);
    masks[`${name}.coefficients`] = mask;
  }
  return masks;
}
