import { open } from 'node:fs/promises';
import { AppError } from '../../shared/ipc/result.ts';

/** Brands of ISO files that hold one picture (ISO/IEC 23008-12, AVIF 1.1); `avis`, `hevc`, `msf1` are sequences. */
const stillBrands: Record<string, string> = {
  avif: 'AVIF',
  heic: 'HEIC',
  heix: 'HEIC',
  heim: 'HEIC',
  heis: 'HEIC',
  mif1: 'HEIF',
};

/**
 * The refusal of a picture that ffmpeg opens as a video, or cannot open at all; undefined for anything else. Told by the first
 * bytes: what ffprobe makes of such a file differs from version to version.
 */
export async function pictureRefusal(path: string): Promise<AppError | undefined> {
  const file = await open(path, 'r');
  try {
    const head = Buffer.alloc(32);
    await file.read(head, 0, head.length, 0);
    const text = (from: number, to: number) => head.toString('latin1', from, to);
    const still = text(4, 8) === 'ftyp' ? stillBrands[text(8, 12)] : undefined;
    if (still) return notAVideo(`The file is a picture (${still}), not a video, whatever its name says.`);
    // RIFF, WEBP, VP8X and its flags, of which 2 is animation (RFC 9649, section 2.7).
    const isExtendedWebp = text(0, 4) === 'RIFF' && text(8, 16) === 'WEBPVP8X';
    if (isExtendedWebp && (head[20]! & 2) !== 0) {
      return notAVideo(
        'The file is an animated WebP, which ffmpeg cannot read.',
        'Convert it to GIF, MP4 or WebM first.',
      );
    }
    return undefined;
  } finally {
    await file.close();
  }
}

function notAVideo(message: string, hint = 'Choose a video file.'): AppError {
  return new AppError('unsupported-media', message, { hint });
}
