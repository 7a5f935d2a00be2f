import { open } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { type Canvas, createCanvas, GlobalFonts, ImageData, type SKRSContext2D } from '@napi-rs/canvas';
import type { RawFrames } from '../../shared/domain/clip.ts';
import { AppError } from '../../shared/ipc/result.ts';

export interface ContactSheetRow {
  label: string;
  /** A second, smaller line below the label, such as the prompt. */
  note?: string;
  frames: RawFrames;
}

export interface ContactSheetOptions {
  title?: string;
  /** Pictures in a row, spread evenly over the clip. */
  columns?: number;
  /** Height of a picture in pixels. */
  pictureHeight?: number;
}

const labelWidth = 210;
const gap = 6;
const headerHeight = 56;
const typeface = 'Motif Label';

/** Rows are videos, columns are moments in time: one PNG that shows what was learned and what the edits changed. */
export async function drawContactSheet(rows: ContactSheetRow[], options: ContactSheetOptions = {}): Promise<Buffer> {
  if (rows.length === 0) throw new RangeError('a contact sheet needs at least one row');
  registerTypeface();
  const columns = Math.max(1, Math.min(options.columns ?? 8, Math.max(...rows.map((row) => row.frames.frameCount))));
  const pictureHeight = options.pictureHeight ?? 112;
  const pictureWidth = Math.max(
    ...rows.map(({ frames }) => Math.round((pictureHeight * frames.width) / frames.height)),
  );
  const width = labelWidth + columns * (pictureWidth + gap) + gap;
  const canvas = createCanvas(width, headerHeight + rows.length * (pictureHeight + gap) + gap);
  const context = canvas.getContext('2d');
  context.fillStyle = '#16181c';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = 'high';
  drawHeader(context, options.title ?? '', rows[0]!.frames, columns, pictureWidth);
  for (const [index, row] of rows.entries()) {
    const top = headerHeight + index * (pictureHeight + gap);
    drawLabel(context, row, top, pictureHeight);
    const pictures = await readPictures(row.frames, evenlySpread(row.frames.frameCount, columns));
    for (const [column, picture] of pictures.entries()) {
      // Clips of other shapes keep theirs, in the middle of the widest one's column.
      const width = Math.round((pictureHeight * row.frames.width) / row.frames.height);
      const left = labelWidth + column * (pictureWidth + gap) + Math.floor((pictureWidth - width) / 2);
      context.drawImage(picture, left, top, width, pictureHeight);
    }
  }
  return canvas.encode('png');
}

/** `count` frame numbers from the first to the last; fewer when the clip is shorter. */
export function evenlySpread(frameCount: number, count: number): number[] {
  const shown = Math.min(frameCount, count);
  if (shown === 1) return [0];
  return Array.from({ length: shown }, (_, index) => Math.round((index * (frameCount - 1)) / (shown - 1)));
}

function registerTypeface(): void {
  if (GlobalFonts.has(typeface)) return;
  // Shipped with the program: a machine without fonts would draw no letters at all.
  const file = createRequire(import.meta.url).resolve('@fontsource/inter/files/inter-latin-400-normal.woff2');
  GlobalFonts.registerFromPath(file, typeface);
}

function drawHeader(
  context: SKRSContext2D,
  title: string,
  frames: RawFrames,
  columns: number,
  pictureWidth: number,
): void {
  context.textBaseline = 'alphabetic';
  context.fillStyle = '#f2f3f5';
  context.font = `18px "${typeface}"`;
  context.fillText(title, 12, 26, context.canvas.width - 24);
  context.fillStyle = '#9aa0a8';
  context.font = `12px "${typeface}"`;
  for (const [column, frame] of evenlySpread(frames.frameCount, columns).entries()) {
    const seconds = (frame * frames.rate.denominator) / frames.rate.numerator;
    context.fillText(`${seconds.toFixed(2)} s`, labelWidth + column * (pictureWidth + gap), headerHeight - 8);
  }
}

function drawLabel(context: SKRSContext2D, row: ContactSheetRow, top: number, height: number): void {
  context.textBaseline = 'alphabetic';
  context.fillStyle = '#f2f3f5';
  context.font = `15px "${typeface}"`;
  context.fillText(row.label, 12, top + 20, labelWidth - 24);
  context.fillStyle = '#9aa0a8';
  context.font = `11px "${typeface}"`;
  const available = Math.max(0, Math.floor((height - 28) / 14));
  for (const [index, line] of wrap(context, row.note ?? '', labelWidth - 24, available).entries()) {
    context.fillText(line, 12, top + 38 + index * 14, labelWidth - 24);
  }
}

/** Words -> lines of at most `width` pixels; what does not fit into `available` lines ends in an ellipsis. */
function wrap(context: SKRSContext2D, text: string, width: number, available: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const candidate = lines.length > 0 ? `${lines.at(-1)} ${word}` : word;
    if (lines.length > 0 && context.measureText(candidate).width <= width) lines[lines.length - 1] = candidate;
    else lines.push(word);
  }
  if (lines.length <= available) return lines;
  const kept = lines.slice(0, available);
  if (available > 0) kept[available - 1] = `${kept[available - 1]} …`;
  return kept;
}

/** Chosen frames of a raw file as canvases of the clip's own size. */
async function readPictures(frames: RawFrames, numbers: number[]): Promise<Canvas[]> {
  const frameBytes = frames.width * frames.height * 3;
  const file = await open(frames.file, 'r');
  try {
    const pictures: Canvas[] = [];
    for (const number of numbers) {
      const rgb = new Uint8Array(frameBytes);
      const { bytesRead } = await file.read(rgb, 0, frameBytes, number * frameBytes);
      if (bytesRead !== frameBytes) {
        throw new AppError('damaged-file', `${frames.file} ends before frame ${number}.`, {
          hint: 'Make the result again.',
        });
      }
      pictures.push(toCanvas(rgb, frames.width, frames.height));
    }
    return pictures;
  } finally {
    await file.close();
  }
}

function toCanvas(rgb: Uint8Array, width: number, height: number): Canvas {
  const rgba = new Uint8ClampedArray(width * height * 4);
  for (let pixel = 0; pixel < width * height; pixel++) {
    rgba[pixel * 4] = rgb[pixel * 3]!;
    rgba[pixel * 4 + 1] = rgb[pixel * 3 + 1]!;
    rgba[pixel * 4 + 2] = rgb[pixel * 3 + 2]!;
    rgba[pixel * 4 + 3] = 255;
  }
  const canvas = createCanvas(width, height);
  canvas.getContext('2d').putImageData(new ImageData(rgba, width, height), 0, 0);
  return canvas;
}
