/** Turns moments or samples into the prediction that a user reads. Everything is pure, on the host. */
import { laplaceError } from '../../errors.js';
import type { Outcome } from '../../likelihood/likelihood.js';
import type { Moments } from '../../likelihood/moments.js';
import type { Head } from '../../network/network.js';
import type { Design } from '../../random/noise.js';
import { classEntropy, labelEntropy } from '../links/entropies.js';
import { type Classification, type OutputPrediction, type Regression, rowsOf } from '../prediction.js';
import { runningMean } from './runningMean.js';

/** The part of a head that a report needs. */
export type Rowed = Pick<Head, 'row'>;

/** The entropy of one row of probabilities, in nats. */
type Entropy = (p: ArrayLike<number>) => number;

/** How one kind of outcome is reported. */
type Form =
  | { readonly _tag: 'classification'; readonly entropy: Entropy }
  | { readonly _tag: 'regression'; readonly support: Regression['support'] };

const FORMS: Readonly<Record<Outcome, Form>> = {
  classes: { _tag: 'classification', entropy: classEntropy },
  labels: { _tag: 'classification', entropy: labelEntropy },
  numbers: { _tag: 'regression', support: 'real' },
  counts: { _tag: 'regression', support: 'counts' },
};

/** How a head's predictions are reported. */
export const formOf = ({ row }: Rowed): Form => FORMS[row.ops.predicts];

/**
 * The report of samples. `draws` [B, samples, P] holds the prediction of each sampled network for each example. For a
 * classification these are probabilities (P = C). For a regression they are the means of the T labels, and then the noise
 * variances (P = 2 T).
 */
export function reportSamples(
  head: Rowed,
  draws: Float32Array,
  samples: number,
  P: number,
  design: Design = 'independent',
): OutputPrediction {
  const rows = draws.length / (samples * P);
  const fold = sampleFold(head, design, rows, P);
  const values = new Float32Array(rows * P);
  for (let s = 0; s < samples; s++) {
    for (let b = 0; b < rows; b++) values.set(draws.subarray((b * samples + s) * P, (b * samples + s + 1) * P), b * P);
    fold.add(values);
  }
  return fold.report();
}

/** A report that draws are added to one after another. */
export interface SampleFold {
  /** Adds the predictions of the next sampled network: [rows, P], as in `reportSamples`. */
  readonly add: (values: Float32Array) => void;
  /** The largest standard error of a mean prediction; infinite while the draws are too few to tell. */
  readonly standardError: () => number;
  /** The report of the draws so far. */
  readonly report: () => OutputPrediction;
}

/**
 * A report of a head's rows of P numbers, from draws of this design. Memory: a few arrays [rows, P], however many draws there
 * are.
 */
export function sampleFold(head: Rowed, design: Design, rows: number, P: number): SampleFold {
  const form = formOf(head);
  const values = runningMean(design, rows * P);
  // The mean noise variances of a regression have a standard error too, but no report shows it.
  const predicted = form._tag === 'classification' ? P : P / 2;
  const expectedEntropy = new Float64Array(rows);
  /** The mean predictions of every row, without the noise variances that follow them. */
  const own = (all: Float64Array): Float32Array => {
    const data = new Float32Array(rows * predicted);
    for (let b = 0; b < rows; b++) data.set(all.subarray(b * P, b * P + predicted), b * predicted);
    return data;
  };
  const errors = (): Float32Array | undefined => {
    const variance = values.errorVariance();
    return variance === undefined ? undefined : own(variance).map(Math.sqrt);
  };
  return {
    add: (drawn) => {
      assertFinite(drawn, 'samples');
      values.add(drawn);
      if (form._tag === 'regression') return;
      for (let b = 0; b < rows; b++) {
        const h = form.entropy(drawn.subarray(b * P, (b + 1) * P));
        expectedEntropy[b] = (expectedEntropy[b] as number) + (h - (expectedEntropy[b] as number)) / values.samples();
      }
    },
    standardError: () => errors()?.reduce((max, e) => Math.max(max, e), 0) ?? Infinity,
    report: () => {
      const standardError = errors();
      const sampled = {
        samples: values.samples(),
        ...(standardError === undefined ? {} : { standardError: rowsOf(standardError, predicted) }),
      };
      const mean = values.mean();
      if (form._tag === 'classification') {
        // The spread of a single sample is reported as 0.
        const deviations = Float32Array.from(values.variance(), (v) => (values.samples() > 1 ? Math.sqrt(v) : 0));
        const found = classification(form.entropy, Float32Array.from(mean), deviations, Float32Array.from(expectedEntropy), P);
        return { ...found, ...sampled };
      }
      const [T, variance] = [predicted, values.variance()];
      const moments = Array.from({ length: rows * T }, (_, i): Moments => {
        const at = Math.floor(i / T) * P + (i % T);
        return { mean: mean[at] as number, epistemic: variance[at] as number, noise: mean[at + T] as number };
      });
      return { ...regression(form.support, moments, T), ...sampled };
    },
  };
}

/** A classification from moments of probabilities, [B, C] each, and the expected entropies [B]. */
export function classification(
  entropyOf: Entropy,
  p: Float32Array,
  deviations: Float32Array,
  expectedEntropy: Float32Array,
  C: number,
): Classification {
  const probabilities = rowsOf(p.map(inRange), C);
  const entropy = notNegative(Float32Array.from(probabilities, entropyOf));
  const expected = notNegative(expectedEntropy);
  const mutualInformation = notNegative(entropy.map((h, b) => h - (expected[b] as number)));
  const standardDeviations = rowsOf(deviations, C);
  return { _tag: 'classification', probabilities, standardDeviations, entropy, expectedEntropy: expected, mutualInformation };
}

/** A mean of draws, or a quadrature, is off by rounding: a probability of 0 may come as −1e-16. NaN stays. */
const inRange = (p: number): number => Math.min(1, Math.max(0, p));

/** Rounding leaves the entropy of a sure class a little below 0, and the two probits an expected entropy above that of their mean. */
const notNegative = (values: Float32Array): Float32Array => values.map((v) => Math.max(0, v));

/** A regression of T labels, from the moments of all labels of all examples, example by example. */
export function regression(support: Regression['support'], moments: ReadonlyArray<Moments>, T: number): Regression {
  const part = (name: string, of: (m: Moments) => number) => {
    const values = Float32Array.from(moments, of);
    assertFinite(values, name);
    return rowsOf(values, T);
  };
  return {
    _tag: 'regression',
    support,
    mean: part('mean', (m) => m.mean),
    epistemicVariance: part('epistemicVariance', (m) => m.epistemic),
    noiseVariance: part('noiseVariance', (m) => m.noise),
    totalVariance: part('totalVariance', (m) => m.epistemic + m.noise),
  };
}

export function assertFinite(values: Float32Array, field: string): void {
  if (values.every(Number.isFinite)) return;
  throw laplaceError('NotFinite', {
    what: `The predictive ${field} holds a number that is not finite`,
    field,
    found: 'NaN or Infinity',
    expected: 'finite numbers',
    remedy: 'Look for NaN in the inputs; sampled networks can overflow at a very small prior precision or a high temperature.',
  });
}
