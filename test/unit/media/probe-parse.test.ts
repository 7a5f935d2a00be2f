import { describe, expect, test } from 'vitest';
import type { ProbeDocument, ProbePacket, ProbeStream } from '../../../main/media/probe-document.ts';
import { motionPictures, notAVideo, parseProbe, pickVideoStream } from '../../../main/media/probe-parse.ts';

const video = (over: Partial<ProbeStream> = {}): ProbeStream => ({
  index: 0,
  codec_type: 'video',
  codec_name: 'h264',
  width: 1280,
  height: 720,
  pix_fmt: 'yuv420p',
  r_frame_rate: '30/1',
  avg_frame_rate: '30/1',
  duration: '1.0',
  nb_frames: '30',
  ...over,
});
const document = (over: Partial<ProbeDocument> = {}): ProbeDocument => ({
  format: { format_name: 'mov,mp4', start_time: '0', duration: '1.0' },
  streams: [video()],
  errors: [],
  ...over,
});
const packets = (times: number[]): ProbePacket[] =>
  times.map((time) => ({ pts_time: time.toFixed(6), duration_time: '0.033333', flags: 'K_' }));
const constant = Array.from({ length: 30 }, (_, index) => index / 30);
const parse = (stream: ProbeStream, list = packets(constant), over: Partial<ProbeDocument> = {}) =>
  parseProbe({
    path: '/a.mp4',
    sizeBytes: 1,
    document: document({ streams: [stream], ...over }),
    stream,
    packets: list,
    packetsComplete: true,
    frames: [],
  });

describe('what is no clip', () => {
  const reason = (over: Partial<ProbeDocument>) => notAVideo(document(over))?.message;

  test('a normal file is not refused', () => expect(reason({})).toBeUndefined());
  test('a file that does not open', () => {
    expect(reason({ format: {}, streams: [] })).toMatch(/not a video, or too damaged/);
    expect(reason({ format: {}, streams: [], errors: ['[mov @ 0x1] moov atom not found'] })).toMatch(
      /index \(moov\) is missing/,
    );
  });
  test('a picture under any name', () => {
    expect(reason({ format: { format_name: 'jpeg_pipe' } })).toMatch(/picture \(JPEG\)/);
    expect(reason({ format: { format_name: 'image2' } })).toMatch(/picture, not/);
  });
  test('text drawn as a terminal', () => expect(reason({ format: { format_name: 'tty' } })).toMatch(/text/));
  test('a playlist, which would make ffmpeg open other files', () => {
    expect(reason({ format: { format_name: 'hls' } })).toMatch(/playlist/);
    expect(reason({ format: { format_name: 'concat' } })).toMatch(/playlist/);
  });
  test('sound alone, and sound with a cover picture', () => {
    const audio: ProbeStream = { index: 1, codec_type: 'audio' };
    expect(reason({ streams: [audio] })).toMatch(/no video stream, only sound/);
    expect(reason({ streams: [audio, video({ disposition: { attached_pic: 1 } })] })).toMatch(/no video stream/);
  });
});

test('a cover that is not marked as one gives way to the video, whatever it says of itself', () => {
  const cover = video({ index: 0, codec_name: 'mjpeg', width: 4000, height: 4000, disposition: { default: 1 } });
  const film = video({ index: 1, width: 320, height: 180 });
  const pictures = new Map([
    [0, 1],
    [1, 480],
  ]);
  expect(pickVideoStream([cover, film], pictures).index).toBe(1);
  expect(pickVideoStream([cover], new Map([[0, 1]])).index).toBe(0);
});

test('a codec without a name is called by the four characters of the file', () => {
  expect(parse(video({ codec_name: 'unknown', codec_tag_string: 'LHW1' })).codec).toBe('LHW1');
  expect(parse(video({ codec_name: undefined, codec_tag_string: '[0][0][0][0]' })).codec).toBe('unknown');
});

test('a message about the index is not read out of the name of the file', () => {
  const named = ['file:/moov atom not found.mp4: Invalid data found when processing input'];
  expect(notAVideo(document({ format: {}, streams: [], errors: named }))?.message).toMatch(/too damaged/);
  const said = ['[mov,mp4,m4a,3gp,3g2,mj2 @ 0x5575] moov atom not found'];
  expect(notAVideo(document({ format: {}, streams: [], errors: said }))?.message).toMatch(/index \(moov\)/);
});

test('the default stream is chosen, then the largest, never the cover', () => {
  const small = video({ index: 1, width: 320, height: 180 });
  const large = video({ index: 2 });
  const cover = video({ index: 3, width: 4000, height: 4000, disposition: { attached_pic: 1 } });
  expect(pickVideoStream(motionPictures(document({ streams: [small, large, cover] }))).index).toBe(2);
  expect(pickVideoStream([video({ ...small, disposition: { default: 1 } }), large]).index).toBe(1);
});

