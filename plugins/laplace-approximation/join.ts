/** Joins the predictions of several batches into one, and adds one number of uncertainty for each example. */
import type { Classification, OutputPrediction, Prediction, Regression, Sampled, Several } from 'tfjs-laplace';

/** A prediction with the uncertainty of each example, [B]. With several outputs, each output has its own. */
export type WithUncertainty<P> =
  P extends Several<infer O>
    ? { readonly _tag: 'several'; readonly outputs: { readonly [K in keyof O]: WithUncertainty<O[K]> } }
    : P & {
        /**
         * Predictive entropy in nats (classification), or √ of the total variance's mean over outputs, in label units
         * (regression).
         */
        readonly uncertainty: Float32Array;
      };

/** Joins predictions of one kind, in their order. */
export function joinPredictions(parts: ReadonlyArray<Prediction>): WithUncertainty<Prediction> {
  if (parts[0]?._tag !== 'several') return joinOutput(parts as ReadonlyArray<OutputPrediction>);
  const all = parts as ReadonlyArray<Several>;
  const names = Object.keys(parts[0].outputs);
  const joined = names.map((name) => [name, joinOutput(all.map(({ outputs }) => outputs[name] as OutputPrediction))] as const);
  return { _tag: 'several', outputs: Object.fromEntries(joined) };
}

function joinOutput(parts: ReadonlyArray<OutputPrediction>): WithUncertainty<OutputPrediction> {
  if (parts[0]?._tag === 'regression') {
    const all = parts as ReadonlyArray<Regression>;
    const totalVariance = all.flatMap((p) => p.totalVariance);
    return {
      _tag: 'regression',
      support: parts[0].support,
      mean: all.flatMap((p) => p.mean),
      epistemicVariance: all.flatMap((p) => p.epistemicVariance),
      noiseVariance: all.flatMap((p) => p.noiseVariance),
      totalVariance,
      ...joinSampled(all),
      uncertainty: Float32Array.from(totalVariance, (row) => Math.sqrt(row.reduce((a, b) => a + b, 0) / row.length)),
    };
  }
  const all = parts as ReadonlyArray<Classification>;
  const entropy = concat(all.map((p) => p.entropy));
  return {
    _tag: 'classification',
    probabilities: all.flatMap((p) => p.probabilities),
    standardDeviations: all.flatMap((p) => p.standardDeviations),
    entropy,
    expectedEntropy: concat(all.map((p) => p.expectedEntropy)),
    mutualInformation: concat(all.map((p) => p.mutualInformation)),
    ...joinSampled(all),
    uncertainty: entropy,
  };
}

/**
 * With a predictive that stops at a standard error, each batch takes as many samples as it needs. `samples` is the fewest of any
 * batch.
 */
function joinSampled(parts: ReadonlyArray<Sampled>): Sampled {
  const samples = parts.flatMap((p) => p.samples ?? []);
  const errors = parts.flatMap((p) => (p.standardError === undefined ? [] : [p.standardError]));
  return {
    ...(samples.length === 0 ? {} : { samples: Math.min(...samples) }),
    ...(errors.length < parts.length ? {} : { standardError: errors.flat() }),
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
