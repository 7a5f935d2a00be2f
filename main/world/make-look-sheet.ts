/**
 * Draws every look of the second edition on one scene, as a contact sheet:
 *   node main/world/make-look-sheet.ts --out docs/looks.png
 *     [--seed 1990] [--subject woman] [--background park] [--motion dance] [--width 128] [--height 128] [--seconds 1] [--columns 9]
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createCanvas } from '@napi-rs/canvas';
import { z } from 'zod';
import { lookAttributes } from '../../shared/domain/evaluation.ts';
import { possibleValues } from './edit.ts';
import { render } from './render.ts';
import { type SceneOptions, sampleScene } from './scene.ts';
import { backgroundKinds, motionKinds, subjectKinds } from './vocabulary.ts';

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    seed: { type: 'string', default: '1990' },
    subject: { type: 'string', default: 'woman' },
    background: { type: 'string', default: 'park' },
    motion: { type: 'string', default: 'dance' },
    width: { type: 'string', default: '128' },
    height: { type: 'string', default: '128' },
    seconds: { type: 'string', default: '1' },
    columns: { type: 'string', default: '9' },
  },
});
const { out, seed, width, height, seconds, columns, ...given } = z
  .object({
    out: z.string({ error: 'name the file to write with --out' }),
    seed: z.coerce.number().int(),
    subject: z.enum(subjectKinds),
    background: z.enum(backgroundKinds),
    motion: z.enum(motionKinds),
    width: z.coerce.number().int().positive(),
    height: z.coerce.number().int().positive(),
    seconds: z.coerce.number().positive(),
    columns: z.coerce.number().int().positive(),
  })
  .parse(values);

const plain: SceneOptions = {
  edition: 2,
  second: 'none',
  camera: 'still',
  light: given.background === 'city at night' ? 'night' : 'day',
};
const scene = sampleScene(seed, { ...plain, ...given, style: 'photo', season: 'none', film: 'none' });
const looks = lookAttributes.flatMap((kind) =>
  possibleValues(scene, kind).map((to) => ({
    name: to,
    scene: { ...scene, [kind]: kind === 'light' || kind === 'style' ? { ...scene[kind], kind: to } : to },
  })),
);
const cells = [{ name: 'as it is', scene }, ...looks];
const [gap, label] = [4, 14];
const rows = Math.ceil(cells.length / columns);
const canvas = createCanvas(columns * (width + gap) - gap, rows * (height + gap + label) - gap);
const ctx = canvas.getContext('2d');
ctx.fillStyle = '#fff';
ctx.fillRect(0, 0, canvas.width, canvas.height);
ctx.fillStyle = '#222';
ctx.font = `${Math.min(11, width / 8)}px sans-serif`;
for (const [index, cell] of cells.entries()) {
  const left = (index % columns) * (width + gap);
  const top = Math.floor(index / columns) * (height + gap + label);
  const { frames } = render(cell.scene, { width, height, frameCount: 2, frameRate: 1 / seconds });
  const last = frames.subarray(frames.length / 2);
  const image = ctx.createImageData(width, height);
  for (let i = 0; i < width * height; i++)
    image.data.set([last[i * 3]!, last[i * 3 + 1]!, last[i * 3 + 2]!, 255], i * 4);
  ctx.putImageData(image, left, top + label);
  ctx.fillText(cell.name, left, top + 11);
}
writeFileSync(out, canvas.toBuffer('image/png'));
console.log(`${out}: ${cells.map(({ name }) => name).join(', ')}`);
