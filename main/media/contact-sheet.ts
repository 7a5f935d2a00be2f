import { open } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { type Canvas, createCanvas, GlobalFonts, ImageData, type SKRSContext2D } from '@napi-rs/canvas';
import type { RawFrames } from '../../shared/domain/clip.ts';
import { AppError } from '../../shared/ipc/result.ts';
import type { PictureStream } from './finished-pictures.ts';

export interface ContactSheetRow {
  label: string;
  /** A second, smaller line below the label, such as the prompt. */
  note?: string;
  /** Stored pictures, or finished ones, which are made for the sheet. */
  frames: RawFrames | PictureStream;
  /** What the row was made from: the middle one of these pictures, small and named at its end. */
  beside?: { label: string; frames: RawFrames };
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
/** Width of the column at the end of the rows, and the part of a row's height that its pictures may have. */
const besideWidth = 110;
const besideHeight = 0.6;
const headerHeight = 56;
const typeface = 'Motif Label';

/**
 * Rows are videos, columns are moments in time: one PNG that shows what was learned and what the edits
 * changed.
 */
export async function drawContactSheet(rows: ContactSheetRow[], options: ContactSheetOptions = {}): Promise<Buffer> {
  if (rows.length === 0) throw new RangeError('a contact sheet needs at least one row');
  registerTypeface();
  const columns = Math.max(1, Math.min(options.columns ?? 8, Math.max(...rows.map((row) => row.frames.frameCount))));
  const pictureHeight = options.pictureHeight ?? 112;
  const pictureWidth = Math.max(
    ...rows.map(({ frames }) => Math.round((pictureHeight * frames.width) / frames.height)),
  );
  const besideLeft = labelWidth + columns * (pictureWidth + gap);
  const width = besideLeft + (rows.some(({ beside }) => beside) ? besideWidth + gap : 0) + gap;
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
    const pictures = await readPictures(row.frames, evenlySpread(row.frames.frameCount, columns), pictureHeight);
    for (const [column, picture] of pictures.entries()) {
      // Clips of other shapes keep theirs, in the middle of the widest one's column.
      const width = Math.round((pictureHeight * row.frames.width) / row.frames.height);
      const left = labelWidth + column * (pictureWidth + gap) + Math.floor((pictureWidth - width) / 2);
      context.drawImage(picture, left, top, width, pictureHeight);
    }
    if (row.beside) await drawBeside(context, row.beside, besideLeft, top, pictureHeight);
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
  frames: Pick<RawFrames, 'frameCount' | 'rate'>,
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

async function drawBeside(
  context: SKRSContext2D,
  { label, frames }: NonNullable<ContactSheetRow['beside']>,
  left: number,
  top: number,
  rowHeight: number,
): Promise<void> {
  const scale = Math.min(besideWidth / frames.width, (besideHeight * rowHeight) / frames.height);
  const [width, height] = [Math.round(frames.width * scale), Math.round(frames.height * scale)];
  const [picture] = await readStored(frames, [Math.floor(frames.frameCount / 2)]);
  context.drawImage(picture!, left, top, width, height);
  context.fillStyle = '#9aa0a8';
  context.font = `11px "${typeface}"`;
  context.fillText(label, left, top + height + 14, besideWidth);
  context.fillText(`${frames.width} x ${frames.height}`, left, top + height + 28, besideWidth);
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

/** Chosen pictures as canvases: stored ones of their own size, finished ones about `height` pixels high. */
async function readPictures(frames: ContactSheetRow['frames'], numbers: number[], height: number): Promise<Canvas[]> {
  if ('file' in frames) return readStored(frames, numbers);
  const size = frames.sizeFor({ width: 1, height });
  const pictures: Canvas[] = [];
  let number = 0;
  await frames.write({ ...size, rate: frames.rate, frameCount: frames.frameCount }, async (rgb) => {
    if (numbers.includes(number)) pictures.push(toCanvas(rgb, size.width, size.height));
    number += 1;
  });
  return pictures;
}

async function readStored(frames: RawFrames, numbers: number[]): Promise<Canvas[]> {
  const frameBytes = frames.width * frames.height * 3;
  const file = await open(frames.file, 'r');
  try {
    const pictures: Canvas[] = [];
    for (const number of numbers) {
      const rgb = new Uint8Array(frameBytes);
      const { bytesRead } = await file.read(rgb, 0, frameBytes, number * frameBytes);
      if (bytesRead !== frameBytes) {
        throw new AppError('damaged-file', `${frames.file} ends before frame ${number}.`, {
          hint: 'Render it again.',
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
