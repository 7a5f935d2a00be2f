import type { Clip, RawFrames } from '../../../shared/domain/clip.ts';
import type { Edit, Finishing } from '../../../shared/domain/edit.ts';
import { asChanged } from '../../../shared/domain/look.ts';
import type { ContactSheetRow } from '../../media/contact-sheet.ts';
import { finishedPictures, type PictureStream } from '../../media/finished-pictures.ts';
import type { Services } from '../../services/services.ts';

/** The clip's own pictures. */
export async function sourceRow(services: Services, clip: Clip): Promise<ContactSheetRow> {
  // A change from the clip to itself is none.
  return {
    label: 'source',
    note: clip.name,
    frames: await finished(services, clip, clip.frames, clip.frames, {
      ...asChanged,
      lock: false,
      recolour: null,
      brush: [],
    }),
  };
}

/**
 * An edit as it is delivered: finished, with the model's own pictures beside; those alone where it started
 * from noise.
 */
export async function editRow(
  services: Services,
  clip: Clip,
  { frames, base, settings }: Edit,
  words: { label: string; note?: string },
): Promise<ContactSheetRow> {
  const own = inLibrary(services, frames);
  if (base === null) return { ...words, frames: own };
  return {
    ...words,
    frames: await finished(services, clip, frames, base, settings),
    beside: { label: "the model's own", frames: own },
  };
}

export function inLibrary(services: Services, frames: RawFrames): RawFrames {
  return { ...frames, file: services.library.absolutePath(frames.file) };
}

/** At the moments of the model's pictures, so that those of all rows stand below each other. */
async function finished(
  services: Services,
  clip: Clip,
  edited: RawFrames,
  base: RawFrames,
  finishing: Finishing,
): Promise<PictureStream> {
  const [from, to] = [inLibrary(services, base), inLibrary(services, edited)];
  const stream = await finishedPictures(await services.tools(), {
    clip,
    edited: to,
    base: from,
    ...finishing,
  });
  return { ...stream, frameCount: edited.frameCount, rate: edited.rate };
}