describe('timing', () => {
  test('a constant rate gives its exact fraction, count, times and end', () => {
    const probe = parse(video());
    expect(probe).toMatchObject({ variableRate: false, frameCount: 30, frameCountExact: true, startSeconds: 0 });
    expect(probe.rate).toEqual({ numerator: 30, denominator: 1 });
    expect(probe.endSeconds).toBeCloseTo(1, 4);
    expect(probe.frameTimes).toHaveLength(30);
  });

  test('times rounded to milliseconds still count as constant', () => {
    const rounded = constant.map((time) => Math.round(time * 1000) / 1000);
    expect(parse(video(), packets(rounded)).variableRate).toBe(false);
  });

  test('a gap makes the rate variable and the average is given', () => {
    const probe = parse(video({ avg_frame_rate: '19/4' }), packets([0, 0.033, 0.5, 0.533, 1]));
    expect(probe).toMatchObject({ variableRate: true, rate: { numerator: 19, denominator: 4 } });
    expect(probe.longestGap).toBeCloseTo(0.467);
  });

  test.each([
    ['50/1', '50/1'],
    ['1000/1', '1000/1'],
    ['60/1', '25/1'],
  ])('a rate of %s, on average %s, is not believed against the times', (r_frame_rate, avg_frame_rate) => {
    const rounded = constant.map((time) => Math.round(time * 1000) / 1000);
    const { rate, variableRate } = parse(
      video({ r_frame_rate, avg_frame_rate, time_base: '1/1000' }),
      packets(rounded),
    );
    expect({ rate, variableRate }).toEqual({ rate: { numerator: 30, denominator: 1 }, variableRate: false });
  });

  test('a telephone that says 1000 and steps by 33 and 34 milliseconds and more shows 30', () => {
    const times = Array.from(
      { length: 300 },
      (_, index) => Math.round(index / 0.03 + (index % 7 === 3 ? 4 : 0)) / 1000,
    );
    const stream = video({ r_frame_rate: '1000/1', avg_frame_rate: '1000/1', time_base: '1/1000' });
    expect(parse(stream, packets(times))).toMatchObject({
      variableRate: true,
      rate: { numerator: 30, denominator: 1 },
    });
  });

  test('24 and 24000/1001 stay what the file says', () => {
    for (const [said, seconds] of [
      ['24/1', 1 / 24],
      ['24000/1001', 1001 / 24000],
    ] as const) {
      const times = Array.from({ length: 240 }, (_, index) => Math.round(index * seconds * 1000) / 1000);
      const { rate } = parse(video({ r_frame_rate: said, avg_frame_rate: said, time_base: '1/1000' }), packets(times));
      expect(`${rate.numerator}/${rate.denominator}`).toBe(said);
    }
  });

  test('steps of a coarse clock are no varying rate', () => {
    const hundredths = [0, 0.08, 0.17, 0.25, 0.33, 0.42, 0.5, 0.58, 0.67, 0.75, 0.83, 0.92];
    const stream = video({ r_frame_rate: '25/2', avg_frame_rate: '143/12', time_base: '1/100' });
    expect(parse(stream, packets(hundredths))).toMatchObject({
      variableRate: false,
      rate: { numerator: 143, denominator: 12 },
    });
  });

  test('what Matroska claims is when the video ends, by a clock that may begin anywhere', () => {
    const format = { format_name: 'matroska,webm', start_time: '3600.0', duration: '3601.0' };
    const later = packets(constant.map((time) => time + 3600));
    const stream = video({ duration: undefined, tags: { DURATION: '01:00:01.000000000' } });
    expect(parse(stream, later, { format }).claimedSeconds).toBeCloseTo(1, 4);
  });

  test('where B-frames alone have times, the frames they refer to are shown when the next such one is stored', () => {
    const stored: ProbePacket[] = constant.map((time, index) => ({
      dts_time: time.toFixed(6),
      pts_time: index > 1 && index % 3 !== 1 ? time.toFixed(6) : 'N/A',
      flags: index === 0 ? 'K_' : '__',
    }));
    const probe = parse(video(), stored);
    expect(probe).toMatchObject({ hasTimes: true, variableRate: false, frameCount: 30 });
    expect(probe.startSeconds).toBeCloseTo(1 / 30);
    expect(probe.frameTimes?.at(-1)).toBeCloseTo(1);
  });

  test('pictures before the first key frame of a recording that was cut do not count', () => {
    const cut = packets(constant).map((packet, index) => ({ ...packet, flags: index === 12 ? 'K_' : '__' }));
    const probe = parse(video(), cut);
    expect(probe).toMatchObject({ frameCount: 18, startsWhole: false });
    expect(probe.startSeconds).toBeCloseTo(0.4);
  });

  test('packets in decoding order are sorted, and those that an edit list hides are left out', () => {
    const hidden: ProbePacket = { pts_time: '-0.1', flags: 'KD' };
    const probe = parse(video(), [hidden, ...packets([0, 0.1, 0.0333, 0.0667])]);
    expect(probe.frameCount).toBe(4);
    expect(probe.frameTimes?.[1]).toBeCloseTo(0.0333);
  });

  test('times count from the start of the file, which may not be zero', () => {
    const format = { format_name: 'matroska', start_time: '10.0', duration: '1.0' };
    expect(parse(video(), packets(constant.map((time) => time + 10.5)), { format }).startSeconds).toBeCloseTo(0.5);
  });

  test('a raw stream without times has a count and no times', () => {
    const probe = parse(video({ duration: undefined }), [{ flags: 'K' }, { flags: '_' }], {
      format: { format_name: 'h264' },
    });
    expect(probe).toMatchObject({ frameCount: 2, frameTimes: undefined });
    expect(probe.endSeconds).toBeCloseTo(2 / 30);
  });

  test('a doubled field rate is not taken for the frame rate', () => {
    const probe = parse(video({ r_frame_rate: '60/1', avg_frame_rate: '30/1' }));
    expect(probe.rate).toEqual({ numerator: 30, denominator: 1 });
  });

  test('the distance of key frames is known, to the end of the file', () => {
    const flagged = packets(constant).map((packet, index) => ({ ...packet, flags: index % 10 === 0 ? 'K__' : '___' }));
    expect(parse(video(), flagged).keyFrameGap).toBeCloseTo(1 / 3, 4);
    expect(
      parse(
        video(),
        flagged.slice(0, 29).filter((_, index) => index < 11),
      ).keyFrameGap,
    ).toBeCloseTo(1 / 3, 4);
  });

  test("of a file too large to scan the count is the container's and the end what it claims", () => {
    const stream = video({ duration: '3600', nb_frames: '108000' });
    const probe = parseProbe({
      ...{ path: '/a.mp4', sizeBytes: 1, document: document({ streams: [stream] }), stream, frames: [] },
      ...{ packets: packets(constant), packetsComplete: false },
    });
    expect(probe).toMatchObject({
      frameCount: 108000,
      frameCountExact: false,
      endSeconds: 3600,
      frameTimes: undefined,
    });
  });

  test('a truncated file keeps what it claims beside what it holds', () => {
    const probe = parse(video({ duration: '4.0', nb_frames: '120' }));
    expect(probe.claimedSeconds).toBe(4);
    expect(probe.endSeconds).toBeCloseTo(1, 4);
  });
});

