import type { MeasureClipsRequest, MeasureClipsResult } from '../../../shared/domain/evaluation-table.ts';
import type { EngineCallOptions } from '../../../shared/ipc/engine-contract.ts';
import { readRawFrames } from '../formats/raw-frames.ts';
import { frechetDistance } from '../metrics/frechet.ts';
import { openSuppliedMetrics } from '../metrics/supplied/supplied-metrics.ts';

/**
 * Measures clips by a user's own networks against what they were made of. The Fréchet distance is that of all of them to all of their
 * sources; null where there are fewer than two, or no network for it. Throws as opening the networks and reading frames do.
 */
export async function measureClips(
  { metrics: folder, clips }: MeasureClipsRequest,
  { signal, onEvent = () => {} }: EngineCallOptions = {},
): Promise<MeasureClipsResult> {
  const metrics = await openSuppliedMetrics(folder);
  try {
    const measured: MeasureClipsResult['clips'] = [];
    const vectors: { made: Float32Array[]; source: Float32Array[] } = { made: [], source: [] };
    for (const [done, { name, made, source, words }] of clips.entries()) {
      signal?.throwIfAborted();
      const counted = { done, total: clips.length, unit: 'clips', perSecond: null, etaSeconds: null };
      onEvent({ type: 'progress', progress: { phase: 'measuring', ...counted } });
      const [clip, before] = [await readRawFrames(made), await readRawFrames(source)];
      measured.push({ name, measures: metrics.measure(clip, metrics.see(before), words) });
      const [vector, other] = [metrics.featuresOf(clip), metrics.featuresOf(before)];
      if (vector && other) {
        vectors.made.push(vector);
        vectors.source.push(other);
      }
      // Networks run on this thread: an abort comes in between clips.
      await new Promise((resolve) => setImmediate(resolve));
    }
    const frechetVideo = vectors.made.length < 2 ? null : frechetDistance(vectors.made, vectors.source);
    return { supplied: [...metrics.used], clips: measured, frechetVideo };
  } finally {
    metrics.dispose();
  }
}
