import type { CropRectangle } from '../../shared/domain/clip.ts';
import { type Rational, toNumber } from '../../shared/domain/time.ts';
import { AppError } from '../../shared/ipc/result.ts';
import type { Decoder, DecodeSummary } from './decode.ts';
import type { Probe } from './probe-types.ts';

/**
 * Fewer decoded frames than this share, and more complaints than frames: rubbish rather than a damaged clip.
 */
const leastDecodableShare = 0.2;

/** What the part of a source that was read should have given. */
export interface Expected {
  expectedFrames?: number | undefined;
  /** Where the pictures began, and where they ended, although earlier and later ones were expected. */
  beginSeconds?: number | undefined;
  breakOffSeconds?: number | undefined;
}

/** What a decoder's complaints, and what it did not give, mean. */
export function judgeDamage(
  probe: Pick<Probe, 'claimedSeconds' | 'startSeconds' | 'endSeconds'>,
  { frames, errors }: Pick<DecodeSummary, 'frames' | 'errors'>,
  { expectedFrames, beginSeconds, breakOffSeconds }: Expected,
): { refuse: boolean; warning: string | undefined } {
  if (expectedFrames && frames < leastDecodableShare * expectedFrames && errors > frames) {
    return { refuse: true, warning: undefined };
  }
  const readable = probe.endSeconds - probe.startSeconds;
  const missing = probe.claimedSeconds - readable;
  const parts: string[] = [];
  if (missing > Math.max(0.5, 0.05 * probe.claimedSeconds)) {
    parts.push(`it claims ${probe.claimedSeconds.toFixed(2)} s and holds ${readable.toFixed(2)} s`);
  } else if (breakOffSeconds !== undefined) parts.push(`its frames break off at ${breakOffSeconds.toFixed(2)} s`);
  if (beginSeconds !== undefined) parts.push(`its first readable frame is at ${beginSeconds.toFixed(2)} s`);
  // Without a complaint nothing is lost: some codecs store frames that are never shown.
  const lost = errors > 0 && expectedFrames ? Math.max(0, expectedFrames - frames) : 0;
  if (lost > 0) parts.push(`${lost} of ${expectedFrames} frames could not be decoded`);
  else if (errors > 0) parts.push(`the decoder complained ${errors} time${errors === 1 ? '' : 's'}`);
  if (parts.length === 0) return { refuse: false, warning: undefined };
  return { refuse: false, warning: `The file is damaged: ${parts.join(', ')}. What could be read was imported.` };
}

/** The refusal of a file whose pictures cannot be had. */
export function undecodable({ frames, errors, errorTail }: DecodeSummary, probe: Probe): AppError {
  const message =
    frames === 0
      ? `No frame of the ${probe.codec.toUpperCase()} video could be decoded.`
      : `Only ${frames} of ${probe.frameCount} frames could be decoded, with ${errors} errors: the file is encrypted or badly damaged.`;
  return new AppError('unsupported-media', message, {
    hint: 'Copy or download the file again, or convert it with the program that made it.',
    details: { errorTail: errorTail.slice(-5) },
  });
}

/** The refusal of a clip with fewer frames than the model needs. */
export function tooShort(frames: number, minimum: number, rate: Rational, damage?: string): AppError {
  const seconds = (count: number) => `${(count / toNumber(rate)).toFixed(2)} s`;
  return new AppError(
    'unsupported-media',
    `The clip is too short: ${minimum} frames at ${+toNumber(rate).toFixed(3)} per second are needed (${seconds(minimum)}), it gives ${frames}.${damage ? ` ${damage}` : ''}`,
    { hint: 'Choose a longer range or clip. To learn appearance alone, one frame is enough.' },
  );
}

/** What a person should know about how a clip was read. */
export function remarks(
  probe: Probe,
  decoder: Pick<Decoder, 'hasAlpha' | 'mapColours'>,
  request: {
    rate: Rational;
    temporalStride: number;
    crop?: CropRectangle | null | undefined;
    maximumFrames?: number | undefined;
  },
  used: { fromSeconds: number; toSeconds: number } & { width: number; height: number; frameCount: number },
): string[] {
  const said: string[] = [];
  const { colour } = probe;
  const rate = toNumber(request.rate);
  if (colour.hdr) said.push(`HDR (${colour.hdr === 'pq' ? 'PQ' : 'HLG'}) was tone-mapped to standard brightness.`);
  else if (decoder.mapColours) said.push('Wide-gamut colours were converted to BT.709.');
  if (decoder.hasAlpha) said.push('Transparent parts are shown over grey.');
  if (probe.interlaced) said.push('Interlaced video was deinterlaced.');
  if (probe.variableRate) said.push(`The frame rate varies; frames were taken at ${+rate.toFixed(3)} per second.`);
  const shown = request.crop ?? probe;
  if (shown.width < used.width / 2 && shown.height < used.height / 2) {
    said.push(
      `The ${shown.width}x${shown.height} video was enlarged to ${used.width}x${used.height}: it will look soft.`,
    );
  }
  if (used.frameCount > 1 && toNumber(probe.rate) < 0.9 * rate) {
    said.push(
      `The clip has ${+toNumber(probe.rate).toFixed(2)} frames per second, the model ${+rate.toFixed(2)}: some are shown twice.`,
    );
  }
  if (used.frameCount === 1) said.push('One frame only: appearance can be learned from it, motion cannot.');
  const unusedSeconds = used.toSeconds - used.fromSeconds - used.frameCount / rate;
  if (
    request.maximumFrames &&
    used.frameCount + request.temporalStride > request.maximumFrames &&
    unusedSeconds > 0.5
  ) {
    said.push(
      `Only the first ${(used.frameCount / rate).toFixed(2)} s of the range are used, ${used.frameCount} frames, the most the model takes.`,
    );
  } else if (used.frameCount > 1 && unusedSeconds > 1 / rate - 1e-6) {
    said.push(
      `The last ${unusedSeconds.toFixed(2)} s of the range are not used: after the first frame the model takes them by ${request.temporalStride}, and ${used.frameCount} fit.`,
    );
  }
  return said;
}
