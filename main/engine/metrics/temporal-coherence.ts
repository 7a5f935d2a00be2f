/** Mean cosine of consecutive frames' embeddings (Set-and-Sequence, evaluation: TC). One frame alone is coherent with itself: 1. */
export function temporalCoherence(frameEmbeddings: Float32Array[]): number {
  if (frameEmbeddings.length < 2) return 1;
  let sum = 0;
  for (let i = 0; i + 1 < frameEmbeddings.length; i++) sum += cosine(frameEmbeddings[i]!, frameEmbeddings[i + 1]!);
  return sum / (frameEmbeddings.length - 1);
}

export function cosine(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length)
    throw new RangeError(`expected vectors of equal length, found ${a.length} and ${b.length}`);
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    dot += a[i]! * b[i]!;
    aa += a[i]! * a[i]!;
    bb += b[i]! * b[i]!;
  }
  return dot / Math.max(Math.sqrt(aa * bb), 1e-12);
}