describe('the picture', () => {
  test('pixel shape and rotation give the displayed size', () => {
    const side_data_list = [{ rotation: -90 }];
    expect(parse(video({ width: 568, height: 320, side_data_list }))).toMatchObject({ width: 320, height: 568 });
    expect(parse(video({ width: 720, height: 576, sample_aspect_ratio: '64:45' }))).toMatchObject({
      width: 1024,
      height: 576,
    });
    expect(parse(video({ sample_aspect_ratio: '0:1' })).sampleAspect).toEqual({ numerator: 1, denominator: 1 });
  });

  test('a rotate tag of old files turns the other way round', () => {
    expect(parse(video({ tags: { rotate: '90' } })).orientation).toEqual(
      parse(video({ side_data_list: [{ rotation: -90 }] })).orientation,
    );
  });

  test('colours are as said, or by convention for the size', () => {
    expect(parse(video()).colour).toMatchObject({ matrix: 'bt709', range: 'limited', hdr: undefined });
    expect(parse(video({ width: 640, height: 480 })).colour.matrix).toBe('bt601');
    expect(parse(video({ color_space: 'smpte170m' })).colour.matrix).toBe('bt601');
    expect(parse(video({ pix_fmt: 'yuvj420p' })).colour.range).toBe('full');
    expect(parse(video({ color_range: 'pc' })).colour.range).toBe('full');
    expect(parse(video({ pix_fmt: 'bgra' })).colour).toMatchObject({ matrix: 'rgb', range: 'full' });
  });

  test('HDR and its brightest light are found in stream or frame', () => {
    const stream = video({ color_transfer: 'smpte2084', color_primaries: 'bt2020', color_space: 'bt2020nc' });
    const lit = { ...stream, side_data_list: [{ max_luminance: '40000000/10000' }] };
    expect(parse(lit).colour).toMatchObject({ hdr: 'pq', matrix: 'bt2020', peakNits: 4000 });
    expect(parse(video({ color_transfer: 'arib-std-b67' })).colour.hdr).toBe('hlg');
  });

  test('depth, transparency and interlacing are told', () => {
    expect(parse(video({ pix_fmt: 'yuv422p10le' })).bitDepth).toBe(10);
    expect(parse(video()).bitDepth).toBe(8);
    expect(parse(video({ tags: { ALPHA_MODE: '1' } })).hasAlpha).toBe(true);
    expect(parse(video({ pix_fmt: 'yuva444p12le' }))).toMatchObject({ hasAlpha: true, bitDepth: 12 });
    expect(parse(video()).hasAlpha).toBe(false);
    expect(parse(video({ field_order: 'tt' })).interlaced).toBe(true);
    expect(parse(video({ field_order: 'progressive' })).interlaced).toBe(false);
  });

  test('a stream without a size is refused', () => {
    expect(() => parse(video({ width: 0 }))).toThrow(/size of the h264 video cannot be read/);
  });
});
