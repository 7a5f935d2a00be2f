/** What one ffmpeg binary is and can do, as it says itself. */
export interface Capabilities {
  version: string;
  /** [major, minor] of libavutil: the only number that also builds from a development snapshot carry. */
  libavutil: [number, number];
  encoders: ReadonlySet<string>;
  /** Names of decoders. */
  decoders: ReadonlySet<string>;
  /** Codecs with at least one decoder that works without special hardware. */
  decodableCodecs: ReadonlySet<string>;
  filters: ReadonlySet<string>;
}

export interface ExpectedCapability {
  kind: 'encoder' | 'decoder' | 'filter';
  /** Any of these will do. */
  names: string[];
  purpose: string;
  /** Without an essential one another ffmpeg is preferred when there is one. */
  essential: boolean;
}

const expect = (
  kind: ExpectedCapability['kind'],
  names: string,
  purpose: string,
  essential = false,
): ExpectedCapability => ({ kind, names: names.split(' '), purpose, essential });

/** Decoders are named by codec, since one codec has several. */
const expectedCapabilities: readonly ExpectedCapability[] = [
  expect('filter', 'scale', 'every picture', true),
  expect('filter', 'showinfo', 'frame times', true),
  expect('filter', 'lut3d', 'HDR and wide-gamut sources', true),
  expect('filter', 'overlay', 'transparent sources', true),
  expect('filter', 'transpose', 'rotated sources', true),
  expect('filter', 'yadif', 'interlaced sources'),
  expect('filter', 'palettegen', 'GIF export'),
  expect('decoder', 'h264', 'H.264 sources', true),
  expect('decoder', 'hevc', 'H.265 sources'),
  expect('decoder', 'av1', 'AV1 sources'),
  expect('decoder', 'vp8', 'VP8 sources'),
  expect('decoder', 'vp9', 'VP9 sources'),
  expect('decoder', 'prores', 'ProRes sources'),
  expect('encoder', 'libx264 libopenh264 h264_videotoolbox h264_mf', 'H.264 export and proxies', true),
  expect('encoder', 'libx265 hevc_videotoolbox hevc_mf', 'H.265 export'),
  expect('encoder', 'libsvtav1 librav1e libaom-av1', 'AV1 export'),
  expect('encoder', 'prores_ks', 'ProRes export'),
  expect('encoder', 'gif', 'GIF export'),
  expect('encoder', 'png', 'PNG export and stills', true),
  expect('encoder', 'libwebp_anim libwebp', 'animated thumbnails'),
  expect('encoder', 'libvpx', 'proxies for browsers without H.264'),
  expect('encoder', 'aac', 'sound in exports'),
];

export function missingCapabilities(capabilities: Capabilities): ExpectedCapability[] {
  return expectedCapabilities.filter(({ kind, names }) => {
    const present = {
      encoder: capabilities.encoders,
      decoder: capabilities.decodableCodecs,
      filter: capabilities.filters,
    };
    return !names.some((name) => present[kind].has(name));
  });
}

/** The output of `ffmpeg -version` (or ffprobe) -> its name for itself and libavutil's version. */
export function parseVersion(text: string): { version: string; libavutil: [number, number] } | undefined {
  const version = /^ff(?:mpeg|probe) version (\S+)/m.exec(text)?.[1];
  if (!version) return undefined;
  const library = /^libavutil\s+(\d+)\.\s*(\d+)\./m.exec(text);
  return { version, libavutil: [Number(library?.[1] ?? 0), Number(library?.[2] ?? 0)] };
}

/** The table of `ffmpeg -encoders`, `-decoders` or `-filters` -> names, and the codec each decoder is for. */
export function parseTable(text: string): Array<{ name: string; codec: string }> {
  const rows: Array<{ name: string; codec: string }> = [];
  for (const line of text.split(/\r?\n/)) {
    const [, name, description] = /^ [A-Z.|]{2,8} +([\w.-]+) +(.*)$/.exec(line) ?? [];
    if (!name || name === '=') continue;
    rows.push({ name, codec: /\(codec ([\w.-]+)\)/.exec(description ?? '')?.[1] ?? name });
  }
  return rows;
}

/** Decoders that carry the plain name of a codec and yet only drive a video card. */
const hardwareOnlyDecoders = new Set(['av1']);
const hardwareSuffix = /_(cuvid|qsv|v4l2m2m|mmal|mediacodec|rkmpp|amf|vaapi|vdpau|videotoolbox|oh)$/;

export function softwareCodecs(decoders: Array<{ name: string; codec: string }>): Set<string> {
  return new Set(
    decoders
      .filter(({ name }) => !hardwareOnlyDecoders.has(name) && !hardwareSuffix.test(name))
      .map(({ codec }) => codec),
  );
}
