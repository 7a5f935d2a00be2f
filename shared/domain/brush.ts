import { z } from 'zod';

const share = z.number().min(0).max(1);

/** A stroke over the picture that the model saw, for all of the clip's length. */
const brushStroke = z.object({
  /** Whether the edit acts there, or the clip stays its own. */
  acts: z.boolean(),
  /** Its width, as a share of the picture's shorter side. */
  size: z.number().min(0.01).max(1),
  /** Along which it goes: x and y, as shares of width and height. */
  points: z
    .array(z.tuple([share, share]))
    .min(1)
    .max(1000),
});
export type BrushStroke = z.infer<typeof brushStroke>;

/** Strokes in the order in which they were made: a later one covers those before it. */
export const brush = z.array(brushStroke).max(200, 'At most 200 strokes of the brush: clear some.');
export type Brush = z.infer<typeof brush>;
