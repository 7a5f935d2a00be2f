import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { makeClip } from '../../fixtures/library.ts';

/** By its name alone: its types are those of a browser, which tests do not know. */
const module: string = '../../../renderer/features/player/source-frames.ts';
const { SourceFrames } = (await import(module)) as {
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
