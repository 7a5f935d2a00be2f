/**
 * Renders the bundled sample clips with their captions:
 *   node main/world/make-samples.ts --ffmpeg FFMPEG --out resources/samples
 * The scenes are of test seeds, which no training of ours sees.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { attributes, caption } from './caption.ts';
import { render } from './render.ts';
import { type SceneOptions, sampleScene } from './scene.ts';
import { splitOf } from './split.ts';

interface Sample {
  name: string;
  seed: number;
  options: SceneOptions;
  title: string;
}

const samples: readonly Sample[] = [
  {
    name: 'dancer',
    seed: 1990,
    title: 'A woman dancing in a park',
    options: {
      subject: 'woman',
      second: 'none',
      motion: 'dance',
      background: 'park',
      light: 'day',
      camera: 'zoom in',
      style: 'photo',
    },
  },
  {
    name: 'bonfire',
    seed: 840,
    title: 'A bonfire in the mountains at night',
    options: { subject: 'bonfire', background: 'mountains', light: 'night', camera: 'still', style: 'photo' },
  },
];

const size = 384;
const frameRate = 24;
const seconds = 4;

function makeSample(sample: Sample, ffmpeg: string, out: string): void {
  if (splitOf(sample.seed) !== 'test') throw new Error(`seed ${sample.seed} of ${sample.name} is not a test seed`);
  const scene = sampleScene(sample.seed, sample.options);
  const { frames } = render(scene, { width: size, height: size, frameCount: frameRate * seconds, frameRate });
  const file = join(out, `${sample.name}.mp4`);
  const partial = join(out, `${sample.name}.partial.mp4`);
  const raw = ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', `${size}x${size}`, '-r', `${frameRate}`, '-i', '-'];
  const colour = ['-vf', 'scale=out_color_matrix=bt709:out_range=tv', '-colorspace', 'bt709'];
  const tags = ['-color_primaries', 'bt709', '-color_trc', 'bt709', '-color_range', 'tv'];
  const code = ['-c:v', 'libx264', '-preset', 'veryslow', '-crf', '21', '-pix_fmt', 'yuv420p', '-threads', '1'];
  const exact = ['-fflags', '+bitexact', '-flags:v', '+bitexact', '-map_metadata', '-1', '-movflags', '+faststart'];
  const args = ['-y', '-loglevel', 'error', ...raw, ...colour, ...tags, ...code, ...exact, partial];
  const run = spawnSync(ffmpeg, args, { input: frames, stdio: ['pipe', 'inherit', 'inherit'] });
  if (run.error) throw new Error(`${ffmpeg} could not be started: ${run.error.message}; give its path with --ffmpeg`);
  if (run.status !== 0) throw new Error(`${ffmpeg} stopped with code ${run.status} while writing ${partial}`);
  renameSync(partial, file);
  const words = caption(scene, { identityToken: '[v]', motionToken: '[u]' });
  const about = {
    title: sample.title,
    static: words.static,
    dynamic: words.dynamic,
    frameRate,
    seconds,
    width: size,
    height: size,
    attributes: attributes(scene),
    seed: sample.seed,
    source: "Rendered by Motif's own procedural world (main/world/make-samples.ts).",
    license: 'Apache-2.0, like the project.',
  };
  writeFileSync(join(out, `${sample.name}.json`), `${JSON.stringify(about, null, 2)}\n`);
  console.log(`${file}: ${words.static} | ${words.dynamic}`);
}

const { values } = parseArgs({
  options: {
    ffmpeg: { type: 'string', default: process.env.FFMPEG_BIN ?? 'ffmpeg' },
    out: { type: 'string', default: 'resources/samples' },
  },
});
mkdirSync(values.out, { recursive: true });
for (const sample of samples) makeSample(sample, values.ffmpeg, values.out);
