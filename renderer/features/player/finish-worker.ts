import { type ColourChange, findChange, partsOf, type SmallClip, withBrush } from '../../../shared/finish/change.ts';
import { createFinisher, type FinishSettings } from '../../../shared/finish/finish-frame.ts';
import { showMask } from '../../../shared/finish/mask-view.ts';
import { LruCache } from '../../../shared/structures/lru-cache.ts';

/** A picture to finish: RGBA, its time in the model's frames, and the edit (the addresses of its two clips) whose change is made to it. */
export interface FinishRequest extends FinishSettings {
  id: number;
  edited: SmallAddress;
  base: SmallAddress;
  pixels: Uint8ClampedArray<ArrayBuffer>;
  width: number;
  height: number;
  time: number;
  showsMask: boolean;
}

export interface SmallAddress {
  address: string;
  frameCount: number;
  width: number;
  height: number;
}

export interface FinishAnswer {
  id: number;
  pixels?: Uint8ClampedArray<ArrayBuffer>;
  error?: string;
}

const keptChanges = 6;
const changes = new LruCache<string, Promise<ColourChange>>(keptChanges);

/** Changes that were looked at last are kept, without what the brush does to them: finding one takes as long as finishing some pictures. */
function changeOf({ edited, base, keepDetail, lock, recolour, carried }: FinishRequest): Promise<ColourChange> {
  const { even, close } = partsOf(keepDetail);
  const key = `${edited.address} ${base.address} ${even || carried} ${close} ${lock} ${JSON.stringify(recolour)}`;
  const change =
    changes.get(key) ??
    Promise.all([read(base), read(edited)]).then(([before, after]) =>
      findChange(before, after, { keepDetail, lock, recolour, carried }),
    );
  changes.set(key, change);
  change.catch(() => changes.delete(key));
  return change;
}

async function read({ address, ...size }: SmallAddress): Promise<SmallClip> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(await response.text());
  return { data: new Uint8Array(await response.arrayBuffer()), ...size };
}

async function answer(request: FinishRequest): Promise<FinishAnswer> {
  const { id, pixels, width, height, time, placement, keepDetail, amount, colour, brush = [], carried } = request;
  try {
    const change = withBrush(await changeOf(request), brush);
    const picture = { rgb: pixels, width, height, step: 4 } as const;
    createFinisher(change, { placement, keepDetail, amount, colour, carried }).finish(picture, time, pixels);
    if (request.showsMask && change.masks) showMask({ ...change, masks: change.masks }, picture, time, placement);
    return { id, pixels };
  } catch (thrown) {
    return { id, error: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

self.onmessage = async ({ data }: MessageEvent<FinishRequest>) => {
  const finished = await answer(data);
  self.postMessage(finished, { transfer: finished.pixels ? [finished.pixels.buffer] : [] });
};
