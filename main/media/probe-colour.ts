import { type ProbeFrame, type ProbeStream, rationalNumber } from './probe-document.ts';
import type { ColourDescription } from './probe-types.ts';

/**
 * What the stream's numbers mean as colours. Where the file is silent: BT.709 from 1280 columns or 577 rows on, BT.601 below,
 * limited range, as players do.
 */
export function describeColour(
  stream: ProbeStream,
  frame: ProbeFrame | undefined,
  pixelFormat: string,
): ColourDescription {
  const said = (value: string | undefined) =>
    value && value !== 'unknown' && value !== 'reserved' ? value : undefined;
  const space = said(stream.color_space) ?? said(frame?.color_space);
  const transfer = said(stream.color_transfer) ?? said(frame?.color_transfer);
  const range = said(stream.color_range) ?? said(frame?.color_range);
  const isRgb = /^(rgb|bgr|gbr|argb|abgr|pal8|0rgb|0bgr|x2rgb|monow|monob)/.test(pixelFormat);
  const isLarge = (stream.width ?? 0) >= 1280 || (stream.height ?? 0) > 576;
  const sideData = [...(stream.side_data_list ?? []), ...(frame?.side_data_list ?? [])];
  const content = sideData.map(({ max_content }) => max_content ?? 0).find((nits) => nits > 0);
  const mastering = sideData.map(({ max_luminance }) => rationalNumber(max_luminance)).find((nits) => nits > 0);
  return {
    matrix: isRgb ? 'rgb' : (matrixNames[space ?? ''] ?? (isLarge ? 'bt709' : 'bt601')),
    range: isRgb || range === 'pc' || pixelFormat.startsWith('yuvj') ? 'full' : 'limited',
    primaries: said(stream.color_primaries) ?? said(frame?.color_primaries),
    transfer,
    hdr: transfer === 'smpte2084' ? 'pq' : transfer === 'arib-std-b67' ? 'hlg' : undefined,
    peakNits: content ?? mastering,
  };
}

const matrixNames: Record<string, ColourDescription['matrix']> = {
  bt709: 'bt709',
  smpte170m: 'bt601',
  bt470bg: 'bt601',
  bt2020nc: 'bt2020',
  bt2020c: 'bt2020',
  fcc: 'fcc',
  smpte240m: 'smpte240m',
  gbr: 'rgb',
  rgb: 'rgb',
};
