import { expect, test } from 'vitest';
import {
  type Capabilities,
  missingCapabilities,
  parseTable,
  parseVersion,
  softwareCodecs,
} from '../../../main/media/capabilities.ts';

test('the version is read from releases and from development snapshots', () => {
  const release = 'ffmpeg version 7.1.1-1ubuntu Copyright (c) 2000-2025\nlibavutil      59. 39.100 / 59. 39.100\n';
  expect(parseVersion(release)).toEqual({ version: '7.1.1-1ubuntu', libavutil: [59, 39] });
  const snapshot =
    'ffprobe version N-66595-gc2b38619c0-static https://example.org\nlibavutil 58.  3.100 / 58.  3.100\n';
  expect(parseVersion(snapshot)).toEqual({ version: 'N-66595-gc2b38619c0-static', libavutil: [58, 3] });
  expect(parseVersion('Usage: something else')).toBeUndefined();
});

test('encoder and filter tables of old and new versions are read without their legends', () => {
  const encoders =
    'Encoders:\n V..... = Video\n ------\n V....D libx264              libx264 H.264 (codec h264)\n A....D aac                  AAC\n';
  expect(parseTable(encoders)).toEqual([
    { name: 'libx264', codec: 'h264' },
    { name: 'aac', codec: 'aac' },
  ]);
  const filters =
    'Filters:\n  T.. = Timeline support\n ... acrusher          A->A       Reduce.\n TSC overlay           VV->V      Overlay.\n TS lut3d             V->V       Adjust.\n';
  expect(parseTable(filters).map(({ name }) => name)).toEqual(['acrusher', 'overlay', 'lut3d']);
});

test('a codec counts as decodable only when the processor can decode it', () => {
  const rows = [
    { name: 'av1', codec: 'av1' },
    { name: 'hevc_cuvid', codec: 'hevc' },
    { name: 'h264', codec: 'h264' },
    { name: 'libdav1d', codec: 'av1' },
  ];
  expect([...softwareCodecs(rows.slice(0, 3))]).toEqual(['h264']);
  expect(softwareCodecs(rows).has('av1')).toBe(true);
});

test('what is missing is named with its purpose', () => {
  const capabilities: Capabilities = {
    version: '1',
    libavutil: [50, 1],
    encoders: new Set(['libx264', 'png', 'gif', 'aac', 'libwebp', 'libvpx', 'prores_ks', 'libx265']),
    decoders: new Set(),
    decodableCodecs: new Set(['h264', 'hevc', 'vp8', 'vp9', 'prores']),
    filters: new Set(['scale', 'showinfo', 'lut3d', 'overlay', 'transpose', 'yadif', 'palettegen']),
  };
  expect(missingCapabilities(capabilities).map(({ kind, names }) => `${kind} ${names[0]}`)).toEqual([
    'decoder av1',
    'encoder libsvtav1',
  ]);
});
