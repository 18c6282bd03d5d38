/** From the Gaussian over outputs to the prediction that a user reads. Pure, on the host, in float64. */
import type { Moments } from '../../likelihood/moments.js';
import type { PredictiveOf } from '../codec.js';
import { sigmoid, softmax } from '../links/entropies.js';
import { classBridge, labelBridge } from '../links/laplaceBridge.js';
import { type LabelMoments, labelMoments } from '../links/logisticNormal.js';
import { type OutputCovariance, outputCovariance } from '../links/outputCovariance.js';
import { type ClassMoments, drawnClasses, outputDraws } from '../links/outputDraws.js';
import { multiclassProbit, probit } from '../links/probit.js';
import type { OutputPrediction } from '../prediction.js';
import { assertFinite, classification, formOf, type Rowed, regression } from './report.js';

/** How probabilities are made of outputs. */
export type LinkOptions = Pick<PredictiveOf<'linearised'>, 'link' | 'samples' | 'seed'>;

/**
 * Report of a linearised predictive. `mean` [B, C]; `covariance` is [B, C·C] for the full one, or [B, C] for variances.
 * `undefined` for a regression whose moments have no closed form: average `drawsOf` instead.
 */
export function reportLinearised(
  head: Rowed,
  mean: Float32Array,
  covariance: Float32Array,
  options: LinkOptions,
): OutputPrediction | undefined {
  const { ops, outputs: C } = head.row;
  const form = formOf(head);
  const { gaussianMoments } = ops;
  if (form._tag === 'regression' && gaussianMoments === undefined) return undefined;
  const rows = rowsOf(mean, covariance, C);
  if (form._tag === 'regression') {
    const moments = rows.map(([f, { variance }]) => gaussianMoments?.(f, variance) ?? []);
    return regression(form.support, moments.flat(), (moments[0] as ReadonlyArray<Moments>).length);
  }
  const probabilities = new Float32Array(mean.length);
  const deviations = new Float32Array(mean.length);
  const expected = new Float32Array(rows.length);
  const momentsOf = ops.predicts === 'classes' ? ofClasses : ofLabels;
  rows.forEach(([f, own], b) => {
    const found = momentsOf(f, own, options);
    probabilities.set(found.probabilities, b * C);
    deviations.set(found.deviations, b * C);
    expected[b] = found.expectedEntropy;
  });
  return classification(form.entropy, probabilities, deviations, expected, C);
}

/** Draws [B, S, C] of outputs f ~ N(mean, covariance): for likelihoods whose moments have no closed form. */
export function drawsOf(mean: Float32Array, covariance: Float32Array, C: number, options: LinkOptions): Float32Array {
  const all = new Float32Array(mean.length * options.samples);
  rowsOf(mean, covariance, C)
    .flatMap(([f, own]) => outputDraws(f, own, options))
    .forEach((f, i) => all.set(f, i * C));
  return all;
}

/** Mean and covariance of every example. */
function rowsOf(
  mean: Float32Array,
  covariance: Float32Array,
  C: number,
): ReadonlyArray<readonly [Float64Array, OutputCovariance]> {
  assertFinite(mean, 'mean');
  assertFinite(covariance, 'covariance');
  const B = mean.length / C;
  const size = covariance.length / B;
  return Array.from({ length: B }, (_, b) => [
    Float64Array.from(mean.subarray(b * C, (b + 1) * C)),
    outputCovariance(covariance.subarray(b * size, (b + 1) * size), C),
  ]);
}

function ofClasses(mean: Float64Array, covariance: OutputCovariance, options: LinkOptions): ClassMoments {
  switch (options.link) {
    case 'probit':
      return { ...drawnClasses(mean, covariance, options), probabilities: probit(softmax, mean, covariance.variance) };
    case 'multiclassProbit':
      return { ...drawnClasses(mean, covariance, options), probabilities: multiclassProbit(mean, covariance) };
    case 'monteCarlo':
      return drawnClasses(mean, covariance, options);
    case 'laplaceBridge':
      return classBridge(mean, covariance);
  }
}

/** Independent labels: each a number of its own. */
function ofLabels(mean: Float64Array, { variance }: OutputCovariance, { link }: LinkOptions): ClassMoments {
  const momentsOf = link === 'laplaceBridge' ? labelBridge : labelMoments;
  const labels = Array.from(mean, (mu, k): LabelMoments => momentsOf(mu, variance[k] as number));
  const closed = link === 'probit' || link === 'multiclassProbit';
  return {
    probabilities: closed ? probit(sigmoid, mean, variance) : Float64Array.from(labels, (label) => label.mean),
    deviations: Float64Array.from(labels, (label) => Math.sqrt(label.variance)),
    expectedEntropy: labels.reduce((sum, label) => sum + label.expectedEntropy, 0),
  };
}
