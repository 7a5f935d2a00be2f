import type { Clip } from '../../../shared/domain/clip.ts';
import { toNumber } from '../../../shared/domain/time.ts';
import type { Registration } from '../context.ts';
import { formatMoment, formatTable, shorten } from '../tables.ts';

export const registerClips: Registration = (program, run) => {
  program
    .command('clips')
    .description('Lists the clips in the library, newest first.')
    .argument('[text]', 'only clips with these words in name, tags or notes')
    .addHelpText('after', '\nExamples:\n  motif clips\n  motif clips river --json')
    .action(
      run((context, text: string | undefined) =>
        context.withServices({ access: 'read' }, async (services) => {
          const clips = await services.call['clips.list']({ text: text ?? '' });
          const table = formatTable(
            ['id', 'name', 'range', 'frames', 'size', 'imported'],
            clips.map((clip) => [
              clip.id,
              shorten(clip.name, 40),
              `${clip.fromSeconds.toFixed(2)}-${clip.toSeconds.toFixed(2)} s`,
              String(clip.frames.frameCount),
              `${clip.frames.width}x${clip.frames.height}`,
              formatMoment(clip.createdAt),
            ]),
          );
          context.output.result(
            'clips',
            { clips },
            clips.length > 0 ? table : 'No clips yet; see motif import --help.',
          );
        }),
      ),
    );
};

/** `ID  dance.mp4, 2.00 to 4.10 s: 17 frames of 128x128 at 8 a second` */
export function describeClip(clip: Clip): string {
  const { frameCount, width, height, rate } = clip.frames;
  const pace = Number(toNumber(rate).toFixed(2));
  const range = `${clip.fromSeconds.toFixed(2)} to ${clip.toSeconds.toFixed(2)} s`;
  return `${clip.id}  ${clip.name}, ${range}: ${frameCount} frames of ${width}x${height} at ${pace} a second`;
}
