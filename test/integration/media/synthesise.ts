import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { type ImportedClip, type ImportRequest, importClip } from '../../../main/media/import.ts';
import { locateMediaTools, type MediaTools } from '../../../main/media/locate.ts';
import { run } from '../../../main/media/run.ts';

/** A folder of this test file's own, removed at the end. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'motif-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

let located: Promise<MediaTools> | undefined;
export const mediaTools = () => {
  located ??= locateMediaTools();
  return located;
};

/** Runs the ffmpeg that the tests are about; fails with what it said. */
export async function ffmpeg(...args: string[]): Promise<void> {
  const { ffmpeg: program } = await mediaTools();
  const result = await run(program.path, ['-hide_banner', '-nostdin', '-loglevel', 'error', '-y', ...args]);
  if (result.exitCode !== 0) throw new Error(`ffmpeg ${args.join(' ')}: ${result.errorTail.join('\n')}`);
}

/** Lavfi pictures of one grey, 30 a second, that gets 4 levels lighter with each frame from 16: a frame shows its number. */
export const numbered = (frames: number, size = '64x64') => [
  ...['-f', 'lavfi', '-i', `color=black:size=${size}:rate=30,format=gray,geq=lum=16+N*4,format=yuv420p`],
  ...['-frames:v', String(frames)],
];
export const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '1', '-pix_fmt', 'yuv420p'];

export async function importNumbered(
  file: string,
  folder: string,
  over: Partial<ImportRequest> = {},
): Promise<ImportedClip> {
  return importClip(await mediaTools(), {
    file,
    sizes: [[32, 32]],
    rate: { numerator: 30, denominator: 1 },
    temporalStride: 1,
    outFolder: join(folder, `clip-${Math.random().toString(36).slice(2)}`),
    ...over,
  });
}

/** uint8 [frameCount, height, width, 3] as one array for each frame. */
export function readPixels({ frames: { file, frameCount, width, height } }: ImportedClip): Uint8Array[] {
  const bytes = readFileSync(file);
  const size = width * height * 3;
  if (bytes.length !== frameCount * size) throw new Error(`expected ${frameCount * size} bytes, found ${bytes.length}`);
  return Array.from({ length: frameCount }, (_, index) => bytes.subarray(index * size, (index + 1) * size));
}

/** Which frame of a `numbered` source each imported frame shows. */
export function readNumbers(clip: ImportedClip): number[] {
  return readPixels(clip).map((rgb) => {
    const mean = rgb.reduce((sum, value) => sum + value, 0) / rgb.length;
    return Math.round((mean - 16) / 4);
  });
}

/** The colour at a place given in shares of the picture. */
export function colourAt({ frames: { width, height } }: ImportedClip, rgb: Uint8Array, x: number, y: number): number[] {
  const at = (Math.floor(y * height) * width + Math.floor(x * width)) * 3;
  return [...rgb.subarray(at, at + 3)];
}
