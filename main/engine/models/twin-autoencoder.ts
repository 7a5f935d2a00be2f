import type * as tf from '../backends/tf.ts';
import type { Pictures } from '../formats/raw-frames.ts';
import type { CodingOptions } from './video-autoencoder.ts';

/** Both latents of a clip of any length and size. The owner disposes of them. */
export interface TwinLatents {
  /** [chunks, ...] */
  structure: tf.Tensor;
  /** [chunks, ...]; none where the network has one latent alone. */
  dynamics?: tf.Tensor;
  /** Of the clip that gave the structure, where the dynamics are another's: they say where its camera was. */
  ownDynamics?: tf.Tensor;
  /** Of the clip, before it was padded to whole patches. */
  frameCount: number;
  width: number;
  height: number;
}

/** How much of each the decoder gets, 0 to 1.5; 1 is what it was trained with. */
interface TwinStrengths {
  structure: number;
  dynamics: number;
}

/** Clips to two latents, structure and dynamics, and back. Weights are read when they are first needed. */
export interface TwinAutoencoder {
  readonly folder: string;
  readonly name: string;
  /** Frames of a chunk, and their rate and size as the network was trained on them. */
  readonly frames: number;
  readonly frameRate: number;
  readonly width: number;
  readonly height: number;
  /** Sides that are multiples of this need no padding, and have whole cells in both latents. */
  readonly cell: number;
  /** Numbers in the weights. */
  readonly parameters: number;
  /** Whether structure and dynamics are apart. */
  readonly disentangled: boolean;
  /**
   * Any length and size: a clip is coded in chunks that overlap, its last frame held where it is shorter than one, its last row and column
   * repeated up to whole patches. Throws `invalid-input` where the network takes one size of picture alone.
   */
  encodeTwin(pictures: Pictures, options?: CodingOptions): Promise<TwinLatents>;
  /** Pictures of the clip's own length and size; where chunks overlap, one is faded into the next. */
  decodeTwin(latents: TwinLatents, strengths: TwinStrengths, options?: CodingOptions): Promise<Pictures>;
  /** The linear code of the structure's cells, where there is one. */
  readonly cells?: {
    /** How many numbers a cell decodes to. */
    readonly numbers: number;
    /** Those of all cells, [rows * columns, numbers] row by row on the structure's grid -> structure [1, ...] */
    code(cells: tf.Tensor, grid: readonly [rows: number, columns: number]): Promise<tf.Tensor>;
  };
  /** Shapes of one chunk's latents for pictures of this size. */
  shapesOf(width: number, height: number): { structure: number[]; dynamics: number[] | undefined };
  /** Numbers in the latents of a clip for each number of its pixels. */
  rateOf(clip: { frameCount: number; width: number; height: number }): number;
  /** Tells one network's latents from another's. */
  fingerprint(): Promise<string>;
  dispose(): Promise<void>;
}
