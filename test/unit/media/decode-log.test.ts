import { expect, test } from 'vitest';
import { readLogLine } from '../../../main/media/decode-log.ts';

test('pictures with and without a time, and complaints of decoder and demuxer are read', () => {
  const line = '[Parsed_showinfo_7 @ 0x55d3c8db11c0] [info] n:   0 pts:  93867 pts_time:1.04297 duration:1 fmt:rgb24';
  expect(readLogLine(line)).toEqual({ kind: 'picture', seconds: 1.04297 });
  const old = '[Parsed_showinfo_7 @ 0x5e2e] [info] n:   4 pts: NOPTS pts_time:NOPTS pos: 48 fmt:rgb24';
  expect(readLogLine(old)).toEqual({ kind: 'picture', seconds: undefined });
  for (const complaint of [
    '[h264 @ 0x559d3d5d0e00] [error] error while decoding MB 12 3, bytestream -9',
    '[mov,mp4,m4a,3gp,3g2,mj2 @ 0x559d3d5d0e00] [fatal] stream 0, offset 0x30: partial file',
    '[vist#0:0/h264 @ 0x559d3d5d0e00] [error] Error submitting packet to decoder',
    '[vist#0:0/h264 @ 0x559d3d5d0e00] [dec:h264 @ 0x559d3d5d0f00] [error] Decoding error',
  ]) {
    expect(readLogLine(complaint), complaint).toEqual({ kind: 'complaint' });
  }
});

test('words of a title, a path or a comment are none', () => {
  for (const harmless of [
    "[info] Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'file:/films/[h264 @ 0x1] [error] take.mp4':",
    '[info]     title           : [fatal] attraction',
    '                : [error] second line of a title',
    '[info]     comment         : showinfo n: 3 pts: 4 pts_time:9',
    '[error] clip.mp4',
    '[h264 @ 0x559d3d5d0e00] [warning] Increasing reorder buffer to 1',
  ]) {
    expect(readLogLine(harmless), harmless).toBeUndefined();
  }
});
