/**
 * Draws looks of clips as finished pictures, for looking at: one sheet (a PNG) for each variant of the settings, with a row for each clip
 * and a column for each look.
 *
 *   node test/studies/run.mjs test/studies/looks.ts --home LIBRARY --out FOLDER [--clips ID,...] [--looks ID,...] [--concept FILE] [--width 230] NAME=JSON...
 *
 * A variant is NAME=JSON, a part of an edit's settings (`strength` sets fidelity and guidance together). `seen` in it are words for what
 * all clips show (default: what is kept with each), `words` a list of other looks than those chosen, {from, to}. Clips are of a library, which is only read; every third of a second-long piece is drawn from the middle of the clip.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createCanvas, ImageData } from '@napi-rs/canvas';
import { readRawFrames } from '../../main/engine/formats/raw-frames.ts';
import { createEngine } from '../../main/engine/index.ts';
import { ClipStore } from '../../main/library/clips.ts';
import { openLibrary } from '../../main/library/open.ts';
import { readFrames } from '../../main/media/frames.ts';
import { importClip } from '../../main/media/import.ts';
import { locateMediaTools } from '../../main/media/locate.ts';
import { probe as probeFile } from '../../main/media/probe.ts';
import { finishingOf } from '../../shared/domain/edit.ts';
import { type DeviceName, generateRequest } from '../../shared/domain/engine.ts';
import { type Look, look, lookSettings, standardLooks } from '../../shared/domain/look.ts';
import { toNumber } from '../../shared/domain/time.ts';
import { findChange } from '../../shared/finish/change.ts';
import { createFinisher } from '../../shared/finish/finish-frame.ts';
import { placementOf } from '../../shared/finish/placement.ts';

const { values: options, positionals: variants } = parseArgs({
  allowPositionals: true,
  options: {
    home: { type: 'string' },
    out: { type: 'string' },
    clips: { type: 'string' },
    looks: { type: 'string' },
    concept: { type: 'string' },
    model: { type: 'string', default: 'resources/models/motif-tiny' },
    width: { type: 'string', default: '230' },
    device: { type: 'string', default: 'auto' },
    frame: { type: 'string', default: '8' },
    threads: { type: 'string', default: '2' },
  },
});
if (!options.home || !options.out) throw new Error('--home (a library) and --out (a folder) are needed');
await mkdir(options.out, { recursive: true });
const library = openLibrary({ home: options.home, program: 'study', access: 'read' });
const tools = await locateMediaTools();
const engine = await createEngine({ device: options.device as DeviceName, threads: Number(options.threads) });
const store = new ClipStore(library);
const clips = options.clips ? options.clips.split(',').map((id) => store.get(id)) : store.list();
const chosen = standardLooks.filter(({ id }) => !options.looks || options.looks.split(',').includes(id));
const width = Number(options.width);
const shown = Number(options.frame);

for (const variant of variants) {
  const [name = 'look', json = '{}'] = variant.split(/=(.*)/s) as [string, string | undefined];
  const { seen = '', strength, words, ...settings } = JSON.parse(json);
  const looks: Look[] = words?.map((own: object) => look.parse({ id: 'own', name: 'own', ...own })) ?? chosen;
  const rows: { height: number; pictures: Uint8Array[] }[] = [];
  for (const clip of clips) {
    const { path } = clip.source;
    if (path === null) continue;
    const fine = settings.fine === true;
    const frames = fine
      ? (
          await importClip(tools, {
            file: path,
            fromSeconds: clip.fromSeconds,
            toSeconds: clip.toSeconds,
            sizes: [[2 * clip.frames.width, 2 * clip.frames.height]],
            rate: clip.frames.rate,
            temporalStride: 4,
            maximumFrames: clip.frames.frameCount,
            outFolder: join(options.out, `fine-${clip.id}`),
          })
        ).frames
      : { ...clip.frames, file: library.absolutePath(clip.frames.file) };
    const probe = await probeFile(tools, path);
    const height = Math.round((width * clip.source.height) / clip.source.width);
    const seconds = clip.fromSeconds + shown / toNumber(frames.rate);
    const [picture] = await readFrames(tools, probe, [seconds], { width, height });
    const pictures = [picture!.rgb];
    for (const asked of looks) {
      const request = generateRequest.parse({
        model: options.model,
        conceptFile: options.concept ?? null,
        source: frames,
        size: null,
        settings: { ...lookSettings(asked, { seen: seen || clip.seen, strength }), ...settings },
        output: join(options.out, 'edit.rgb'),
        baseOutput: join(options.out, 'base.rgb'),
      });
      const made = await engine.generate(request);
      const small = async (file: typeof made.frames) => {
        const { data, count: frameCount, width, height } = await readRawFrames(file);
        return { data, frameCount, width, height };
      };
      const finishing = finishingOf(request.settings);
      const change = findChange(await small(made.base!), await small(made.frames), finishing);
      const placement = placementOf({ width, height }, frames, clip.fit);
      const { finish } = createFinisher(change, { placement, ...finishing });
      const to = new Uint8Array(picture!.rgb.length);
      finish(picture!, shown, to);
      pictures.push(to);
      console.log(name, clip.name, asked.id, made.seconds.toFixed(2));
    }
    rows.push({ height, pictures });
    await writeSheet(join(options.out, `${name}.png`), rows);
  }
}
await engine.dispose();
library.close();

/** Pictures of one width in rows. */
async function writeSheet(file: string, rows: { height: number; pictures: Uint8Array[] }[]): Promise<void> {
  const heights = rows.map(({ height }) => height);
  const columns = Math.max(...rows.map(({ pictures }) => pictures.length));
  const sheet = createCanvas(
    columns * width,
    heights.reduce((sum, height) => sum + height, 0),
  );
  const context = sheet.getContext('2d');
  let top = 0;
  for (const { height, pictures } of rows) {
    for (const [column, rgb] of pictures.entries()) {
      const rgba = new Uint8ClampedArray(width * height * 4).fill(255);
      for (let pixel = 0; pixel < width * height; pixel++) rgba.set(rgb.subarray(3 * pixel, 3 * pixel + 3), 4 * pixel);
      context.putImageData(new ImageData(rgba, width, height), column * width, top);
    }
    top += height;
  }
  await writeFile(file, await sheet.encode('png'));
}
