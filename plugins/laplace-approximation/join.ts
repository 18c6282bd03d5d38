/** The predictions of several batches as one, with the number that people ask for first. */
import type { Classification, Prediction, Regression } from 'tfjs-laplace';

/** A prediction with one uncertainty an example, [B]. */
export type WithUncertainty<P> = P & {
  /** Predictive entropy in nats (classification), or the root of the mean total variance of the outputs (regression). */
  readonly uncertainty: Float32Array;
};

/** Joins predictions of one kind, in order. */
export function joinPredictions(parts: ReadonlyArray<Prediction>): WithUncertainty<Prediction> {
  if (parts[0]?._tag === 'regression') {
    const all = parts as ReadonlyArray<Regression>;
    const totalVariance = all.flatMap((p) => p.totalVariance);
    return {
      _tag: 'regression',
      mean: all.flatMap((p) => p.mean),
      epistemicVariance: all.flatMap((p) => p.epistemicVariance),
      noiseVariance: all.flatMap((p) => p.noiseVariance),
      totalVariance,
      uncertainty: Float32Array.from(totalVariance, (row) => Math.sqrt(row.reduce((a, b) => a + b, 0) / row.length)),
    };
  }
  const all = parts as ReadonlyArray<Classification>;
  const entropy = concat(all.map((p) => p.entropy));
  return {
    _tag: 'classification',
    probabilities: all.flatMap((p) => p.probabilities),
    entropy,
    expectedEntropy: concat(all.map((p) => p.expectedEntropy)),
    mutualInformation: concat(all.map((p) => p.mutualInformation)),
    uncertainty: entropy,
  };
}

function concat(parts: ReadonlyArray<Float32Array>): Float32Array {
  const all = new Float32Array(parts.reduce((n, p) => n + p.length, 0));
  parts.reduce((offset, p) => {
    all.set(p, offset);
    return offset + p.length;
  }, 0);
  return all;
}
