/** Turns the Gaussian over outputs into the prediction that a user reads. Everything is pure, on the host, in float64. */
import type { Moments } from '../../likelihood/moments.js';
import type { PredictiveOf } from '../codec.js';
import { linkRule } from '../links/index.js';
import type { DrawOptions } from '../links/link.js';
import { type OutputCovariance, outputCovariance } from '../links/outputCovariance.js';
import { outputDraws } from '../links/outputDraws.js';
import type { OutputPrediction } from '../prediction.js';
import { assertFinite, classification, formOf, type Rowed, regression } from './report.js';

/** How outputs become probabilities. */
export type LinkOptions = Pick<PredictiveOf<'linearised'>, 'link' | 'samples' | 'seed' | 'scale'>;

/**
 * The report of a linearised predictive. Undefined for a regression whose moments have no closed form: average `drawsOf` instead.
 *
 * @param mean [B, C]
 * @param covariance [B, C·C], or only the variances [B, C]
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
  const { classes, labels } = linkRule(options.link);
  rows.forEach(([mean, own], b) => {
    const f = mean.map((v) => options.scale * v);
    const found = ops.predicts === 'classes' ? classes(f, own, options) : labels(f, own.variance, options);
    probabilities.set(found.probabilities, b * C);
    deviations.set(found.standardDeviations, b * C);
    expected[b] = found.expectedEntropy;
  });
  return classification(form.entropy, probabilities, deviations, expected, C);
}

/** Draws [B, S, C] of outputs f ~ N(mean, covariance), for likelihoods whose moments have no closed form. */
export function drawsOf(mean: Float32Array, covariance: Float32Array, C: number, options: DrawOptions): Float32Array {
  const all = new Float32Array(mean.length * options.samples);
  rowsOf(mean, covariance, C)
    .flatMap(([f, own]) => outputDraws(f, own, options))
    .forEach((f, i) => all.set(f, i * C));
  return all;
}

/** The mean and covariance of every example. */
export function rowsOf(
  mean: Float32Array,
  covariance: Float32Array,
  C: number,
): ReadonlyArray<readonly [Float64Array, OutputCovariance]> {
  assertFinite(mean, 'mean');
  assertFinite(covariance, 'covariance');
  const B = mean.length / C;
  const size = covariance.length / B;
  return Array.from({ length: B }, (_, b) => [
    new Float64Array(mean.subarray(b * C, (b + 1) * C)),
    outputCovariance(covariance.subarray(b * size, (b + 1) * size), C),
  ]);
}
