import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { makeClip } from '../../fixtures/library.ts';

/** By its name alone: its types are those of a browser, which tests do not know. */
const module: string = '../../../renderer/features/player/source-frames.ts';
const { SourceFrames, preparedFrameAt } = (await import(module)) as {
  preparedFrameAt(clip: ReturnType<typeof makeClip>, sourceFrame: number): number;
  SourceFrames: new (
    clip: ReturnType<typeof makeClip>,
    address: string,
  ) => { at(index: number): Promise<{ data: Uint8ClampedArray }>; dispose(): void };
};

/** As much of a video as frames are taken from: it loads and seeks when it is told to. */
class FakeVideo {
  muted = false;
  preload = '';
  src = '';
  duration = 3;
  currentTime = 0;
  videoWidth = 16;
  videoHeight = 16;
  onloadeddata: (() => void) | null = null;
  onerror: (() => void) | null = null;
  onseeked: (() => void) | null = null;
  removeAttribute(): void {
    this.src = '';
  }
  load(): void {}
}
let video: FakeVideo;

beforeEach(() => {
  video = new FakeVideo();
  const context = { drawImage() {}, getImageData: () => ({ data: new Uint8ClampedArray(4) }) };
  const canvas = { getContext: () => context };
  vi.stubGlobal('document', { createElement: (name: string) => (name === 'video' ? video : canvas) });
});
afterEach(() => vi.unstubAllGlobals());

it('answers with the frame once the video has loaded and gone there', async () => {
  const frames = new SourceFrames(makeClip('river'), 'river.mp4');
  const picture = frames.at(2);
  video.onloadeddata?.();
  await vi.waitFor(() => expect(video.onseeked).not.toBeNull());
  video.onseeked?.();
  expect((await picture).data).toHaveLength(4);
});

it('leaves nobody waiting for a video that is taken away, before it has loaded or while it goes to a frame', async () => {
  const unloaded = new SourceFrames(makeClip('river'), 'river.mp4');
  const first = unloaded.at(0);
  unloaded.dispose();
  await expect(first).rejects.toMatchObject({ name: 'AbortError' });
  const seeking = new SourceFrames(makeClip('river'), 'river.mp4');
  const second = seeking.at(3);
  video.onloadeddata?.();
  await vi.waitFor(() => expect(video.onseeked).not.toBeNull());
  seeking.dispose();
  await expect(second).rejects.toMatchObject({ name: 'AbortError' });
});

it('finds the prepared picture of a source frame, and stops at the ends of the range', () => {
  // 24 frames a second at the source, 8 prepared: five pictures that begin at 0.5 s, each over three frames.
  const clip = makeClip('river', { fromSeconds: 0.5, toSeconds: 1.125 });
  expect([0, 11, 12, 14, 15, 20, 21, 26, 27, 47].map((frame) => preparedFrameAt(clip, frame))).toEqual([
    0, 0, 0, 0, 1, 2, 3, 4, 4, 4,
  ]);
});
