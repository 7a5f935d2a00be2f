import type { CropRectangle } from '../../shared/domain/clip.ts';
import { AppError } from '../../shared/ipc/result.ts';
import { orientationFilters } from './orientation.ts';
import type { Probe } from './probe-types.ts';

/** The name under which a working folder holds the colour map; relative, so that no path needs escaping in a filter. */
export const cubeName = 'colours.cube';

export interface PicturePlan {
  /** Of the displayed picture; null for all of it. */
  crop: CropRectangle | null;
  /** Fill the target and cut what sticks out, or show everything with black bars. */
  fit: 'crop' | 'pad';
  width: number;
  height: number;
  /** The decoder delivers an alpha channel: composed over grey. */
  alpha: boolean;
  /** The source's colours go through the map in `cubeName`. */
  mapColours: boolean;
  /** RGB of 16 bits instead of 8. Default false. */
  isDeep?: boolean | undefined;
}

/** Without these swscale rounds chroma coarsely: off by several levels. */
const exactScaling = 'bicubic+accurate_rnd+full_chroma_int+full_chroma_inp';
/** Grey under transparent pictures: as far from black as from white, so that no outline is invented. */
const backdrop = 128;

/**
 * The filters that turn a decoded picture into RGB of exactly width x height: deinterlaced, upright, square pixels, BT.709
 * colours, full range. They read the picture's size themselves, so a stream that changes its size goes through them too.
 */
export function pictureFilters(probe: Probe, plan: PicturePlan): string[] {
  const { crop, fit, width, height, alpha, mapColours } = plan;
  const filters = uprightFilters(probe);
  if (crop) {
    checkInside(crop, probe);
    const part = (size: string, value: number, whole: number) => `${size}*${value}/${whole}`;
    filters.push(
      `crop=w=${part('iw', crop.width, probe.width)}:h=${part('ih', crop.height, probe.height)}` +
        `:x=${part('iw', crop.left, probe.width)}:y=${part('ih', crop.top, probe.height)}`,
    );
  }
  const shown = crop ?? probe;
  const scale =
    fit === 'crop'
      ? Math.max(width / shown.width, height / shown.height)
      : Math.min(width / shown.width, height / shown.height);
  const atLeast = fit === 'crop' ? Math.max : Math.min;
  const scaledWidth = Math.max(1, atLeast(width, Math.round(shown.width * scale)));
  const scaledHeight = Math.max(1, atLeast(height, Math.round(shown.height * scale)));
  filters.push(`scale=w=${scaledWidth}:h=${scaledHeight}:flags=${exactScaling}${sourceColours(probe)}`);
  if (mapColours) {
    filters.push(`format=${alpha ? 'rgba64le' : 'gbrp16le'}`, `lut3d=file=${cubeName}:interp=tetrahedral`);
  }
  if (alpha) {
    filters.push(
      'format=rgba',
      `split[picture][copy];[copy]lutrgb=r=${backdrop}:g=${backdrop}:b=${backdrop}:a=255[backdrop];` +
        '[backdrop][picture]overlay=format=rgb',
    );
  }
  filters.push(`format=${rgbFormat(plan.isDeep)}`);
  if (scaledWidth !== width || scaledHeight !== height) {
    filters.push(fit === 'crop' ? `crop=w=${width}:h=${height}` : `pad=w=${width}:h=${height}:x=(ow-iw)/2:y=(oh-ih)/2`);
  }
  filters.push('setsar=1');
  return filters;
}

/** ffmpeg's name of RGB values side by side. */
export function rgbFormat(isDeep = false): 'rgb24' | 'rgb48le' {
  return isDeep ? 'rgb48le' : 'rgb24';
}

/** Deinterlaced and turned, still in the stored colours. */
function uprightFilters(probe: Probe): string[] {
  const deinterlace = probe.interlaced ? ['yadif=mode=send_frame:parity=auto:deint=all'] : [];
  return [...deinterlace, ...orientationFilters(probe.orientation)];
}

/** Options of the scale filter that name what the file means by its numbers. */
function sourceColours({ colour: { matrix, range } }: Probe): string {
  return matrix === 'rgb' ? '' : `:in_color_matrix=${matrix}:in_range=${range === 'full' ? 'pc' : 'tv'}`;
}

/** Full-range RGB -> `pixelFormat` at the given size; YUV with BT.709's matrix and limited range. */
export function encodeFilters(isYuv: boolean, pixelFormat: string, size: { width: number; height: number }): string[] {
  const scale = `scale=w=${size.width}:h=${size.height}:flags=${exactScaling}`;
  return [isYuv ? `${scale}:in_range=pc:${bt709}` : scale, `format=${pixelFormat}`, 'setsar=1'];
}

const bt709 = 'out_range=tv:out_color_matrix=bt709';

/**
 * The filters from a decoded picture to BT.709 4:2:0 of a size with the source's shape, for a copy to play. The way over
 * RGB, twice as slow, is taken only where it is needed.
 */
export function playableFilters(
  probe: Probe,
  plan: Pick<PicturePlan, 'width' | 'height' | 'alpha' | 'mapColours'>,
): string[] {
  if (plan.alpha || plan.mapColours || probe.colour.matrix === 'rgb') {
    return [...pictureFilters(probe, { ...plan, crop: null, fit: 'crop' }), ...encodeFilters(true, 'yuv420p', plan)];
  }
  const scale = `scale=w=${plan.width}:h=${plan.height}:flags=bicubic${sourceColours(probe)}:${bt709}`;
  return [...uprightFilters(probe), scale, 'format=yuv420p', 'setsar=1'];
}

function checkInside(crop: CropRectangle, probe: Probe): void {
  if (crop.left + crop.width <= probe.width && crop.top + crop.height <= probe.height) return;
  throw new AppError(
    'invalid-input',
    `The crop ${crop.width}x${crop.height}+${crop.left}+${crop.top} does not lie inside the picture of ${probe.width}x${probe.height}.`,
    { hint: 'Choose a smaller rectangle.' },
  );
}

/** The size out of `sizes` ([width, height]) whose shape is nearest; the first of equals, since models list their best size first. */
export function nearestSize(
  sizes: ReadonlyArray<readonly [number, number]>,
  picture: { width: number; height: number },
): readonly [number, number] {
  const shape = Math.log(picture.width / picture.height);
  const distance = ([width, height]: readonly [number, number]) => Math.abs(Math.log(width / height) - shape);
  return sizes.reduce((best, size) => (distance(size) < distance(best) - 1e-9 ? size : best));
}
